"""The other side of ``gesture_sim``, run as a process by its test: prints what it saw as JSON.

Publishes, in real time for two seconds, a plan of cubic segments anchored in the past (5 Hz), face
frames at their time (50 Hz) and sound in packets of 20 ms at their time; one trajectory is broken
on purpose. Then calls ``~/save``.
"""
from __future__ import annotations

from array import array
import json
import sys
import time

import numpy as np
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Int16MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from gesture_node.motion.face import BLENDSHAPE_NAMES
from gesture_node.ros.audio_messages import AUDIO_TYPES

SECONDS = 2.0
MS = 1_000_000


class Peer(Node):
    """Publishes the plan, the face and the sound; listens to ``joint_states``."""

    def __init__(self) -> None:
        super().__init__('peer')
        self.plan = self.create_publisher(JointTrajectory, 'joint_trajectory', 2)
        self.face = self.create_publisher(JointState, 'face/blendshapes', 50)
        self.sound = self.create_publisher(Int16MultiArray, 'audio_out', 50)
        self.states: list[JointState] = []
        self.create_subscription(JointState, 'joint_states', self.states.append, 50)
        self.save = self.create_client(Trigger, '/gesture_sim/save')

    def now_ns(self) -> int:
        return self.get_clock().now().nanoseconds

    def wait_for_sim(self) -> None:
        """Spin until the simulator is there and takes the sound."""
        until = time.monotonic() + 60.0
        while not (self.states and self.sound.get_subscription_count()):
            rclpy.spin_once(self, timeout_sec=0.05)
            if time.monotonic() > until:
                sys.exit('the simulator did not appear')

    def send_plan(self, start_ns: int, first: int, names: list[str], goal: np.ndarray) -> None:
        """Publish the knots from ``first`` on, 20 ms apart, of a move to ``goal`` in 1 s."""
        message = JointTrajectory(joint_names=names)
        stamp_ns = start_ns + first * 20 * MS
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
        for knot in range(first, 101):
            t = min(knot * 0.02, 1.0)
            point = JointTrajectoryPoint()
            point.positions = array('d', (goal * (3 * t**2 - 2 * t**3)).tolist())
            point.velocities = array('d', (goal * (6 * t - 6 * t**2)).tolist())
            elapsed_ns = (knot - first) * 20 * MS
            point.time_from_start.sec, point.time_from_start.nanosec = divmod(
                elapsed_ns, 1_000_000_000)
            message.points.append(point)
        self.plan.publish(message)

    def send_frame(self, stamp_ns: int, frame: int) -> None:
        """Publish one face frame and the sound of its 20 ms."""
        face = JointState(name=list(BLENDSHAPE_NAMES))
        face.header.stamp.sec, face.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
        face.position = array('d', [0.5 + 0.5 * np.sin(0.3 * frame)] * len(BLENDSHAPE_NAMES))
        self.face.publish(face)
        sound = Int16MultiArray()
        samples = (8_000 * np.sin(0.1 * np.arange(320))).astype(np.int16)[:, None]
        AUDIO_TYPES['int16'].write(sound, samples, 16_000, stamp_ns)
        self.sound.publish(sound)


def main() -> None:
    rclpy.init()
    peer = Peer()
    peer.wait_for_sim()
    names = list(peer.states[0].name)
    start = np.array(peer.states[0].position)
    moved = [name for name in names if name.endswith('elbow')]
    assert moved and np.abs(start).max() < 10.0
    start_ns = peer.now_ns() + 200 * MS
    commanded = sys.argv[1].split(',')
    goal = np.array([0.6 if name in moved else 0.0 for name in commanded])
    frame = 0
    peer.plan.publish(JointTrajectory(joint_names=['tail'], points=[JointTrajectoryPoint()]))
    while (frame + 1) * 0.02 < SECONDS:
        rclpy.spin_once(peer, timeout_sec=0.001)
        due_ns = start_ns + frame * 20 * MS
        if peer.now_ns() >= due_ns:
            peer.send_frame(due_ns, frame)
            if frame % 10 == 0:
                peer.send_plan(start_ns, frame, commanded, goal)
            frame += 1
    for _ in range(100):
        rclpy.spin_once(peer, timeout_sec=0.01)
    future = peer.save.call_async(Trigger.Request())
    rclpy.spin_until_future_complete(peer, future, timeout_sec=30.0)
    last = dict(zip(peer.states[-1].name, peer.states[-1].position))
    stamps = [s.header.stamp.sec + 1e-9 * s.header.stamp.nanosec for s in peer.states]
    print(json.dumps({
        'saved': future.result().success, 'message': future.result().message, 'last': last,
        'moved': moved, 'frames': frame, 'start_ns': start_ns,
        'increasing': bool(np.all(np.diff(stamps) > 0.0))}))
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
