"""The other side of ``trajectory_player``, a process of its test: prints what it saw as JSON.

Publishes a plan of NAO's head and arms anchored in the past, five times a second of ROS time, two
broken ones between, and falls silent while the robot moves. With the argument ``sim`` it is the
simulator's clock as well, at half speed.
"""
from __future__ import annotations

from array import array
import json
import sys
import time

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import rclpy
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from gesture_node.motion.robot import load_profile

NS, MS = 1_000_000_000, 1_000_000
SENT_S, LAST_S, PAUSE_S = 1.0, 2.0, 0.6
LIMIT_S = 60.0


def plan_at(time_s: np.ndarray, rest: np.ndarray,
            inward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and velocities (K, N): from rest inward in ``LAST_S``, smoothly."""
    x = np.clip(time_s / LAST_S, 0.0, 1.0)[:, None]
    return (rest + inward * (10 * x**3 - 15 * x**4 + 6 * x**5),
            inward * (30 * x**2 - 60 * x**3 + 30 * x**4) / LAST_S)


class Peer(Node):
    """Plans, and listens to what is written."""

    def __init__(self, simulates: bool) -> None:
        super().__init__('peer')
        profile = load_profile('nao')
        self.names, self.rest = profile.joint_names, profile.rest_positions
        middle = 0.5 * (profile.limits.lower + profile.limits.upper)
        self.inward = np.where(self.rest > middle, -0.2, 0.2)
        self.simulates, self.begun_s = simulates, time.monotonic()
        self.plans = self.create_publisher(JointTrajectory, 'joint_trajectory', 2)
        self.clock = self.create_publisher(Clock, '/clock', 10)
        self.measured = self.create_publisher(JointState, 'joint_states', 10)
        self.arms: list[JointState] = []
        self.heads: list[Float64MultiArray] = []
        self.reports: list[tuple[int, dict[str, str]]] = []
        self.create_subscription(JointState, '/arms/command', self.arms.append, 500)
        self.create_subscription(Float64MultiArray, '/head/command', self.heads.append, 500)
        self.create_subscription(DiagnosticArray, '/diagnostics', self.note, 20)

    def note(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.reports.append((status.level[0], {v.key: v.value for v in status.values}))

    def now_ns(self) -> int:
        """Return ROS time, which this process makes when it simulates."""
        if not self.simulates:
            return int(self.get_clock().now().nanoseconds)
        return 100 * NS + round(0.5 * (time.monotonic() - self.begun_s) * NS)

    def spin(self) -> None:
        if self.simulates:
            tick = Clock()
            tick.clock.sec, tick.clock.nanosec = divmod(self.now_ns(), NS)
            self.clock.publish(tick)
        rclpy.spin_once(self, timeout_sec=0.01)

    def until(self, holds, what: str) -> None:
        end = time.monotonic() + LIMIT_S
        while not holds():
            self.spin()
            if time.monotonic() > end:
                sys.exit(f'in vain: {what}')

    def send(self, start_ns: int, first: int, bad: str = '') -> None:
        """Publish the knots from ``first`` on, 20 ms apart, from the start of the plan."""
        times = np.arange(first, 101) * 0.02
        positions, velocities = plan_at(times, self.rest, self.inward)
        if bad == 'nan':
            positions[5, 3] = np.nan
        message = JointTrajectory(joint_names=list(self.names))
        if bad == 'name':
            message.joint_names[0] = 'tail'
        stamp_ns = start_ns + first * 20 * MS
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, NS)
        for row in range(len(times)):
            point = JointTrajectoryPoint(positions=array('d', positions[row].tolist()),
                                         velocities=array('d', velocities[row].tolist()))
            point.time_from_start.sec, point.time_from_start.nanosec = divmod(row * 20 * MS, NS)
            message.points.append(point)
        self.plans.publish(message)

    def measure(self) -> None:
        self.measured.publish(JointState(name=list(self.names), position=self.rest.tolist()))


def main() -> None:
    rclpy.init()
    peer = Peer(sys.argv[1:] == ['sim'])
    peer.until(lambda: peer.plans.get_subscription_count() and peer.reports, 'the player')
    before = len(peer.arms) + len(peer.heads)
    start_ns = peer.now_ns()
    for turn in range(round(SENT_S / 0.2)):
        peer.until(lambda due=turn: peer.now_ns() >= start_ns + due * 200 * MS, 'time')
        first = max(0, (peer.now_ns() - start_ns) // (20 * MS))
        for bad in ('nan', 'name', 'nan', 'name', '') if turn in (1, 2) else ('',):
            peer.send(start_ns, first, bad)
            peer.measure()
            if bad:
                # A plan replaces the one before it; time for each to be heard and refused.
                time.sleep(0.03)
    peer.until(lambda: peer.now_ns() > start_ns + round((LAST_S + PAUSE_S) * NS), 'the end')
    seen = len(peer.reports)
    peer.until(lambda: len(peer.reports) > seen + 1, 'diagnostics')
    stamps_ns = [m.header.stamp.sec * NS + m.header.stamp.nanosec for m in peer.arms]
    columns = [peer.names.index(name) for name in peer.arms[0].name]
    expected, speeds = plan_at((np.array(stamps_ns) - start_ns) / NS, peer.rest, peer.inward)
    got = np.array([m.position for m in peer.arms])
    error = np.abs(got - expected[:, columns]).max(axis=1)
    # The first plan arrives when its motion has begun; the robot, measured at rest, is eased in.
    spliced = np.array(stamps_ns) > stamps_ns[0] + 500 * MS
    speed_error = np.abs(np.array([m.velocity for m in peer.arms]) - speeds[:, columns])
    head = [peer.names.index(name) for name in ('HeadPitch', 'HeadYaw')]
    print(json.dumps({
        'before': before, 'arms': len(got), 'heads': len(peer.heads),
        'names': list(peer.arms[0].name), 'error': float(error[spliced].max()),
        'speed_error': float(speed_error[spliced].max()),
        'increasing': bool((np.diff(stamps_ns) >= 0).all()), 'moved': float(np.ptp(got[:, 0])),
        'head_first': list(peer.heads[0].data), 'head_last': list(peer.heads[-1].data),
        'head_goal': np.degrees((peer.rest + peer.inward)[head]).tolist(),
        'head_rest': np.degrees(peer.rest[head]).tolist(),
        'levels': [level for level, _ in peer.reports], 'report': peer.reports[-1][1]}))
    peer.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
