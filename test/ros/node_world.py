"""The world around ``gesture_node``, run as a process by its test: prints what it saw as JSON.

Plays a robot that obeys trajectories by a controller's own rules and reports ``joint_states``,
and a voice that speaks well and badly, in several scenes one after the other.
"""
from __future__ import annotations

from collections.abc import Callable
import io
import json
import sys
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rcl_interfaces.srv import SetParameters
import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
import soundfile
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from gesture_node.motion.robot import load_profile
from gesture_node.ros.audio_messages import AUDIO_TYPES
from gesture_node.ros.sim_messages import trajectory_of
from gesture_node.sim.controller import TrajectoryController

RATE, PACKET = 16_000, 320
NS = 1_000_000_000
LIMIT_S = 60.0


class World(Node):
    """Robot, voice and observer in one."""

    def __init__(self) -> None:
        super().__init__('world')
        profile = load_profile('humanoid')
        self.names = profile.joint_names
        self.position = np.array(profile.rest_positions)
        self.controller = TrajectoryController(self.names, self.position)
        self.is_measured = False
        self.plans: list[JointTrajectory] = []
        self.chunks: list[JointTrajectory] = []
        self.frames: list[JointState] = []
        self.sounds: list[Any] = []
        self.states: list[str] = []
        self.reports: list[dict[str, str]] = []
        self.levels: list[int] = []
        self.voice: Any = None
        self.ear: Any = None
        deep = QoSProfile(depth=200)
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.joint_states = self.create_publisher(JointState, 'joint_states', 10)
        self.create_subscription(JointTrajectory, 'joint_trajectory', self.obey, deep)
        self.create_subscription(JointTrajectory, 'face/trajectory', self.chunks.append, deep)
        self.create_subscription(JointState, 'face/blendshapes', self.frames.append, deep)
        self.create_subscription(
            String, '/gesture_node/state', lambda m: self.states.append(m.data), latched)
        self.create_subscription(DiagnosticArray, '/diagnostics', self.note, deep)
        self.create_timer(0.01, self.move)

    def now_ns(self) -> int:
        return self.get_clock().now().nanoseconds

    def obey(self, message: JointTrajectory) -> None:
        self.plans.append(message)
        self.controller.accept(trajectory_of(message), self.now_ns())

    def move(self) -> None:
        """Run one control cycle and report the joints."""
        now_ns = self.now_ns()
        self.position = self.controller.sample(now_ns, self.position).positions
        if self.is_measured:
            state = JointState(name=list(self.names), position=self.position.tolist())
            state.header.stamp.sec, state.header.stamp.nanosec = divmod(now_ns, NS)
            self.joint_states.publish(state)

    def note(self, message: DiagnosticArray) -> None:
        status = message.status[0]
        self.levels.append(status.level[0])
        self.reports.append({item.key: item.value for item in status.values})

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Spin until something holds."""
        end = time.monotonic() + LIMIT_S
        while not holds():
            rclpy.spin_once(self, timeout_sec=0.02)
            if time.monotonic() > end:
                sys.exit(f'in vain: {what}')

    def spin_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            rclpy.spin_once(self, timeout_sec=0.01)

    def state(self) -> str:
        return self.states[-1] if self.states else ''

    def report(self) -> dict[str, str]:
        """Return a report that was made after this call."""
        count = len(self.reports)
        self.until(lambda: len(self.reports) > count + 1, 'diagnostics')
        return self.reports[-1]

    def speak_as(self, key: str) -> None:
        """Publish the voice as another type, and wait until the node listens to it."""
        if self.voice is not None:
            self.destroy_publisher(self.voice)
            self.destroy_subscription(self.ear)
        kind = AUDIO_TYPES[key].load()
        self.voice = self.create_publisher(kind, 'audio', QoSProfile(depth=200))
        self.ear = self.create_subscription(kind, 'audio_out', self.sounds.append,
                                            QoSProfile(depth=200))
        self.until(lambda: self.voice.get_subscription_count() > 0, f'a listener to {key}')

    def speak(self, samples: np.ndarray, key: str = 'int16') -> int:
        """Speak int16 samples ``(n, 1)`` in real time; return the stamp of the first."""
        start_ns = self.now_ns()
        for first in range(0, len(samples), PACKET):
            stamp_ns = start_ns + first * NS // RATE
            self.until(lambda due_ns=stamp_ns: self.now_ns() >= due_ns, 'time')
            message = AUDIO_TYPES[key].load()()
            AUDIO_TYPES[key].write(message, samples[first:first + PACKET], RATE, stamp_ns)
            self.voice.publish(message)
        return start_ns

    def call(self, kind: Any, name: str, request: Any) -> Any:
        client = self.create_client(kind, name)
        self.until(client.service_is_ready, name)
        future = client.call_async(request)
        self.until(future.done, name)
        self.destroy_client(client)
        return future.result()

    def trigger(self, name: str) -> bool:
        return bool(self.call(Trigger, f'/gesture_node/{name}', Trigger.Request()).success)

    def enable(self, value: bool) -> bool:
        request = SetBool.Request(data=value)
        return bool(self.call(SetBool, '/gesture_node/enable', request).success)

    def set(self, name: str, value: Any) -> str:
        """Set a parameter; return why not, empty if it was set."""
        request = SetParameters.Request(
            parameters=[Parameter(name, value=value).to_parameter_msg()])
        result = self.call(SetParameters, '/gesture_node/set_parameters', request).results[0]
        return '' if result.successful else result.reason

    def forget(self) -> None:
        for seen in (self.plans, self.chunks, self.frames, self.sounds):
            seen.clear()


def speech(seconds: float) -> np.ndarray:
    """Return int16 samples ``(n, 1)`` that rise and fall like syllables."""
    t = np.arange(int(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 12))
    return (6_000 * np.clip(np.sin(2 * np.pi * 3 * t), 0, 1) * tone).astype(np.int16)[:, None]


def stamp_ns(message: Any) -> int:
    return message.header.stamp.sec * NS + message.header.stamp.nanosec


def described(world: World) -> dict[str, Any]:
    """Return what the last scene showed, as plain values."""
    return {
        'plans': [{
            'stamp_ns': stamp_ns(plan), 'names': list(plan.joint_names),
            'times_ns': [p.time_from_start.sec * NS + p.time_from_start.nanosec
                         for p in plan.points],
            'positions': [list(p.positions) for p in plan.points],
            'velocities': [list(p.velocities) for p in plan.points]} for plan in world.plans],
        'chunks': [{'stamp_ns': stamp_ns(chunk), 'frames': len(chunk.points),
                    'names': len(chunk.joint_names)} for chunk in world.chunks],
        'frames': [{'stamp_ns': stamp_ns(frame), 'low': min(frame.position),
                    'high': max(frame.position), 'count': len(frame.name)}
                   for frame in world.frames],
        'sounds_ns': [AUDIO_TYPES['int16'].read(sound).stamp_ns for sound in world.sounds],
    }


def scene_without_joints(world: World) -> dict[str, Any]:
    """Speak before the joints were measured."""
    world.speak_as('int16')
    report, level = world.report(), world.levels[-1]
    world.speak(speech(0.8))
    world.until(lambda: len(world.frames) > 5, 'face')
    plans = len(world.plans)
    world.is_measured = True
    world.spin_for(0.1)
    world.trigger('reset')
    world.until(lambda: world.state() == 'idle', 'idle')
    return {'waiting': report['waiting for'], 'level': level, 'plans': plans}


def scene_speech(world: World) -> dict[str, Any]:
    """Speak two seconds in real time, and fall silent."""
    world.forget()
    start_ns = world.speak(speech(2.0))
    world.until(lambda: world.state() == 'idle', 'idle again')
    world.spin_for(0.3)
    return {'start_ns': start_ns, 'states': world.states[:], 'report': world.report(),
            'rejected': {k.value: n for k, n in world.controller.rejected.items()},
            **described(world)}


def scene_services(world: World) -> dict[str, Any]:
    """Interrupt speech in every way."""
    seen = {}
    for name, act in (('stop', lambda: world.trigger('stop')),
                      ('reset', lambda: world.trigger('reset')),
                      ('disable', lambda: world.enable(False)),
                      ('enable', lambda: world.enable(True))):
        if name in ('stop', 'disable'):
            world.forget()
            world.speak(speech(1.0))
            world.until(lambda: len(world.plans) > 2, 'motion')
        called_ns = world.now_ns()
        done = act()
        world.spin_for(0.6)
        last = world.plans[-1]
        end = last.points[-1].time_from_start
        seen[name] = {'done': done, 'state': world.state(), 'called_ns': called_ns,
                      'ends_ns': stamp_ns(last) + end.sec * NS + end.nanosec,
                      'face': max(world.frames[-1].position) if world.frames else 0.0}
    world.forget()
    return seen


def scene_parameters(world: World) -> dict[str, Any]:
    """Change parameters at run time, rightly and wrongly."""
    return {'integer': world.set('body.amplitude', 1), 'real': world.set('body.amplitude', 0.8),
            'range': world.set('body.amplitude', 7.0), 'grid': world.set('body.hop_s', 0.21),
            'read_only': world.set('robot', 'nao'), 'delay': world.set('body.foresight_s', 0.8)}


def scene_bytes(world: World) -> dict[str, Any]:
    """Send MP3, then a WAVE file at once, then bytes that end inside a sample."""
    world.forget()
    world.speak_as('uint8')
    kind = AUDIO_TYPES['uint8'].load()
    for _ in range(3):
        world.voice.publish(kind(data=(b'\xff\xfb\x90\x00' + bytes(413)) * 4))
    world.spin_for(2.5)
    file = io.BytesIO()
    soundfile.write(file, speech(1.0)[:, 0], RATE, format='WAV', subtype='PCM_16')
    world.voice.publish(kind(data=file.getvalue()))
    world.until(lambda: world.state() == 'speaking', 'speech from a file')
    world.until(lambda: len(world.frames) > 40, 'face')
    raw = speech(0.5).astype('<i2').tobytes()
    for first in range(0, len(raw), 641):
        world.voice.publish(kind(data=raw[first:first + 641]))
        world.spin_for(0.015)
    world.spin_for(0.5)
    return {'frames': len(world.frames), 'report': world.report()}


def scene_floats(world: World) -> dict[str, Any]:
    """Send numbers that are not finite."""
    world.speak_as('float32')
    world.forget()
    kind = AUDIO_TYPES['float32'].load()
    samples = (speech(1.0)[:, 0] / 32_768).astype(np.float32)
    samples[::100] = np.nan
    samples[1::500] = np.inf
    for first in range(0, len(samples), PACKET):
        world.voice.publish(kind(data=samples[first:first + PACKET].tolist()))
        world.spin_for(0.015)
    world.until(lambda: len(world.plans) > 2 and len(world.frames) > 20, 'motion')
    return {'finite': all(np.isfinite(p.positions).all() and np.isfinite(p.velocities).all()
                          for plan in world.plans for p in plan.points)
            and all(np.isfinite(frame.position).all() for frame in world.frames),
            'report': world.report()}


def scene_wrong_type(world: World) -> dict[str, Any]:
    """Publish something else on the audio topic."""
    world.destroy_publisher(world.voice)
    wrong = world.create_publisher(String, 'audio', 10)
    world.spin_for(1.0)
    wrong.publish(String(data='hello'))
    return {'report': world.report()}


def main() -> None:
    rclpy.init()
    world = World()
    world.until(lambda: world.state() == 'idle', 'the node')
    scenes = (scene_without_joints, scene_speech, scene_services, scene_parameters, scene_bytes,
              scene_floats, scene_wrong_type)
    seen = {scene.__name__.removeprefix('scene_'): scene(world) for scene in scenes}
    print(json.dumps(seen))
    world.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
