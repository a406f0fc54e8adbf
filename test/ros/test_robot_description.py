"""The URDF from the parameter or the topic ``robot_description`` instead of the profile's file."""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import os
from pathlib import Path
import signal
import subprocess
import sys

from processes import BUNDLE, environment
import pytest
import yaml

from gesture_node.config import GestureConfig
from gesture_node.exceptions import RobotError
from gesture_node.motion.robot import load_profile
from gesture_node.resources import share_path
from gesture_node.ros.node_config import NodeConfig

if importlib.util.find_spec('rclpy') is None:
    pytest.skip('needs ROS 2', allow_module_level=True)

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from std_msgs.msg import String

from gesture_node.ros import qos
from gesture_node.ros.robot_description import find_profile

DOMAIN = 60 + os.getpid() % 100
URDF = share_path('models', 'nao', 'nao.urdf').read_text('utf-8')
SLOW = URDF.replace('name="nao"', 'name="my_nao"', 1)


@pytest.fixture
def node() -> Iterator[Node]:
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    made = Node('gesture_node', context=context, namespace='upstairs')
    yield made
    made.destroy_node()
    context.try_shutdown()


def config(**given: object) -> NodeConfig:
    return NodeConfig(gesture=GestureConfig(robot='nao'), **given)


def changed(old: str, new: str) -> str:
    assert URDF.count(old), old
    return URDF.replace(old, new)


def test_the_given_urdf_takes_the_place_of_the_files():
    profile, own = load_profile('nao', urdf_text=SLOW), load_profile('nao')
    assert profile.urdf.name == 'my_nao' != own.urdf.name
    assert profile.urdf_path == own.urdf_path and profile.joint_names == own.joint_names


def test_limits_come_from_the_given_urdf():
    lower = load_profile('nao').urdf.joints['HeadPitch'].lower
    profile = load_profile('nao', urdf_text=changed(f'lower="{lower}"', 'lower="-0.3"'))
    assert profile.limits.lower[profile.joint_names.index('HeadPitch')] == -0.3


@pytest.mark.parametrize('text, words', [
    ('no xml', "URDF 'robot_description' is not XML"),
    ('<sdf/>', "'robot_description' is no URDF"),
    (changed('"LElbowYaw"', '"l_elbow_yaw"'), "has no joint 'LElbowYaw'"),
    (changed('"Head"', '"head_link"'), "has no link 'Head'")])
def test_a_urdf_that_does_not_fit_is_one_sentence(node: Node, text: str, words: str):
    with pytest.raises(RobotError, match=words) as caught:
        find_profile(node, config(robot_description=text))
    sentence = str(caught.value)
    assert sentence.startswith("robot 'nao' with the URDF from parameter robot_description: ")
    assert '\n' not in sentence


def test_the_parameter_is_used_if_it_is_given_and_the_file_otherwise(node: Node):
    assert find_profile(node, config(robot_description=SLOW)).urdf.name == 'my_nao'
    assert find_profile(node, config()).urdf.name != 'my_nao'
    ignored = config(robot_description=SLOW, urdf_source='profile')
    assert find_profile(node, ignored).urdf.name != 'my_nao'


def test_the_latched_topic_is_found_in_the_nodes_namespace(node: Node):
    publisher = node.create_publisher(String, 'robot_description', qos.LATCHED)
    publisher.publish(String(data=SLOW))
    found = find_profile(node, config(urdf_source='topic', robot_description_timeout_s=30.0))
    assert found.urdf.name == 'my_nao'


def test_a_topic_that_stays_silent_is_given_up(node: Node):
    with pytest.raises(RobotError, match=(
            r'no URDF came on /upstairs/robot_description within 0\.2 s')):
        find_profile(node, config(urdf_source='topic', robot_description_timeout_s=0.2))


def parameters(path: Path, **given: object) -> Path:
    path.write_text(yaml.safe_dump({'/**': {'ros__parameters': {
        'bundle': str(BUNDLE), 'robot': 'nao', 'threads': 1, **given}}}), 'utf-8')
    return path


def started(number: int, path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, '-m', 'gesture_node', 'gesture_node', '--ros-args', '--params-file',
         str(path), *arguments], env=environment(DOMAIN + number), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)


@pytest.mark.ros
def test_the_node_waits_for_the_topic_and_goes_on(tmp_path: Path):
    process = started(1, parameters(tmp_path / 'topic.yaml', urdf_source='topic',
                                    robot_description_timeout_s=60.0),
                      '-r', 'robot_description:=/described')
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN + 1)
    other = Node('robot_state_publisher', context=context)
    try:
        other.create_publisher(String, '/described', qos.LATCHED).publish(String(data=SLOW))
        assert process.stdout is not None
        lines = []
        while not lines or 'robot nao (' not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        log = ''.join(lines)
        assert 'waiting up to 60 s for the URDF on /described' in log
        assert 'URDF of my_nao from topic /described' in log
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60.0)
        assert process.returncode == 0
    finally:
        process.kill()
        other.destroy_node()
        context.try_shutdown()


@pytest.mark.ros
def test_the_node_refuses_a_urdf_without_a_joint_of_the_profile(tmp_path: Path):
    text = changed('"LElbowYaw"', '"l_elbow_yaw"')
    process = started(2, parameters(tmp_path / 'text.yaml', robot_description=text))
    log, _ = process.communicate(timeout=120.0)
    assert process.returncode == 1 and 'Traceback' not in log
    assert "has no joint 'LElbowYaw'" in log
