"""When the voice is heard beside the motion: players, the node's own loudspeaker, leads.

What others need to keep time with the robot is latched on ``~/timing`` as JSON.
"""
from __future__ import annotations

from collections.abc import Callable
import json
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String

from ..exceptions import ConfigError
from ..timeline import NS_PER_S
from . import qos
from .sound_output import Speaker
from .stream_driver import StreamDriver


class SoundTiming:
    """The sound of one driver on its way out.

    Args:
        node: publishes ``~/timing``.
        driver: whose sound it is.
        device: value of the parameter ``speaker_device``.
        now_ns: reads ROS time [ns].
    """

    def __init__(self, node: Node, driver: StreamDriver, device: str,
                 now_ns: Callable[[], int]) -> None:
        self._node, self._driver = node, driver
        self._device, self._now_ns = device, now_ns
        self._publisher = node.create_publisher(String, '~/timing', qos.LATCHED)
        self._said = ''
        self._speaker: Speaker | None = None

    def start(self) -> None:
        """Open the loudspeaker, if one is wanted.

        Raises:
            AudioError: it cannot be opened.
            ConfigError: its latency is longer than the presentation delay.
        """
        if self._device:
            speaker = Speaker(self._device, self._now_ns)
            try:
                speaker.check(self._driver.config.output.presentation_delay_s)
            except ConfigError:
                speaker.close()
                raise
            self._speaker = self._driver.audio_out.speaker = speaker
            self._node.get_logger().info(
                f'playing on sound device {self._device!r}, {speaker.track.rate_hz} Hz, latency '
                f'{1e3 * speaker.latency_s:.0f} ms')

    def halt(self) -> None:
        """Release the loudspeaker."""
        speaker, self._speaker = self._speaker, None
        self._driver.audio_out.speaker = None
        if speaker is not None:
            speaker.close()

    def close(self) -> None:
        """Take the publisher off the graph."""
        self._node.destroy_publisher(self._publisher)

    def take_due(self, now_ns: int) -> list[tuple[int, Any]]:
        """Return the messages to be passed on now, with the times at which they are heard."""
        player_ns = round(self._driver.config.output.player_latency_s * NS_PER_S)
        return self._driver.audio_out.take_due(now_ns + player_ns)

    def values(self) -> dict[str, float]:
        """Return leads, latencies and what was in hand, for the diagnostics; tell the others."""
        config, speaker = self._driver.config, self._speaker
        chosen = {
            'presentation_delay_s': config.output.presentation_delay_s,
            'body_lead_s': config.body.lead_s, 'face_lead_s': config.face.lead_s,
            'player_latency_s': config.output.player_latency_s,
            'speaker_latency_s': None if speaker is None else round(speaker.latency_s, 3)}
        said = json.dumps(chosen)
        if said != self._said:
            self._said = said
            self._publisher.publish(String(data=said))
        values = {f'{key[:-2].replace("_", " ")} ms': 1e3 * value
                  for key, value in chosen.items() if value is not None}
        if speaker is not None:
            values['speaker corrections'] = float(speaker.corrections)
        return values | self._driver.motion.leads.values()

    def counts(self) -> dict[str, float]:
        """Return what of the sound was dropped, for the diagnostics."""
        late_s = 0.0 if self._speaker is None else self._speaker.late_s
        return {'late sound messages': self._driver.audio_out.late, 'late speaker s': late_s}
