"""Which clip comes next: hands, category, and a clip that the hands can get to well."""
from __future__ import annotations

from collections import deque

import numpy as np

from gesture_node.guides.poses import MEAN_SPEED, NO_REPEAT
from gesture_node.types import Float64Array

from .composer_strokes import Stroke

HAND_WEIGHTS = {'both': 0.60, 'right': 0.33, 'left': 0.07}
KEEP_HANDS = 0.6
"""How often the hands of the last stroke go on, within a stretch of gestures."""
FORGET_S = 4.0
"""Without a stroke for so long the hands are back at rest."""
CATEGORY_WEIGHTS = {
    'beat': 0.32, 'chop': 0.12, 'contrast': 0.06, 'inclusivity': 0.07, 'offer': 0.07,
    'question': 0.05, 'size': 0.06, 'plea': 0.04, 'receive': 0.03, 'sweep': 0.03, 'you': 0.06,
    'me': 0.05, 'we': 0.04, 'point': 0.05, 'dismiss': 0.02, 'stop': 0.03, 'negate': 0.03,
    'safe': 0.01}
MAX_SCALE = 1.3
"""Clips are never enlarged by more; livelier voices get clips that reach further."""

_CANDIDATES = 8
_DETOUR_M, _REACH_M = 0.05, 0.08
_USUAL_REACH_M = 0.42
_ARMS = {'left': [0], 'right': [1], 'both': [0, 1]}


class Hands:
    """Picks strokes one after the other and remembers where the hands are.

    Args:
        strokes: the library.
        idle_m: shape (2, 3), wrists in the idle pose [m].
        rng: draws hands, categories and clips.
    """

    def __init__(self, strokes: list[Stroke], idle_m: Float64Array,
                 rng: np.random.Generator) -> None:
        self._strokes = [s for s in strokes if s.category in CATEGORY_WEIGHTS]
        self._idle_m, self._rng = idle_m, rng
        self._recent: deque[str] = deque(maxlen=NO_REPEAT)
        self._hand, self._last_s = '', -np.inf
        self._wrists_m = idle_m.copy()

    def next(self, apex_s: float, free_s: float, amplitude: float) -> tuple[Stroke, float, float]:
        """Return a stroke, the factor on its size and how far the hands have to travel [m].

        Args:
            apex_s: when its apex will be [s].
            free_s: from when on the hands may move [s].
            amplitude: size of gestures that the voice asks for, about 1.
        """
        if apex_s - self._last_s > FORGET_S:
            self._wrists_m = self._idle_m.copy()
            self._hand = ''
        if not self._hand or self._rng.random() > KEEP_HANDS:
            self._hand = str(self._rng.choice(list(HAND_WEIGHTS), p=list(HAND_WEIGHTS.values())))
        candidates = self._candidates()
        scale = [self._scale(stroke, amplitude) for stroke in candidates]
        costs = np.array([self._cost(stroke, factor, amplitude, apex_s - free_s)
                          for stroke, factor in zip(candidates, scale)])
        weights = np.exp(-(costs - costs.min()))
        pick = int(self._rng.choice(len(candidates), p=weights / weights.sum()))
        stroke, factor = candidates[pick], scale[pick]
        travel_m = self._travel(stroke, factor)[0]
        arms = _ARMS[stroke.hand]
        self._wrists_m[arms] = self._scaled(stroke.anchor_m, factor)[arms]
        self._recent.append(stroke.name)
        self._last_s = apex_s
        return stroke, factor, travel_m

    def _candidates(self) -> list[Stroke]:
        """Return some clips of the hand, categories in natural proportion."""
        able = [s for s in self._strokes if s.hand == self._hand and s.name not in self._recent]
        counts: dict[str, int] = {}
        for stroke in able:
            counts[stroke.category] = counts.get(stroke.category, 0) + 1
        weights = np.array([CATEGORY_WEIGHTS[s.category] / counts[s.category] for s in able])
        category = able[int(self._rng.choice(len(able), p=weights / weights.sum()))].category
        pool = [s for s in able if s.category == category]
        order = self._rng.permutation(len(pool))[:_CANDIDATES]
        return [pool[i] for i in order]

    def _scale(self, stroke: Stroke, amplitude: float) -> float:
        """Return how much of a clip's size is taken: wide clips less, narrow ones more."""
        suited = amplitude * (_USUAL_REACH_M / max(stroke.reach_m, 0.1)) ** 0.35
        return float(np.clip(suited, 0.5, MAX_SCALE))

    def _cost(self, stroke: Stroke, scale: float, amplitude: float, time_s: float) -> float:
        way_m, detour_m = self._travel(stroke, scale)
        late = max(way_m / MEAN_SPEED - time_s, 0.0) / 0.1
        wanted_m = _USUAL_REACH_M * amplitude
        return detour_m / _DETOUR_M + late + abs(stroke.reach_m * scale - wanted_m) / _REACH_M

    def _travel(self, stroke: Stroke, scale: float) -> tuple[float, float]:
        """Return the way from where the hands are, and how much of it turns back [m]."""
        arms = _ARMS[stroke.hand]
        start = self._scaled(stroke.start_m, scale)[arms]
        anchor = self._scaled(stroke.anchor_m, scale)[arms]
        here = self._wrists_m[arms]
        straight = np.linalg.norm(anchor - here, axis=-1)
        around = np.linalg.norm(start - here, axis=-1) + np.linalg.norm(anchor - start, axis=-1)
        return float(straight.max()), float((around - straight).max())

    def _scaled(self, wrists_m: Float64Array, scale: float) -> Float64Array:
        return np.asarray(self._idle_m + scale * (wrists_m - self._idle_m))
