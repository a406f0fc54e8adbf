"""What ``trajectory_player`` writes, against the published fields of every message."""
from __future__ import annotations

from array import array
from dataclasses import replace
import importlib.util
from pathlib import Path
import struct
import sys

import numpy as np
import pytest

from gesture_node.exceptions import RobotError
from gesture_node.motion.profile_interface import Adapter, MESSAGES
from gesture_node.motion.robot import load_profile, profile_names
from gesture_node.ros.player_low_cmd import BlendWeight, crc32, LowCmdWriter
from gesture_node.ros.player_writers import load_message, make_writer, Writer

sys.path.insert(0, str(Path(__file__).parent))
import player_message_fakes as fakes

MS, NS = 1_000_000, 1_000_000_000
G1 = load_profile('unitree_g1')
NAO = load_profile('nao')
ELBOWS = ('left_elbow_joint', 'right_elbow_joint')


def adapter(kind: str, joints: tuple[str, ...] = ELBOWS, **given) -> Adapter:
    fields = {'kind': kind, 'topic': '/out', 'message': MESSAGES[kind], 'joints': joints,
              'unit': 'rad', 'rate_hz': 50.0, 'speed': 1.0, 'motors': (), 'blend_motor': None,
              'stiffness': 0.0, 'damping': 0.0}
    return Adapter(**{**fields, **given})


def arm_sdk(**given) -> Adapter:
    return adapter('low_cmd', **{'motors': (18, 25), 'blend_motor': 29, 'stiffness': 60.0,
                                 'damping': 1.5, **given})


def writer(wanted: Adapter, profile=G1, ramp_s: float = 2.0) -> Writer:
    return make_writer(wanted, profile, ramp_s, load_message(wanted))


HAS_ROS = importlib.util.find_spec('std_msgs') is not None
needs_ros = pytest.mark.skipif(not HAS_ROS, reason='needs ROS 2')


@needs_ros
@pytest.mark.parametrize('unit, scale', [('rad', 1.0), ('deg', 57.29577951308232)])
def test_float64_multi_array_holds_positions_in_the_unit(unit, scale):
    made = writer(adapter('float64_multi_array', unit=unit)).write(
        np.array([0.5, -1.0]), np.array([1.0, 2.0]), NS, NS)
    np.testing.assert_allclose(made.data, [0.5 * scale, -scale], rtol=1e-12)


@needs_ros
def test_joint_state_holds_names_positions_velocities_and_the_time():
    made = writer(adapter('joint_state')).write(
        np.array([0.5, -1.0]), np.array([1.0, 2.0]), 7 * NS + 5, NS)
    assert list(made.name) == list(ELBOWS) and list(made.position) == [0.5, -1.0]
    assert list(made.velocity) == [1.0, 2.0] and list(made.effort) == []
    assert (made.header.stamp.sec, made.header.stamp.nanosec) == (7, 5)


def nao_writer(monkeypatch, **given) -> Writer:
    fakes.install(monkeypatch, 'naoqi_bridge_msgs')
    return writer(adapter('joint_angles_with_speed', ('HeadYaw', 'LWristYaw'), **given), NAO)


def test_joint_angles_carry_the_speed_that_the_plan_needs(monkeypatch):
    made = nao_writer(monkeypatch)
    full = NAO.urdf.joints['HeadYaw'].velocity
    message = made.write(np.array([0.1, 0.2]), np.array([0.25 * full, 0.0]), 3 * NS, NS)
    assert message.joint_names == ['HeadYaw', 'LWristYaw'] and message.relative == 0
    assert message.joint_angles == array('f', [0.1, 0.2]) and message.header.stamp.sec == 3
    assert message.speed == pytest.approx(0.3)
    # The step to the next point counts where it is faster than the planned velocity there.
    step = 0.5 * NAO.urdf.joints['LWristYaw'].velocity * 0.02
    message = made.write(np.array([0.1, 0.2 + step]), np.zeros(2), 3 * NS, NS + 20 * MS)
    assert message.speed == pytest.approx(0.6)
    message = made.write(np.array([0.1, 0.2 + step]), np.zeros(2), 3 * NS, NS + 40 * MS)
    assert 0.0 < message.speed < 0.05


