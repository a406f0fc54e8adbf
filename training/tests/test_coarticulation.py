"""The face teacher: seals seal, vowels open, silence is shut, and nothing jumps."""
from gesture_training.corpora.coarticulation import (
    articulate,
    frame_classes,
    loudness,
    seal_gate,
    settle_pauses,
)
from gesture_training.corpora.phones import PhoneClass, Segment, VOWELS
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.measures.mouth import mouth_aperture
from gesture_node.motion.face import BLENDSHAPE_INDEX, LIP_INDEX, seal_is_valid

P = PhoneClass
PRESS = BLENDSHAPE_INDEX['mouthPressLeft']


def said(*phones: tuple[PhoneClass, float], lead_s: float = 0.5) -> list[Segment]:
    """Return phones of given lengths one after the other, after a silence."""
    segments, time_s = [], lead_s
    for phone, length_s in phones:
        segments.append(Segment(time_s, time_s + length_s, phone, 1.0))
        time_s += length_s
    return segments


def sound(seconds: float, level: float = 0.3) -> np.ndarray:
    """Return a steady noise."""
    rng = np.random.default_rng(0)
    return (level * rng.standard_normal(int(seconds * 16_000))).astype(np.float32)


def at(curve: np.ndarray, time_s: float) -> float:
    """Return a 50 Hz curve at a time."""
    return float(curve[int(round(time_s * 50))])


