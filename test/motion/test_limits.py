"""Tests of joint limits and of the limiter: what it promises for any input, and how it tracks."""
from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
import numpy as np
import pytest

from gesture_node.exceptions import RobotError
from gesture_node.motion.limiter_state import LimitedMotion, LimiterState
from gesture_node.motion.limits import JointLimits, MotionLimiter

STEP_S = 0.02
INNER = np.linspace(0.0, STEP_S, 21)[:, None, None]  # 1 kHz inside each interval


def limits_of(**changes: list[float]) -> JointLimits:
    """Return three joints: an arm's, a slow one, and one whose jerk binds first."""
    values = {'lower': [-1.5, -0.5, -0.1], 'upper': [1.5, 0.6, 2.0], 'velocity': [3.0, 0.5, 8.0],
              'acceleration': [20.0, 3.0, 60.0], 'jerk': [300.0, 40.0, 250.0]} | changes
    return JointLimits(**{name: np.array(value) for name, value in values.items()})


LIMITS = limits_of()
LIMITER = MotionLimiter(LIMITS)


def assert_inside(motion: LimitedMotion, before: LimiterState,
                  limits: JointLimits = LIMITS) -> None:
    """Check every promise between knots, from the knots alone, as a controller would run them."""
    q = np.concatenate([before.positions[None], motion.positions])
    v = np.concatenate([before.velocities[None], motion.velocities])
    assert np.isfinite(q).all() and np.isfinite(v).all()
    # The cubic through the knots is a parabola: its third power vanishes.
    assert np.abs(2 * (q[:-1] - q[1:]) + STEP_S * (v[:-1] + v[1:])).max(initial=0.0) < 1e-12
    a = np.diff(v, axis=0) / STEP_S
    inner = q[:-1] + v[:-1] * INNER + 0.5 * a * INNER ** 2
    assert (inner >= limits.lower - 1e-9).all() and (inner <= limits.upper + 1e-9).all()
    assert (np.abs(v) <= limits.velocity + 1e-9).all()
    assert (np.abs(a) <= limits.acceleration + 1e-8).all()
    steps = np.diff(np.concatenate([before.accelerations[None], a]), axis=0)
    assert (np.abs(steps) <= limits.jerk * STEP_S + 1e-8).all()
    assert np.allclose(motion.accelerations, a, atol=1e-8)


def minimum_jerk(times_s: np.ndarray, strokes: list[tuple[float, float, float]]) -> np.ndarray:
    """Return strokes ``(begin, end, position)`` joined by holds, starting at 0."""
    position, out = 0.0, np.zeros_like(times_s)
    for begin, end, goal in strokes:
        s = np.clip((times_s - begin) / (end - begin), 0.0, 1.0)
        out += (goal - position) * (10 * s ** 3 - 15 * s ** 4 + 6 * s ** 5)
        position = goal
    return out


NUMBERS = st.one_of(
    st.floats(-3.0, 3.0), st.sampled_from([0.0, 1.5, -1.5, 0.6, 2.0, 1e9, -1e300]),
    st.floats(allow_nan=True, allow_infinity=True))


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 60), st.just(3)), elements=NUMBERS),
       st.integers(1, 4))
def test_any_targets_stay_inside_every_limit(targets: np.ndarray, repeats: int) -> None:
    start = LIMITER.rest_state(np.array([0.3, 0.0, 0.0]))
    motion = LIMITER.follow(start, np.repeat(targets, repeats, axis=0))
    assert_inside(motion, start)
    brake = LIMITER.brake(motion.state)
    assert_inside(brake, motion.state)
    assert not brake.velocities[-1].any() and not brake.accelerations[-1].any()


