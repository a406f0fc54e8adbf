"""People around a ``gesture_node``, as ROS4HRI tracks them, run as a process by its test.

Robot and observer are those of ``node_world``. Anna speaks a recording in packets of raw samples;
prints what the robot did as JSON.
"""
from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import time
from typing import Any

from audio_common_msgs.msg import AudioData
from hri_msgs.msg import IdsList
from node_world import PACKET, RATE, speech, World
import numpy as np
import rclpy
from rclpy.qos import QoSProfile
import soundfile
import soxr

from gesture_node.ros.audio_messages import AUDIO_TYPES

HELLO = Path(__file__).parents[2] / 'examples' / 'hello.wav'
HEAD = ('head_yaw', 'head_pitch', 'head_roll')
PAUSES_S = 0.8
NOD_RAD = 0.02


def recording(seconds: float) -> np.ndarray:
    """Return int16 samples of a person, 16 kHz, with a pause every two seconds."""
    samples, rate = soundfile.read(HELLO, dtype='float32')
    samples = soxr.resample(samples, rate, RATE)
    pieces = [np.concatenate([piece, np.zeros(round(PAUSES_S * RATE), np.float32)])
              for piece in np.split(samples, range(2 * RATE, len(samples), 2 * RATE))]
    return (32_000 * np.resize(np.concatenate(pieces), round(seconds * RATE))).astype(np.int16)


class Room(World):
    """Robot, its voice, and people."""

    def __init__(self) -> None:
        super().__init__()
        self.tracked = self.create_publisher(IdsList, '/humans/voices/tracked', 10)
        self.anna = self.create_publisher(AudioData, '/humans/voices/anna/audio',
                                          QoSProfile(depth=200))

    def track(self, *names: str) -> None:
        """Say who is there."""
        self.tracked.publish(IdsList(ids=list(names)))

    def say(self, samples: np.ndarray, done: Callable[[], bool] = lambda: False) -> None:
        """Let Anna speak in real time, until something holds."""
        begun_s = time.monotonic()
        for first in range(0, len(samples), PACKET):
            self.until(lambda due=begun_s + first / RATE: time.monotonic() >= due, 'time')
            self.anna.publish(AudioData(data=samples[first:first + PACKET].astype(
                '<i2').tobytes()))
            if done():
                return


def nodded(world: Room) -> float:
    """Return the largest turn of the head within a plan so far [rad]."""
    columns = [list(plan.joint_names).index(name) for plan in world.plans[:1] for name in HEAD]
    return max((float(np.ptp([[point.positions[column] for column in columns]
                              for point in plan.points], axis=0).max())
                for plan in world.plans), default=0.0)


def scene_listening(world: Room) -> dict[str, Any]:
    """Somebody is there and speaks; then she is no longer tracked, in the middle of a word."""
    count = len(world.states)
    world.forget()
    world.track('anna', 'not a name')
    world.until(lambda: world.anna.get_subscription_count() > 0, 'a listener to anna')
    world.say(recording(40.0), lambda: nodded(world) > NOD_RAD)
    listening = world.state()
    world.track()
    world.until(lambda: world.anna.get_subscription_count() == 0, 'nobody listening to anna')
    world.until(lambda: world.state() == 'idle', 'idle when she is gone')
    return {'states': world.states[count:], 'listening': listening,
            'nodded': nodded(world), 'spoke': len(world.sounds),
            'rejected': sum(world.controller.rejected.values())}


def scene_interruption(world: Room) -> dict[str, Any]:
    """She comes back and speaks while the robot does."""
    count = len(world.states)
    world.forget()
    world.track('anna')
    world.until(lambda: world.anna.get_subscription_count() > 0, 'a listener to anna')
    world.speak_as('int16')
    world.say(np.zeros(RATE // 2, np.int16))
    message = AUDIO_TYPES['int16'].load()()
    AUDIO_TYPES['int16'].write(message, speech(15.0), RATE, world.now_ns())
    world.voice.publish(message)
    # Who speaks already when the robot begins to be heard does not interrupt it.
    world.until(lambda: world.state() == 'speaking' and world.sounds, 'speech')
    world.spin_for(0.3)
    world.say(recording(12.0), lambda: 'interrupted' in world.states[count:])
    world.until(lambda: 'interrupted' in world.states[count:], 'an interruption')
    world.until(lambda: world.state() == 'idle', 'idle after the other')
    return {'states': world.states[count:], 'report': world.report()}


def main() -> None:
    rclpy.init()
    world = Room()
    world.is_measured = True
    world.until(lambda: world.state() == 'idle', 'the node')
    seen = {'listening': scene_listening(world), 'interruption': scene_interruption(world)}
    print(json.dumps(seen), flush=True)
    world.destroy_node()
    rclpy.try_shutdown()
    # Extensions of messages built on the spot are not unloaded in order.
    os._exit(0)


if __name__ == '__main__':
    main()
