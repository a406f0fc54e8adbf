"""Blinks: human statistics, by absolute frame, and nothing but the lids is touched."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.measures.blinks import blink_statistics
from gesture_node.motion.blinks import BlinkTrack
from gesture_node.motion.face import BLENDSHAPE_INDEX

RATE_HZ = 50
LIDS = [BLENDSHAPE_INDEX['eyeBlinkLeft'], BLENDSHAPE_INDEX['eyeBlinkRight']]


def _face(minutes: float) -> np.ndarray:
    return np.full((round(minutes * 60 * RATE_HZ), 52), 0.1, np.float32)


@pytest.mark.parametrize('rate', [12.0, 20.0])
def test_rate_and_duration_are_human(rate: float) -> None:
    found = blink_statistics(BlinkTrack(3, RATE_HZ, rate).apply(0, _face(10.0)), RATE_HZ)
    assert abs(found.rate_per_min - rate) < 0.25 * rate
    assert 0.1 <= found.median_duration_s <= 0.4


def test_the_same_frames_whatever_the_pieces() -> None:
    face, cuts = _face(0.5), [0, 5, 6, 40, 333, 900, 1500]
    whole = BlinkTrack(1, RATE_HZ, 20.0).apply(0, face)
    track = BlinkTrack(1, RATE_HZ, 20.0)
    parts = []
    for start, end in zip(cuts, cuts[1:]):
        parts.append(track.apply(start, face[start:end + 20])[:end - start])
    assert np.array_equal(np.concatenate(parts), whole)


def test_only_lids_move_and_seeds_differ() -> None:
    first, second = (BlinkTrack(seed, RATE_HZ, 20.0).apply(0, _face(1.0)) for seed in (1, 2))
    others = np.setdiff1d(np.arange(52), LIDS)
    assert (first[:, others] == 0.1).all() and (first[:, LIDS] >= 0.1).all()
    assert first.max() <= 1.0 and not np.array_equal(first, second)
    assert np.array_equal(first[:, LIDS[0]], first[:, LIDS[1]])
