"""The world around a ``gesture_node`` in conversation, run as a process by its test.

Prints what it saw as JSON. Robot and voice are those of ``node_world``; a second voice is heard on
``audio_other``.
"""
from __future__ import annotations

import json
from typing import Any

from node_world import NS, RATE, speech, stamp_ns, World
import numpy as np
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from gesture_node.ros.audio_messages import AUDIO_TYPES

HEAD = ('head_yaw', 'head_pitch', 'head_roll')


class Conversation(World):
    """Robot, two voices and a node that owns the head now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[dict[str, Any]] = []
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.asking = self.create_publisher(String, '/gesture_node/yield', 10)
        self.create_subscription(String, '/gesture_node/yielded', self.take, latched)
        kind = AUDIO_TYPES['int16'].load()
        self.other = self.create_publisher(kind, 'audio_other', QoSProfile(depth=200))

    def take(self, message: String) -> None:
        self.answers.append(json.loads(message.data))

    def say_at_once(self, voice: Any, samples: np.ndarray) -> None:
        """Publish int16 samples ``(n, 1)`` in one message, as a speech synthesiser does."""
        message = AUDIO_TYPES['int16'].load()()
        AUDIO_TYPES['int16'].write(message, samples, RATE, self.now_ns())
        voice.publish(message)

    def ask(self, words: str) -> dict[str, Any]:
        count = len(self.answers)
        self.asking.publish(String(data=words))
        self.until(lambda: len(self.answers) > count, f'an answer to {words!r}')
        return self.answers[-1]


def end_ns(plan: Any) -> int:
    last = plan.points[-1].time_from_start
    return stamp_ns(plan) + last.sec * NS + last.nanosec


def part(plans: list[Any], names: tuple[str, ...]) -> list[list[float]]:
    """Return the positions of some joints at every knot of every plan."""
    rows = [list(plans[0].joint_names).index(name) for name in names] if plans else []
    return [[point.positions[row] for row in rows] for plan in plans for point in plan.points]


def rest_of(plan: Any) -> bool:
    return not any(plan.points[-1].velocities)


def scene_idle_and_speech(world: Conversation) -> dict[str, Any]:
    """Idle, speak, idle again."""
    world.until(lambda: len(world.plans) > 4 and len(world.frames) > 30, 'idle motion')
    idle = {'state': world.state(), 'moved': float(np.ptp(
        part(world.plans, tuple(world.names)), axis=0).max())}
    world.forget()
    world.speak_as('int16')
    world.speak(speech(1.2))
    spoke = len(world.plans)
    world.until(lambda: world.state() == 'idle', 'idle after speech')
    after = len(world.plans)
    world.until(lambda: len(world.plans) > after + 4, 'idle motion after speech')
    return {**idle, 'states': world.states[:], 'spoke': spoke, 'plans': [
        {'at': stamp_ns(plan), 'ends': end_ns(plan), 'rests': rest_of(plan)}
        for plan in world.plans], 'rejected': sum(world.controller.rejected.values())}


def scene_stop(world: Conversation) -> dict[str, Any]:
    """Stop in the middle of what is said."""
    world.forget()
    world.speak(speech(1.0))
    world.until(lambda: world.state() == 'speaking' and len(world.plans) > 2, 'motion')
    called_ns = world.now_ns()
    done = world.trigger('stop')
    answered_ns = world.now_ns()
    world.spin_for(0.6)
    ends_ns, state, count = end_ns(world.plans[-1]), world.state(), len(world.plans)
    world.speak(speech(0.4))
    world.spin_for(0.3)
    ignored = world.state() == 'stopped' and len(world.plans) == count
    world.trigger('reset')
    world.until(lambda: world.state() == 'idle', 'idle after reset')
    return {'done': done, 'state': state, 'ignored': ignored, 'called_ns': called_ns,
            'answered_ns': answered_ns, 'ends_ns': ends_ns}


def scene_barge_in(world: Conversation) -> dict[str, Any]:
    """Somebody else begins to speak while the robot does."""
    world.until(lambda: world.other.get_subscription_count() > 0, 'a listener to audio_other')
    count = len(world.states)
    world.forget()
    world.say_at_once(world.voice, speech(15.0))
    world.until(lambda: world.state() == 'speaking' and len(world.frames) > 30, 'speech')
    silence = np.zeros((RATE // 2, 1), np.int16)
    world.say_at_once(world.other, np.concatenate([silence, speech(3.0)]))
    world.until(lambda: 'interrupted' in world.states[count:], 'an interruption')
    world.until(lambda: world.state() == 'idle', 'idle after the other')
    world.forget()
    world.spin_for(0.7)
    world.speak(speech(1.0))
    world.until(lambda: len(world.plans) > 2, 'motion of the next utterance')
    next_one = world.state()
    world.until(lambda: world.state() == 'idle', 'idle again')
    return {'states': world.states[count:], 'next': next_one, 'report': world.report()}


def scene_yield(world: Conversation) -> dict[str, Any]:
    """Own the head for a while."""
    refused = world.ask('tail')
    given = world.ask('head')
    world.spin_for(1.0)
    world.forget()
    world.speak(speech(1.2))
    world.until(lambda: len(world.plans) > 4, 'motion without the head')
    still = float(np.ptp(part(world.plans, HEAD), axis=0).max())
    others = float(np.ptp(part(world.plans, tuple(
        name for name in world.names if name not in HEAD)), axis=0).max())
    taken = world.ask('none')
    world.until(lambda: world.state() == 'idle', 'idle')
    world.forget()
    world.until(lambda: len(world.plans) > 20, 'idle motion with the head')
    moves = float(np.ptp(part(world.plans, HEAD), axis=0).max())
    return {'moves': moves, 'refused': refused, 'given': given,
            'still': still, 'others': others, 'taken': taken,
            'rejected': sum(world.controller.rejected.values())}


def scene_yield_all(world: Conversation) -> dict[str, Any]:
    """Own every joint: nothing may be published."""
    world.ask('all')
    world.spin_for(0.5)
    world.forget()
    world.spin_for(1.5)
    return {'plans': len(world.plans), 'frames': len(world.frames)}


def main() -> None:
    rclpy.init()
    world = Conversation()
    world.is_measured = True
    world.until(lambda: world.state() == 'idle', 'the node')
    scenes = (scene_idle_and_speech, scene_stop, scene_barge_in, scene_yield, scene_yield_all)
    seen = {scene.__name__.removeprefix('scene_'): scene(world) for scene in scenes}
    print(json.dumps(seen))
    world.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