def test_joint_angles_never_ask_for_more_than_the_profile_allows(monkeypatch):
    made = nao_writer(monkeypatch, speed=0.4)
    assert made.write(np.zeros(2), np.full(2, 1e6), NS, NS).speed == 0.4


def test_low_cmd_sets_its_motors_and_no_other(monkeypatch):
    fakes.install(monkeypatch, 'unitree_hg')
    made = writer(arm_sdk())
    message = made.write(np.array([0.3, -0.4]), np.array([0.1, 0.2]), NS, NS)
    left, right = message.motor_cmd[18], message.motor_cmd[25]
    assert (left.mode, left.q, left.dq, left.tau, left.kp, left.kd) == (
        1, 0.3, 0.1, 0.0, 60.0, 1.5)
    assert (right.mode, right.q, right.dq) == (1, -0.4, 0.2)
    for index, motor in enumerate(message.motor_cmd):
        if index not in (18, 25, 29):
            assert not any((motor.mode, motor.q, motor.dq, motor.tau, motor.kp, motor.kd))
    assert message.motor_cmd[29].q == 0.0 and message.motor_cmd[29].kp == 0.0


def test_the_weight_goes_in_and_out_in_two_seconds_and_stays_between(monkeypatch):
    fakes.install(monkeypatch, 'unitree_hg')
    made = writer(arm_sdk())
    assert isinstance(made, LowCmdWriter)

    def weights(first_ms: int, count: int) -> np.ndarray:
        return np.array([made.write(np.zeros(2), np.zeros(2), NS, (first_ms + 20 * k) * MS)
                         .motor_cmd[29].q for k in range(count)])

    rising = weights(0, 101)
    assert rising[0] == 0.0 and rising[-1] == 1.0 and rising[50] == pytest.approx(0.5)
    assert (np.diff(rising) > 0.0).all()
    assert np.diff(rising).max() < 1.6 * 0.02 / 2.0
    assert (weights(2_020, 500) == 1.0).all()
    made.release()
    assert not made.is_released
    falling = weights(12_020, 101)
    assert falling[0] == pytest.approx(1.0, abs=1e-3) and falling[-1] == 0.0 and made.is_released
    assert (np.diff(falling) <= 0.0).all() and np.diff(falling).min() > -1.6 * 0.02 / 2.0


def test_a_weight_does_not_leap_after_a_pause():
    weight = BlendWeight(2.0)
    weight.step(0)
    assert weight.step(10 * NS) < 0.01


def plain_crc(words: list[int]) -> int:
    """Return the checksum word by word and bit by bit, as the robot's maker computes it."""
    crc = 0xFFFFFFFF
    for word in words:
        for bit in range(31, -1, -1):
            top = crc >> 31
            crc = (crc << 1) & 0xFFFFFFFF
            if top:
                crc ^= 0x04C11DB7
            if word >> bit & 1:
                crc ^= 0x04C11DB7
    return crc


def test_the_crc_is_the_catalogued_one():
    # Check value of CRC-32/MPEG-2, the same polynomial, start and order.
    assert crc32(b'123456789') == 0x0376E6E7


def test_the_checksum_of_unitree_hg_covers_every_word_but_itself(monkeypatch):
    fakes.install(monkeypatch, 'unitree_hg')
    message = writer(arm_sdk()).write(np.array([0.3, -0.4]), np.array([0.1, 0.2]), NS, NS)
    words = [message.mode_pr | message.mode_machine << 8]
    for motor in message.motor_cmd:
        words += [motor.mode, *struct.unpack('<5I', struct.pack(
            '<5f', motor.q, motor.dq, motor.tau, motor.kp, motor.kd)), motor.reserve]
    words += list(message.reserve)
    assert len(words) == 250 and message.crc == plain_crc(words)


