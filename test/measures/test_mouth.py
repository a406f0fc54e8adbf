"""Mouth measures against mouths whose answers are known by construction."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.measures.mouth import (
    area_under_curve,
    mouth_aperture,
    PhoneInterval,
    score_mouth,
)
from gesture_node.motion.face import BLENDSHAPE_INDEX, FACE_DIM

RATE_HZ = 50


def face(**weights: float) -> np.ndarray:
    """Return one frame with the named weights."""
    frame = np.zeros(FACE_DIM)
    for name, value in weights.items():
        frame[BLENDSHAPE_INDEX[name]] = value
    return frame


def test_aperture_is_the_documented_sum() -> None:
    frame = face(jawOpen=0.5, mouthClose=0.1, mouthLowerDownLeft=0.2, mouthLowerDownRight=0.4,
                 mouthUpperUpLeft=0.2, mouthPressLeft=0.2, mouthPressRight=0.2,
                 mouthRollUpper=0.1, mouthRollLower=0.3)
    expected = 0.4 + 0.35 * 0.3 + 0.25 * 0.1 - 0.3 * 0.2 - 0.2 * 0.2
    assert mouth_aperture(frame) == pytest.approx(expected)


@pytest.mark.parametrize('frame', [
    face(), face(jawOpen=0.6, mouthClose=0.6), face(mouthClose=1.0), face(mouthPressLeft=1.0),
])
def test_a_shut_mouth_has_no_aperture(frame: np.ndarray) -> None:
    assert mouth_aperture(frame) == 0.0


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=30),
       st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_area_counts_every_pair(positive: list[int], negative: list[int]) -> None:
    high, low = np.array(positive, float), np.array(negative, float)
    pairs = (high[:, None] > low).mean() + 0.5 * (high[:, None] == low).mean()
    assert area_under_curve(high, low) == pytest.approx(pairs)
    assert area_under_curve(low, high) == pytest.approx(1.0 - pairs)


def spoken(closure: float, silence: float = 0.0) -> tuple[np.ndarray, list[PhoneInterval]]:
    """Return a vowel of aperture 1, a closure, a vowel, and half a second of silence."""
    aperture = np.concatenate([np.ones(10), np.full(5, closure), np.ones(10),
                               np.full(25, silence)])
    bounds = [(0.0, 0.2, 'vowel'), (0.2, 0.3, 'closure'), (0.3, 0.5, 'vowel'),
              (0.5, 1.0, 'silence')]
    return aperture, [PhoneInterval(*bound) for bound in bounds]


@pytest.mark.parametrize(('closure', 'reached'), [(0.0, 1.0), (0.24, 1.0), (0.26, 0.0)])
def test_closures_count_below_a_quarter_of_the_vowels(closure: float, reached: float) -> None:
    score = score_mouth([spoken(closure)], RATE_HZ)
    assert (score.closures, score.reached) == (1, reached)
    assert score.auc == 1.0
    assert score.vowel_median == 1.0


def test_score_does_not_depend_on_the_size_of_the_mouth() -> None:
    rng = np.random.default_rng(0)
    recordings = [(rng.random(50), spoken(0.0)[1]) for _ in range(8)]
    small = [(0.3 * aperture, phones) for aperture, phones in recordings]
    large, little = score_mouth(recordings, RATE_HZ), score_mouth(small, RATE_HZ)
    assert (large.reached, large.auc) == (little.reached, little.auc)
    assert large.silence_ratio == pytest.approx(little.silence_ratio)


def test_a_closure_may_come_up_to_40_ms_early_or_late() -> None:
    _, phones = spoken(0.0)
    for shift, expected in ((-1, 1.0), (2, 1.0), (-3, 0.0), (4, 0.0)):
        aperture = np.ones(50)
        aperture[12 + shift] = 0.0
        assert score_mouth([(aperture, phones)], RATE_HZ).reached == expected


def test_silence_leaves_room_to_close_and_open() -> None:
    aperture, phones = spoken(0.0, silence=0.0)
    aperture[25:29] = aperture[-4:] = 1.0
    assert score_mouth([(aperture, phones)], RATE_HZ).silence_ratio == 0.0
    assert score_mouth([spoken(0.0, silence=0.5)], RATE_HZ).silence_ratio == pytest.approx(0.5)


def test_labels_beyond_the_recording_are_left_out() -> None:
    aperture, phones = spoken(0.0)
    assert score_mouth([(aperture[:11], phones)], RATE_HZ).closures == 0


def test_nothing_labelled_gives_no_numbers() -> None:
    score = score_mouth([(np.ones(50), [])], RATE_HZ)
    assert score.closures == 0
    assert np.isnan([score.reached, score.auc, score.silence_ratio]).all()