@pytest.mark.parametrize('kind', ['noise', 'bang', 'slow bang', 'walk', 'edge', 'resonance'])
def test_long_adversarial_motion_stays_inside(kind: str) -> None:
    random = np.random.default_rng(5)
    targets = {
        'noise': lambda: random.normal(size=(1500, 3)),
        'bang': lambda: random.choice([-9.0, 9.0], (1500, 3)),
        'slow bang': lambda: np.repeat(random.choice([-2.0, 2.0], (60, 3)), 25, axis=0),
        'walk': lambda: np.cumsum(0.1 * random.normal(size=(1500, 3)), axis=0) % 4.0 - 2.0,
        'edge': lambda: LIMITS.upper + 0.01 * random.normal(size=(1500, 3)),
        'resonance': lambda: 2.0 * np.sign(np.sin(np.arange(1500)[:, None] * [0.3, 0.1, 0.2])),
    }[kind]()
    start = LIMITER.rest_state(np.array([0.0, 0.0, 0.0]))
    motion = LIMITER.follow(start, targets)
    assert_inside(motion, start)
    assert motion.report.changed > 0 and motion.report.total == 4500


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2 ** 32 - 1), st.floats(0.01, 2.0), st.lists(st.integers(1, 9)))
def test_cutting_targets_into_calls_changes_no_bit(seed: int, size: float,
                                                   cuts: list[int]) -> None:
    random = np.random.default_rng(seed)
    targets = size * np.cumsum(random.normal(size=(40, 3)), axis=0) * [0.02, 0.005, 0.02]
    targets[random.random((40, 3)) < 0.02] = np.nan
    start = LIMITER.rest_state(np.array([0.1, 0.0, 0.2]), speed_scale=0.5)
    whole = LIMITER.follow(start, targets)
    state, parts, report, row = start, [], LIMITER.follow(start, targets[:0]).report, 0
    for count in [*cuts, 40]:
        part = LIMITER.follow(state, targets[row:row + count])
        state, row, report = part.state, row + count, report + part.report
        parts.append(part)
    assert np.array_equal(np.concatenate([p.positions for p in parts]), whole.positions)
    assert np.array_equal(np.concatenate([p.velocities for p in parts]), whole.velocities)
    assert np.array_equal(np.concatenate([p.accelerations for p in parts]), whole.accelerations)
    assert replace(report, summed_change_rad=0.0) == replace(whole.report, summed_change_rad=0.0)
    assert report.summed_change_rad == pytest.approx(whole.report.summed_change_rad)


@pytest.mark.parametrize(('frequency_hz', 'amplitude_rad', 'error_rad'), [
    (0.5, 0.5, 0.002), (1.0, 0.3, 0.004), (1.5, 0.15, 0.005), (2.0, 0.08, 0.005)])
def test_motion_within_limits_is_followed_without_lag(frequency_hz: float, amplitude_rad: float,
                                                      error_rad: float) -> None:
    limits = limits_of(lower=[-2.0] * 3, upper=[2.0] * 3, velocity=[4.0] * 3,
                       acceleration=[40.0] * 3, jerk=[600.0] * 3)
    limiter, times_s = MotionLimiter(limits), STEP_S * np.arange(300)
    phase = np.array([0.0, 1.0, 2.0])
    targets = amplitude_rad * np.sin(2 * np.pi * frequency_hz * times_s[:, None] + phase)
    motion = limiter.follow(limiter.rest_state(targets[0]), targets)
    settled = slice(50, None)
    assert np.abs(motion.positions - targets)[settled].max() < error_rad
    # Cross-correlation over fractions of a knot: the lag of the best fit.
    lags_s = np.linspace(-0.03, 0.03, 61)
    fits = [np.abs(amplitude_rad * np.sin(2 * np.pi * frequency_hz * (times_s[:, None] - lag)
                                          + phase) - motion.positions)[settled].mean()
            for lag in lags_s]
    assert abs(lags_s[int(np.argmin(fits))]) <= 0.002
    late = limiter.follow(motion.state, targets[:0]).state
    assert late.is_on_target


