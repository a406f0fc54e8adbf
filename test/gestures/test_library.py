"""The library that ships, and what a library of one's own may get wrong."""
from pathlib import Path

import numpy as np
import pytest
import yaml

from gesture_node.exceptions import RequestError
from gesture_node.gestures.choice import GestureChooser
from gesture_node.gestures.library import load_library
from gesture_node.gestures.motion import GestureMotion
from gesture_node.gestures.request import parse_request
from gesture_node.gestures.track import blended
from gesture_node.motion.robot import load_profile
from gesture_node.motion.skeleton import (
    forward_kinematics,
    JOINT_INDEX,
    mirror_pose,
    rest_pose,
    unpack_pose,
)
from gesture_node.resources import share_path

LIBRARY = load_library()
CHOOSER = GestureChooser(LIBRARY, None, rest_pose())
NUMBERS = {'count': ' 3', 'point_at': ' 1.0 0.5 0.6'}
ASKED = ('greet', 'point_at', 'point_left', 'point_right', 'shrug', 'yes', 'no', 'count', 'big',
         'small', 'me', 'you', 'stop', 'think', 'welcome', 'come_here', 'applaud', 'bow', 'listen',
         'thumbs_up', 'look_left', 'look_right')


def chosen(name: str, more: str = '') -> GestureMotion:
    return CHOOSER.choose(parse_request(name + NUMBERS.get(name, '') + more))


def at_stroke(motion: GestureMotion) -> np.ndarray:
    return blended(rest_pose()[None], motion, np.zeros(1))


