"""A simulation around ``audio_source``, run as a process by its test: prints what it saw as JSON.

Publishes ``/clock``, which stands still, runs slowly, runs fast and is reset, and listens. Real
time is never measured: every scene ends when what it waits for has happened.

Usage: ``audio_clock_world.py SAMPLES``.
"""
from __future__ import annotations

import json
import sys
import time
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock

from gesture_node.ros.audio_messages import AUDIO_TYPES
from gesture_node.ros.conversions import to_time

MS = 1_000_000
START_NS, RESET_NS = 100_000 * MS, 3_000 * MS
LIMIT_S = 120.0
FAR_BEHIND_NS = 200 * MS
QUIET_SPINS = 40
KIND = AUDIO_TYPES['int16']


class World(Node):
    """Clock and ear."""

    def __init__(self) -> None:
        super().__init__('world')
        self.now_ns = START_NS
        self.heard: list[tuple[int, int, int]] = []
        self.end = time.monotonic() + LIMIT_S
        self.ticks = self.create_publisher(Clock, '/clock', QoSProfile(depth=10))
        self.create_subscription(KIND.load(), 'audio', self.hear, QoSProfile(depth=500))

    def hear(self, message: Any) -> None:
        packet = KIND.read(message)
        size = memoryview(packet.payload).nbytes // 2
        self.heard.append((packet.stamp_ns, size, self.now_ns))

    @property
    def samples(self) -> int:
        return sum(size for _, size, _ in self.heard)

    def run(self, step_ms: int) -> None:
        """Let simulated time go on by a step and hear what comes meanwhile.

        It waits for sound that is far behind: how busy the machine is must not matter.
        """
        if time.monotonic() > self.end:
            raise SystemExit(f'stuck at {self.now_ns} ns with {self.samples} samples')
        if not self.heard or self.now_ns - self.heard[-1][0] < FAR_BEHIND_NS:
            self.now_ns += step_ms * MS
        self.ticks.publish(Clock(clock=to_time(self.now_ns)))
        rclpy.spin_once(self, timeout_sec=0.01)

    def run_until(self, samples: int, step_ms: int) -> None:
        while self.samples < samples:
            self.run(step_ms)

    def run_out(self) -> None:
        """Go on until the source has seen the end of its file and is gone."""
        while self.count_publishers('audio') and time.monotonic() < self.end:
            self.now_ns += 5 * MS
            self.run(0)

    def stand_still(self) -> int:
        """Return how many samples come when the clock has stood still for a while."""
        for _ in range(QUIET_SPINS):
            self.run(0)
        before = self.samples
        for _ in range(QUIET_SPINS):
            self.run(0)
        return self.samples - before


def main() -> None:
    total = int(sys.argv[1])
    rclpy.init()
    world = World()
    world.run_until(total // 8, 1)
    still = world.stand_still()
    world.run_until(total // 4, 40)
    world.stand_still()
    before_reset = len(world.heard)
    world.now_ns = RESET_NS
    world.run_until(total, 1)
    world.run_out()
    print(json.dumps({'heard': world.heard, 'still': still, 'before_reset': before_reset}))
    world.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