def test_strokes_are_followed_and_do_not_ring() -> None:
    times_s = STEP_S * np.arange(300)
    strokes = minimum_jerk(times_s, [(1.0, 1.6, 0.8), (2.2, 2.8, 0.3), (3.2, 4.0, -0.7)])
    limiter = MotionLimiter(limits_of(lower=[-2.0] * 3, upper=[2.0] * 3, velocity=[3.0] * 3,
                                      acceleration=[20.0] * 3, jerk=[400.0] * 3))
    targets = np.repeat(strokes[:, None], 3, axis=1)
    motion = limiter.follow(limiter.rest_state(targets[0]), targets)
    error = motion.positions[:, 0] - strokes
    assert np.abs(error).max() < 0.01
    holds = (times_s > 1.7) & (times_s < 2.2) | (times_s > 2.9) & (times_s < 3.2)
    assert np.abs(error[holds]).max() < 1e-9
    assert motion.report.changed < 0.05 * motion.report.total


def test_a_stroke_beyond_the_limits_arrives_without_overshoot() -> None:
    times_s = STEP_S * np.arange(250)
    stroke = minimum_jerk(times_s, [(1.0, 1.3, 1.2)])
    limiter = MotionLimiter(limits_of(lower=[-2.0] * 3, upper=[2.0] * 3, velocity=[3.0] * 3,
                                      acceleration=[20.0] * 3, jerk=[400.0] * 3))
    targets = np.repeat(stroke[:, None], 3, axis=1)
    motion = limiter.follow(limiter.rest_state(targets[0]), targets)
    assert motion.positions.max() < 1.2 * 1.03
    arrived = times_s[np.flatnonzero(np.abs(motion.positions[:, 0] - 1.2) > 0.012)[-1]]
    # Quickest possible: 1.2 rad at 3 rad/s, and one ramp of 0.15 s plus the jerk's 0.05 s.
    assert arrived < 1.0 + 1.2 / 3.0 + 0.2 + 0.1
    assert motion.state.is_on_target


def test_a_step_is_taken_monotonically_at_full_speed() -> None:
    targets = np.tile([1.0, 0.5, 1.5], (200, 1))
    motion = LIMITER.follow(LIMITER.rest_state(np.zeros(3)), targets)
    assert np.diff(motion.positions, axis=0).min() > -0.004
    assert np.abs(motion.positions[-1] - targets[-1]).max() < 1e-9
    fastest = np.abs(motion.velocities).max(axis=0)
    assert fastest[:2] == pytest.approx(LIMITS.velocity[:2], rel=0.01)


def test_targets_that_are_not_finite_hold_the_last_one() -> None:
    good = np.array([0.2, 0.1, 0.3])
    targets = np.tile(good, (60, 1))
    targets[30:] = np.nan
    targets[40:, 1] = np.inf
    motion = LIMITER.follow(LIMITER.rest_state(good), targets)
    assert np.allclose(motion.positions, good, atol=1e-12)
    assert motion.report.nonfinite == 90 and motion.report.changed == 0


def test_nothing_finite_at_all_stays_where_it_is() -> None:
    start = LIMITER.rest_state(np.array([0.4, 0.2, 0.1]))
    motion = LIMITER.follow(start, np.full((20, 3), np.nan))
    assert np.array_equal(motion.positions, np.tile(start.positions, (20, 1)))


def test_a_start_outside_the_limits_only_comes_back() -> None:
    start = LIMITER.rest_state(np.array([1.8, -0.7, 2.3]))
    motion = LIMITER.follow(start, np.zeros((150, 3)))
    excess = np.maximum(motion.positions - LIMITS.upper, LIMITS.lower - motion.positions)
    assert (np.diff(np.maximum(excess, 0.0), axis=0) <= 1e-12).all()
    assert (excess[-1] < 0.0).all() and np.abs(motion.positions[-1]).max() < 1e-6
    assert (np.abs(motion.velocities) <= LIMITS.velocity + 1e-9).all()


def test_a_motion_faster_than_the_limit_slows_down_at_the_limits_pace() -> None:
    moving = LIMITER.moving_state(np.zeros(3), np.array([3.5, -0.6, 9.0]), np.zeros(3))
    motion = LIMITER.follow(moving, np.tile([1.5, -0.5, 2.0], (80, 1)))
    speed = np.abs(motion.velocities)
    assert (speed[0] <= [3.5, 0.6, 9.0]).all() and (speed[30:] <= LIMITS.velocity + 1e-9).all()
    assert (np.abs(motion.accelerations) <= LIMITS.acceleration + 1e-8).all()