def test_unitree_go_is_written_with_its_own_head_and_checksum(monkeypatch):
    fakes.install(monkeypatch, 'unitree_go')
    wanted = arm_sdk(message='unitree_go/msg/LowCmd', motors=(6, 17), blend_motor=9)
    message = writer(wanted).write(np.array([0.3, -0.4]), np.array([0.1, 0.2]), NS, NS)
    assert list(message.head) == [0xFE, 0xEF] and message.level_flag == 0xFF
    assert (message.motor_cmd[6].mode, message.motor_cmd[17].mode) == (0x0A, 1)
    words = [0xFE | 0xEF << 8 | 0xFF << 16, 0, 0, 0, 0, 0]
    for motor in message.motor_cmd:
        words += [motor.mode, *struct.unpack('<5I', struct.pack(
            '<5f', motor.q, motor.dq, motor.tau, motor.kp, motor.kd)), *motor.reserve]
    words += [0] * (1 + 14 + 1)
    assert len(words) == 202 and message.crc == plain_crc(words)


def test_a_hand_gets_its_motors_with_their_index_in_the_mode(monkeypatch):
    fakes.install(monkeypatch, 'unitree_hg')
    wanted = adapter('hand_cmd', motors=(5, 0), stiffness=1.5, damping=0.1)
    message = writer(wanted).write(np.array([0.3, -0.4]), np.zeros(2), NS, NS)
    assert len(message.motor_cmd) == 7
    assert [motor.mode for motor in message.motor_cmd] == [0x10, 0, 0, 0, 0, 0x15, 0]
    assert [motor.q for motor in message.motor_cmd] == [-0.4, 0, 0, 0, 0, 0.3, 0]
    assert message.motor_cmd[5].kp == 1.5 and message.motor_cmd[4].kp == 0.0


@pytest.mark.parametrize('kind, package', [
    ('joint_angles_with_speed', 'naoqi_bridge_msgs'), ('low_cmd', 'unitree_hg'),
    ('hand_cmd', 'unitree_hg')])
def test_a_package_that_is_not_installed_is_named(monkeypatch, kind, package):
    fakes.install(monkeypatch)
    with pytest.raises(RobotError, match=f'^{kind} on /out needs {MESSAGES[kind]}, but no package '
                                         f'{package} that has it is installed$'):
        load_message(adapter(kind))


@pytest.mark.parametrize('wanted, words', [
    (adapter('low_cmd', message='unitree_hg/msg/HandCmd'), "it has no field 'crc'"),
    (adapter('low_cmd', message='unitree_hg/msg/Nothing'), 'no package unitree_hg'),
    (arm_sdk(blend_motor=None), 'low_cmd on /out needs a blend_motor'),
    (arm_sdk(motors=(18, 35)), 'has 35 motors; there is no motor 35'),
    (adapter('hand_cmd', motors=(0, 7)), 'has 7 motors; there is no motor 7')])
def test_what_cannot_be_written_safely_is_refused(monkeypatch, wanted, words):
    fakes.install(monkeypatch, 'unitree_hg')
    with pytest.raises(RobotError, match=words):
        writer(wanted)


def test_every_adapter_of_every_robot_can_be_written(monkeypatch):
    fakes.install(monkeypatch, *fakes.PACKAGES)
    kinds = set()
    for name in profile_names():
        profile = load_profile(name)
        for wanted in profile.interface.adapters:
            count = len(wanted.joints)
            if wanted.kind in ('joint_state', 'float64_multi_array') and not HAS_ROS:
                continue
            assert writer(wanted, profile).write(np.zeros(count), np.zeros(count), NS, NS)
            kinds.add(wanted.kind)
    assert {'low_cmd', 'joint_angles_with_speed'} <= kinds


def test_a_joint_without_a_speed_in_the_urdf_takes_the_profiles(monkeypatch):
    fakes.install(monkeypatch, 'naoqi_bridge_msgs')
    joint = replace(NAO.urdf.joints['HeadYaw'], velocity=float('inf'))
    urdf = replace(NAO.urdf, joints={**NAO.urdf.joints, 'HeadYaw': joint})
    made = writer(adapter('joint_angles_with_speed', ('HeadYaw',)), replace(NAO, urdf=urdf))
    limit = NAO.limits.velocity[NAO.joint_names.index('HeadYaw')]
    assert made.write(np.zeros(1), np.array([limit / 2]), NS, NS).speed == pytest.approx(0.6)
