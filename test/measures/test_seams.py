"""Tests of the seam measure: 1 where seams are as rough as the motion, more where they show."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.measures.seams import seam_ratio


def smooth(samples: int = 400) -> np.ndarray:
    time_s = np.arange(samples) / 50
    return np.stack([np.sin(2 * np.pi * 0.7 * time_s), np.cos(2 * np.pi * 1.3 * time_s)], axis=1)


def test_motion_without_seams_is_about_one() -> None:
    ratio = seam_ratio(smooth(), 10, 50)
    assert 0.5 < ratio.velocity <= 1.1 and 0.5 < ratio.acceleration <= 1.1
    assert ratio.seams == 39 and ratio.median_velocity <= ratio.velocity


@pytest.mark.parametrize('hop', [5, 10, 16])
def test_a_jump_of_position_at_seams_shows(hop: int) -> None:
    motion = smooth()
    motion[:, 0] += 0.05 * (np.arange(400) // hop % 2)
    found = seam_ratio(motion, hop, 50)
    # 0.05 in 0.02 s is 2.5 a second; the motion's own velocity changes by 1.3 in that time.
    assert 1.7 < found.velocity < 2.6 and found.acceleration > 10.0
    # Measured where there is none, the jumps are the motion's own.
    assert seam_ratio(motion, hop, 50, first_seam=hop + hop // 2).velocity <= 1.05


def test_a_jump_of_velocity_shows() -> None:
    slope = np.where(np.arange(400) // 10 % 2, 1.0, -1.0)
    motion = smooth() + 0.05 * np.cumsum(slope)[:, None]
    assert seam_ratio(motion, 10, 50).velocity > 1.5


def test_the_rate_does_not_matter() -> None:
    motion = smooth()
    motion[200:] += 0.1
    a, b = seam_ratio(motion, 20, 25), seam_ratio(motion, 20, 100)
    assert a.velocity == pytest.approx(b.velocity)
    assert a.acceleration == pytest.approx(b.acceleration)


def test_still_and_short_motion_have_no_seams() -> None:
    assert seam_ratio(np.zeros((100, 3)), 10, 50).velocity == 0.0
    assert seam_ratio(smooth(8), 10, 50).seams == 0
    step = np.zeros((100, 1))
    step[50:] = 1.0
    assert seam_ratio(step, 50, 50).velocity == float('inf')


def test_percentiles_are_compared_with_percentiles() -> None:
    random = np.random.default_rng(0)
    rough = np.cumsum(random.standard_normal((4_000, 3)), axis=0)
    even = seam_ratio(rough, 10, 50)
    # The worst of 399 seams lies beyond the 99th percentile even where seams are nothing special.
    assert even.velocity > 1.05
    assert 0.9 < even.p99_velocity < 1.1 and 0.9 < even.p99_acceleration < 1.1
    rough += 5.0 * (np.arange(4_000) // 10 % 2)[:, None]
    assert seam_ratio(rough, 10, 50).p99_velocity > 1.5
