"""BVH of any rig: the same person, written with other hierarchies, axes, orders, units and zeros.

A person is given by world turns of body segments against a T pose. Every rig below writes that
person its own way; what is read has to be the same directions.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gesture_training.corpora.bvh import BvhError, parse_bvh, read_bvh
from gesture_training.corpora.problems import CatalogueError, UnusableFile
from gesture_training.corpora.skeleton_map import canonical_poses
from gesture_training.corpora.skeleton_names import load_map, MAPS
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import (
    FINGER_DIRECTION,
    FINGER_NAMES,
    forward_kinematics,
    JOINT_INDEX,
    PALM_NORMAL,
    unpack_pose,
)

AXES = {'y_up': np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
        'z_up': np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])}
pytestmark = pytest.mark.filterwarnings('ignore:Gimbal lock')
FINGERS = ('Thumb', 'Index', 'Middle', 'Ring', 'Pinky')
ACROSS_M = dict(zip(FINGERS, (0.03, 0.02, 0.0, -0.02, -0.04)))


def arm_joints(side: str, sign: float) -> list[tuple[str, str, tuple[float, float, float]]]:
    """Return (name, parent, T-pose position) of an arm in canonical axes [m]."""
    joints = [(f'{side}Shoulder', 'Spine3', (0.0, sign * 0.05, 0.45)),
              (f'{side}Arm', f'{side}Shoulder', (0.0, sign * 0.18, 0.45)),
              (f'{side}ForeArm', f'{side}Arm', (0.0, sign * 0.46, 0.45)),
              (f'{side}Hand', f'{side}ForeArm', (0.0, sign * 0.72, 0.45))]
    for finger in FINGERS:
        parent = f'{side}Hand'
        for k, reach in enumerate((0.09, 0.13, 0.15, 0.17), 1):
            ahead = ACROSS_M[finger] + (0.02 * k if finger == 'Thumb' else 0.0)
            joints.append((f'{side}Hand{finger}{k}', parent, (ahead, sign * (0.72 + reach), 0.45)))
            parent = f'{side}Hand{finger}{k}'
    return joints


JOINTS = [('Hips', '', (0.0, 0.0, 0.0)),
          ('RightUpLeg', 'Hips', (0.0, -0.1, -0.1)), ('RightLeg', 'RightUpLeg', (0.0, -0.1, -0.5)),
          ('LeftUpLeg', 'Hips', (0.0, 0.1, -0.1)), ('LeftLeg', 'LeftUpLeg', (0.0, 0.1, -0.5)),
          ('Spine', 'Hips', (0.0, 0.0, 0.1)), ('Spine1', 'Spine', (0.0, 0.0, 0.2)),
          ('Spine2', 'Spine1', (0.0, 0.0, 0.3)), ('Spine3', 'Spine2', (0.0, 0.0, 0.4)),
          *arm_joints('Right', -1.0), *arm_joints('Left', 1.0),
          ('Neck', 'Spine3', (0.0, 0.0, 0.5)), ('Neck1', 'Neck', (0.0, 0.0, 0.55)),
          ('Head', 'Neck1', (0.0, 0.0, 0.6)), ('HeadEnd', 'Head', (0.0, 0.0, 0.8))]


@dataclass(frozen=True)
class RigStyle:
    """How a rig writes a person."""

    axes: str
    order: str
    metres: float
    bind: str
    rename: dict[str, str]
    skeleton: str


def along_frame(name: str) -> np.ndarray:
    """Return a joint frame whose x axis lies along the bone in a T pose (as in LaFAN1)."""
    if 'Left' in name and 'Leg' not in name:
        return np.stack([[0, 1, 0], [1, 0, 0], [0, 0, -1]], axis=1).astype(float)
    if 'Right' in name and 'Leg' not in name:
        return np.stack([[0, -1, 0], [1, 0, 0], [0, 0, 1]], axis=1).astype(float)
    return np.stack([[0, 0, 1], [1, 0, 0], [0, 1, 0]], axis=1).astype(float)


def bind_frames(style: RigStyle) -> dict[str, np.ndarray]:
    """Return the turn from each joint's frame to canonical axes in the T pose."""
    if style.bind == 'along':
        return {name: along_frame(name) for name, _, _ in JOINTS}
    if style.bind == 'random':
        rng = np.random.default_rng(7)
        return {name: Rotation.random(random_state=rng).as_matrix() for name, _, _ in JOINTS}
    return {name: AXES[style.axes].astype(float) for name, _, _ in JOINTS}


