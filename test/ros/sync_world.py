"""A voice of clicks for ``clicking_node`` and ``gesture_sim``, run as a process by its test.

Says the same bursts in every way a voice can come, and prints what was heard, shown and done, by
the stamps of the messages, as JSON. ``sync_world.py players`` goes through the voices and players
in real time, ``speaker`` leaves the sound to the node, ``simulated`` rules ``/clock``.
"""
from __future__ import annotations

from collections.abc import Callable
import json
import sys
from threading import Thread
import time
from typing import Any

from click_voice import clicks, END_S, RATE
from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Int16MultiArray, String

from gesture_node.ros.audio_messages import AUDIO_TYPES

PACKET = 320
NS = 1_000_000_000
STEP_NS = 5_000_000
LIMIT_S = 60.0 + 2.0 * END_S
TRIES = 2
LATE = ('underruns', 'skipped frames', 'late sound messages', 'late audio s', 'late speaker s')
"""Diagnostics that tell that the machine did not keep up."""


class SimulatedClock:
    """Rules ``/clock``; a daemon thread lets its time pass in steps.

    Attributes:
        now_ns: simulated time.
        pace: of simulated time against the wall.
    """

    def __init__(self, node: Node) -> None:
        self.now_ns, self.pace = 1_000 * NS, 1.0
        self._publisher = node.create_publisher(Clock, '/clock', 10)
        Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        due_s = time.monotonic()
        while rclpy.ok():
            self.now_ns += STEP_NS
            message = Clock()
            message.clock.sec, message.clock.nanosec = divmod(self.now_ns, NS)
            self._publisher.publish(message)
            due_s = max(due_s + STEP_NS / NS / self.pace, time.monotonic() - 0.02)
            time.sleep(max(0.0, due_s - time.monotonic()))


class World(Node):
    """Voice and observer."""

    def __init__(self, is_simulated: bool) -> None:
        super().__init__('world')
        self.clock = SimulatedClock(self) if is_simulated else None
        self.states: list[str] = []
        self.timing: list[str] = []
        self.reports: list[dict[str, str]] = []
        self.forget()
        deep = QoSProfile(depth=1_000)
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.voice = self.create_publisher(Int16MultiArray, 'audio', deep)
        self.create_subscription(Int16MultiArray, 'audio_out', self.note_sound, deep)
        self.create_subscription(JointState, 'face/blendshapes', self.note_face, deep)
        self.create_subscription(JointState, 'joint_states', self.note_joints, deep)
        self.create_subscription(
            String, '/gesture_node/state', lambda m: self.states.append(m.data), latched)
        self.create_subscription(
            String, '/gesture_node/timing', lambda m: self.timing.append(m.data), latched)
        self.create_subscription(DiagnosticArray, '/diagnostics', self.note_report, deep)

    def forget(self) -> None:
        self.sounds: list[tuple[int, list[int]]] = []
        self.early_ns: list[int] = []
        self.face: list[tuple[int, float]] = []
        self.joints: list[tuple[int, list[float]]] = []

    def now_ns(self) -> int:
        return time.time_ns() if self.clock is None else self.clock.now_ns

    def note_sound(self, message: Int16MultiArray) -> None:
        stamp_ns = AUDIO_TYPES['int16'].read(message).stamp_ns
        self.early_ns.append(stamp_ns - self.now_ns())
        self.sounds.append((stamp_ns, list(message.data)))

    def note_face(self, message: JointState) -> None:
        jaw = message.position[message.name.index('jawOpen')]
        self.face.append((message.header.stamp.sec * NS + message.header.stamp.nanosec, jaw))

    def note_joints(self, message: JointState) -> None:
        self.joints.append((message.header.stamp.sec * NS + message.header.stamp.nanosec,
                            list(message.position)))

    def note_report(self, message: DiagnosticArray) -> None:
        self.reports.append({item.key: item.value for item in message.status[0].values})

    def until(self, holds: Callable[[], Any], what: str) -> None:
        end = time.monotonic() + LIMIT_S
        while not holds():
            rclpy.spin_once(self, timeout_sec=0.01)
            if time.monotonic() > end:
                sys.exit(f'in vain: {what}')

    def rest(self) -> None:
        self.until(lambda: self.states and self.states[-1] == 'idle', 'idle')

    def late(self) -> dict[str, float]:
        """Return what was late so far, by a report made after this call."""
        count = len(self.reports)
        self.until(lambda: len(self.reports) > count + 1, 'diagnostics')
        return {key: float(self.reports[-1][key]) for key in LATE}

    def publish(self, samples: np.ndarray, stamp_ns: int | None) -> None:
        message = Int16MultiArray()
        if stamp_ns is None:
            message.data = samples[:, 0].tolist()
        else:
            AUDIO_TYPES['int16'].write(message, samples, RATE, stamp_ns)
        self.voice.publish(message)

    def set(self, **values: float) -> None:
        client = self.create_client(SetParameters, '/gesture_node/set_parameters')
        self.until(client.service_is_ready, 'parameters')
        future = client.call_async(SetParameters.Request(parameters=[
            Parameter(name.replace('__', '.'), value=value).to_parameter_msg()
            for name, value in values.items()]))
        self.until(future.done, 'parameters')
        assert all(result.successful for result in future.result().results), future.result()


