"""Parameters that only the ROS node has, beside those of the pipeline (``gesture_node.config``).

Topics are not among them: they are remapped in the usual way. Knows no ROS, so that the
parameter pages can be generated without it.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from ..config import check, GestureConfig, param
from .dialogue_config import DialogueConfig

AUDIO_TYPES = ('auto', 'int16', 'float32', 'uint8', 'int8', 'int32', 'float64', 'audio_data',
               'audio_data_stamped', 'audio', 'audio_stamped', 'raw_audio', 'audio_buffer')


WANTED = ('auto', 'always', 'never')


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceOutputConfig:
    """In which formats the node shows the face, beside blendshapes."""

    action_units: str = param(
        'auto', 'Publish face/action_units (hri_msgs/FacialActionUnits): auto where hri_msgs is '
                'installed.', choices=WANTED, read_only=True)
    expression: str = param(
        'auto', 'Publish face/expression (hri_msgs/Expression): auto where hri_msgs is '
                'installed.', choices=WANTED, read_only=True)
    visemes: bool = param(False, 'Publish face/visemes: the 15 visemes of Oculus LipSync.',
                          read_only=True)
    livelink_address: str = param(
        '', 'Host or host:port of an avatar to send Live Link packets to by UDP, port 11111 if '
            'none is given; empty sends nothing and opens no socket.', read_only=True)
    livelink_subject: str = param('gesture_node', 'Name under which Live Link lists the face.',
                                  read_only=True)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationsConfig:
    """How the node looks after itself."""

    adapt_quality: bool = param(True, 'Take fewer denoiser calls, then longer hops, before '
                                      'motion would come late, and go back when there is time.')
    watchdog_s: float = param(2.0, 'A window that takes longer is given up: the robot brakes and '
                                   'the next speech is computed anew.', unit='s',
                              bounds=(0.2, 60.0), read_only=True)
    black_box_s: float = param(30.0, 'How much of the past ~/dump writes: audio, features, motion '
                                     'and plans. 0 remembers nothing.', unit='s',
                               bounds=(0.0, 300.0), read_only=True)
    black_box_folder: str = param('', 'Folder of black-box files; empty takes gesture_node in '
                                      '$ROS_HOME, which is ~/.ros if not set.')
    dump_on_fault: bool = param(False, 'Write a black-box file by itself when computing fails or '
                                       'stalls. It holds speech as it was heard; the last five '
                                       'are kept.')

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeConfig:
    """Everything the node declares: its own parameters, then those of the pipeline."""

    autostart: bool = param(True, 'Configure and activate at start; false leaves the transitions '
                                  'to a lifecycle manager.', read_only=True)
    audio_type: str = param(
        'auto', 'Message type of the audio topic: std_msgs multi-arrays (int16, float32, uint8, '
                'int8, int32, float64), audio_common_msgs/AudioData and AudioDataStamped of '
                'ros-drivers (audio_data, audio_data_stamped), Audio and AudioStamped of '
                'mgonzs13 (audio, audio_stamped), foxglove_msgs/RawAudio (raw_audio), '
                'naoqi_bridge_msgs/AudioBuffer (audio_buffer); auto takes what the publisher '
                'has, and follows it.', choices=AUDIO_TYPES, read_only=True)
    audio_reliability: str = param(
        'auto', 'Reliability asked of audio publishers. best_effort matches all of them; reliable '
                'keeps large messages whole; auto is reliable when all publishers are.',
        choices=('auto', 'best_effort', 'reliable'), read_only=True)
    publish_audio: bool = param(True, 'Pass the audio on as audio_out at its presentation time.',
                                read_only=True)
    speaker_device: str = param(
        '', 'Name or number of a sound device on which the node itself plays the voice, "default" '
            'for the default one; empty opens none. Its latency is counted.', read_only=True)
    diagnostics_hz: float = param(1.0, 'Rate of /diagnostics.', unit='Hz', bounds=(0.1, 10.0),
                                  read_only=True)
    persona_file: str = param(
        '', 'Sound file of a voice whose style is pinned; empty infers the style from the voice '
            'that is heard.', read_only=True)
    gesture_library: str = param(
        '', 'YAML file of the gestures that can be asked for by name; empty takes the one that '
            'ships.', read_only=True)
    measure_sync: bool = param(True, 'Score how well the lips fit the sound and show it in '
                                     '/diagnostics; needs a bundle with sync.onnx.',
                               read_only=True)
    urdf_source: str = param(
        'auto', "Where the URDF comes from: profile is the profile's file, topic waits for "
                'robot_description, auto takes the parameter robot_description if it is given '
                'and else the file.', choices=('auto', 'profile', 'topic'), read_only=True)
    robot_description: str = param(
        '', "URDF (the XML itself) that takes the place of the profile's; the profile must name "
            'joints and links that it has.', read_only=True)
    robot_description_timeout_s: float = param(
        5.0, 'How long configuring waits for the topic robot_description.', unit='s',
        bounds=(0.1, 300.0), read_only=True)
    interruptible: bool = param(
        False, 'Somebody else who begins to speak (audio_other) breaks off what the robot says. '
               'Needs a microphone that does not hear the robot.')
    gesture: GestureConfig = field(default_factory=GestureConfig)
    face: FaceOutputConfig = field(default_factory=FaceOutputConfig)
    operations: OperationsConfig = field(default_factory=OperationsConfig)
    dialogue: DialogueConfig = field(default_factory=DialogueConfig)

    def __post_init__(self) -> None:
        check(self)


GESTURE_GROUP = 'gesture.'
"""Prefix of the pipeline's parameters inside :class:`NodeConfig`; ROS names go without it."""


def ros_name(name: str) -> str:
    """Return the ROS parameter of a dotted field of :class:`NodeConfig`."""
    return name.removeprefix(GESTURE_GROUP)

