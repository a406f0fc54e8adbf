"""The shipped joint maps, and a rig whose hand is two bones (CMU's)."""
from __future__ import annotations

from pathlib import Path

from gesture_training.corpora.bvh import parse_bvh
from gesture_training.corpora.skeleton_map import canonical_poses
from gesture_training.corpora.skeleton_names import load_map, MAPS
import numpy as np
import pytest

from gesture_node.motion.skeleton import (
    FINGER_DIRECTION,
    FINGER_NAMES,
    forward_kinematics,
    JOINT_INDEX,
    PALM_NORMAL,
    rest_pose,
    unpack_pose,
)

LEFT, DOWN = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])
CMU = """HIERARCHY
ROOT Hips
{{
OFFSET 0 0 0
CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
JOINT LowerBack
{{
OFFSET 0 0 0
CHANNELS 3 Zrotation Yrotation Xrotation
JOINT Spine
{{
OFFSET 0 2 0
CHANNELS 3 Zrotation Yrotation Xrotation
JOINT Spine1
{{
OFFSET 0 2 0
CHANNELS 3 Zrotation Yrotation Xrotation
JOINT Neck
{{
OFFSET 0 0 0
CHANNELS 3 Zrotation Yrotation Xrotation
JOINT Neck1
{{
OFFSET 0 2 0
CHANNELS 3 Zrotation Yrotation Xrotation
JOINT Head
{{
OFFSET 0 1.5 0
CHANNELS 3 Zrotation Yrotation Xrotation
End Site
{{
OFFSET 0 1.5 0
}}
}}
}}
}}
{arms}
}}
}}
}}
}}
MOTION
Frames: 1
Frame Time: 0.008333
{row}
"""


def cmu_arm(side: str, sign: int) -> str:
    chain = [('Shoulder', '0 0 0'), ('Arm', f'{3.4 * sign} 0.5 0'),
             ('ForeArm', f'{5.4 * sign} 0 0'), ('Hand', f'{3.2 * sign} 0 0'),
             ('FingerBase', '0 0 0'), ('HandIndex1', f'{0.7 * sign} 0 0')]
    text = ''
    for name, offset in chain:
        text += (f'JOINT {side}{name}\n{{\nOFFSET {offset}\nCHANNELS 3 Zrotation Yrotation '
                 'Xrotation\n')
    text += f'End Site\n{{\nOFFSET {0.6 * sign} 0 0\n}}\n}}\n}}\n'
    text += (f'JOINT {side[0]}Thumb\n{{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Yrotation Xrotation\n'
             f'End Site\n{{\nOFFSET {0.6 * sign} 0 0.6\n}}\n}}\n')
    return text + '}\n' * 4


def test_a_rig_with_one_finger_bone_keeps_its_palm() -> None:
    arms = cmu_arm('Left', 1) + cmu_arm('Right', -1)
    joints = CMU.format(arms=arms, row='').count('JOINT')
    row = np.zeros(6 + 3 * joints)
    names = [line.split()[1] for line in CMU.format(arms=arms, row='').splitlines()
             if line.startswith(('ROOT', 'JOINT'))]
    row[3 + 3 * names.index('LeftHandIndex1')] = -40.0
    text = CMU.format(arms=arms, row=' '.join(str(v) for v in row))
    rotations, fingers = unpack_pose(canonical_poses(parse_bvh(text), load_map('cmu'))[0])
    _, world = forward_kinematics(rotations)
    wrist = world[JOINT_INDEX['left_wrist']]
    np.testing.assert_allclose(wrist @ PALM_NORMAL['left'], DOWN, atol=1e-6)
    np.testing.assert_allclose(wrist @ FINGER_DIRECTION, LEFT, atol=1e-6)
    left = {n: fingers[i] for i, n in enumerate(FINGER_NAMES) if n.startswith('left')}
    assert left['left_middle'] == pytest.approx(0.5, abs=1e-6)
    assert left['left_thumb'] == pytest.approx(rest_pose()[72], abs=1e-6)


@pytest.mark.parametrize('path', sorted(MAPS.glob('*.yaml')), ids=lambda path: path.stem)
def test_shipped_maps_are_whole(path: Path) -> None:
    names = load_map(path.stem)
    assert np.linalg.det(names.axes) == pytest.approx(1.0)
    assert set(names.fingers['left']) == set(names.fingers['right'])
    assert len(names.fingers['left']) == 5
