"""``audio_source``: publishes a sound file or the microphone as a robot's audio topic.

The stamp of a message is the ROS time at which its first sample is, or was, heard at the source.
With ``use_sim_time`` a file is paced by ``/clock``: it waits while the simulation stands still,
and after a jump goes on from where it was.
"""
from __future__ import annotations

from functools import partial
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node

from ..timeline import NS_PER_S
from . import qos
from .audio_messages import AUDIO_TYPES, best_audio_type
from .audio_source_config import AudioSourceConfig
from .clock_guard import ClockGuard
from .parameters import ConfigParameters
from .runner import run_node
from .sound_input import Microphone, SoundFile
from .steady_clock import steady_clock

_TICK_S = 0.005
_BURST_MESSAGES_PER_TICK = 5
_FLUSH_S = 0.5


class AudioSource(Node):
    """Publishes ``audio``; see :class:`AudioSourceConfig` for its parameters."""

    def __init__(self) -> None:
        super().__init__('audio_source')
        self.done = False
        config = ConfigParameters(self, AudioSourceConfig()).config
        kind = best_audio_type() if config.audio_type == 'auto' else (
            AUDIO_TYPES[config.audio_type])
        self._config = config
        self._kind, self._class = kind, kind.load()
        self._publisher = self.create_publisher(
            self._class, 'audio', qos.own(qos.AUDIO_OUT),
            qos_overriding_options=qos.overridable())
        self._source: SoundFile | Microphone | None = None
        self._start_ns: int | None = None
        self._published = 0
        self._guard = ClockGuard()
        self._timer: Any = None

    def start(self) -> None:
        """Open the file or the microphone and wait for subscribers.

        Raises:
            AudioError: neither can be opened.
        """
        config = self._config
        if config.file:
            self._source = SoundFile(config.file)
            tick = partial(self._publish_file, self._source)
        else:
            self._source = Microphone(config.device, config.sample_rate,
                                      round(max(config.chunk_s, 0.01) * config.sample_rate),
                                      self._now_ns)
            tick = partial(self._publish_microphone, self._source)
        self.get_logger().info(
            f'publishing {config.file or "the microphone"} on {self._publisher.topic_name} as '
            f'{self._kind.ros_type}, {self._source.sample_rate} Hz, at {config.pace} pace')
        self._timer = self.create_timer(_TICK_S, tick, clock=steady_clock())

    def close(self) -> None:
        """Let the last messages reach their subscribers, and release the microphone."""
        if isinstance(self._source, Microphone):
            self._source.close()

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _has_started(self) -> bool:
        """Return whether the subscribers are there and the start delay is over."""
        now_ns = self._now_ns()
        if self._start_ns is None:
            if now_ns and self._publisher.get_subscription_count() >= (
                    self._config.wait_subscribers):
                self._start_ns = now_ns + round(self._config.start_delay_s * NS_PER_S)
            return False
        return now_ns >= self._start_ns

    def _follow_jump(self, file: SoundFile) -> None:
        """Let the next sample be heard now, or after the start delay, when ROS time jumped."""
        now_ns = self._now_ns()
        if self._guard.has_jumped(now_ns, time.monotonic_ns()) and self._start_ns is not None:
            heard_ns = self._published * NS_PER_S // file.sample_rate
            self._start_ns = now_ns - heard_ns if heard_ns else (
                now_ns + round(self._config.start_delay_s * NS_PER_S))

    def _publish_microphone(self, microphone: Microphone) -> None:
        blocks = microphone.take()
        if self._has_started():
            for stamp_ns, samples in blocks:
                self._publish(samples, stamp_ns)

    def _publish_file(self, file: SoundFile) -> None:
        self._follow_jump(file)
        if self.done or not self._has_started():
            return
        assert self._start_ns is not None
        in_one = self._config.chunk_s == 0.0
        frames = file.frames if in_one else max(1, round(self._config.chunk_s * file.sample_rate))
        burst_left = _BURST_MESSAGES_PER_TICK
        while True:
            stamp_ns = self._start_ns + self._published * NS_PER_S // file.sample_rate
            if self._config.pace == 'burst':
                burst_left -= 1
                if burst_left < 0:
                    return
            elif stamp_ns > self._now_ns():
                return
            samples = file.read(frames)
            if len(samples):
                self._publish(samples, stamp_ns)
                self._published += len(samples)
            if len(samples) < frames or in_one:
                self._end(file)
                return

    def _end(self, file: SoundFile) -> None:
        if self._config.loop:
            file.rewind()
            return
        self._timer.cancel()
        self.get_logger().info(f'published {self._published / file.sample_rate:.2f} s of sound')
        if self._config.exit_when_done:
            # An acknowledgement may still be under way when the process would end.
            self.create_timer(_FLUSH_S, self._set_done, clock=steady_clock())

    def _set_done(self) -> None:
        self.done = True

    def _publish(self, samples: NDArray[np.int16], stamp_ns: int) -> None:
        message = self._class()
        assert self._source is not None
        self._kind.write(message, samples, self._source.sample_rate, stamp_ns)
        self._publisher.publish(message)


def main(arguments: list[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(AudioSource, arguments)


if __name__ == '__main__':
    sys.exit(main())
