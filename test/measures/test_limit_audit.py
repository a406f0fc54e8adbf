"""Tests of the limit audit: what it must find, between knots too, and what it must let pass."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.measures.limit_audit import audit_motion, LimitViolations
from gesture_node.motion.limits import JointLimits, MotionLimiter


def limits_of(joints: int = 1, upper: float = 1.0) -> JointLimits:
    return JointLimits(lower=np.full(joints, -upper), upper=np.full(joints, upper),
                       velocity=np.full(joints, 2.0), acceleration=np.full(joints, 10.0),
                       jerk=np.full(joints, 200.0))


def audit(positions: list[float], velocities: list[float], step_s: float = 0.02,
          upper: float = 1.0) -> LimitViolations:
    times_s = step_s * np.arange(len(positions))
    return audit_motion(times_s, np.array(positions)[:, None], np.array(velocities)[:, None],
                        limits_of(upper=upper))


def test_rest_and_steady_motion_pass() -> None:
    assert audit([0.5] * 5, [0.0] * 5).total == 0
    assert audit([0.02 * k for k in range(5)], [1.0] * 5).total == 0


def test_a_turn_between_knots_beyond_the_limit_is_found() -> None:
    # Up and down again under -10 rad/s^2: the top, 0.0125 above both knots, is between them.
    inside = audit([0.98, 0.98], [0.5, -0.5], step_s=0.1)
    beyond = audit([0.99, 0.99], [0.5, -0.5], step_s=0.1)
    assert (inside.position, beyond.position) == (0, 1)
    assert inside.acceleration == beyond.acceleration == 0


def test_speed_between_slow_knots_is_found() -> None:
    # From rest to rest over 0.4 rad in 0.2 s a cubic is 1.5 times the mean speed in the middle.
    found = audit([0.0, 0.4], [0.0, 0.0], step_s=0.2)
    assert found.velocity == 1 and found.acceleration == 1


def test_steps_of_acceleration_count_as_jerk() -> None:
    velocities = [0.0, 0.0, 0.08, 0.16, 0.16]
    positions = np.concatenate([[0.0], np.cumsum(0.01 * np.add(velocities[1:], velocities[:-1]))])
    assert audit(positions.tolist(), velocities).total == 0
    velocities = [0.0, 0.0, 0.09, 0.18, 0.18]
    positions = np.concatenate([[0.0], np.cumsum(0.01 * np.add(velocities[1:], velocities[:-1]))])
    assert audit(positions.tolist(), velocities) == LimitViolations(jerk=2)


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_what_is_not_finite_is_a_violation(bad: float) -> None:
    assert audit([0.0, bad, 0.0], [0.0, 0.0, 0.0]).position >= 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2 ** 32 - 1))
def test_extremes_between_knots_match_dense_sampling(seed: int) -> None:
    random = np.random.default_rng(seed)
    positions = random.uniform(-0.5, 0.5, (2, 1))
    velocities = random.uniform(-1.5, 1.5, (2, 1))
    span_s = float(random.uniform(0.2, 1.0))
    share = np.linspace(0.0, 1.0, 4001)[:, None]
    leave, arrive = velocities * span_s
    start, end = positions
    bend, twist = 3 * (end - start) - 2 * leave - arrive, 2 * (start - end) + leave + arrive
    dense = start + share * (leave + share * (bend + share * twist))
    reach = float(np.abs(dense).max())
    for upper, expected in ((reach * 1.001 + 1e-4, 0), (reach * 0.999 - 1e-4, 1)):
        found = audit_motion(np.array([0.0, span_s]), positions, velocities,
                             limits_of(upper=upper))
        assert (found.position > 0) == bool(expected)


def test_the_limiters_own_motion_passes() -> None:
    limits = limits_of(joints=4)
    limiter = MotionLimiter(limits)
    wild = np.random.default_rng(0).normal(size=(300, 4)) * 2.0
    motion = limiter.follow(limiter.rest_state(np.zeros(4)), wild)
    assert audit_motion(np.arange(300) / 50, motion.positions, motion.velocities,
                        limits).total == 0


def test_counts_of_stretches_add() -> None:
    total = LimitViolations(1, 2, 3, 4, 5) + LimitViolations(1, 1, 1, 1, 1)
    assert total == LimitViolations(2, 3, 4, 5, 6) and total.total == 20