def test_a_gentle_start_is_slow_and_then_catches_up() -> None:
    targets = np.tile([1.2, 0.5, 1.5], (400, 1))
    start = LIMITER.rest_state(np.zeros(3), speed_scale=0.2)
    motion = LIMITER.follow(start, targets)
    assert (np.abs(motion.velocities[:25]) <= 0.2 * 1.01 ** 25 * LIMITS.velocity).all()
    assert_inside(motion, start)
    assert motion.state.is_on_target and (motion.state.speed_scale == 1.0).all()


def test_states_are_values() -> None:
    start = LIMITER.rest_state(np.array([0.1, 0.1, 0.1]))
    copies = [getattr(start, name).copy() for name in ('before', 'after', 'accelerations')]
    targets = np.random.default_rng(0).normal(size=(20, 3))
    first = LIMITER.follow(start, targets)
    again = LIMITER.follow(start, targets)
    assert np.array_equal(first.positions, again.positions)
    for name, copy in zip(('before', 'after', 'accelerations'), copies):
        assert np.array_equal(getattr(start, name), copy)


def test_a_brake_at_rest_is_one_knot() -> None:
    brake = LIMITER.brake(LIMITER.rest_state(np.array([0.3, 0.2, 0.1])))
    assert len(brake.positions) == 1 and brake.state.is_at_rest
    assert np.array_equal(brake.positions[0], [0.3, 0.2, 0.1])


def test_interventions_are_named() -> None:
    still = LIMITER.follow(LIMITER.rest_state(np.zeros(3)), np.zeros((10, 3))).report
    assert (still.changed, still.position, still.jerk, still.largest_change_rad) == (0, 0, 0, 0.0)
    beyond = LIMITER.follow(LIMITER.rest_state(np.zeros(3)), np.full((10, 3), 5.0)).report
    assert beyond.position >= 30 and beyond.jerk > 0 and beyond.changed > 0
    assert beyond.as_dict()['mean_change_rad'] == pytest.approx(beyond.summed_change_rad / 30)


def test_scaled_limits_lie_inside() -> None:
    inner = LIMITS.scaled(velocity=0.5, acceleration=0.25, margin_rad=0.2)
    assert np.allclose(inner.velocity, 0.5 * LIMITS.velocity)
    assert np.allclose(inner.jerk, 0.25 * LIMITS.jerk)
    assert np.allclose(inner.lower, LIMITS.lower + 0.2)
    wide = LIMITS.scaled(margin_rad=3.0)
    assert (wide.lower < wide.upper).all()


@pytest.mark.parametrize(('change', 'message'), [
    ({'velocity': [1.0, -2.0, 1.0]}, 'velocity limit of joint 1 must be above zero, got -2.0'),
    ({'upper': [1.0, -3.0, 1.0]}, 'upper limit of joint 1 must be above the lower limit'),
    ({'jerk': [1.0, np.nan, 1.0]}, 'jerk limit of joint 1 must be finite'),
    ({'acceleration': [1.0]}, 'acceleration limits must have shape')])
def test_limits_that_cannot_be_right_are_refused(change: dict[str, list[float]],
                                                 message: str) -> None:
    with pytest.raises(RobotError, match=message):
        limits_of(**change)


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(RobotError, match='velocity factor must be in'):
        LIMITS.scaled(velocity=0.0)
    with pytest.raises(RobotError, match='position margin must not be negative'):
        LIMITS.scaled(margin_rad=-1.0)
    with pytest.raises(RobotError, match='position limit of joint 2 must be finite'):
        LIMITER.rest_state(np.array([0.0, 0.0, np.nan]))
    with pytest.raises(RobotError, match='targets must have shape'):
        LIMITER.follow(LIMITER.rest_state(np.zeros(3)), np.zeros((5, 2)))
    with pytest.raises(RobotError, match='speed scale must be in'):
        LIMITER.rest_state(np.zeros(3), speed_scale=1.5)
