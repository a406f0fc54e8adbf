"""Parameters that only the ROS node has, beside those of the pipeline (``gesture_node.config``).

Topics are not among them: they are remapped in the usual way. Knows no ROS, so that the
parameter pages can be generated without it.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from ..config import check, GestureConfig, param

AUDIO_TYPES = ('auto', 'int16', 'float32', 'uint8', 'audio_data', 'audio_data_stamped',
               'audio_stamped')


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeConfig:
    """Everything the node declares: its own parameters, then those of the pipeline."""

    autostart: bool = param(True, 'Configure and activate at start; false leaves the transitions '
                                  'to a lifecycle manager.', read_only=True)
    audio_type: str = param(
        'auto', 'Message type of the audio topic: std_msgs multi-arrays (int16, float32, uint8), '
                'audio_common_msgs/AudioData and AudioDataStamped of ros-drivers (audio_data, '
                'audio_data_stamped), AudioStamped of mgonzs13 (audio_stamped); auto takes what '
                'the publisher has.', choices=AUDIO_TYPES, read_only=True)
    audio_reliability: str = param(
        'auto', 'Reliability asked of audio publishers. best_effort matches all of them; reliable '
                'keeps large messages whole; auto is reliable when all publishers are.',
        choices=('auto', 'best_effort', 'reliable'), read_only=True)
    publish_audio: bool = param(True, 'Pass the audio on as audio_out at its presentation time.',
                                read_only=True)
    diagnostics_hz: float = param(1.0, 'Rate of /diagnostics.', unit='Hz', bounds=(0.1, 10.0),
                                  read_only=True)
    persona_file: str = param(
        '', 'Sound file of a voice whose style is pinned; empty infers the style from the voice '
            'that is heard.', read_only=True)
    measure_sync: bool = param(True, 'Score how well the lips fit the sound and show it in '
                                     '/diagnostics; needs a bundle with sync.onnx.',
                               read_only=True)
    gesture: GestureConfig = field(default_factory=GestureConfig)

    def __post_init__(self) -> None:
        check(self)


GESTURE_GROUP = 'gesture.'
"""Prefix of the pipeline's parameters inside :class:`NodeConfig`; ROS names go without it."""


def ros_name(name: str) -> str:
    """Return the ROS parameter of a dotted field of :class:`NodeConfig`."""
    return name.removeprefix(GESTURE_GROUP)

