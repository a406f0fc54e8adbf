"""A robot that obeys, and somebody who asks for gestures; prints what it saw as JSON."""
from __future__ import annotations

from collections.abc import Callable
import json
import sys
import time
from typing import Any

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from gesture_node.motion.robot import load_profile
from gesture_node.ros.sim_messages import trajectory_of
from gesture_node.sim.controller import TrajectoryController

NS = 1_000_000_000
LIMIT_S = 60.0


class World(Node):
    """Robot and dialogue manager in one."""

    def __init__(self) -> None:
        super().__init__('world', namespace=sys.argv[1])
        profile = load_profile('humanoid')
        self.names = profile.joint_names
        self.position = np.array(profile.rest_positions)
        self.controller = TrajectoryController(self.names, self.position)
        self.plans = 0
        self.track: list[tuple[int, list[float]]] = []
        self.results: list[dict[str, Any]] = []
        self.states: list[str] = []
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.joint_states = self.create_publisher(JointState, 'joint_states', 10)
        self.requests = self.create_publisher(String, 'gesture_request', 10)
        self.create_subscription(JointTrajectory, 'joint_trajectory', self.obey, 50)
        self.create_subscription(String, 'gesture_node/gesture_result',
                                 lambda m: self.results.append(json.loads(m.data)), 50)
        self.create_subscription(String, 'gesture_node/state',
                                 lambda m: self.states.append(m.data), latched)
        self.create_timer(0.01, self.move)

    def now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def obey(self, message: JointTrajectory) -> None:
        self.plans += 1
        self.controller.accept(trajectory_of(message), self.now_ns())

    def move(self) -> None:
        """Run one control cycle and report the joints."""
        now_ns = self.now_ns()
        self.position = self.controller.sample(now_ns, self.position).positions
        self.track.append((now_ns, self.position.tolist()))
        state = JointState(name=list(self.names), position=self.position.tolist())
        state.header.stamp.sec, state.header.stamp.nanosec = divmod(now_ns, NS)
        self.joint_states.publish(state)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Spin until something holds."""
        end = time.monotonic() + LIMIT_S
        while not holds():
            rclpy.spin_once(self, timeout_sec=0.02)
            if time.monotonic() > end:
                sys.exit(f'in vain: {what}; results {self.results}, states {self.states}')

    def ask(self, text: str) -> None:
        self.requests.publish(String(data=text))

    def has(self, name: str, status: str) -> bool:
        return any(result['id'] == name and result['status'] == status
                   for result in self.results)

    def trigger(self, name: str) -> None:
        client = self.create_client(Trigger, f'gesture_node/{name}')
        self.until(client.service_is_ready, name)
        future = client.call_async(Trigger.Request())
        self.until(future.done, name)


def main() -> None:
    """Ask for gestures well and badly, and break one off."""
    rclpy.init()
    world = World()
    world.until(lambda: 'idle' in world.states and world.requests.get_subscription_count() > 0
                and world.count_publishers('joint_trajectory') > 0
                and world.joint_states.get_subscription_count() > 0, 'the node')
    end = time.monotonic() + 0.5
    world.until(lambda: time.monotonic() > end, 'joints to be known')
    for text in ('dance id=a', '{"gesture"', 'point_at 1 0 0.4 frame=map id=b'):
        world.ask(text)
    world.ask('greet hand=right id=hello')
    world.until(lambda: world.has('hello', 'done'), 'the end of the greeting')
    world.until(lambda: world.states[-1] == 'idle', 'idle')
    world.ask('{"gesture": "think", "id": "broken"}')
    world.until(lambda: world.has('broken', 'accepted'), 'thinking')
    world.trigger('stop')
    world.until(lambda: world.has('broken', 'cancelled'), 'the end of thinking')
    world.trigger('reset')
    print(json.dumps({'results': world.results, 'states': world.states, 'names': world.names,
                      'track': world.track, 'plans': world.plans,
                      'refused': {k.value: n for k, n in world.controller.rejected.items()}}))


if __name__ == '__main__':
    main()