def hand_and_fingers(pose: np.ndarray, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of the wrist and where the fingers point."""
    places, frames = forward_kinematics(unpack_pose(pose.astype(np.float64))[0])
    wrist = JOINT_INDEX[f'{side}_wrist']
    return places[0, wrist], -frames[0, wrist, :, 2]


def test_everything_that_a_dialogue_needs_is_there() -> None:
    assert set(ASKED) <= set(LIBRARY.gestures)
    assert LIBRARY.find('wave') is LIBRARY.gestures['greet']


@pytest.mark.parametrize('name', LIBRARY.gestures)
def test_every_gesture_can_be_played_and_is_smooth(name: str) -> None:
    motion = chosen(name)
    times_s = np.arange(-motion.lead_s - 0.2, motion.rest_s + 0.2, 0.01)
    poses = blended(np.repeat(rest_pose()[None], len(times_s), axis=0), motion, times_s)
    assert np.isfinite(poses).all()
    assert np.allclose(poses[[0, -1]], rest_pose(), atol=1e-6)
    assert np.abs(poses - rest_pose()).max() > 0.03
    rotations, _ = unpack_pose(poses.astype(np.float64))
    assert np.allclose(np.linalg.det(rotations), 1.0, atol=1e-5)
    # At 100 Hz no limb turns faster than 12 rad/s, and no step is unlike the one before.
    turns = np.swapaxes(rotations[:-1], -1, -2) @ rotations[1:]
    angles = np.arccos(np.clip((np.trace(turns, axis1=-2, axis2=-1) - 1) / 2, -1, 1))
    assert angles.max() < 0.12
    assert np.abs(np.diff(poses, axis=0, n=2)).max() < 0.02


@pytest.mark.parametrize('name', [n for n, g in LIBRARY.gestures.items() if g.hand == 'either'])
def test_the_left_hand_mirrors_the_right(name: str) -> None:
    if name == 'point_at':
        pytest.skip('points at a place of its own')
    right, left = chosen(name, ' hand=right'), chosen(name, ' hand=left')
    assert np.allclose(mirror_pose(at_stroke(right)), at_stroke(left), atol=1e-5)


def test_point_left_mirrors_point_right() -> None:
    assert np.allclose(mirror_pose(at_stroke(chosen('point_right'))),
                       at_stroke(chosen('point_left')), atol=1e-5)


def test_gestures_mean_what_their_names_say() -> None:
    wrist, fingers = hand_and_fingers(at_stroke(chosen('greet')), 'right')
    assert wrist[2] > 0.5 and fingers[2] > 0.8
    wrist, fingers = hand_and_fingers(at_stroke(chosen('point_left')), 'left')
    assert fingers[1] > 0.9 and wrist[1] > 0.5
    apart = [hand_and_fingers(at_stroke(chosen(name)), 'left')[0][1]
             - hand_and_fingers(at_stroke(chosen(name)), 'right')[0][1]
             for name in ('big', 'small', 'applaud')]
    assert apart[0] > 0.8 and apart[1] < 0.3 and apart[2] < 0.2
    wrist, _ = hand_and_fingers(at_stroke(chosen('me')), 'right')
    assert abs(wrist[1]) < 0.15 and 0.25 < wrist[2] < 0.55


def test_only_the_parts_of_a_gesture_move() -> None:
    for name, parts in (('greet', ('right',)), ('yes', ('neck', 'head')),
                        ('bow', ('spine', 'chest', 'neck', 'head')),
                        ('shrug', ('left', 'right', 'neck', 'head'))):
        moved = {joint for joint, index in JOINT_INDEX.items() if chosen(name).joint_mask[index]}
        assert moved == {joint for joint in JOINT_INDEX if joint.startswith(parts)}, name


def test_count_shows_as_many_fingers() -> None:
    for number in range(1, 6):
        motion = CHOOSER.choose(parse_request(f'count {number} hand=right'))
        straight = (motion.fingers[0, 6:11] < 0.3).sum()
        assert straight == number


def test_smaller_gestures_go_less_far() -> None:
    full, half = chosen('big'), chosen('big', ' amplitude=0.5')
    far = [np.abs(at_stroke(motion) - rest_pose()).sum() for motion in (full, half)]
    assert far[1] < 0.8 * far[0]


@pytest.mark.parametrize('text, words', [
    ('dance', "no gesture 'dance'"), ('count', 'one number, 1 to 5, got 0'),
    ('count 6', 'from 1 to 5, got 6'), ('count 2.5', 'got 2.5'), ('greet 3', 'no numbers, got 1'),
    ('point_at 1 2', 'x y z in metres, got 2'), ('point_left hand=right', 'made with left'),
    ('yes hand=left', 'uses no hand'), ('greet frame=map', 'takes no frame'),
    ('greet hand=both', 'not with both')])
def test_what_a_gesture_does_not_take(text: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        CHOOSER.choose(parse_request(text))


@pytest.mark.parametrize('robot, text, words', [
    ('unitree_g1', 'yes', 'unitree_g1 has no head'), ('nao', 'count 2', 'fingers that move'),
    ('qtrobot', 'thumbs_up', 'fingers that move')])
def test_what_a_robot_cannot_show(robot: str, text: str, words: str) -> None:
    chooser = GestureChooser(LIBRARY, load_profile(robot), rest_pose())
    with pytest.raises(RequestError, match=words):
        chooser.choose(parse_request(text))
    chooser.choose(parse_request('greet'))


def _broken(tmp_path: Path, change) -> str:
    values = yaml.safe_load(share_path('config', 'gestures.yaml').read_text(encoding='utf-8'))
    change(values)
    path = tmp_path / 'own.yaml'
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding='utf-8')
    with pytest.raises(RequestError) as caught:
        load_library(path)
    assert 'own.yaml' in str(caught.value) and '\n' not in str(caught.value)
    return str(caught.value)


def test_mistakes_in_a_library_are_named(tmp_path: Path) -> None:
    def greet(**changes):
        return lambda values: values['gestures']['greet'].update(changes)

    def key(**changes):
        return lambda values: values['gestures']['greet']['keys'][0].update(changes)

    assert 'unknown key' in _broken(tmp_path, greet(speed=3))
    assert 'preparation_s must be in' in _broken(tmp_path, greet(preparation_s=9))
    assert 'hand must be one of' in _broken(tmp_path, greet(hand='third'))
    assert 'needs must name' in _broken(tmp_path, greet(needs=['tail']))
    assert "no shape 'claw'" in _broken(tmp_path, key(shape='claw'))
    assert 'head must be within 80' in _broken(tmp_path, key(head=[200, 0, 0]))
    assert 'in order of t' in _broken(tmp_path, key(t=9.0))
    assert 'fore must be three numbers' in _broken(
        tmp_path, key(arm={'upper': [0, 0, -1], 'fore': 3, 'palm': [1, 0, 0]}))
    assert 'is taken' in _broken(tmp_path, greet(aliases=['bow']))
    assert 'mirrors must name' in _broken(
        tmp_path, lambda v: v['gestures'].update(x={'mirrors': 'nobody', 'about': 'a'}))


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match='nothing.yaml'):
        load_library(tmp_path / 'nothing.yaml')
