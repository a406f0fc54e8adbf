"""Alignment is one for beats in place, falls with distance, and tells own speech from other."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.measures.alignment import align, BEAT_LAG_S, matched_share

series = st.lists(st.floats(0.0, 60.0), min_size=1, max_size=40).map(sorted).map(np.array)


@settings(max_examples=40, deadline=None)
@given(series)
def test_beats_in_place_score_one(accents):
    result = align(accents, accents + BEAT_LAG_S)
    assert result.recall == pytest.approx(1.0)
    assert result.precision == pytest.approx(1.0)
    assert result.score == pytest.approx(1.0)


@settings(max_examples=40, deadline=None)
@given(series, series, st.floats(-20.0, 20.0))
def test_score_is_bounded_and_shares_the_clock(accents, beats, shift):
    result = align(accents, beats)
    assert 0.0 <= result.score <= 1.0
    moved = align(accents + shift, beats + shift)
    assert moved.score == pytest.approx(result.score, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(series, series)
def test_directions_exchange_recall_and_precision(accents, beats):
    there, back = align(accents, beats, lag_s=0.0), align(beats, accents, lag_s=0.0)
    assert (there.recall, there.precision) == pytest.approx((back.precision, back.recall))


def test_score_falls_with_distance():
    accents = np.arange(1.0, 30.0, 1.5)
    scores = [align(accents, accents + BEAT_LAG_S + d).score for d in (0.0, 0.05, 0.1, 0.2, 0.4)]
    assert all(a > b for a, b in zip(scores, scores[1:]))


def test_waving_without_end_loses_precision():
    accents = np.arange(1.0, 30.0, 1.5)
    waving = np.arange(0.0, 30.0, 0.2)
    result = align(accents, waving)
    assert result.recall > 0.8
    assert result.precision < 0.5
    assert result.score < align(accents, accents).score


def test_nothing_scores_zero():
    assert align(np.zeros(0), np.array([1.0])).score == 0.0
    assert align(np.array([1.0]), np.zeros(0)).score == 0.0


def test_own_speech_beats_other_speech():
    rng = np.random.default_rng(0)
    accents = [np.cumsum(rng.uniform(0.5, 1.6, 30)) for _ in range(8)]
    own = [a + BEAT_LAG_S + rng.normal(0.0, 0.07, len(a)) for a in accents]
    chance = [np.cumsum(rng.uniform(0.5, 1.6, 30)) for _ in range(8)]
    assert matched_share(accents, own) > 0.95
    assert 0.25 < matched_share(accents, chance) < 0.75


def test_one_take_cannot_be_compared():
    with pytest.raises(ValueError, match='two or more'):
        matched_share([np.ones(1)], [np.ones(1)])
