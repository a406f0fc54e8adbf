"""Quality of service can be overridden topic by topic, and nothing leaks to another topic."""
from __future__ import annotations

from collections.abc import Callable, Iterator
import importlib.util
import os

import pytest

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]


@pytest.fixture
def make_node(monkeypatch) -> Iterator[Callable]:
    """Return a function that makes a lifecycle node with parameters given at start."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(10 + os.getpid() % 90))
    monkeypatch.setenv('ROS_LOCALHOST_ONLY', '1')
    rclpy = pytest.importorskip('rclpy')
    from rclpy.context import Context
    from rclpy.lifecycle import LifecycleNode
    from rclpy.parameter import Parameter

    context = Context()
    rclpy.init(context=context)
    nodes = []

    def make(**given):
        nodes.append(LifecycleNode(f'n{len(nodes)}', context=context, parameter_overrides=[
            Parameter(name, value=value) for name, value in given.items()]))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_motion_topics_are_overridden_one_by_one(make_node) -> None:
    from gesture_node.ros import qos
    from gesture_node.ros.publishers import MotionPublishers

    before = (qos.PLAN.depth, qos.FACE_FRAMES.depth)
    node = make_node(**{'qos_overrides./face/trajectory.publisher.depth': 33,
                        'qos_overrides./face/blendshapes.publisher.depth': 44})
    publishers = MotionPublishers(node)
    depths = {publisher.topic_name: publisher.qos_profile.depth for publisher in node.publishers}
    assert depths['/face/trajectory'] == 33 and depths['/face/blendshapes'] == 44
    assert depths['/joint_trajectory'] == before[0]
    assert (qos.PLAN.depth, qos.FACE_FRAMES.depth) == before
    publishers.close()


def test_delayed_audio_is_overridden_and_keeps_it_over_types(make_node) -> None:
    from gesture_node.ros.audio_messages import AUDIO_TYPES
    from gesture_node.ros.publishers import MotionPublishers

    node = make_node(**{'qos_overrides./audio_out.publisher.depth': 5})
    publishers = MotionPublishers(node)
    for key in ('int16', 'float32'):
        publishers.set_audio_type(AUDIO_TYPES[key])
        profile, = [publisher.qos_profile for publisher in node.publishers
                    if publisher.topic_name == '/audio_out']
        assert profile.depth == 5
    publishers.close()


@pytest.mark.parametrize('given, expected', [(None, ['best_effort', 'reliable']),
                                             ('reliable', ['reliable', 'reliable']),
                                             ('best_effort', ['best_effort', 'best_effort'])])
def test_reliability_of_the_audio_follows_unless_it_is_given(make_node, given, expected) -> None:
    from rclpy.qos import ReliabilityPolicy
    from std_msgs.msg import Int16MultiArray

    from gesture_node.ros import qos

    overrides = {'qos_overrides./audio.subscription.depth': 9}
    if given is not None:
        overrides['qos_overrides./audio.subscription.reliability'] = given
    node = make_node(**overrides)
    assert qos.overridden_reliability(node, '/audio') == given
    got = []
    for reliability in ('best_effort', 'reliable'):
        subscription = node.create_subscription(
            Int16MultiArray, 'audio', print, qos.audio_in(reliability),
            qos_overriding_options=qos.overridable_audio(node, '/audio'))
        assert subscription.qos_profile.depth == 9
        got.append('reliable' if subscription.qos_profile.reliability
                   == ReliabilityPolicy.RELIABLE else 'best_effort')
        node.destroy_subscription(subscription)
    assert got == expected
