"""The BVH reader against hand-made files, and the skeleton map against forward kinematics."""
from gesture_training.corpora.bvh import BvhError, parse_bvh
from gesture_training.corpora.clips import Clip, SyncTimes
from gesture_training.corpora.skeleton_map import canonical_poses, limb_frame, load_map
import numpy as np
import pytest

from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import (
    FINGER_DIRECTION,
    forward_kinematics,
    JOINT_INDEX,
    PALM_NORMAL,
    project_pose,
    unpack_pose,
)

SMALL = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 1 0 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 0 2 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 0 0 0 0 0 0 0 0
5 6 7 90 0 0 0 0 90
"""


def test_hierarchy_and_rates():
    motion = parse_bvh(SMALL)
    assert [joint.name for joint in motion.joints] == ['Hips', 'Arm', 'Arm_end']
    assert [joint.parent for joint in motion.joints] == [-1, 0, 1]
    assert motion.fps == pytest.approx(25.0)


def test_forward_kinematics_of_a_hand_made_frame():
    positions = parse_bvh(SMALL).world_positions()
    assert np.allclose(positions[0], [[0, 0, 0], [1, 0, 0], [1, 2, 0]])
    assert np.allclose(positions[1], [[5, 6, 7], [5, 7, 7], [5, 5, 7]])


def test_channels_apply_in_the_order_of_the_file():
    motion = parse_bvh(SMALL.replace('5 6 7 90 0 0 0 0 90', '0 0 0 10 20 30 40 50 60'))
    x, y, z = (np.eye(3)[i] for i in range(3))
    turn = {n: matrix_from_rotvec(np.radians(a) * v) for n, a, v in (
        ('rz', 10, z), ('rx', 20, x), ('ry', 30, y), ('ay', 40, y), ('ax', 50, x), ('az', 60, z))}
    assert np.allclose(motion.rotations[1, 0], turn['rz'] @ turn['rx'] @ turn['ry'])
    assert np.allclose(motion.rotations[1, 1], turn['ay'] @ turn['ax'] @ turn['az'])


@pytest.mark.parametrize('text, message', [
    ('HIERARCHY', 'MOTION'),
    (SMALL.replace('Frames: 2', 'Frames: 3'), 'expected 3 frames of 9 numbers'),
    (SMALL.replace('OFFSET 1 0 0', 'OFFSET 1 zero 0'), 'HIERARCHY'),
    (SMALL.replace('Frame Time:', 'Frame:'), 'MOTION section'),
])
def test_broken_files_are_named(text, message):
    with pytest.raises(BvhError, match=message):
        parse_bvh(text, 'broken.bvh')


def body_text(arm_degrees, spread=1.0):
    """Return a T-pose body (or A-pose, by ``spread``) whose left upper arm turns about z."""
    lines = ['HIERARCHY']
    names: list[str] = []

    def joint(name, offset, *children):
        names.append(name)
        position = 'Xposition Yposition Zposition ' if name == 'Hips' else ''
        lines.extend([f'{"ROOT" if name == "Hips" else "JOINT"} {name}', '{',
                      'OFFSET ' + ' '.join(str(v) for v in offset),
                      f'CHANNELS {6 if position else 3} {position}Zrotation Xrotation Yrotation'])
        for child in children:
            joint(*child)
        if not children:
            lines.extend(['End Site', '{', 'OFFSET ' + ' '.join(str(v) for v in offset), '}'])
        lines.append('}')

    def arm(side, sign):
        down = np.sqrt(1.0 - spread ** 2)
        along = np.array([sign * spread, -down, 0.0])
        hand = f'{side}Hand'
        fingers = [(f'{hand}{name}1', 9 * along + [0, 0, z], (f'{hand}{name}2', 3 * along,
                    (f'{hand}{name}3', 2 * along)))
                   for name, z in (('Index', 3.0), ('Middle', 0.0), ('Ring', -2.0),
                                   ('Pinky', -4.0))]
        thumb = (f'{hand}Thumb1', np.array([0, 0, 3.0]),
                 (f'{hand}Thumb2', 2 * along + [0, 0, 2.0],
                  (f'{hand}Thumb3', 2 * along + [0, 0, 2.0])))
        return (f'{side}Shoulder', (sign * 3.0, 15.0, 0.0),
                (f'{side}Arm', (sign * 14.0, 0.0, 0.0),
                 (f'{side}ForeArm', 28 * along, (hand, 25 * along, thumb, *fingers))))

    joint('Hips', (0, 0, 0), ('Spine1', (0, 20, 0), (
        'Spine2', (0, 20, 0), ('Neck', (0, 20, 0), ('Head', (0, 8, 0))),
        arm('Left', 1.0), arm('Right', -1.0))))
    values = np.zeros(3 + 3 * len(names))
    values[3 + 3 * names.index('LeftArm')] = arm_degrees
    row = ' '.join(str(v) for v in values)
    return '\n'.join([*lines, 'MOTION', 'Frames: 2', 'Frame Time: 0.04', row, row])


def directions(text):
    rotations, fingers = unpack_pose(canonical_poses(parse_bvh(text), load_map()))
    positions, orientations = forward_kinematics(rotations)
    return positions[0], orientations[0], fingers[0]


def test_a_t_pose_becomes_arms_to_the_sides_with_palms_down():
    positions, orientations, fingers = directions(body_text(0.0))
    for side, sign in (('left', 1.0), ('right', -1.0)):
        shoulder, wrist = JOINT_INDEX[f'{side}_shoulder'], JOINT_INDEX[f'{side}_wrist']
        along = positions[wrist] - positions[shoulder]
        assert np.allclose(along / np.linalg.norm(along), [0, sign, 0], atol=1e-6)
        assert np.allclose(orientations[wrist] @ PALM_NORMAL[side], [0, 0, -1], atol=1e-6)
        assert np.allclose(orientations[wrist] @ FINGER_DIRECTION, [0, sign, 0], atol=1e-6)
    assert np.allclose(orientations[JOINT_INDEX['head']], np.eye(3), atol=1e-6)
    assert np.abs(fingers.reshape(2, 6)[:, 1:5]).max() < 1e-6


def test_arms_lowered_from_a_t_pose_are_the_rest_pose():
    positions, orientations, _ = directions(body_text(-90.0))
    wrist = JOINT_INDEX['left_wrist']
    assert np.allclose(orientations[wrist], np.eye(3), atol=1e-6)
    fall = positions[wrist] - positions[JOINT_INDEX['left_shoulder']]
    assert fall[2] < -0.5
    assert np.allclose(fall[:2], 0.0, atol=1e-6)


def test_a_and_t_bind_poses_agree():
    lowered_t = directions(body_text(-60.0))[1]
    lowered_a = directions(body_text(-60.0 + 45.0, spread=np.sqrt(0.5)))[1]
    left = JOINT_INDEX['left_shoulder']
    assert np.allclose(lowered_t[left:left + 3], lowered_a[left:left + 3], atol=1e-6)


def test_limb_frames_are_rotations():
    rng = np.random.default_rng(0)
    along = rng.standard_normal((50, 3))
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    frames = limb_frame(along, rng.standard_normal((50, 3)))
    assert np.allclose(np.swapaxes(frames, -1, -2) @ frames, np.eye(3), atol=1e-9)
    assert np.allclose(np.linalg.det(frames), 1.0)
    assert np.allclose(frames @ np.array([0.0, 0.0, -1.0]), along)


def test_a_clip_is_itself_at_its_frames_and_held_beyond():
    poses = canonical_poses(parse_bvh(body_text(-30.0)), load_map())
    moving = project_pose(poses[:1] + 0.05 * np.sin(np.arange(10))[:, None])
    clip = Clip('any', 'beat', 'left', 25.0, moving, SyncTimes(0.0, 0.1, 0.2, 0.25, 0.3, 0.36))
    assert np.allclose(clip.at(np.arange(10) / 25.0), moving, atol=1e-9)
    assert np.allclose(clip.at(np.array([-1.0, 9.0])), moving[[0, -1]], atol=1e-9)
