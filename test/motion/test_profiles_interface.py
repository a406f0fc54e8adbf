"""The keys ``interface`` and ``cannot`` of a profile: what is read, what is refused and how."""
from __future__ import annotations

from typing import Any

import pytest

from gesture_node.exceptions import RobotError
from gesture_node.motion.profile_cannot import Cannot, read_cannot
from gesture_node.motion.profile_interface import Adapter, Controller, read_interface
from gesture_node.motion.profile_yaml import Node
from gesture_node.motion.robot import load_profile

NAMES = ('neck', 'elbow', 'wrist')
CONTROLLER = {'name': 'arm', 'topic': '/arm/joint_trajectory', 'joints': ['elbow', 'wrist']}
NECK = {'kind': 'float64_multi_array', 'topic': '/neck', 'joints': ['neck'], 'rate_hz': 50}
MOTORS = {'kind': 'low_cmd', 'topic': '/arm_sdk', 'joints': list(NAMES), 'motors': [4, 7, 2],
          'blend_motor': 9, 'stiffness': 60.0, 'damping': 1.5, 'rate_hz': 50}


def read(**keys: Any):
    return read_interface(Node(keys, 'profile: interface'), NAMES)


def test_controllers_and_adapters_share_the_joints():
    interface = read(controllers=[CONTROLLER], adapters=[{**NECK, 'unit': 'deg'}], driver='own')
    assert interface.controllers == (
        Controller('arm', '/arm/joint_trajectory', ('elbow', 'wrist')),)
    assert interface.adapters == (Adapter(
        'float64_multi_array', '/neck', 'std_msgs/msg/Float64MultiArray', ('neck',), 'deg', 50.0,
        1.0, (), None, 0.0, 0.0),)
    assert interface.notes == {'driver': 'own'}


def test_motors_keep_the_order_of_the_joints():
    adapter = read(adapters=[{**MOTORS, 'message': 'unitree_go/msg/LowCmd'}]).adapters[0]
    assert (adapter.joints, adapter.motors, adapter.blend_motor) == (NAMES, (4, 7, 2), 9)
    assert adapter.message == 'unitree_go/msg/LowCmd'


def test_without_outputs_everything_goes_to_one_topic():
    interface = read(command='joint_trajectory')
    assert not interface.controllers and not interface.adapters


@pytest.mark.parametrize(('keys', 'message'), [
    ({'controllers': [CONTROLLER]}, 'leaves out the commanded joints neck'),
    ({'controllers': [CONTROLLER, CONTROLLER], 'adapters': [NECK]}, 'must go to one'),
    ({'adapters': [{**NECK, 'joints': ['tail']}]}, "'tail', which is not commanded"),
    ({'adapters': [{**NECK, 'kind': 'radio'}]}, 'kind must be one of'),
    ({'adapters': [{**NECK, 'unit': 'gon'}]}, "unit must be one of rad, deg, got 'gon'"),
    ({'adapters': [{**NECK, 'rate_hz': 0}]}, 'rate_hz must be above 0'),
    ({'adapters': [{**NECK, 'speed': 0.5}]}, "unknown key 'speed'"),
    ({'adapters': [{**NECK, 'kind': 'joint_angles_with_speed', 'speed': 1.5}]}, 'at most 1'),
    ({'adapters': [{**MOTORS, 'motors': [1, 2]}]}, 'one motor index of its own'),
    ({'adapters': [{**MOTORS, 'motors': [1, 2, 2]}]}, 'one motor index of its own'),
    ({'adapters': [{**MOTORS, 'motors': [1, 2, -3]}]}, 'whole numbers from 0'),
    ({'adapters': NECK}, 'adapters must be a list'),
    ({'adapters': ['/neck']}, 'must be a mapping'),
    ({'driver': 3}, 'driver must be text'),
])
def test_a_mistake_is_one_sentence(keys, message):
    with pytest.raises(RobotError, match=message):
        read(**keys)


def test_units_and_motors_of_robots_that_need_them():
    assert {adapter.unit for adapter in load_profile('qtrobot').interface.adapters} == {'deg'}
    arm_sdk = load_profile('unitree_g1').interface.adapters[0]
    assert dict(zip(arm_sdk.joints, arm_sdk.motors))['right_wrist_yaw_joint'] == 28


def cannot(*entries: Any):
    return read_cannot([Node(entry, 'profile: cannot') for entry in entries])


NOD = {'pose': 'nod', 'part': 'head', 'cause': 'limits', 'reason': 'no neck'}


def test_what_a_robot_cannot_is_read():
    assert cannot(NOD) == (Cannot('nod', 'head', 'limits', 'no neck'),)


@pytest.mark.parametrize(('entries', 'message'), [
    ([{**NOD, 'pose': 'bow'}], "pose must be one of rest, .*got 'bow'"),
    ([{**NOD, 'part': 'tail'}], "part must be one of torso, head, arms, got 'tail'"),
    ([{**NOD, 'cause': 'laziness'}], 'cause must be one of limits, branch'),
    ([{key: NOD[key] for key in ('pose', 'part', 'cause')}], "lacks the key 'reason'"),
    ([NOD, NOD], 'names head in nod twice'),
])
def test_a_mistake_in_cannot_is_one_sentence(entries, message):
    with pytest.raises(RobotError, match=message):
        cannot(*entries)
