"""Which accents are answered, and with what.

Strokes are chosen accent by accent: the next one among those 1.1 to 3.4 s after the last, the more
readily the more prominent it is and the nearer to the wanted gap (about 2 s, which gives 25 to 33
strokes a minute of speech; people make 12 to 20, but training wants many examples). After a pause
of a second or more the first stroke waits until a third of a second of speech was heard, so that
a model with little foresight can learn it. An apex falls 60 ms after the vowel onset, with a
standard deviation of 60 ms, tighter than people are (200 to 300 ms) on purpose. A clip whose
hands would have to travel faster than 0.8 m/s on average to be in time is not taken.

Hands: both 60 %, right 33 %, left 7 % (UCI gesture phase data). Categories: beats and their
relatives lead, pointing and pronoun gestures follow, refusals are rare. No clip comes back within
eight strokes. Of the accents without a stroke about 65 % get a pulse.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gesture_node.timeline import FEATURE_RATE_HZ
from gesture_node.types import Float64Array

from .composer_strokes import Stroke

APEX_LAG_S, APEX_SPREAD_S, APEX_LIMIT_S = 0.06, 0.06, 0.14
WANTED_GAP_S = 2.1
GAP_S = (1.1, 3.4)
SPEECH_BEFORE_STROKE_S = 0.35
PAUSE_S = 0.6
LONG_PAUSE_S = 1.0
PULSE_SHARE = 0.65
MEAN_SPEED = 0.8
"""How fast hands may travel to an apex on average [m/s]; the peak is about twice that."""
NO_REPEAT = 8
HAND_WEIGHTS = {'both': 0.60, 'right': 0.33, 'left': 0.07}
CATEGORY_WEIGHTS = {
    'beat': 0.32, 'chop': 0.12, 'contrast': 0.06, 'inclusivity': 0.07, 'offer': 0.07,
    'question': 0.05, 'size': 0.06, 'plea': 0.04, 'receive': 0.03, 'sweep': 0.03, 'you': 0.06,
    'me': 0.05, 'we': 0.04, 'point': 0.05, 'dismiss': 0.02, 'stop': 0.03, 'negate': 0.03,
    'safe': 0.01}


@dataclass(frozen=True, slots=True)
class PlacedStroke:
    """A stroke in a take: what, when its apex is [s], how large and how fast."""

    stroke: Stroke
    apex_s: float
    amplitude: float
    rate: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """A small beat superposed on whatever the arms do: apex [s] and size about 1."""

    apex_s: float
    size: float


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time [s]."""

    start: float
    stop: float


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
         liveliness: float, strokes: list[Stroke], rng: np.random.Generator) -> Plan:
    """Return the plan of a take; see the module docstring for the rules."""
    speech = speech_spans(voiced)
    chosen = _stroke_accents(accents_s, prominences, speech, rng)
    recent: deque[str] = deque(maxlen=NO_REPEAT)
    placed: list[PlacedStroke] = []
    for i in chosen:
        time_s = accents_s[i] - _free_since(float(accents_s[i]), placed, speech)
        stroke = _pick(strokes, recent, MEAN_SPEED * time_s, rng)
        recent.append(stroke.name)
        size = liveliness * (1.0 + 0.12 * prominences[i]) * rng.normal(1.0, 0.06)
        placed.append(PlacedStroke(stroke, _apex(accents_s[i], rng),
                                   float(np.clip(size, 0.65, 1.15)), rng.uniform(0.95, 1.25)))
    rest = [i for i in range(len(accents_s)) if i not in set(chosen)]
    pulses = [Pulse(_apex(accents_s[i], rng), _pulse_size(prominences[i], liveliness, rng))
              for i in rest if rng.random() < PULSE_SHARE]
    nods = [Pulse(_apex(accents_s[i], rng) + 0.02, _pulse_size(prominences[i], liveliness, rng))
            for i in range(len(accents_s)) if rng.random() < 0.55]
    return Plan(placed, pulses, nods, speech)


def speech_spans(voiced: NDArray[np.bool_]) -> list[Span]:
    """Return stretches of speech; pauses shorter than 0.6 s belong to them."""
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


def _stroke_accents(accents_s: Float64Array, prominences: Float64Array, speech: list[Span],
                    rng: np.random.Generator) -> list[int]:
    """Return the indices of the accents that get a stroke."""
    chosen: list[int] = []
    last_s = -np.inf
    starts = np.array([span.start for i, span in enumerate(speech)
                       if i == 0 or span.start - speech[i - 1].stop >= LONG_PAUSE_S])
    late = np.array([at - max(starts[starts <= at + 0.1], default=0.0) for at in accents_s])
    at = 0
    while at < len(accents_s):
        earliest = max(accents_s[at], last_s + GAP_S[0])
        window = np.flatnonzero((accents_s >= earliest) & (late >= SPEECH_BEFORE_STROKE_S)
                                & (accents_s <= max(last_s + GAP_S[1], accents_s[at] + 1.2)))
        if len(window) == 0:
            at += 1
            continue
        gap = accents_s[window] - last_s if chosen else np.full(len(window), WANTED_GAP_S)
        near = np.exp(-0.5 * (np.minimum(gap - WANTED_GAP_S, 1.0) / 0.6) ** 2) + 0.02
        weight = near * np.exp(0.9 * prominences[window])
        pick = int(rng.choice(window, p=weight / weight.sum()))
        chosen.append(pick)
        last_s, at = float(accents_s[pick]), pick + 1
    return chosen


def _apex(onset_s: float, rng: np.random.Generator) -> float:
    shift = np.clip(rng.normal(0.0, APEX_SPREAD_S), -APEX_LIMIT_S, APEX_LIMIT_S)
    return float(onset_s + APEX_LAG_S + shift)


def _pulse_size(prominence: float, liveliness: float, rng: np.random.Generator) -> float:
    size = liveliness * (0.6 + 0.35 * prominence) * rng.uniform(0.85, 1.15)
    return float(np.clip(size, 0.4, 1.4))


def _reach(stroke: Stroke) -> float:
    return stroke.reach_m


def _free_since(onset_s: float, placed: list[PlacedStroke], speech: list[Span]) -> float:
    """Return from when on the hands may set out for an accent: the last apex or the voice."""
    voice_s = max((span.start for span in speech if span.start <= onset_s), default=onset_s)
    last_s = placed[-1].apex_s if placed else -np.inf
    return max(last_s + 0.28, voice_s - 0.15 if last_s < voice_s - LONG_PAUSE_S else last_s + 0.28)


def _pick(strokes: list[Stroke], recent: deque[str], reach_m: float,
          rng: np.random.Generator) -> Stroke:
    """Return a stroke: hand first, then category, then a clip that is not out of reach."""
    hand = rng.choice(list(HAND_WEIGHTS), p=list(HAND_WEIGHTS.values()))
    able = [s for s in strokes if s.hand == hand and s.name not in recent
            and s.category in CATEGORY_WEIGHTS]
    able = [s for s in able if s.reach_m <= reach_m] or sorted(able, key=_reach)[:12]
    categories = sorted({stroke.category for stroke in able})
    weights = np.array([CATEGORY_WEIGHTS[category] for category in categories])
    category = rng.choice(categories, p=weights / weights.sum())
    pool = [stroke for stroke in able if stroke.category == category]
    return pool[int(rng.integers(len(pool)))]
