"""Tests of the closed-form brake against the brake carried out step by step."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.motion.limiter_brake import (
    brake_extent,
    brake_step,
    landing_acceleration,
    ramp_velocity,
)


def states(seed: int, cap: float, count: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return velocities, accelerations and caps, whole numbers (the corners) among them."""
    random = np.random.default_rng(seed)
    velocity = random.normal(size=count) * random.choice([0.1, 1.0, 10.0, 60.0], count)
    acceleration = random.uniform(-cap, cap, count)
    velocity[::5] = np.round(velocity[::5])
    acceleration[::3] = np.clip(np.round(acceleration[::3]), -cap, cap)
    return velocity, acceleration, np.full(count, cap)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2 ** 32 - 1), st.sampled_from([0.4, 1.0, 2.5, 7.0, 30.0]))
def test_extent_is_where_the_brake_goes(seed: int, cap: float) -> None:
    velocity, acceleration, caps = states(seed, cap)
    extent = brake_extent(velocity, acceleration, caps)
    position = np.zeros_like(velocity)
    lowest, highest = position.copy(), position.copy()
    for _ in range(2_000):
        following = brake_step(velocity, acceleration, caps)
        assert (np.abs(following - acceleration) <= 1.0 + 1e-12).all()
        assert (np.abs(following) <= cap + 1e-12).all()
        # Twenty looks inside each interval.
        for share in np.linspace(0.05, 1.0, 20):
            inside = position + velocity * share + 0.5 * following * share ** 2
            lowest, highest = np.minimum(lowest, inside), np.maximum(highest, inside)
        position = position + velocity + 0.5 * following
        velocity, acceleration = velocity + following, following
        if not (np.abs(velocity) > 1e-9).any() and not (np.abs(acceleration) > 1e-9).any():
            break
    scale = 1.0 + np.abs(position)
    assert np.allclose(extent.stop, position, atol=1e-8 * scale.max())
    # Sampling misses the very top of a turn by at most half the acceleration times 0.025^2.
    turn = 0.5 * cap * 0.025 ** 2 + 1e-8 * scale
    assert (extent.lower <= lowest + 1e-8 * scale).all() and (lowest - extent.lower <= turn).all()
    assert (extent.upper >= highest - 1e-8 * scale).all() and (
        extent.upper - highest <= turn).all()


@given(st.floats(0.0, 1e4))
def test_landing_by_unit_steps_ends_at_rest(speed: float) -> None:
    first = landing_acceleration(np.array([speed]))
    steps = np.maximum(first - np.arange(400), 0.0)
    assert steps[-1] == 0.0 and np.isclose(steps.sum(), speed, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(('acceleration', 'gained'), [
    (0.0, 0.0), (0.7, 0.0), (1.0, 0.0), (2.0, 1.0), (2.5, 2.0), (-3.0, -3.0)])
def test_velocity_gained_while_the_acceleration_falls(acceleration: float, gained: float) -> None:
    assert ramp_velocity(np.array([acceleration]))[0] == pytest.approx(gained)


def test_stop_grows_with_velocity_and_acceleration() -> None:
    velocity, acceleration, caps = states(3, 5.0)
    base = brake_extent(velocity, acceleration, caps).stop
    faster = brake_extent(velocity + 0.01, acceleration, caps).stop
    harder = brake_extent(velocity, np.minimum(acceleration + 0.01, 5.0), caps).stop
    assert (faster > base).all() and (harder >= base - 1e-12).all()


def test_a_state_at_rest_stays() -> None:
    zero = np.zeros(3)
    extent = brake_extent(zero, zero, np.ones(3))
    assert not extent.stop.any() and not extent.lower.any() and not extent.upper.any()
    assert not brake_step(zero, zero, np.ones(3)).any()
