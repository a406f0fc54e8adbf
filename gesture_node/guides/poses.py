"""Where the wrists of a stroke are at its apex: drawn from those of recorded gestures.

A bundle ships a few hundred apex poses of its training motion, each with the arousal it was made
for. A stroke draws some whose arousal is nearest the voice's, and of them one that the hands can
get to in time and whose way suits the voice: lively voices gesture large, from wherever the hands
are. Draws are numbered, so the same stroke of the same seed has the same pose however
often it is planned.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from .cues import ARM_DIM
from .rules import amplitude_of

POSE_DIM = 7 + ARM_DIM
MEAN_SPEED = 0.8
"""How fast hands may travel to an apex on average [m/s]; the peak is about twice that."""
NO_REPEAT = 8
WAY_M = 0.38
"""How far the hands of a stroke travel at amplitude 1."""
_NEAREST, _CANDIDATES = 24, 12
_LATE_S, _WAY_SPREAD = 0.1, 0.3
_LEAST_WAY_M = 0.02


@dataclass(frozen=True)
class GuidePoses:
    """Apex poses to draw from.

    Attributes:
        arousal: shape (K,), in [0, 1].
        wrists_m: shape (K, 6), left and right wrist against the idle pose [m].
        arms: shape (K, 60), normalised; see ``guides.cues``.
    """

    arousal: Float64Array
    wrists_m: Float64Array
    arms: Float64Array

    @classmethod
    def from_rows(cls, rows: NDArray[np.floating]) -> GuidePoses:
        """Return the poses of rows ``(K, 67)``: arousal, wrists, arms."""
        parts = (rows[:, 0], rows[:, 1:7], rows[:, 7:])
        return cls(*(np.asarray(part, np.float64) for part in parts))

    def draw(self, seed: int, number: int, arousal: float, here_m: Float64Array, time_s: float,
             recent: list[int]) -> int:
        """Return the index of the pose of a stroke.

        Args:
            seed: of the stream.
            number: how many strokes there were before.
            arousal: of the voice, in [0, 1].
            here_m: shape (6,), wrists where the hands are now.
            time_s: time they have to get there [s].
            recent: indices of the last strokes, which do not come again.
        """
        random = np.random.default_rng([seed, 0x6775, number])
        apart = np.abs(self.arousal - arousal)
        if len(apart) > _NEAREST + NO_REPEAT:
            apart[recent[-NO_REPEAT:]] = np.inf
        order = np.argsort(apart, kind='stable')[:_NEAREST]
        pool = random.permutation(order)[:_CANDIDATES]
        way_m = np.linalg.norm((self.wrists_m[pool] - here_m).reshape(-1, 2, 3), axis=-1)
        way_m = np.maximum(way_m.max(axis=1), _LEAST_WAY_M)
        late_s = np.maximum(way_m / MEAN_SPEED - time_s, 0.0)
        wanted_m = WAY_M * float(amplitude_of(arousal))
        cost = late_s / _LATE_S + np.abs(np.log(way_m / wanted_m)) / _WAY_SPREAD
        weights = np.exp(cost.min() - cost)
        return int(random.choice(pool, p=weights / weights.sum()))
