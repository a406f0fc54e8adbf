"""Files of motion: what is written can be read back as the same motion."""
from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gesture_node.cli.motion_files import write_bvh, write_table
from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import (
    FINGER_COUNT,
    forward_kinematics,
    JOINT_COUNT,
    JOINT_INDEX,
    JOINT_NAMES,
    pack_pose,
)

TO_BVH = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


def random_poses(count: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(3)
    rotations = matrix_from_rotvec(rng.normal(0.0, 0.5, (count, JOINT_COUNT, 3)))
    return np.asarray(pack_pose(rotations, np.full((count, FINGER_COUNT), 0.3)))


def axis_turn(axis: int, angle_deg: float) -> NDArray[np.float64]:
    vector = np.zeros(3)
    vector[axis] = np.deg2rad(angle_deg)
    return np.asarray(matrix_from_rotvec(vector))


def bvh_positions(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return joint positions (P, 3) [cm] by a reader that knows nothing of the writer."""
    hierarchy, _, motion = path.read_text().partition('MOTION\n')
    offsets: dict[str, NDArray[np.float64]] = {}
    channels: list[tuple[str, list[str]]] = []
    parents: dict[str, str] = {}
    stack: list[str] = []
    name = ''
    for line in hierarchy.splitlines():
        words = line.split()
        if words[0] in ('ROOT', 'JOINT'):
            name = words[1]
        elif words[0] == 'End':
            name = f'end of {stack[-1]}'
        elif words[0] == '{':
            parents[name] = stack[-1] if stack else ''
            stack.append(name)
        elif words[0] == '}':
            stack.pop()
        elif words[0] == 'OFFSET':
            offsets[stack[-1]] = np.array(words[1:], np.float64)
        elif words[0] == 'CHANNELS':
            assert len(words[2:]) == int(words[1])
            channels.append((stack[-1], words[2:]))
    rows = [np.array(line.split(), np.float64) for line in motion.splitlines()[2:]]
    assert motion.splitlines()[0] == f'Frames: {len(rows)}'
    positions = {joint: np.empty((len(rows), 3)) for joint in offsets}
    for frame, row in enumerate(rows):
        values = iter(row)
        turns: dict[str, NDArray[np.float64]] = {}
        for joint, kinds in channels:
            place, turn = offsets[joint].copy(), np.eye(3)
            for kind in kinds:
                axis, value = 'XYZ'.index(kind[0]), next(values)
                if kind.endswith('position'):
                    place[axis] += value
                else:
                    turn = turn @ axis_turn(axis, value)
            parent = parents[joint]
            if parent:
                place = positions[parent][frame] + turns[parent] @ offsets[joint]
                turn = turns[parent] @ turn
            positions[joint][frame], turns[joint] = place, turn
    return positions


def test_bvh_puts_every_joint_where_the_skeleton_does(tmp_path: Path) -> None:
    poses = random_poses(5)
    write_bvh(tmp_path / 'motion.bvh', poses, 25)
    found = bvh_positions(tmp_path / 'motion.bvh')
    rotations = poses[:, :6 * JOINT_COUNT].reshape(-1, JOINT_COUNT, 2, 3)
    first, second = rotations[:, :, 0], rotations[:, :, 1]
    matrices = np.stack([first, second, np.cross(first, second)], axis=-1)
    expected = 100.0 * forward_kinematics(matrices)[0] @ TO_BVH.T
    for name in JOINT_NAMES:
        np.testing.assert_allclose(found[name], expected[:, JOINT_INDEX[name]], atol=0.01)


def test_bvh_stands_upright_facing_z(tmp_path: Path) -> None:
    identity = np.broadcast_to(np.eye(3), (2, JOINT_COUNT, 3, 3))
    write_bvh(tmp_path / 'rest.bvh', pack_pose(identity, np.zeros((2, FINGER_COUNT))), 25)
    found = bvh_positions(tmp_path / 'rest.bvh')
    assert found['head'][0, 1] > found['spine'][0, 1] > 0.0
    assert found['left_wrist'][0, 0] > 0.0 > found['right_wrist'][0, 0]
    assert 'Frame Time: 0.040000' in (tmp_path / 'rest.bvh').read_text()


def test_table_holds_time_and_values(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(7, 2))
    write_table(tmp_path / 'joints.csv', ['first', 'second'], values, 50)
    lines = (tmp_path / 'joints.csv').read_text().splitlines()
    assert lines[0] == 'time,first,second'
    read = np.loadtxt(lines[1:], delimiter=',')
    np.testing.assert_allclose(read[:, 0], np.arange(7) / 50)
    np.testing.assert_allclose(read[:, 1:], values, atol=1e-6)
