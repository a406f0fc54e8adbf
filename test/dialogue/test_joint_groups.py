"""Requests to yield: groups, joints, signs, JSON; everything else is refused in one sentence."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.dialogue.joint_groups import joint_groups, JointOwnership
from gesture_node.dialogue.joint_ramp import JointRamp, RAMP_FRAMES
from gesture_node.exceptions import ConfigError
from gesture_node.motion.robot import load_profile, profile_names

PROFILE = load_profile('humanoid')
OWNERSHIP = JointOwnership(PROFILE)
HEAD = frozenset(('head_yaw', 'head_pitch', 'head_roll'))


def test_plain_words_are_all_that_is_yielded():
    assert OWNERSHIP.asked('head', ['torso_yaw']) == HEAD
    assert OWNERSHIP.asked('head, torso_yaw', []) == HEAD | {'torso_yaw'}
    assert OWNERSHIP.asked('["head", "torso_yaw"]', []) == HEAD | {'torso_yaw'}
    assert OWNERSHIP.asked('all', []) == set(PROFILE.joint_names)
    assert OWNERSHIP.asked('', HEAD) == OWNERSHIP.asked('none', HEAD) == frozenset()


def test_signed_words_change_what_is_yielded():
    assert OWNERSHIP.asked('+head -torso_yaw', ['torso_yaw', 'left_elbow']) == (
        HEAD | {'left_elbow'})


@pytest.mark.parametrize('text', ['tail', '+head left_arm', '{"a": 1}', '[1]', '["head"', '"x"',
                                  '[' * 100_000, '+', 'head_yaw.'])
def test_what_is_no_request_is_refused(text):
    with pytest.raises(ConfigError) as refused:
        OWNERSHIP.asked(text, [])
    assert '\n' not in str(refused.value) and len(str(refused.value)) < 300


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_answered(text):
    try:
        assert OWNERSHIP.asked(text, HEAD) <= set(PROFILE.joint_names)
    except ConfigError:
        pass


@pytest.mark.parametrize('name', profile_names())
def test_groups_of_every_robot_are_commanded_joints_and_apart(name):
    profile = load_profile(name)
    groups = joint_groups(profile)
    assert all(set(joints) <= set(profile.joint_names) for joints in groups.values())
    parts = [set(groups.get(part, ())) for part in ('head', 'torso', 'left_arm', 'right_arm')]
    assert sum(map(len, parts)) == len(set().union(*parts))


def test_a_ramp_holds_and_lets_go_little_by_little():
    ramp, wanted = JointRamp(3), np.ones((200, 3))
    assert ramp.apply(wanted, 10) is wanted
    ramp.give([1], np.array([0.2]))
    held = ramp.apply(wanted[:20], 10)
    assert (held[:, 1] == 0.2).all() and (held[:, [0, 2]] == 1.0).all()
    assert ramp.yielded == [1]
    ramp.take([1], np.array([0.5]))
    back = np.concatenate([ramp.apply(wanted[:15], 10)[:10] for _ in range(6)])[:, 1]
    assert (np.diff(back) >= 0.0).all() and 0.5 < back[0] < 0.51
    assert (back[RAMP_FRAMES:] == 1.0).all() and ramp.is_idle
    assert np.abs(np.diff(back)).max() < 0.05
