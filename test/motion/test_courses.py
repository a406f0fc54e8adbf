"""Courses from 0 to 1: ends, symmetry, and what the sources say of their speed."""
from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.motion.courses import fade_in, minimum_jerk, smoothstep

STEP = 1e-4
PROGRESS = np.arange(0.0, 1.0 + STEP / 2, STEP)
COURSES = pytest.mark.parametrize('course', [minimum_jerk, smoothstep])


@COURSES
def test_a_course_is_held_outside_its_span(course: Callable[..., np.ndarray]) -> None:
    assert course(np.array([-3.0, 0.0, 1.0, 7.0])).tolist() == [0.0, 0.0, 1.0, 1.0]
    assert np.isfinite(course(np.array([-1e300, 1e300]))).all()


@COURSES
def test_a_course_never_turns_back(course: Callable[..., np.ndarray]) -> None:
    assert (np.diff(course(PROGRESS)) >= 0.0).all()


@COURSES
@given(at=st.floats(-1.0, 2.0))
def test_the_way_out_is_the_way_in(course: Callable[..., np.ndarray], at: float) -> None:
    assert float(course(at) + course(1.0 - at)) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize('course, peak', [(minimum_jerk, 1.875), (smoothstep, 1.5)])
def test_the_peak_speed_is_half_way(course: Callable[..., np.ndarray], peak: float) -> None:
    speed = np.gradient(course(PROGRESS), STEP)
    assert speed.max() == pytest.approx(peak, rel=1e-6)
    assert PROGRESS[np.argmax(speed)] == pytest.approx(0.5, abs=2 * STEP)
    assert speed[[0, -1]] == pytest.approx(0.0, abs=2 * peak * STEP)


def test_minimum_jerk_has_no_acceleration_at_the_ends() -> None:
    acceleration = np.diff(minimum_jerk(PROGRESS), 2) / STEP ** 2
    assert np.abs(acceleration[[0, -1]]).max() < 0.01 * np.abs(acceleration).max()


def test_minimum_jerk_has_the_least_jerk_of_courses_at_rest_at_both_ends() -> None:
    # Any other with these ends differs by something that is 0 there to the second derivative.
    bump = (PROGRESS * (1.0 - PROGRESS)) ** 3
    best, *others = (np.sum(np.diff(minimum_jerk(PROGRESS[::20]) + size * bump[::20], 3) ** 2)
                     for size in (0.0, 1.0, -1.0, 0.2, -0.2))
    assert best < min(others)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), planned=st.integers(1, 30), new=st.integers(5, 30))
def test_a_window_begins_with_the_last_plan_and_then_goes_its_own_way(seed: int, planned: int,
                                                                      new: int) -> None:
    random = np.random.default_rng(seed)
    plan = random.standard_normal((planned, 3)).astype(np.float32)
    frames = random.standard_normal((new, 3)).astype(np.float32)
    kept = frames.copy()
    faded = fade_in(plan, frames, 6.0)
    both = min(planned, new)
    assert np.array_equal(frames, kept)
    assert np.all(np.abs(faded[0] - plan[0]) < 0.2 * np.abs(frames[0] - plan[0]) + 1e-6)
    assert np.array_equal(faded[min(both, 6):], frames[min(both, 6):])
    low, high = np.minimum(plan[:both], frames[:both]), np.maximum(plan[:both], frames[:both])
    assert np.all((faded[:both] >= low - 1e-5) & (faded[:both] <= high + 1e-5))
    np.testing.assert_allclose(fade_in(frames, frames, 6.0), frames)