def world_turns(turns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the world turn of every joint against the T pose; unnamed ones follow."""
    world: dict[str, np.ndarray] = {}
    for name, parent, _ in JOINTS:
        world[name] = turns.get(name, world[parent] if parent else np.eye(3))
    return world


def bvh_text(style: RigStyle, frames: list[dict[str, np.ndarray]], fps: float = 60.0) -> str:
    """Return a BVH of frames given as world turns against the T pose."""
    axes, binds = AXES[style.axes].astype(float), bind_frames(style)
    places = {name: np.array(place) for name, _, place in JOINTS}
    turns = [world_turns(frame) for frame in frames]
    world = {name: np.stack([turn[name] for turn in turns]) @ binds[name] for name in places}
    columns = [np.tile([1.0, 2.0, 3.0], (len(frames), 1))]
    for name, parent, _ in JOINTS:
        above = np.swapaxes(world[parent], -1, -2) if parent else axes.T
        columns.append(Rotation.from_matrix(above @ world[name]).as_euler(style.order,
                                                                          degrees=True))
    rows = [' '.join(f'{value:.9f}' for value in row) for row in np.concatenate(columns, axis=1)]
    lines = ['HIERARCHY']

    def write(name: str) -> None:
        parent = next(p for n, p, _ in JOINTS if n == name)
        offset = binds[parent].T @ (places[name] - places[parent]) if parent else np.zeros(3)
        order = ' '.join(f'{axis}rotation' for axis in style.order)
        lines.extend([
            f'{"JOINT" if parent else "ROOT"} {style.rename.get(name, name)}', '{',
            'OFFSET ' + ' '.join(f'{v:.9f}' for v in offset / style.metres),
            f'CHANNELS 3 {order}' if parent else
            f'CHANNELS 6 Xposition Yposition Zposition {order}'])
        children = [n for n, p, _ in JOINTS if p == name]
        for child in children:
            write(child)
        if not children:
            lines.extend(['End Site', '{', 'OFFSET 0 0 0', '}'])
        lines.append('}')

    # Depth first, so the order of JOINTS must be, too: channels follow the hierarchy.
    write('Hips')
    return '\n'.join([*lines, 'MOTION', f'Frames: {len(rows)}', f'Frame Time: {1.0 / fps:.9f}',
                      *rows])


BEAT_NAMES = {f'{side}{old}': f'{side[0]}{new}' for side in ('Left', 'Right') for old, new in (
    ('Shoulder', 'Shoulder'), ('Arm', 'Arm'), ('ForeArm', 'Arm1'), ('Hand', 'Hand'),
    *((f'Hand{finger}{k}', f'Hand{finger[0]}{k}') for finger in FINGERS for k in (1, 2, 3, 4)))}
RIGS = {
    'trinity': RigStyle('y_up', 'ZXY', 0.01, 'axes', {}, 'trinity'),
    'beat': RigStyle('y_up', 'XYZ', 0.01, 'axes', {}, 'beat'),
    'beat_short': RigStyle('y_up', 'YXZ', 0.01, 'axes', BEAT_NAMES, 'beat'),
    'zeggs': RigStyle('y_up', 'ZYX', 0.01, 'along', {}, 'zeggs'),
    'namespace': RigStyle('y_up', 'YZX', 1.0, 'axes', {n: f'rig:{n}' for n, _, _ in JOINTS},
                          'smartbody')}
TILTED = matrix_from_rotvec(np.radians([5.0, 20.0, -10.0]))
NODDING = matrix_from_rotvec(np.radians([0.0, 25.0, 30.0]))
REACHING = matrix_from_rotvec(np.radians([-50.0, 0.0, 0.0]))
BENT = matrix_from_rotvec(np.radians([0.0, 0.0, -70.0])) @ REACHING
WAVING = BENT @ matrix_from_rotvec(np.radians([-25.0, 0.0, 0.0]))
MOVED = {'Spine1': TILTED, 'Spine3': TILTED, 'Neck1': TILTED, 'Head': NODDING,
         'LeftShoulder': TILTED, 'LeftArm': REACHING, 'LeftForeArm': BENT, 'LeftHand': WAVING}
LEFT, DOWN = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])


def read(style: RigStyle, path: Path, frames: list[dict[str, np.ndarray]]) -> np.ndarray:
    path.write_text(bvh_text(style, frames))
    return canonical_poses(read_bvh(path), load_map(style.skeleton))


def check_moved(pose: np.ndarray) -> None:
    """Check a pose against the directions of ``MOVED``."""
    rotations, _ = unpack_pose(pose)
    positions, world = forward_kinematics(rotations)
    for name, turn in (('spine', TILTED), ('chest', TILTED), ('neck', TILTED), ('head', NODDING)):
        np.testing.assert_allclose(world[JOINT_INDEX[name]], turn, atol=1e-5)
    for start, end, turn in (('shoulder', 'elbow', REACHING), ('elbow', 'wrist', BENT)):
        bone = positions[JOINT_INDEX[f'left_{end}']] - positions[JOINT_INDEX[f'left_{start}']]
        np.testing.assert_allclose(bone / np.linalg.norm(bone), turn @ LEFT, atol=1e-5)
    hand = world[JOINT_INDEX['left_wrist']]
    np.testing.assert_allclose(hand @ FINGER_DIRECTION, WAVING @ LEFT, atol=1e-5)
    np.testing.assert_allclose(hand @ PALM_NORMAL['left'], WAVING @ DOWN, atol=1e-5)
    right = world[JOINT_INDEX['right_wrist']]
    np.testing.assert_allclose(right @ FINGER_DIRECTION, TILTED @ -LEFT, atol=1e-5)
    np.testing.assert_allclose(right @ PALM_NORMAL['right'], TILTED @ DOWN, atol=1e-5)


@pytest.mark.parametrize('name', RIGS)
def test_known_turns_come_out_as_directions(name: str, tmp_path: Path) -> None:
    poses = read(RIGS[name], tmp_path / 'a.bvh', [MOVED, {}])
    check_moved(poses[0])
    _, upright = forward_kinematics(unpack_pose(poses[1])[0])
    np.testing.assert_allclose(upright[JOINT_INDEX['head']], np.eye(3), atol=1e-5)


def own_map(path: Path, **changes: str) -> Path:
    """Write the Trinity map with other lines."""
    lines = (MAPS / 'trinity.yaml').read_text().splitlines()
    kept = [line for line in lines if line.split(':')[0] not in changes]
    path.write_text('\n'.join([*kept, *(f'{key}: {value}' for key, value in changes.items())]))
    return path


def test_a_recording_that_begins_in_a_t_pose_tells_its_bind_pose(tmp_path: Path) -> None:
    style = RigStyle('z_up', 'YXZ', 1.0, 'random', {}, str(own_map(
        tmp_path / 'own.yaml', up='[0, 0, 1]', forward='[0, -1, 0]', bind='first_frame',
        skip_frames='1')))
    poses = read(style, tmp_path / 'a.bvh', [{}, MOVED])
    assert len(poses) == 1
    check_moved(poses[0])


def test_whoever_faces_elsewhere_faces_forward(tmp_path: Path) -> None:
    about = matrix_from_rotvec(np.array([0.0, 0.0, 2.0]))
    turned = {name: about @ turn for name, turn in world_turns(MOVED).items()}
    check_moved(read(RIGS['zeggs'], tmp_path / 'a.bvh', [turned])[0])


def test_the_heading_follows_a_slow_turn(tmp_path: Path) -> None:
    angles = np.linspace(0.0, np.pi, 400)
    frames = [{'Hips': matrix_from_rotvec(np.array([0.0, 0.0, angle]))} for angle in angles]
    (tmp_path / 'a.bvh').write_text(bvh_text(RIGS['trinity'], frames, fps=10.0))
    motion, names = read_bvh(tmp_path / 'a.bvh'), load_map('trinity')
    following = forward_kinematics(unpack_pose(canonical_poses(motion, names, 2.0))[0])[1]
    fixed = forward_kinematics(unpack_pose(canonical_poses(motion, names))[0])[1]
    head = JOINT_INDEX['head']
    np.testing.assert_allclose(following[100:300, head], np.tile(np.eye(3), (200, 1, 1)),
                               atol=1e-4)
    assert np.abs(fixed[0, head] - np.eye(3)).max() > 0.9


@pytest.mark.parametrize('name', ['beat_short', 'zeggs'])
def test_fingers_curl_and_the_others_stay(name: str, tmp_path: Path) -> None:
    curl = {}
    for k in (1, 2, 3):
        curl[f'LeftHandIndex{k}'] = matrix_from_rotvec(np.radians([-60.0 * k, 0.0, 0.0]))
    fingers = unpack_pose(read(RIGS[name], tmp_path / 'a.bvh', [curl, {}]))[1]
    index = FINGER_NAMES.index('left_index')
    assert fingers[0, index] == pytest.approx(180.0 / 240.0, abs=1e-4)
    straight = [i for i, n in enumerate(FINGER_NAMES) if 'thumb' not in n]
    assert np.abs(fingers[1, straight]).max() < 1e-4
    assert np.abs(np.delete(fingers[0] - fingers[1], index)).max() < 1e-4


@pytest.mark.parametrize('change, reason', [
    (('JOINT LeftForeArm', 'JOINT LeftLowerArm'), 'none of the joints LeftForeArm'),
    (('Frames: 2', 'Frames: 5'), 'expected 5 frames'),
    (('1.000000000 2.000000000', '1.000000000 nan'), 'not finite'),
    (('1.000000000 2.000000000', '1.000000000 two'), 'not a number'),
    (('CHANNELS 3 Zrotation', 'CHANNELS 3 Wrotation'), 'unknown channel'),
    (('Frames: 2', 'Frames: 0'), 'expected 0 frames'),
])
def test_broken_files_say_what_is_wrong(change: tuple[str, str], reason: str,
                                        tmp_path: Path) -> None:
    path = tmp_path / 'broken.bvh'
    text = bvh_text(RIGS['trinity'], [MOVED, {}])
    assert change[0] in text
    path.write_text(text.replace(*change, 1))
    with pytest.raises(UnusableFile, match=reason):
        canonical_poses(read_bvh(path), load_map('trinity'))


def test_wrong_axes_are_noticed(tmp_path: Path) -> None:
    style = RigStyle('z_up', 'ZXY', 1.0, 'axes', {}, 'trinity')
    path = tmp_path / 'a.bvh'
    path.write_text(bvh_text(style, [MOVED]))
    names = load_map(own_map(tmp_path / 'zero.yaml', bind='zero'))
    with pytest.raises(UnusableFile, match='head is not above the hips'):
        canonical_poses(read_bvh(path), names)


def test_frames_are_thinned_evenly_and_offsets_may_stand_in_channels(tmp_path: Path) -> None:
    path = tmp_path / 'a.bvh'
    path.write_text(bvh_text(RIGS['trinity'], [{}] * 12, fps=120.0))
    thinned = read_bvh(path, 50.0)
    assert (len(thinned.rotations), thinned.fps) == (6, pytest.approx(60.0))
    moved = """HIERARCHY
ROOT a { OFFSET 0 0 0 CHANNELS 3 Zrotation Xrotation Yrotation
JOINT b { OFFSET 0 0 0 CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
End Site { OFFSET 0 1 0 } } }
MOTION
Frames: 1
Frame Time: 0.1
0 0 0 4 5 6 0 0 0
"""
    assert list(parse_bvh(moved).joints[1].offset) == [4.0, 5.0, 6.0]


def test_missing_files_and_maps_are_named(tmp_path: Path) -> None:
    with pytest.raises(BvhError, match='cannot be read'):
        read_bvh(tmp_path / 'none.bvh')
    with pytest.raises(CatalogueError, match="no joint map 'bat'; shipped are beat, cmu"):
        load_map('bat')
    with pytest.raises(CatalogueError, match='right angle'):
        load_map(own_map(tmp_path / 'own.yaml', up='[0, 0, 1]'))
    with pytest.raises(CatalogueError, match='bind must be one of'):
        load_map(own_map(tmp_path / 'bind.yaml', bind='guess'))
    with pytest.raises(CatalogueError, match="unknown key 'ankle'"):
        load_map(own_map(tmp_path / 'key.yaml', ankle='a'))
