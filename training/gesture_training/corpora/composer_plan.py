"""Which accents are answered, and with what: heard, not drawn, wherever that can be.

The rules are those of ``gesture_node.guides.rules``; the more prominent accents get a nod as well.
An apex falls 60 ms after the vowel onset with a standard deviation
of 30 ms, far tighter than people are (200 to 340 ms) on purpose.

Chance picks the hands (both 60 %, right 33 %, left 7 %, UCI gesture phase data; they stay for a
while, as people's do), the category and the clip. No clip comes back within eight strokes. Of the
candidates those are likelier that the hands reach in time, whose way there does not turn back on
itself, and whose reach suits the voice.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gesture_node.guides.rules import (
    amplitude_of,
    pulse_bar,
    pulse_sizes,
    spacing_of,
    Span,
    speech_spans,
    stroke_accents,
    USUAL_PROMINENCE,
)
from gesture_node.timeline import FEATURE_RATE_HZ
from gesture_node.types import Float64Array

from .composer_choice import Hands
from .composer_strokes import Stroke

APEX_LAG_S, APEX_SPREAD_S, APEX_LIMIT_S = 0.06, 0.03, 0.07
BAR_NOISE, SIZE_NOISE = 0.1, 0.05
NOD_PROMINENCE = 0.5


@dataclass(frozen=True, slots=True)
class PlacedStroke:
    """A stroke in a take.

    Attributes:
        stroke: what.
        apex_s: when [s].
        amplitude: factor on its size about the idle pose.
        rate: factor on its tempo.
        free_s: since when the hands are free to set out for it [s].
        travel_m: how far they have to go [m].
    """

    stroke: Stroke
    apex_s: float
    amplitude: float
    rate: float
    free_s: float
    travel_m: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """A small beat superposed on whatever the arms do: apex [s] and size about 1."""

    apex_s: float
    size: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything placed in a take, in order of time.

    Attributes:
        strokes: gestures.
        pulses: small beats of forearms.
        nods: brief head nods.
        speech: stretches of speech, pauses below 0.6 s closed.
    """

    strokes: list[PlacedStroke]
    pulses: list[Pulse]
    nods: list[Pulse]
    speech: list[Span]


def plan(accents_s: Float64Array, prominences: Float64Array, voiced: NDArray[np.bool_],
         arousal: Float64Array, strokes: list[Stroke], idle_m: Float64Array,
         rng: np.random.Generator) -> Plan:
    """Return the plan of a take; see the module docstring for the rules.

    Args:
        accents_s: shape (A,), vowel onsets [s].
        prominences: shape (A,), z-scores.
        voiced: shape (F,), speech activity at 50 Hz.
        arousal: shape (F,), 0 to 1, at 50 Hz.
        strokes: the library.
        idle_m: shape (2, 3), wrists in the idle pose [m].
        rng: draws what is chance.
    """
    speech = speech_spans(voiced)
    grid_s = np.arange(len(arousal)) / FEATURE_RATE_HZ
    stirred = np.interp(accents_s, grid_s, arousal)
    apexes_s = accents_s + APEX_LAG_S + np.clip(rng.normal(0.0, APEX_SPREAD_S, len(accents_s)),
                                                -APEX_LIMIT_S, APEX_LIMIT_S)
    chosen = stroke_accents(accents_s, prominences, spacing_of(stirred), speech,
                            noise=lambda: rng.normal(0.0, BAR_NOISE))
    hands = Hands(strokes, idle_m, rng)
    placed: list[PlacedStroke] = []
    for i in chosen:
        amplitude = float(amplitude_of(stirred[i]))
        free_s = _free_since(i, apexes_s, placed, speech)
        stroke, scale, travel_m = hands.next(float(apexes_s[i]), free_s, amplitude)
        size = scale * (1.0 + 0.12 * (prominences[i] - USUAL_PROMINENCE)) * rng.normal(1.0, 0.03)
        rate = (0.9 + 0.35 * stirred[i]) * rng.normal(1.0, 0.03)
        placed.append(PlacedStroke(stroke, float(apexes_s[i]), float(np.clip(size, 0.45, 1.25)),
                                   float(rate), free_s, travel_m))
    taken = set(chosen)
    sizes = pulse_sizes(prominences, stirred) * rng.normal(1.0, SIZE_NOISE, len(prominences))
    beaten = prominences > pulse_bar(stirred)
    pulses = [Pulse(float(apexes_s[i]), float(sizes[i])) for i in np.flatnonzero(beaten)
              if i not in taken]
    nodding = prominences + rng.normal(0.0, 0.2, len(sizes)) > NOD_PROMINENCE
    nods = [Pulse(float(apexes_s[i]) + 0.02, float(sizes[i])) for i in np.flatnonzero(nodding)]
    return Plan(placed, pulses, nods, speech)


def _free_since(i: int, apexes_s: Float64Array, placed: list[PlacedStroke],
                speech: list[Span]) -> float:
    """Return from when on the hands may set out for an accent: the voice, or what they did last.

    That is the accent before when it leaves 0.5 s, and the last stroke otherwise.
    """
    apex_s = float(apexes_s[i])
    voice_s = max((span.start for span in speech if span.start <= apex_s), default=apex_s)
    free_s = voice_s + 0.05
    if i and apex_s - apexes_s[i - 1] >= 0.52:
        free_s = max(free_s, float(apexes_s[i - 1]) + 0.12)
    if placed:
        free_s = max(free_s, placed[-1].apex_s + 0.25)
    return min(free_s, apex_s - 0.4)