words = st.lists(st.tuples(st.sampled_from(list(PhoneClass)), st.floats(0.03, 0.4)),
                 min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(words)
def test_weights_are_valid_whatever_is_said(phones: list[tuple[PhoneClass, float]]) -> None:
    face = articulate(said(*phones), sound(6.0))
    assert face.shape == (300, 52)
    assert np.isfinite(face).all()
    assert face.min() >= 0.0
    assert face.max() <= 1.0
    assert seal_is_valid(face).all()
    assert not np.delete(face, LIP_INDEX, axis=1).any()


@pytest.mark.parametrize('vowel', sorted(VOWELS))
@pytest.mark.parametrize('length_s', [0.03, 0.06, 0.12])
def test_closures_seal_and_vowels_open(vowel: PhoneClass, length_s: float) -> None:
    segments = said((P.DD, 0.08), (vowel, 0.12), (P.PP, length_s), (vowel, 0.12), (P.DD, 0.08))
    face = articulate(segments, sound(1.5))
    aperture = mouth_aperture(face)
    before, seal, after = (0.5 * (segments[i].start_s + segments[i].end_s) for i in (1, 2, 3))
    assert at(aperture, seal) == 0.0
    assert at(face[:, PRESS], seal) > 0.5
    assert min(at(aperture, before), at(aperture, after)) > 0.05


def test_half_a_seal_is_shut_already() -> None:
    segments = said((P.AA, 0.2), (P.PP, 0.1), (P.AA, 0.2))
    open_segments = said((P.AA, 0.2), (P.KK, 0.1), (P.AA, 0.2))
    half = 0.5 * (articulate(segments, sound(1.5)) + articulate(open_segments, sound(1.5)))
    vowel = at(mouth_aperture(articulate(segments, sound(1.5))), 0.6)
    assert at(mouth_aperture(half), 0.75) < 0.25 * vowel


@pytest.mark.parametrize('phone', [p for p in PhoneClass if p not in (P.PP, P.BV)])
def test_lips_press_at_closures_only(phone: PhoneClass) -> None:
    face = articulate(said((P.AA, 0.15), (phone, 0.15), (P.AA, 0.15)), sound(1.5))
    assert face[:, PRESS].max() == 0.0
    assert face[:, BLENDSHAPE_INDEX['mouthClose']].max() == 0.0


def test_silence_is_shut_and_speech_opens_ahead() -> None:
    segments = said((P.AA, 0.4), lead_s=1.5)
    aperture = mouth_aperture(articulate(segments, sound(3.5)))
    assert aperture[:60].max() < 0.02
    assert 0.02 < at(aperture, 1.44) < at(aperture, 1.7)
    assert aperture[120:].max() < 0.02


@pytest.mark.parametrize(('pause_s', 'most', 'least'), [(0.08, 1.0, 0.2), (0.8, 0.02, 0.0)])
def test_short_pauses_hold_and_long_ones_shut(pause_s: float, most: float, least: float) -> None:
    segments = [Segment(0.3, 0.6, P.AA, 1.0), Segment(0.6 + pause_s, 0.9 + pause_s, P.AA, 1.0)]
    middle = at(mouth_aperture(articulate(segments, sound(2.5))), 0.6 + 0.5 * pause_s)
    assert least <= middle <= most


def test_rounding_starts_before_its_vowel() -> None:
    pucker = BLENDSHAPE_INDEX['mouthPucker']
    round_ = articulate(said((P.IY, 0.2), (P.DD, 0.1), (P.UW, 0.2)), sound(1.5))
    spread_ = articulate(said((P.IY, 0.2), (P.DD, 0.1), (P.IY, 0.2)), sound(1.5))
    assert at(round_[:, pucker], 0.75) > 0.1 + at(spread_[:, pucker], 0.75)


def test_louder_speech_opens_the_jaw_wider() -> None:
    wave = np.concatenate([sound(1.0, 0.03), sound(1.0, 0.3)])
    jaw = articulate([Segment(0.2, 0.8, P.AA, 1.0), Segment(1.2, 1.8, P.AA, 1.0)],
                     wave)[:, BLENDSHAPE_INDEX['jawOpen']]
    assert at(jaw, 1.5) > 1.3 * at(jaw, 0.5)
    level = loudness(wave)
    assert (level >= 0.0).all()
    assert (level <= 1.0).all()


def test_jaw_speed_stays_human() -> None:
    rng = np.random.default_rng(1)
    phones = [(PhoneClass(int(rng.integers(1, 27))), float(rng.uniform(0.05, 0.15)))
              for _ in range(60)]
    jaw = articulate(said(*phones), sound(8.0))[:, BLENDSHAPE_INDEX['jawOpen']]
    assert np.abs(np.diff(jaw)).max() * 50 < 15.0


def test_seal_is_the_maximum_over_neighbours() -> None:
    time_s = np.arange(400) / 200
    together = settle_pauses(said((P.PP, 0.06), (P.PP, 0.06)), 2.0)
    gate = seal_gate(time_s, together)
    assert (gate[(time_s > 0.5) & (time_s < 0.6)] == 1.0).all()
    assert gate.max() == 1.0


def test_settled_segments_cover_the_recording_without_gaps() -> None:
    segments = settle_pauses([Segment(0.3, 0.4, P.AA), Segment(0.45, 0.5, P.PP),
                              Segment(0.9, 1.0, P.IY)], 2.0)
    kinds = [s.phone for s in segments]
    assert kinds == [P.SIL, P.AA, P.PP, P.SIL, P.IY, P.SIL]
    assert segments[-1].end_s == 2.0


def test_frame_classes_follow_the_segments() -> None:
    classes = frame_classes([Segment(0.1, 0.2, P.AA), Segment(0.2, 0.205, P.PP)], 20)
    assert list(classes[4:12]) == [0, 15, 15, 15, 15, 15, 1, 0]


def test_a_short_quiet_vowel_between_closures_opens() -> None:
    wave = np.concatenate([sound(0.68, 0.3), sound(0.12, 0.01), sound(0.7, 0.3)])
    for vowel in sorted(VOWELS):
        segments = said((P.AA, 0.1), (P.PP, 0.1), (vowel, 0.07), (P.PP, 0.1), (P.AA, 0.1))
        aperture = mouth_aperture(articulate(segments, wave))
        assert at(aperture, 0.735) > 0.12
        assert at(aperture, 0.65) == at(aperture, 0.82) == 0.0


@pytest.mark.parametrize('length_s', [0.03, 0.05, 0.09])
def test_lips_stay_shut_for_60_ms(length_s: float) -> None:
    aperture = mouth_aperture(articulate(
        said((P.AA, 0.2), (P.PP, length_s), (P.AA, 0.2)), sound(1.5)))
    shut = np.flatnonzero(aperture[25:50] == 0.0)
    assert len(shut) >= 3
    assert np.diff(shut).max() == 1


def test_lip_meets_teeth_and_the_vowel_after_it_opens() -> None:
    face = articulate(said((P.AA, 0.15), (P.FF, 0.08), (P.AA, 0.15)), sound(1.5))
    aperture = mouth_aperture(face)
    assert at(aperture, 0.69) < 0.15 < 0.3 < min(at(aperture, 0.58), at(aperture, 0.8))
    assert at(face[:, BLENDSHAPE_INDEX['mouthRollLower']], 0.69) > 0.3


@pytest.mark.parametrize('phone', [P.TH, P.DD, P.NN, P.LL])
def test_the_tongue_shows_at_its_sounds_only(phone: PhoneClass) -> None:
    tongue = articulate(said((P.AA, 0.2), (phone, 0.1), (P.AA, 0.2)),
                        sound(1.5))[:, BLENDSHAPE_INDEX['tongueOut']]
    assert at(tongue, 0.75) > 0.03
    assert at(tongue, 0.55) == at(tongue, 0.95) == 0.0


def test_rounding_ahead_leaves_the_lip_opening_of_the_sound_before() -> None:
    smile = BLENDSHAPE_INDEX['mouthStretchLeft']
    round_, spread_ = (articulate(said((P.IY, 0.2), (P.DD, 0.1), (vowel, 0.2)), sound(1.5))
                       for vowel in (P.UW, P.AX))
    assert at(round_[:, smile], 0.6) > 0.8 * at(spread_[:, smile], 0.6)
    assert at(round_[:, BLENDSHAPE_INDEX['mouthPucker']], 0.72) > 0.1
