"""Where the eyes of a robot go that does not speak: mostly ahead, now and then aside, in saccades.

Looks aside are drawn slot by slot, as posture shifts are (:mod:`.idle_motion`), so any time can be
asked for. A saccade takes about 25 ms and 2.4 ms a degree; at 50 frames a second that is one or
two frames. Sizes: at most 12 degrees, half of that up and down (sources: ``docs/dialogue.md``).
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..motion.courses import minimum_jerk
from ..motion.face import BLENDSHAPE_INDEX
from ..types import Float64Array

_SLOT_S = 4.0
_ASIDE_CHANCE = 0.5
_ASIDE_S = (0.5, 1.6)
_LARGEST_DEG, _VERTICAL = 12.0, 0.5
_FULL_DEG = 35.0
"""Turn of the eye at blendshape weight 1."""
_START_S, _PER_DEG_S = 0.025, 0.0024

_LEFT = [BLENDSHAPE_INDEX['eyeLookOutLeft'], BLENDSHAPE_INDEX['eyeLookInRight']]
_RIGHT = [BLENDSHAPE_INDEX['eyeLookInLeft'], BLENDSHAPE_INDEX['eyeLookOutRight']]
_UP = [BLENDSHAPE_INDEX['eyeLookUpLeft'], BLENDSHAPE_INDEX['eyeLookUpRight']]
_DOWN = [BLENDSHAPE_INDEX['eyeLookDownLeft'], BLENDSHAPE_INDEX['eyeLookDownRight']]


class GazeTrack:
    """Looks aside of one face.

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def at(self, time_s: Float64Array) -> Float64Array:
        """Return gaze angles, left and up positive, shape (T, 2), [deg]."""
        slots = np.floor(time_s / _SLOT_S).astype(int)
        result = np.zeros((len(time_s), 2))
        for slot in np.unique(slots):
            rows = slots == slot
            start_s, hold_s, aside_deg = _look(self._seed, int(slot))
            since_s = time_s[rows] - slot * _SLOT_S - start_s
            saccade_s = _START_S + _PER_DEG_S * float(np.linalg.norm(aside_deg))
            there = minimum_jerk(since_s / saccade_s)
            back = minimum_jerk((since_s - hold_s) / saccade_s)
            result[rows] = (there * (1.0 - back))[:, None] * aside_deg
        return result


@lru_cache(maxsize=256)
def _look(seed: int, slot: int) -> tuple[float, float, Float64Array]:
    """Return when in its slot a look aside begins [s], how long it is [s], and where [deg]."""
    random = np.random.default_rng((seed, 1_409, slot + 2 ** 31))
    hold_s = float(random.uniform(*_ASIDE_S))
    start_s = float(random.uniform(0.0, _SLOT_S - hold_s - 0.1))
    size_deg = min(-6.9 * np.log(random.uniform(0.01, 1.0)), _LARGEST_DEG)
    angle = random.uniform(0.0, 2.0 * np.pi)
    aside = size_deg * np.array([np.cos(angle), _VERTICAL * np.sin(angle)])
    return start_s, hold_s, aside * float(random.random() < _ASIDE_CHANCE)


def gaze_weights(weights: Float64Array, gaze_deg: Float64Array) -> None:
    """Write gaze angles, shape (T, 2), [deg], into blendshape weights, shape (T, 52)."""
    left, up = (gaze_deg / _FULL_DEG).T
    weights[:, _LEFT] = np.maximum(left, 0.0)[:, None]
    weights[:, _RIGHT] = np.maximum(-left, 0.0)[:, None]
    weights[:, _UP] = np.maximum(up, 0.0)[:, None]
    weights[:, _DOWN] = np.maximum(-up, 0.0)[:, None]
