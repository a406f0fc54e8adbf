"""Tests of which joints go to which controller, and of what users are told when that is wrong."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.exceptions import ConfigError
from gesture_node.motion.profile_interface import Controller, RobotInterface
from gesture_node.motion.trajectory_controllers import choose_controllers, message_for
from gesture_node.motion.trajectory_message import TrajectoryMessage

NAMES = ('head_yaw', 'head_pitch', 'left_elbow', 'right_elbow', 'torso_yaw', 'torso_roll')
OWN = RobotInterface((Controller('all', '/all/joint_trajectory', NAMES),))


def test_the_profile_or_nobody_decides() -> None:
    assert choose_controllers('profile', OWN, NAMES) == OWN.controllers
    assert choose_controllers('profile', RobotInterface(), NAMES) == ()
    assert choose_controllers('none', OWN, NAMES) == ()


def test_a_mapping_decides_instead() -> None:
    head, rest = choose_controllers(
        '{head: [head_pitch, head_yaw], arms: [left_elbow, right_elbow, torso_yaw, torso_roll]}',
        OWN, NAMES)
    assert head == Controller('head', 'head/joint_trajectory', ('head_pitch', 'head_yaw'))
    assert rest.name == 'arms' and len(rest.joints) == 4


@pytest.mark.parametrize(('choice', 'words'), [
    ('{a: [head_yaw, head_pitch], b: [head_yaw]}',
     "gives the joint 'head_yaw' to a and to b; it must go to one"),
    ('{a: [head_yaw, head_yaw]}', "gives the joint 'head_yaw' to a and to a"),
    ('{a: [tail]}', "gives a the joint 'tail', which is not commanded; commanded: head_yaw, "),
    ('{a: [head_yaw]}', 'leaves out head_pitch, left_elbow, right_elbow, torso_yaw and 1 more; '),
    ('{a: [head_yaw, head_pitch, left_elbow, torso_yaw, torso_roll]}',
     'leaves out right_elbow; every commanded joint must go to one controller'),
    ('arms', 'must be "profile", "none" or a YAML mapping such as'),
    ('{a: head_yaw}', "got '{a: head_yaw}'"), ('{a: []}', 'YAML mapping'), ('{', 'YAML mapping'),
    ('', 'YAML mapping'), ('{1: [head_yaw]}', 'YAML mapping')])
def test_what_is_wrong_is_said_in_a_sentence(choice: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        choose_controllers(choice, OWN, NAMES)
    assert words in str(error.value) and '\n' not in str(error.value)


def test_a_controller_takes_its_columns_of_the_same_message() -> None:
    message = TrajectoryMessage(NAMES, 17, (0, 20), np.arange(12.0).reshape(2, 6),
                                np.zeros((2, 6)))
    part = message_for(Controller('x', 'x/joint_trajectory', ('torso_yaw', 'head_yaw')), message)
    assert part.joint_names == ('torso_yaw', 'head_yaw')
    assert (part.stamp_ns, part.times_from_start_ns) == (17, (0, 20))
    assert part.positions.tolist() == [[4.0, 0.0], [10.0, 6.0]] and part.velocities.shape == (2, 2)
