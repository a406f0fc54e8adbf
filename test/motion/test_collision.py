"""Tests of capsules and of the self-collision guard on the robots that ship."""
from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pinocchio
import pytest

from gesture_node.exceptions import RobotError
from gesture_node.motion.collision import DEFAULT_MARGIN_M, SelfCollisionGuard
from gesture_node.motion.collision_capsules import (
    Contacts,
    cross,
    dot,
    read_capsules,
    segment_contacts,
)
from gesture_node.motion.robot import load_profile, RobotProfile

ROBOTS = ('humanoid', 'nao', 'unitree_g1')


@lru_cache
def guarded(name: str) -> tuple[RobotProfile, SelfCollisionGuard]:
    profile = load_profile(name)
    return profile, SelfCollisionGuard(profile)


def wandering(profile: RobotProfile, frames: int, seed: int) -> np.ndarray:
    """Return smooth motion at 25 Hz from the rest pose through all of the joints' ranges."""
    random, time_s = np.random.default_rng(seed), np.arange(frames)[:, None] / 25
    joints = len(profile.joint_names)
    waves = sum(np.sin(2 * np.pi * hz * time_s + random.uniform(0, 6.28, joints))
                for hz in (0.11, 0.23, 0.37)) / 2.2
    limits = profile.limits
    middle, half = 0.5 * (limits.lower + limits.upper), 0.5 * (limits.upper - limits.lower)
    begin = np.clip(time_s / 2.0, 0.0, 1.0)
    return (1 - begin) * profile.rest_positions + begin * (middle + half * np.clip(waves, -1, 1))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2 ** 32 - 1))
def test_nearest_points_beat_every_other_pair_of_points(seed: int) -> None:
    random = np.random.default_rng(seed)
    start, other = random.normal(size=(2, 3))
    along, other_along = random.normal(size=(2, 3)) * random.choice([0.0, 0.3, 1.0], (2, 1))
    if seed % 3 == 0:
        other_along = along * random.normal()
    contacts = segment_contacts(start, along, other, other_along)
    shares = np.linspace(0.0, 1.0, 101)
    first = start + shares[:, None] * along
    second = other + shares[:, None] * other_along
    brute = np.linalg.norm(first[:, None] - second[None], axis=-1).min()
    assert contacts.distance <= brute + 1e-9 and contacts.distance >= brute - 0.05
    assert np.linalg.norm(contacts.first - contacts.second) == pytest.approx(contacts.distance)


@pytest.mark.parametrize('name', ROBOTS)
def test_capsules_are_where_pinocchio_puts_their_links(name: str) -> None:
    profile, guard = guarded(name)
    limits, random = profile.limits, np.random.default_rng(1)
    positions = random.uniform(limits.lower, limits.upper, (3, len(profile.joint_names)))
    placement = guard.model.place(positions)
    model = pinocchio.buildModelFromXML(profile.urdf.kinematic_xml)
    data = model.createData()
    for row, pose in enumerate(positions):
        coordinates = pinocchio.neutral(model)
        for joint, value in zip(profile.joint_names, pose):
            coordinates[model.joints[model.getJointId(joint)].idx_q] = value
        pinocchio.framesForwardKinematics(model, data, coordinates)
        for index, capsule in enumerate(guard.model.capsules):
            link = data.oMf[model.getFrameId(capsule.link)]
            start = placement.starts[row, index]
            assert np.allclose(start, link.act(capsule.start), atol=1e-12)
            assert np.allclose(start + placement.alongs[row, index], link.act(capsule.end),
                               atol=1e-12)


@pytest.mark.parametrize('name', ROBOTS)
def test_gradients_are_those_of_the_distance(name: str) -> None:
    profile, guard = guarded(name)
    model, limits = guard.model, profile.limits
    pose = np.random.default_rng(2).uniform(limits.lower, limits.upper)
    pair = np.array([int(np.argmin(np.abs(model.clearances(model.place(pose[None]))[0] - 0.05)))])
    placement = model.place(pose[None])
    contacts = model.contacts(placement, pair)
    nearest = Contacts(contacts.distance[:, 0], contacts.first[:, 0], contacts.second[:, 0])
    slope = model.gradients(placement, pair, nearest)[0]
    shifts = 1e-6 * np.eye(len(pose))
    ahead, behind = (model.clearances(model.place(pose + sign * shifts))[:, pair[0]]
                     for sign in (1, -1))
    assert np.allclose(slope, (ahead - behind) / 2e-6, atol=1e-7)
    assert np.abs(slope).max() > 1e-3


@pytest.mark.parametrize('name', ROBOTS)
def test_resting_robots_are_left_alone(name: str) -> None:
    profile, guard = guarded(name)
    rest = np.tile(profile.rest_positions, (10, 1))
    safe, count = guard.guard(rest, profile.rest_positions)
    assert count == 0 and np.array_equal(safe, rest)
    assert guard.audit(rest) == 0
    assert len(guard.model.pairs) > 50 and (guard.model.rest_clearance > 0.0).all()


@pytest.mark.parametrize('name', ROBOTS)
def test_wandering_arms_never_touch(name: str) -> None:
    profile, guard = guarded(name)
    wanted = wandering(profile, 240, seed=3)
    assert guard.audit(wanted) > 10
    safe, count = guard.guard(wanted, profile.rest_positions)
    margin = np.minimum(DEFAULT_MARGIN_M, 0.5 * guard.model.rest_clearance)
    clearance = guard.model.clearances(guard.model.place(safe))
    assert (clearance >= margin - 1e-9).all()
    limits = profile.limits
    assert (safe >= limits.lower - 1e-12).all() and (safe <= limits.upper + 1e-12).all()
    changed = (safe != wanted).any(axis=1)
    assert count == np.count_nonzero(changed) and 10 < count < 240
    # From one pose to the next no joint goes further than 2.25 times its velocity limit allows.
    steps = np.abs(np.diff(safe, axis=0))
    assert (steps <= 2.25 * limits.velocity / 25 + 1e-9).all()