def live(world: World, stamps: str = 'ros') -> None:
    """Speak in real time; a packet is sent when its last sample was heard."""
    samples, start_ns, wall_ns = clicks(), world.now_ns(), time.time_ns()
    for first in range(0, len(samples), PACKET):
        at_ns = first * NS // RATE
        end_ns = start_ns + at_ns + PACKET * NS // RATE
        world.until(lambda end_ns=end_ns: world.now_ns() >= end_ns, 'time')
        stamp_ns = {'ros': start_ns + at_ns, 'wall': wall_ns + at_ns}.get(stamps)
        world.publish(samples[first:first + PACKET], stamp_ns)


def ahead(world: World) -> None:
    """Send everything in packets at once, each with the time of its sound."""
    samples, start_ns = clicks(), world.now_ns()
    for first in range(0, len(samples), 4 * PACKET):
        world.publish(samples[first:first + 4 * PACKET], start_ns + first * NS // RATE)
        rclpy.spin_once(world, timeout_sec=0.002)


def at_once(world: World) -> None:
    """Send everything in one message that has no stamp."""
    world.publish(clicks(), None)


def seen(world: World, speak: Callable[[World], None]) -> dict[str, Any]:
    """Return what one way of speaking led to, once more if the machine did not keep up."""
    for _ in range(TRIES):
        world.rest()
        before = world.late()
        world.forget()
        speak(world)
        world.until(lambda: len(world.states) and world.states[-1] in ('speaking', 'settling'),
                    'speech')
        world.rest()
        after = world.late()
        late = {key: after[key] - before[key] for key in LATE if after[key] > before[key]}
        if not late:
            break
    moved = np.ptp([positions for _, positions in world.joints], axis=0)
    joint = int(np.argmax(moved))
    return {'late': late, 'sounds': world.sounds, 'early_ns': world.early_ns,
            'face': world.face, 'moved_rad': float(moved[joint]),
            'joint': [(at_ns, positions[joint]) for at_ns, positions in world.joints]}


def players(world: World) -> dict[str, Any]:
    """Return what every way of speaking led to, with players of all kinds."""
    found = {'live': seen(world, live),
             'unstamped': seen(world, lambda w: live(w, stamps='none')),
             'ahead': seen(world, ahead), 'at_once': seen(world, at_once)}
    world.set(output__player_latency_s=0.3)
    found['player'] = seen(world, ahead)
    world.set(body__lead_s=0.1, face__lead_s=0.04)
    return {**found, 'led': seen(world, ahead)}


def simulated(world: World) -> dict[str, Any]:
    """Return what speech in simulated time led to."""
    assert world.clock is not None
    found = {'wall_stamps': seen(world, lambda w: live(w, stamps='wall'))}
    world.clock.pace = 0.7
    return {**found, 'simulated': seen(world, live)}


def main() -> None:
    scenes = {'players': players, 'simulated': simulated,
              'speaker': lambda world: {'speaker': seen(world, ahead)}}
    rclpy.init(args=[])
    world = World(sys.argv[1] == 'simulated')
    world.rest()
    world.until(lambda: world.voice.get_subscription_count() > 0, 'a listener')
    world.until(lambda: world.joints, 'joint_states')
    found = scenes[sys.argv[1]](world)
    world.late()
    print(json.dumps({'modes': found, 'report': world.reports[-1],
                      'timing': json.loads(world.timing[-1])}))
    world.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
