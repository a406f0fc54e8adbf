"""A simulation that rules ``/clock`` for ``gesture_node``, run as a process by its test.

Plays a robot and its two controllers, one of the head and one of all else, in simulated time at
half the speed of real time, and does to the clock what simulators do: starts it late, pauses it,
jumps. Saves what was commanded in each scene and prints what else it saw as JSON.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
import json
import sys
import time
from typing import Any

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Int16MultiArray, String
from trajectory_msgs.msg import JointTrajectory

from gesture_node.motion.robot import load_profile
from gesture_node.ros.audio_messages import AUDIO_TYPES
from gesture_node.ros.sim_messages import trajectory_of
from gesture_node.sim.controller import TrajectoryController

MS, NS = 1_000_000, 1_000_000_000
STEP_NS, STEP_WALL_S = 10 * MS, 0.02
RATE, PACKET = 16_000, 640
LIMIT_S = 120.0
MOVING_RAD = 2e-3


class Simulation(Node):
    """Clock, robot and voice."""

    def __init__(self) -> None:
        super().__init__('simulation')
        self.names = load_profile('humanoid').joint_names
        self.positions = np.array(load_profile('humanoid').rest_positions)
        self.velocities = np.zeros_like(self.positions)
        self.groups = {'head': [i for i, name in enumerate(self.names) if 'head' in name],
                       'body': [i for i, name in enumerate(self.names) if 'head' not in name]}
        self.restart_controllers()
        self.rejected = 0
        self.now_ns = 0
        self.rows: list[np.ndarray] = []
        self.stamps: list[int] = []
        self.told: dict[str, list[int]] = {group: [] for group in self.groups}
        self.states: list[str] = []
        self.is_speaking = False
        self._due_ns = 0
        self._sample = 0
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.clock = self.create_publisher(Clock, '/clock', 10)
        self.joints = self.create_publisher(JointState, 'joint_states', 10)
        self.voice = self.create_publisher(Int16MultiArray, 'audio', QoSProfile(depth=200))
        for group in self.groups:
            self.create_subscription(JointTrajectory, f'{group}/joint_trajectory',
                                     partial(self.obey, group), QoSProfile(depth=50))
        self.create_subscription(String, '/gesture_node/state',
                                 lambda message: self.states.append(message.data), latched)

    def obey(self, group: str, message: JointTrajectory) -> None:
        trajectory = trajectory_of(message)
        self.told[group].append(trajectory.stamp_ns)
        if group == 'body':
            self.stamps.append(trajectory.stamp_ns)
        self.rejected += self.controllers[group].accept(trajectory, self.now_ns) is not None

    def restart_controllers(self) -> None:
        """Begin anew where the robot stands, as a reset of the simulation does."""
        self.controllers = {group: TrajectoryController([self.names[i] for i in columns],
                                                        self.positions[columns])
                            for group, columns in self.groups.items()}

    def step(self) -> None:
        """Let one step of simulated time pass, in twice its time."""
        end_s = time.monotonic() + STEP_WALL_S
        self.now_ns += STEP_NS
        self.clock.publish(Clock(clock=self._stamp(self.now_ns)))
        positions = self.positions.copy()
        for group, columns in self.groups.items():
            positions[columns] = self.controllers[group].sample(
                self.now_ns, self.positions[columns]).positions
        self.velocities = (positions - self.positions) * 100.0
        self.positions = positions
        self.rows.append(positions)
        state = JointState(name=list(self.names), position=positions.tolist())
        state.header.stamp = self._stamp(self.now_ns)
        self.joints.publish(state)
        while self.is_speaking and self._due_ns <= self.now_ns:
            self.speak(self._due_ns)
            self._due_ns += PACKET * NS // RATE
        self.listen(end_s)

    def listen(self, end_s: float) -> None:
        while True:
            rclpy.spin_once(self, timeout_sec=max(0.0, min(0.005, end_s - time.monotonic())))
            if time.monotonic() >= end_s:
                return

    def begin_speech(self) -> None:
        self.is_speaking, self._due_ns = True, self.now_ns

    def speak(self, stamp_ns: int) -> None:
        t = (self._sample + np.arange(PACKET)) / RATE
        tone = np.sin(2 * np.pi * 130 * t) + 0.5 * np.sin(2 * np.pi * 390 * t)
        samples = (8_000 * np.clip(np.sin(2 * np.pi * 3 * t), 0, 1) * tone).astype(np.int16)
        message = Int16MultiArray()
        AUDIO_TYPES['int16'].write(message, samples[:, None], RATE, stamp_ns)
        self.voice.publish(message)
        self._sample += PACKET

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * NS / STEP_NS)):
            self.step()

    def until(self, holds: Callable[[], bool], what: str,
              act: Callable[[], None] | None = None) -> None:
        end_s = time.monotonic() + LIMIT_S
        while not holds():
            (act or self.step)()
            if time.monotonic() > end_s:
                sys.exit(f'in vain: {what}')

    def until_moving(self) -> None:
        """Go on until the robot is in the middle of a gesture that began from here."""
        first = len(self.rows)
        self.until(lambda: len(self.rows) > first and bool(
            np.ptp(np.array(self.rows[first:]), axis=0).max() > MOVING_RAD
            and np.abs(self.velocities).max() > 0.2), 'motion')

    def take(self) -> np.ndarray:
        """Return what was commanded since the last call."""
        rows, self.rows = self.rows, []
        return np.array(rows)

    @staticmethod
    def _stamp(time_ns: int) -> Any:
        from builtin_interfaces.msg import Time

        return Time(sec=time_ns // NS, nanosec=time_ns % NS)


def main() -> None:
    rclpy.init(args=[])
    world = Simulation()
    wait = lambda: world.listen(time.monotonic() + 0.02)  # noqa: E731
    world.until(lambda: 'idle' in world.states, 'the node', wait)
    world.until(lambda: world.voice.get_subscription_count() > 0, 'a listener', wait)
    # Speech before there is a clock.
    for packet in range(20):
        world.speak((packet + 1) * 40 * MS)
        wait()
    seen: dict[str, Any] = {'early': len(world.stamps)}
    scenes = {}
    world.now_ns = 100 * NS
    world.run(0.5)
    world.begin_speech()
    world.until_moving()
    scenes['started'] = world.take()
    # The clock stands still, as of a simulation that is paused.
    world.listen(time.monotonic() + 1.5)
    world.run(1.0)
    world.until_moving()
    scenes['paused'] = world.take()
    # Later on, messages are refused that were on their way when the clock jumped.
    seen['rejected'] = world.rejected
    for name, jump_ns in (('forwards', 50 * NS), ('backwards', -120 * NS)):
        world.now_ns += jump_ns
        world.restart_controllers()
        world.begin_speech()
        jumped_ns, said = world.now_ns, len(world.stamps)
        world.until_moving()
        scenes[name] = world.take()
        seen[name] = {'jumped_ns': jumped_ns, 'now_ns': world.now_ns,
                      'stamps': world.stamps[said:]}
    world.is_speaking = False
    world.until(lambda: world.states[-1] == 'idle', 'idle')
    world.run(0.3)
    scenes['ended'] = world.take()
    np.savez(sys.argv[1], **scenes)
    print(json.dumps({**seen, 'told': world.told}))
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