def test_poses_that_are_far_apart_are_not_touched() -> None:
    profile, guard = guarded('humanoid')
    wanted = np.tile(profile.rest_positions, (50, 1))
    raised = profile.joint_names.index('left_shoulder_roll')
    outwards = 1.0 if profile.limits.upper[raised] > 1.0 else -1.0
    wanted[:, raised] += outwards * 0.5 * (1 - np.cos(np.linspace(0, np.pi, 50)))
    safe, count = guard.guard(wanted, profile.rest_positions)
    assert count == 0 and np.array_equal(safe, wanted)


def test_cutting_poses_into_calls_changes_nothing() -> None:
    profile, guard = guarded('nao')
    wanted = wandering(profile, 90, seed=4)
    whole, count = guard.guard(wanted, profile.rest_positions)
    parts, last, changed = [], profile.rest_positions, 0
    for row in range(0, 90, 7):
        safe, more = guard.guard(wanted[row:row + 7], last)
        parts.append(safe)
        last, changed = safe[-1], changed + more
    assert np.allclose(np.concatenate(parts), whole, atol=1e-12) and changed == count > 0


def test_a_jump_through_the_body_is_refused_step_by_step() -> None:
    profile, guard = guarded('humanoid')
    limits = profile.limits
    random = np.random.default_rng(8)
    wild = random.uniform(limits.lower, limits.upper, (40, len(profile.joint_names)))
    safe, count = guard.guard(wild, profile.rest_positions)
    assert guard.audit(safe) == 0 and count == 40
    path = np.concatenate([profile.rest_positions[None], safe])
    between = path[:-1, None] + np.linspace(0, 1, 6)[1:-1, None] * np.diff(path, axis=0)[:, None]
    assert guard.clearance(between.reshape(-1, safe.shape[1])).min() > 0.0


@pytest.mark.parametrize('name', ROBOTS)
@pytest.mark.parametrize('clearance_m', [0.0, 0.02, 0.2])
def test_looking_only_at_near_pairs_misses_nothing(name: str, clearance_m: float) -> None:
    profile, guard = guarded(name)
    poses = wandering(profile, 240, seed=3)[::3]
    placement = guard.model.place(poses)
    every = guard.model.clearances(placement)
    kept = guard.keeps(poses, clearance_m)
    assert np.array_equal(kept, every.min(axis=1) >= clearance_m) and not kept.all()
    near = guard.model.near_pairs(placement, clearance_m)
    assert set(np.flatnonzero((every < clearance_m).any(axis=0))) <= set(near)
    assert len(near) < len(guard.model.pairs)
    assert guard.keeps(poses[:0], clearance_m).shape == (0,)


def test_products_of_vectors_broadcast() -> None:
    random = np.random.default_rng(1)
    first, second = random.standard_normal((4, 5, 3)), random.standard_normal((4, 1, 3))
    assert np.allclose(cross(first, second), np.cross(first, second), atol=1e-14)
    assert np.allclose(dot(first, second), (first * second).sum(axis=-1), atol=1e-14)


def test_a_start_in_contact_is_not_made_worse() -> None:
    profile, guard = guarded('nao')
    wanted = wandering(profile, 240, seed=3)
    touching = wanted[int(np.argmin(guard.clearance(wanted)))]
    safe, _ = guard.guard(np.tile(touching, (20, 1)), touching)
    before, after = guard.clearance(touching[None])[0], guard.clearance(safe)
    assert before < 0.0 and (after >= before - 1e-9).all() and after[-1] > before


def urdf(shape: str) -> str:
    return ('<robot name="r"><link name="base"><collision>'
            '<origin xyz="1 2 3" rpy="0 1.5707963 0"/>'
            f'<geometry>{shape}</geometry></collision></link></robot>')


@pytest.mark.parametrize(('shape', 'half', 'radius'), [
    ('<cylinder radius="0.1" length="0.6"/>', [0.3, 0.0, 0.0], 0.1),
    ('<sphere radius="0.2"/>', [0.0, 0.0, 0.0], 0.2),
    ('<box size="0.06 0.08 0.5"/>', [0.25, 0.0, 0.0], 0.05)])
def test_shapes_become_capsules_that_cover_them(tmp_path: Path, shape: str, half: list[float],
                                                radius: float) -> None:
    path = tmp_path / 'r.urdf'
    path.write_text(urdf(shape))
    capsule, = read_capsules(path)
    assert np.allclose((capsule.start + capsule.end) / 2, [1, 2, 3])
    assert np.allclose((capsule.end - capsule.start) / 2, half, atol=1e-6)
    assert capsule.radius == pytest.approx(radius) and capsule.link == 'base'


def test_covered_shapes_and_meshes_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / 'r.urdf'
    inner = '<collision><geometry><sphere radius="0.1"/></geometry></collision>'
    outer = '<collision><geometry><cylinder radius="0.2" length="0.4"/></geometry></collision>'
    mesh = '<collision><geometry><mesh filename="m.stl"/></geometry></collision>'
    path.write_text(f'<robot name="r"><link name="base">{inner}{mesh}{outer}</link></robot>')
    capsule, = read_capsules(path)
    assert capsule.radius == 0.2


def test_sizes_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'r.urdf'
    path.write_text(urdf('<sphere radius="big"/>'))
    with pytest.raises(RobotError, match="radius of a collision shape of link 'base'"):
        read_capsules(path)
