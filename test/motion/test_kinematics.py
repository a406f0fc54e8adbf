"""Directions by forward kinematics: against Pinocchio's placements and finite differences."""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import pinocchio
import pytest

from gesture_node.exceptions import RobotError
from gesture_node.motion.kinematics import DirectionKinematics, LinkPoint, LinkVector
from gesture_node.motion.robot import load_profile
from gesture_node.motion.urdf import read_urdf

ROBOTS = ('humanoid', 'unitree_g1', 'nao')


def _random_positions(profile, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.uniform(profile.limits.lower, profile.limits.upper)


def _vectors(profile, seed: int) -> list[LinkVector]:
    random = np.random.default_rng(seed)
    links = sorted(profile.urdf.links)
    chosen = [links[i] for i in random.choice(len(links), 6, replace=False)]
    directions = random.normal(size=(6, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return [LinkVector(link, direction) for link, direction in zip(chosen, directions)]


@pytest.mark.parametrize('name', ROBOTS)
def test_directions_agree_with_link_placements(name):
    profile = load_profile(name)
    vectors = _vectors(profile, 0)
    kinematics = DirectionKinematics(profile.urdf, profile.joint_names, vectors)
    positions = _random_positions(profile, 1)
    axes, directions = kinematics.directions(kinematics.workspace(), positions)
    model = pinocchio.buildModelFromUrdf(str(profile.urdf_path))
    data, coordinates = model.createData(), pinocchio.neutral(model)
    for joint, position in zip(profile.joint_names, positions):
        coordinates[model.joints[model.getJointId(joint)].idx_q] = position
    pinocchio.framesForwardKinematics(model, data, coordinates)
    for vector, direction in zip(vectors, directions):
        placement = data.oMf[model.getFrameId(vector.link)]
        assert np.allclose(placement.rotation @ vector.direction, direction, atol=1e-6)
    assert np.allclose(np.linalg.norm(axes, axis=1), 1.0)


@pytest.mark.parametrize('name', ROBOTS)
def test_a_vector_changes_by_the_cross_product_with_the_joint_axis(name):
    profile = load_profile(name)
    vectors = _vectors(profile, 2)
    kinematics = DirectionKinematics(profile.urdf, profile.joint_names, vectors)
    workspace, positions = kinematics.workspace(), _random_positions(profile, 3)
    axes, directions = (part.copy() for part in kinematics.directions(workspace, positions))
    step = 1e-6
    for index, joint in enumerate(profile.joint_names):
        moved = positions.copy()
        moved[index] += step
        change = (kinematics.directions(workspace, moved)[1] - directions) / step
        for vector, direction, rate in zip(vectors, directions, change):
            carried = joint in profile.urdf.joints_to(vector.link)
            expected = np.cross(axes[index], direction) if carried else np.zeros(3)
            assert np.allclose(rate, expected, atol=1e-5)


@pytest.mark.parametrize('name', ROBOTS)
def test_points_are_where_the_links_carry_them_and_move_by_their_moments(name):
    profile = load_profile(name)
    random = np.random.default_rng(4)
    points = [LinkPoint(vector.link, random.normal(scale=0.1, size=3))
              for vector in _vectors(profile, 5)]
    kinematics = DirectionKinematics(profile.urdf, profile.joint_names, [], points)
    workspace, positions = kinematics.workspace(), _random_positions(profile, 6)
    axes, _ = kinematics.directions(workspace, positions)
    places, moments = (part.copy() for part in kinematics.points(workspace))
    model = pinocchio.buildModelFromUrdf(str(profile.urdf_path))
    data, coordinates = model.createData(), pinocchio.neutral(model)
    for joint, position in zip(profile.joint_names, positions):
        coordinates[model.joints[model.getJointId(joint)].idx_q] = position
    pinocchio.framesForwardKinematics(model, data, coordinates)
    for point, place in zip(points, places):
        assert np.allclose(data.oMf[model.getFrameId(point.link)].act(point.offset_m), place,
                           atol=1e-6)
    step = 1e-6
    for index, joint in enumerate(profile.joint_names):
        moved = positions.copy()
        moved[index] += step
        kinematics.directions(workspace, moved)
        change = (kinematics.points(workspace)[0] - places) / step
        for point, place, rate in zip(points, places, change):
            carried = joint in profile.urdf.joints_to(point.link)
            expected = moments[index] + np.cross(axes[index], place) if carried else np.zeros(3)
            assert np.allclose(rate, expected, atol=1e-5)


def test_joints_that_are_not_named_stay_at_zero():
    profile = load_profile('humanoid')
    hand = [LinkVector('left_hand', np.array([0.0, 0.0, -1.0]))]
    kinematics = DirectionKinematics(profile.urdf, ('left_elbow',), hand)
    _, directions = kinematics.directions(kinematics.workspace(), np.array([np.pi / 2]))
    assert np.allclose(directions, [[1.0, 0.0, 0.0]], atol=1e-9)


def test_unknown_link_is_named():
    profile = load_profile('nao')
    with pytest.raises(RobotError, match="no link 'tail'"):
        DirectionKinematics(profile.urdf, profile.joint_names,
                            [LinkVector('tail', np.array([1.0, 0.0, 0.0]))])


def test_pinocchio_missing_is_one_sentence(monkeypatch):
    profile = load_profile('nao')
    monkeypatch.setitem(sys.modules, 'pinocchio', None)
    with pytest.raises(RobotError, match='pip install pin'):
        DirectionKinematics(profile.urdf, profile.joint_names, [])


def test_nao_wrist_is_where_the_maker_puts_it():
    model = pinocchio.buildModelFromUrdf(str(load_profile('nao').urdf_path))
    data = model.createData()
    pinocchio.framesForwardKinematics(model, data, pinocchio.neutral(model))
    left = data.oMf[model.getFrameId('l_wrist')].translation
    right = data.oMf[model.getFrameId('r_wrist')].translation
    assert np.allclose(left, [0.16095, 0.113, 0.1], atol=1e-6)
    assert np.allclose(right, [0.16095, -0.113, 0.1], atol=1e-6)


def _makers_g1() -> Path | None:
    """Return the maker's own G1 URDF where the package example-robot-data is installed."""
    inside = 'share/example-robot-data/robots/g1_description/urdf/g1_29dof_rev_1_0.urdf'
    found = [path for prefix in (Path(pinocchio.__file__).parents[4], Path(sys.prefix))
             if (path := prefix / inside).is_file()]
    return found[0] if found else None


@pytest.mark.skipif(_makers_g1() is None, reason='example-robot-data is not installed')
def test_g1_is_the_makers_g1():
    profile = load_profile('unitree_g1')
    path = _makers_g1()
    assert path is not None
    theirs = pinocchio.buildModelFromXML(read_urdf(path).kinematic_xml)
    ours = pinocchio.buildModelFromUrdf(str(profile.urdf_path))
    for seed in range(3):
        positions = _random_positions(profile, seed)
        placements = []
        for model in (ours, theirs):
            data, coordinates = model.createData(), pinocchio.neutral(model)
            for joint, position in zip(profile.joint_names, positions):
                coordinates[model.joints[model.getJointId(joint)].idx_q] = position
            pinocchio.framesForwardKinematics(model, data, coordinates)
            placements.append({link: data.oMf[model.getFrameId(link)].homogeneous.copy()
                               for link in profile.urdf.links})
        for link, placement in placements[0].items():
            assert np.allclose(placement, placements[1][link], atol=2e-4), link
    for name in profile.joint_names:
        maker, joint = read_urdf(path).joints[name], profile.urdf.joints[name]
        assert (joint.lower, joint.upper) == pytest.approx((maker.lower, maker.upper), abs=1e-3)
