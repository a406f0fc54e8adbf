"""Faults around ``gesture_node``, run as a process by its test: prints when each was, as JSON.

Owns the node's process (kills, suspends and restarts it), passes the simulator's ``joint_states``
on (or not), and speaks (or falls silent in the middle). The simulator records what the robot did;
times here are ROS time, for the test to look them up in the recording.
"""
from __future__ import annotations

from collections.abc import Callable
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Int16MultiArray, String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from gesture_node.ros.audio_messages import AUDIO_TYPES

RATE, PACKET = 16_000, 640
NS = 1_000_000_000
LIMIT_S = 90.0
STALL_S = 2.5
MOVING_RAD_S = 0.4


class Faults(Node):
    """Voice, wire and saboteur in one.

    Args:
        command: starts ``gesture_node``, or ``stalling_node.py``.
    """

    def __init__(self, command: list[str]) -> None:
        super().__init__('faults')
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.is_passed_on = False
        self.is_speaking = False
        self.plans: list[int] = []
        self.state = ''
        self.measured = 0
        self.velocities = np.zeros(1)
        self.voice: Any = None
        self._next_ns = 0
        self._sample = 0
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.joints = self.create_publisher(JointState, 'measured', 10)
        self.create_subscription(JointState, 'joint_states', self.pass_on, 10)
        self.create_subscription(JointTrajectory, 'joint_trajectory',
                                 lambda message: self.plans.append(self.now_ns()), 50)
        self.create_subscription(String, '/gesture_node/state', self.note, latched)

    def now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def note(self, message: String) -> None:
        self.state = message.data

    def pass_on(self, message: JointState) -> None:
        self.measured += 1
        self.velocities = np.array(message.velocity)
        if self.is_passed_on:
            self.joints.publish(message)

    def start_node(self) -> None:
        self.state = ''
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        self.until(lambda: self.state == 'idle', 'the node')

    def send(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def begin_speech(self) -> None:
        if self.voice is None:
            self.voice = self.create_publisher(Int16MultiArray, 'audio', QoSProfile(depth=200))
            self.until(lambda: self.voice.get_subscription_count() > 0, 'a listener')
        self.is_speaking, self._next_ns = True, self.now_ns()

    def vanish(self) -> None:
        """Take the voice off the graph in the middle of a word."""
        self.is_speaking = False
        self.destroy_publisher(self.voice)
        self.voice = None

    def speak(self) -> None:
        """Publish what is due of a voice that never ends."""
        while self.is_speaking and self.now_ns() >= self._next_ns:
            t = (self._sample + np.arange(PACKET)) / RATE
            tone = sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 6))
            samples = (6_000 * np.clip(np.sin(2 * np.pi * 3 * t), 0, 1) * tone).astype(np.int16)
            message = Int16MultiArray()
            AUDIO_TYPES['int16'].write(message, samples[:, None], RATE, self._next_ns)
            self.voice.publish(message)
            self._sample += PACKET
            self._next_ns += PACKET * NS // RATE

    def run(self, seconds: float) -> None:
        end_ns = self.now_ns() + round(seconds * NS)
        while self.now_ns() < end_ns:
            self.speak()
            rclpy.spin_once(self, timeout_sec=0.01)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + LIMIT_S
        while not holds():
            self.speak()
            rclpy.spin_once(self, timeout_sec=0.02)
            if time.monotonic() > end:
                sys.exit(f'in vain: {what}')

    def until_moving(self) -> None:
        """Wait until the robot is in the middle of a gesture."""
        self.until(lambda: bool(np.abs(self.velocities).max() > MOVING_RAD_S), 'motion')

    def save(self) -> bool:
        client = self.create_client(Trigger, '/gesture_sim/save')
        self.until(client.service_is_ready, 'save')
        future = client.call_async(Trigger.Request())
        self.until(future.done, 'the recording')
        return bool(future.result().success)


def never_measured(world: Faults) -> dict[str, int]:
    """Speak before joint_states exist; then they do."""
    world.is_passed_on = False
    world.start_node()
    world.begin_speech()
    world.run(2.5)
    silent, fault_ns = len(world.plans), world.now_ns()
    world.is_passed_on = True
    world.until_moving()
    return {'plans_before': silent, 'fault_ns': fault_ns - 2 * NS, 'rest_ns': fault_ns,
            'again_ns': world.now_ns()}


def moving_again(world: Faults, fault_ns: int, rest_ns: int) -> dict[str, int]:
    """Wait until the robot moves; return when what happened."""
    world.until_moving()
    return {'fault_ns': fault_ns, 'rest_ns': rest_ns, 'again_ns': world.now_ns()}


def stale(world: Faults) -> dict[str, int]:
    """Let joint_states stop for a while in the middle of a gesture."""
    world.is_passed_on = False
    fault_ns = world.now_ns()
    world.run(4.0)
    rest_ns = world.now_ns()
    world.is_passed_on = True
    return moving_again(world, fault_ns, rest_ns)


def stalled(world: Faults) -> dict[str, int]:
    """Halt the whole node for longer than its plans last: 1.5 s of delay and a tail of 0.6 s."""
    fault_ns = world.now_ns()
    world.send(signal.SIGSTOP)
    world.run(STALL_S)
    rest_ns = world.now_ns()
    world.send(signal.SIGCONT)
    return moving_again(world, fault_ns, rest_ns)


def worker_stalled(world: Faults) -> dict[str, int]:
    """Let one window take longer than the watchdog waits; everything else in the node goes on."""
    fault_ns = world.now_ns()
    world.send(signal.SIGUSR2)
    # The stall begins with the next window; the watchdog brakes 2 s later.
    world.run(3.7)
    rest_ns = world.now_ns()
    return moving_again(world, fault_ns, rest_ns)


def voice_vanished(world: Faults) -> dict[str, int]:
    """Let the voice's publisher disappear, and another one come."""
    fault_ns = world.now_ns()
    world.vanish()
    world.until(lambda: world.state == 'idle', 'idle')
    world.run(0.7)
    rest_ns = world.now_ns()
    world.begin_speech()
    return moving_again(world, fault_ns, rest_ns)


def killed(world: Faults) -> dict[str, int]:
    """Kill the node in the middle of a gesture, and start another."""
    fault_ns = world.now_ns()
    world.send(signal.SIGKILL)
    world.run(3.0)
    rest_ns = world.now_ns()
    world.start_node()
    return moving_again(world, fault_ns, rest_ns)


def main() -> None:
    # The arguments are the node's, not mine.
    rclpy.init(args=[])
    world = Faults(sys.argv[1:])
    try:
        world.until(lambda: world.measured > 5, 'the simulator')
        seen = {scene.__name__: scene(world)
                for scene in (never_measured, stale, stalled, worker_stalled, voice_vanished,
                              killed)}
        world.vanish()
        world.until(lambda: world.state == 'idle', 'idle at the end')
        world.run(0.7)
        print(json.dumps({**seen, 'end_ns': world.now_ns(), 'saved': world.save()}))
    finally:
        if world.process is not None:
            world.process.kill()
            world.process.wait()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
