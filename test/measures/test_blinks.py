"""Blink statistics against lids drawn by hand."""
import numpy as np
import pytest

from gesture_node.measures.blinks import blink_statistics, find_blinks
from gesture_node.motion.face import BLENDSHAPE_INDEX, FACE_DIM

RATE_HZ = 50
LIDS = [BLENDSHAPE_INDEX['eyeBlinkLeft'], BLENDSHAPE_INDEX['eyeBlinkRight']]


def lids(seconds: float, starts_s: list[float], depth: float = 1.0) -> np.ndarray:
    """Return a face that blinks for 200 ms at the given times."""
    weights = np.zeros((int(seconds * RATE_HZ), FACE_DIM))
    for start in starts_s:
        first = int(start * RATE_HZ)
        weights[first:first + 10, LIDS] = depth
    return weights


def test_blinks_are_counted_and_timed() -> None:
    statistics = blink_statistics(lids(60.0, [1.0, 4.0, 10.0, 30.0], depth=0.9), RATE_HZ)
    assert statistics.count == 4
    assert statistics.rate_per_min == pytest.approx(4.0)
    assert statistics.median_duration_s == pytest.approx(0.2)
    assert statistics.median_depth == pytest.approx(0.9)


def test_lowered_lids_are_no_blink() -> None:
    assert find_blinks(lids(10.0, [1.0, 5.0], depth=0.4)) == []


def test_a_wink_of_one_eye_is_half_a_blink() -> None:
    weights = lids(10.0, [2.0])
    weights[:, LIDS[1]] *= 0.0
    assert [round(depth, 2) for *_, depth in find_blinks(weights)] == [0.5]


def test_a_metronome_has_no_variation() -> None:
    even = blink_statistics(lids(60.0, list(range(2, 58, 4))), RATE_HZ)
    uneven = blink_statistics(lids(60.0, [1.0, 2.0, 20.0, 21.0, 50.0]), RATE_HZ)
    assert even.interval_variation == pytest.approx(0.0, abs=1e-9)
    assert uneven.interval_variation > 0.8


def test_no_blinks_is_a_rate_of_zero() -> None:
    statistics = blink_statistics(lids(10.0, []), RATE_HZ)
    assert (statistics.count, statistics.rate_per_min) == (0, 0.0)
    assert np.isnan(statistics.median_duration_s)
