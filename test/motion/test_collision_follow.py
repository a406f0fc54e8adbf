"""Tests that limited motion itself stays free of self-collision, inside every limit."""
from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from gesture_node.measures.limit_audit import audit_motion, LimitViolations
from gesture_node.motion.collision import SelfCollisionGuard
from gesture_node.motion.collision_follow import CollisionFreeLimiter, FreeMotion
from gesture_node.motion.limits import MotionLimiter
from gesture_node.motion.robot import load_profile, RobotProfile

ROBOTS = ('humanoid', 'nao', 'unitree_g1')
HOP = 10


@lru_cache
def free_limiter(name: str) -> tuple[RobotProfile, CollisionFreeLimiter]:
    profile = load_profile(name)
    return profile, CollisionFreeLimiter(MotionLimiter(profile.limits),
                                         SelfCollisionGuard(profile))


def wild_targets(profile: RobotProfile, knots: int, seed: int) -> np.ndarray:
    """Return targets that sweep and jump through all of the joints' ranges, unguarded."""
    random, limits = np.random.default_rng(seed), profile.limits
    goals = random.uniform(limits.lower, limits.upper, (knots // 25 + 2, len(limits.lower)))
    share = (np.arange(knots) % 25 / 25)[:, None]
    index = np.arange(knots) // 25
    return goals[index] + share * (goals[index + 1] - goals[index])


def follow_all(free: CollisionFreeLimiter, start: np.ndarray,
               targets: np.ndarray) -> list[FreeMotion]:
    state, parts = free.limiter.rest_state(start), []
    for row in range(0, len(targets), HOP):
        parts.append(free.follow(state, targets[row:row + HOP]))
        state = parts[-1].motion.state
    return parts


@pytest.mark.parametrize('name', ROBOTS)
def test_unguarded_targets_never_make_links_meet(name: str) -> None:
    profile, free = free_limiter(name)
    targets = wild_targets(profile, 300, seed=2)
    plain = free.limiter.follow(free.limiter.rest_state(profile.rest_positions), targets)
    assert free.guard.audit(plain.positions) > 10
    parts = follow_all(free, profile.rest_positions, targets)
    positions = np.concatenate([part.motion.positions for part in parts])
    velocities = np.concatenate([part.motion.velocities for part in parts])
    assert free.guard.audit(positions) == 0
    assert audit_motion(np.arange(len(positions)) / 50, positions, velocities,
                        profile.limits) == LimitViolations()
    # Wherever it is cut off, the brake is free as well.
    brakes = [free.limiter.brake(part.motion.state).positions for part in parts]
    assert free.guard.audit(np.concatenate(brakes)) == 0
    assert any(part.parted for part in parts)
    assert np.abs(velocities).max() > 0.1


def test_free_motion_is_that_of_the_limiter() -> None:
    profile, free = free_limiter('humanoid')
    targets = np.tile(profile.rest_positions, (40, 1))
    targets[:, profile.joint_names.index('head_yaw')] += 0.3 * np.sin(np.arange(40) / 8)
    parts = follow_all(free, profile.rest_positions, targets)
    whole = free.limiter.follow(free.limiter.rest_state(profile.rest_positions), targets)
    assert np.array_equal(np.concatenate([part.motion.positions for part in parts]),
                          whole.positions)
    assert not any(part.parted or part.braked_knots for part in parts)


def test_a_start_in_contact_comes_apart() -> None:
    profile, free = free_limiter('nao')
    targets = wild_targets(profile, 300, seed=2)
    plain = free.limiter.follow(free.limiter.rest_state(profile.rest_positions), targets)
    touching = plain.positions[int(np.argmin(free.guard.clearance(plain.positions)))]
    before = free.guard.clearance(touching[None])[0]
    assert before < 0.0
    parts = follow_all(free, touching, np.tile(profile.rest_positions, (200, 1)))
    clearance = free.guard.clearance(np.concatenate([p.motion.positions for p in parts]))
    assert clearance.min() >= before - 1e-6


def test_no_targets_are_no_motion() -> None:
    profile, free = free_limiter('nao')
    state = free.limiter.rest_state(profile.rest_positions)
    found = free.follow(state, np.empty((0, len(profile.joint_names))))
    assert len(found.motion.positions) == 0 and found.motion.state is state
