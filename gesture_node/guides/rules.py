"""Which accents get a stroke, which a pulse, and how large: heard, not drawn.

The rules that composed training motion follows are the ones a stream follows, so they stand here,
once. An accent gets a stroke when it is prominent enough for the time since the last one. The bar
starts high, comes down to the usual prominence of an accent at the spacing that the voice asks for
(3.5 s when calm, 1.3 s when lively), and then falls until anything will do; so the rule needs no
accent that is still to come. After a pause of a second or more the first stroke waits for half a
second of voice. The other accents get pulses, as large as they are prominent: all of them in a
lively voice, only the more prominent ones in a calm one.

How lively the voice is (``measures.arousal``) sets amplitude and spacing: arousal drives amount,
speed and size of movement (Wallbott 1998; Dael et al. 2013), valence hardly does.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..timeline import FEATURE_RATE_HZ
from ..types import Float64Array

AMPLITUDE = (0.6, 2.2)
"""Size of gestures at arousal 0 and 1, against the recorded clips."""
SPACING_S = (3.5, 1.3)
"""Wanted time between strokes at arousal 0 and 1 [s]."""
MIN_GAP_S = 0.95
SPEECH_BEFORE_STROKE_S = 0.5
PAUSE_S = 0.6
LONG_PAUSE_S = 1.0
USUAL_PROMINENCE = 0.75
PULSE_SIZES = (0.35, 1.2)
_PULSE_BAR = ((0.45, 0.9), (0.27, -0.5))
"""Arousal, and how prominent an accent must be at it to get a pulse."""
_STROKE_BAR = ((0.5, 0.75, 1.0, 1.35, 1.5), (3.0, 1.4, USUAL_PROMINENCE, -0.2, -9.0))
"""Time since the last stroke in wanted spacings, and how prominent an accent must be then."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time [s]."""

    start: float
    stop: float


def amplitude_of(arousal: Float64Array | float) -> Float64Array:
    """Return the size of gestures at an arousal, 0.6 to 2.2."""
    return np.asarray(AMPLITUDE[0] * (AMPLITUDE[1] / AMPLITUDE[0]) ** np.asarray(arousal))


def spacing_of(arousal: Float64Array | float) -> Float64Array:
    """Return the wanted time between strokes at an arousal [s], 3.5 to 1.3."""
    return np.asarray(SPACING_S[0] * (SPACING_S[1] / SPACING_S[0]) ** np.asarray(arousal))


def stroke_bar(gap_share: float) -> float:
    """Return how prominent an accent must be for a stroke.

    Args:
        gap_share: time since the last stroke, in wanted spacings.
    """
    return float(np.interp(gap_share, *_STROKE_BAR))


def pulse_bar(arousal: Float64Array | float) -> Float64Array:
    """Return how prominent an accent must be for a pulse, at the arousal of each."""
    return np.asarray(np.interp(arousal, *_PULSE_BAR))


def pulse_sizes(prominences: Float64Array, arousal: Float64Array | float) -> Float64Array:
    """Return the sizes of pulses, about 1, that follow prominence and arousal."""
    sizes = 0.7 + 0.3 * (prominences - USUAL_PROMINENCE)
    return np.asarray(np.clip(sizes, *PULSE_SIZES) * amplitude_of(arousal))


def speech_spans(voiced: NDArray[np.bool_]) -> list[Span]:
    """Return stretches of speech; pauses shorter than 0.6 s belong to them.

    Args:
        voiced: shape (F,), speech activity at 50 Hz.
    """
    padded = np.concatenate([[0], voiced.astype(np.int8), [0]])
    starts = np.flatnonzero(np.diff(padded) == 1) / FEATURE_RATE_HZ
    stops = np.flatnonzero(np.diff(padded) == -1) / FEATURE_RATE_HZ
    spans: list[Span] = []
    for start, stop in zip(starts, stops):
        if spans and start - spans[-1].stop < PAUSE_S:
            spans[-1] = Span(spans[-1].start, float(stop))
        else:
            spans.append(Span(float(start), float(stop)))
    return spans


def stroke_accents(accents_s: Float64Array, prominences: Float64Array, spacings_s: Float64Array,
                   speech: list[Span], last_s: float = -np.inf,
                   noise: Callable[[], float] = lambda: 0.0) -> list[int]:
    """Return the indices of the accents that get a stroke.

    Args:
        accents_s: shape (A,), vowel onsets [s], in order.
        prominences: shape (A,), z-scores.
        spacings_s: shape (A,), wanted spacing at each [s].
        speech: stretches of speech.
        last_s: onset of the accent of the last stroke before these [s].
        noise: draws what is added to the bar of each accent.
    """
    starts = np.array([span.start for i, span in enumerate(speech)
                       if i == 0 or span.start - speech[i - 1].stop >= LONG_PAUSE_S])
    chosen: list[int] = []
    for i, at in enumerate(accents_s):
        since_s = at - max(starts[starts <= at + 0.1], default=0.0)
        gap_s = at - last_s
        if since_s < SPEECH_BEFORE_STROKE_S or gap_s < MIN_GAP_S:
            continue
        # What was said before a pause does not hold back the first stroke after it.
        share = max(gap_s, 1.0 * spacings_s[i]) / spacings_s[i] if gap_s > since_s else (
            gap_s / spacings_s[i])
        if prominences[i] > stroke_bar(share) + noise():
            chosen.append(i)
            last_s = float(at)
    return chosen
