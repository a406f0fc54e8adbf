"""What a face expresses: valence, arousal and the nearest of six basic expressions.

The action units that speech itself does not move are compared with the prototypes of Ekman and
Friesen (EMFACS): the direction tells which expression, the length how strong. Places of the
expressions on the circumplex follow Russell (1980), read off the figure. A guess for renderers
that take nothing better; it says nothing about what the robot means.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Float32Array

NEUTRAL = 'neutral'
PROTOTYPES: dict[str, tuple[tuple[int, ...], float, float]] = {
    'happy': ((6, 12), 0.85, 0.35),
    'sad': ((1, 4, 15), -0.75, -0.4),
    'surprised': ((1, 2, 5), 0.1, 0.8),
    'scared': ((1, 2, 4, 5, 7, 20), -0.6, 0.75),
    'angry': ((4, 5, 7, 24), -0.65, 0.65),
    'disgusted': ((9, 15, 16), -0.7, 0.3),
}
"""Expression of ``hri_msgs/Expression`` to its action units, valence and arousal in [-1, 1]."""
_CODES: tuple[int, ...] = tuple(sorted({code for codes, _, _ in PROTOTYPES.values()
                                        for code in codes}))
_NAMES = tuple(PROTOTYPES)
_PLACES = np.array([place for _, *place in PROTOTYPES.values()])
FULL_STRENGTH = 0.8
"""Length of the vector of action units that is a full expression."""
NEUTRAL_BELOW = 0.25
"""Strength under which the expression is called neutral."""
SMOOTHING_S = 0.6
"""Time constant of the low-pass over frames: syllables pass, expressions stay."""
STEP_BACK_S = 0.1
"""Frames are shown a little early or late; a longer step back is another clock."""
_SHARPNESS = 4


def _directions() -> Float32Array:
    rows = np.zeros((len(PROTOTYPES), len(_CODES)))
    for row, (codes, _, _) in zip(rows, PROTOTYPES.values()):
        row[[_CODES.index(code) for code in codes]] = 1.0 / np.sqrt(len(codes))
    return rows.astype(np.float32)


_DIRECTIONS = _directions()


@dataclass(frozen=True, slots=True)
class Affect:
    """What a face expresses.

    Attributes:
        expression: name of the nearest expression, or ``'neutral'``.
        valence: unpleasant to pleasant, [-1, 1].
        arousal: calm to excited, [-1, 1].
        confidence: how well the expression fits, [0, 1].
    """

    expression: str
    valence: float
    arousal: float
    confidence: float


def affect(units: Float32Array) -> Affect:
    """Return what action units ``(99,)`` express."""
    vector = units[list(_CODES)]
    length = float(np.linalg.norm(vector))
    strength = min(1.0, length / FULL_STRENGTH)
    if length < 1e-6:
        return Affect(NEUTRAL, 0.0, 0.0, 1.0)
    likeness = np.clip(_DIRECTIONS @ vector / length, 0.0, 1.0)
    shares = likeness ** _SHARPNESS
    total = float(shares.sum())
    valence, arousal = (float(value) for value in np.clip(
        strength * (shares @ _PLACES) / total if total else np.zeros(2), -1.0, 1.0))
    best = int(np.argmax(likeness))
    if strength < NEUTRAL_BELOW:
        return Affect(NEUTRAL, valence, arousal, 1.0 - strength)
    return Affect(_NAMES[best], valence, arousal, float(likeness[best]) * strength)


class AffectMeter:
    """Expression of a moving face: frames in, a slowly changing affect out."""

    def __init__(self) -> None:
        self._units: Float32Array | None = None
        self._last_ns = 0

    def add(self, units: Float32Array, shown_ns: int) -> Affect:
        """Return the affect after one more frame.

        Args:
            units: action units ``(99,)``.
            shown_ns: presentation time; a step back or a pause begins anew.
        """
        step_s = (shown_ns - self._last_ns) / 1e9
        if self._units is None or not -STEP_BACK_S < step_s < 10.0 * SMOOTHING_S:
            self._units, self._last_ns = units.copy(), shown_ns
        elif step_s > 0.0:
            share = np.float32(1.0 - np.exp(-step_s / SMOOTHING_S))
            self._units = self._units + share * (units - self._units)
            self._last_ns = shown_ns
        return affect(self._units)
