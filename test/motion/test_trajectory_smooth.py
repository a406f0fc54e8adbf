"""Smoothed plans: continuous acceleration, jerk inside its limit, everything else as before."""
from __future__ import annotations

from pathlib import Path
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from plan_world import EPOCH_NS, gesture_target, LIMITER, LIMITS

from gesture_node.motion.trajectory_knots import Knots
from gesture_node.motion.trajectory_smooth import smoothed, SmoothKnots

STEP_NS, STEP_S = 20_000_000, 0.02


def plan(targets: np.ndarray) -> Knots:
    start = LIMITER.rest_state(np.zeros(3))
    motion = LIMITER.follow(start, targets)
    motion = motion.then(LIMITER.brake(motion.state))
    times = EPOCH_NS + STEP_NS * np.arange(len(motion.positions) + 1, dtype=np.int64)
    return Knots(times, np.concatenate([start.positions[None], motion.positions]),
                 np.concatenate([start.velocities[None], motion.velocities]))


def quintic(smooth: SmoothKnots, looks: int = 20) -> tuple[np.ndarray, ...]:
    """Return position to jerk at 1 kHz as a controller's quintic through all three fields.

    The six coefficients are found by solving for the six values at the ends, nothing else.
    """
    knots = smooth.knots
    span = float(np.diff(knots.times_ns)[0]) * 1e-9
    powers = np.arange(6)

    def rows(t: float, order: int) -> np.ndarray:
        factor = np.array([np.prod(n - np.arange(order)) if n >= order else 0.0 for n in powers])
        return factor * t ** np.maximum(powers - order, 0)

    fields = (knots.positions, knots.velocities, smooth.accelerations)
    ends = np.stack([rows(at, order) for at in (0.0, span) for order in range(3)])
    values = np.stack([field[side:len(field) - 1 + side] for side in (0, 1) for field in fields])
    coefficients = np.einsum('ij,jkn->ikn', np.linalg.inv(ends), values)
    found = []
    for order in range(4):
        basis = np.stack([rows(t, order) for t in np.linspace(0.0, span, looks + 1)])
        found.append(np.einsum('ti,ikn->ktn', basis, coefficients))
    return tuple(found)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2 ** 32 - 1), st.sampled_from([0.02, 0.3, 3.0]))
def test_the_quintic_is_inside_every_limit_and_jerk_too(seed: int, size: float) -> None:
    random = np.random.default_rng(seed)
    smooth = smoothed(plan(np.cumsum(size * random.normal(size=(40, 3)), axis=0)), STEP_NS)
    position, velocity, acceleration, jerk = quintic(smooth)
    assert (position >= LIMITS.lower - 1e-7).all() and (position <= LIMITS.upper + 1e-7).all()
    assert (np.abs(velocity) <= LIMITS.velocity + 1e-5).all()
    assert (np.abs(acceleration) <= LIMITS.acceleration + 1e-3).all()
    assert (np.abs(jerk) <= LIMITS.jerk + 1.0).all()
    assert np.abs(acceleration[1:, 0] - acceleration[:-1, -1]).max() < 1e-3


def test_a_cubic_runs_the_same_as_the_quintic() -> None:
    smooth = smoothed(plan(gesture_target(STEP_S * np.arange(60))), STEP_NS)
    position, _, _, jerk = quintic(smooth)
    knots = smooth.knots
    for row in range(0, len(knots) - 1, 7):
        at = int(knots.times_ns[row]) + 7_000_000
        assert knots.state(at).positions == pytest.approx(position[row, 7], abs=1e-9)
    assert np.ptp(jerk, axis=1).max() < 1.0


def test_motion_comes_half_an_interval_later_and_ends_at_rest() -> None:
    before = plan(gesture_target(STEP_S * np.arange(60)))
    after = smoothed(before, STEP_NS)
    assert len(after.knots) == len(before) + 1
    assert np.array_equal(after.knots.positions[-1], before.positions[-1])
    assert not after.knots.velocities[-1].any() and not after.accelerations[-1].any()
    for time_ns in after.knots.times_ns[3:-3]:
        late = before.state(int(time_ns) - STEP_NS // 2).positions
        # The mean differs from the middle by at most a T^2 / 24.
        allowed = LIMITS.acceleration * STEP_S ** 2 / 24 + 1e-9
        assert (np.abs(after.knots.state(int(time_ns)).positions - late) <= allowed).all()


def test_frozen_knots_stay_when_the_plan_behind_them_changes() -> None:
    one, other = (plan(np.concatenate([gesture_target(STEP_S * np.arange(30)), tail]))
                  for tail in (np.zeros((20, 3)), np.ones((20, 3))))
    first, second = smoothed(one, STEP_NS), smoothed(other, STEP_NS)
    assert np.array_equal(one.positions[:31], other.positions[:31])
    assert np.array_equal(first.knots.positions[:31], second.knots.positions[:31])
    assert np.array_equal(first.accelerations[:31], second.accelerations[:31])
    assert not np.array_equal(first.knots.positions[:33], second.knots.positions[:33])


def test_knots_that_are_not_even_are_smoothed_exactly() -> None:
    before = plan(gesture_target(STEP_S * np.arange(40)))
    cut = before.until(int(before.times_ns[20]) + 3_000_000)
    joined = cut.then(before.part(21, len(before)))
    after, even = smoothed(joined, STEP_NS), smoothed(before, STEP_NS)
    for time_ns in range(EPOCH_NS, int(even.knots.times_ns[-1]), 3_700_000):
        assert after.knots.state(time_ns).positions == pytest.approx(
            even.knots.state(time_ns).positions, abs=1e-8)


def test_a_single_knot_stays() -> None:
    hold = smoothed(Knots.hold(EPOCH_NS, np.ones(3)), STEP_NS)
    assert np.array_equal(hold.knots.positions, np.ones((2, 3)))
    assert not hold.knots.velocities.any() and not hold.accelerations.any()
