"""Robots point where they are told: arm and finger by their own forward kinematics."""
import numpy as np
import pinocchio
import pytest

from gesture_node.exceptions import RequestError
from gesture_node.gestures import pointing
from gesture_node.gestures.choice import GestureChooser
from gesture_node.gestures.library import load_library
from gesture_node.gestures.request import parse_request
from gesture_node.gestures.track import blended
from gesture_node.motion.profile import RobotProfile
from gesture_node.motion.retarget import Retargeter
from gesture_node.motion.robot import load_profile
from gesture_node.motion.skeleton import rest_pose

LIBRARY = load_library()
ROBOTS = ('humanoid', 'unitree_g1', 'nao')
DIRECTIONS = [(-30, 0), (0, 35), (10, -40), (45, 20), (85, 0)]


def placed(profile: RobotProfile, positions: np.ndarray) -> tuple[object, object]:
    """Return Pinocchio's model and data of the whole robot, from the URDF as it is."""
    model = pinocchio.buildModelFromUrdf(str(profile.urdf_path))
    q = pinocchio.neutral(model)
    for name, value in zip(profile.joint_names, positions):
        q[model.joints[model.getJointId(name)].idx_q] = value
    data = model.createData()
    pinocchio.framesForwardKinematics(model, data, q)
    return model, data


def frame_of(world: tuple[object, object], link: str) -> pinocchio.SE3:
    model, data = world
    return data.oMf[model.getFrameId(link)]


@pytest.mark.parametrize('robot', ROBOTS)
def test_arm_and_finger_point_at_the_target(robot: str) -> None:
    profile = load_profile(robot)
    chooser = GestureChooser(LIBRARY, profile, rest_pose())
    rest = placed(profile, profile.rest_positions)
    root = frame_of(rest, profile.root.link)
    arms = {arm.side: arm for arm in profile.arms}
    misses = []
    for azimuth, elevation in DIRECTIONS:
        for side in ('left', 'right'):
            turn = np.radians(azimuth if side == 'left' else -azimuth)
            lift = np.radians(elevation)
            way = np.array([np.cos(lift) * np.cos(turn), np.cos(lift) * np.sin(turn),
                            np.sin(lift)])
            shoulder = frame_of(rest, arms[side].upper_arm_link).translation
            target = shoulder + root.rotation @ profile.root.frame @ (1.5 * way)
            x, y, z = root.actInv(target)
            motion = chooser.choose(parse_request(f'point_at {x:.4f} {y:.4f} {z:.4f} hand={side}'))
            times_s = np.minimum(0.0, -motion.lead_s + 0.04 * np.arange(30))
            poses = blended(np.repeat(rest_pose()[None], 30, axis=0), motion, times_s)
            retargeter = Retargeter(profile)
            positions, _ = retargeter.retarget(poses, retargeter.initial_state())
            shown = placed(profile, positions[-1])
            hand = frame_of(shown, arms[side].hand_link)
            fingers = hand.rotation @ arms[side].fingers
            towards = target - hand.translation
            cosine = fingers @ towards / np.linalg.norm(towards)
            misses.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    assert np.max(misses) < 15.0
    assert np.median(misses) < 6.0


@pytest.mark.parametrize('text, words', [
    ('-1 0.4 0.5', 'behind the body'), ('0.1 -1.5 0.4 hand=left', 'across it'),
    ('0.0 0.2 0.35', 'too near'), ('0.05 0.2 2.0', 'above the shoulder'),
    ('0.05 0.2 -1.0', 'below the shoulder')])
def test_what_cannot_be_pointed_at(text: str, words: str) -> None:
    chooser = GestureChooser(LIBRARY, load_profile('humanoid'), rest_pose())
    with pytest.raises(RequestError, match=words):
        chooser.choose(parse_request(f'point_at {text}'))


def test_the_nearer_hand_points_unless_told() -> None:
    chooser = GestureChooser(LIBRARY, load_profile('humanoid'), rest_pose())
    for text, side in (('1 0.5 0.4', 'left'), ('1 -0.5 0.4', 'right'),
                       ('1 0.1 0.4 hand=right', 'right')):
        assert chooser.choose(parse_request(f'point_at {text}')).fixed_sides == (side,)


def test_a_robot_that_would_miss_by_far_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = GestureChooser(LIBRARY, load_profile('pepper'), rest_pose())
    request = parse_request('point_at 0.3 -0.2 1.2 hand=left')
    chooser.choose(request)
    monkeypatch.setattr(pointing, 'MOST_MISS_RAD', np.radians(10.0))
    with pytest.raises(RequestError, match='the left hand would point 1. degrees beside it'):
        chooser.choose(request)
