"""Which accents are answered: enough of them, not too many, and more of a lively voice."""
import numpy as np
import pytest

from gesture_node.guides.rules import (
    AMPLITUDE,
    amplitude_of,
    MIN_GAP_S,
    pulse_bar,
    pulse_sizes,
    spacing_of,
    SPACING_S,
    Span,
    SPEECH_BEFORE_STROKE_S,
    speech_spans,
    stroke_accents,
    stroke_bar,
)

ACCENTS_S = np.arange(0.3, 60.0, 0.55)
PROMINENCES = np.random.default_rng(3).normal(0.6, 0.4, len(ACCENTS_S))
SPEECH = [Span(0.0, 60.0)]


def chosen(arousal):
    spacing = np.full(len(ACCENTS_S), float(spacing_of(arousal)))
    return ACCENTS_S[stroke_accents(ACCENTS_S, PROMINENCES, spacing, SPEECH)]


def test_arousal_spans_sizes_and_spacings():
    assert [float(amplitude_of(a)) for a in (0.0, 1.0)] == pytest.approx(AMPLITUDE)
    assert [float(spacing_of(a)) for a in (0.0, 1.0)] == pytest.approx(SPACING_S)
    bars = pulse_bar(np.array([0.2, 0.6, 1.0]))
    assert bars[0] > bars[1] > bars[2]


def test_strokes_keep_their_distance_and_wait_for_the_voice():
    for arousal in (0.0, 0.5, 1.0):
        strokes = chosen(arousal)
        assert np.diff(strokes).min() >= MIN_GAP_S and strokes[0] >= SPEECH_BEFORE_STROKE_S


def test_a_lively_voice_gets_more_strokes():
    calm, lively = chosen(0.0), chosen(1.0)
    assert len(lively) > 1.5 * len(calm)
    assert np.diff(calm).mean() == pytest.approx(SPACING_S[0], rel=0.35)


def test_the_rule_needs_nothing_that_comes():
    whole = stroke_accents(ACCENTS_S, PROMINENCES, np.full(len(ACCENTS_S), 2.0), SPEECH)
    for count in (5, 20, 50):
        part = stroke_accents(ACCENTS_S[:count], PROMINENCES[:count], np.full(count, 2.0), SPEECH)
        assert part == [i for i in whole if i < count]


def test_choosing_goes_on_where_it_stopped():
    whole = stroke_accents(ACCENTS_S, PROMINENCES, np.full(len(ACCENTS_S), 2.0), SPEECH)
    last = whole[7]
    rest = slice(last + 1, None)
    more = stroke_accents(ACCENTS_S[rest], PROMINENCES[rest],
                          np.full(len(ACCENTS_S) - last - 1, 2.0), SPEECH, ACCENTS_S[last])
    assert [i + last + 1 for i in more] == whole[8:]


def test_the_bar_only_comes_down():
    assert np.all(np.diff([stroke_bar(share) for share in np.linspace(0.4, 1.6, 25)]) <= 0.0)


def test_pulses_follow_prominence():
    sizes = pulse_sizes(np.array([-1.0, 0.5, 1.0, 9.0]), 0.5)
    assert (np.diff(sizes) > 0.0).all() and sizes[-1] <= 1.2 * float(amplitude_of(0.5)) + 1e-9


def test_short_pauses_belong_to_speech():
    voiced = np.ones(200, bool)
    voiced[60:80] = voiced[120:170] = False
    spans = speech_spans(voiced)
    assert [(s.start, s.stop) for s in spans] == [(0.0, 2.4), (3.4, 4.0)]
