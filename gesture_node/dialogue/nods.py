"""Nods of a listener: when a pause or an accent of the other deserves one, and what it looks like.

Listeners nod at the speaker's pauses and, less often, at strong accents: about five times a
minute, never twice within three seconds, and not at every cue, since nods that come like clockwork
are felt to be wrong (sources: ``docs/dialogue.md``). Two nods in five are single; longer ones have
up to five cycles, the first the largest, falling off evenly.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion.courses import minimum_jerk
from ..motion.skeleton import JOINT_INDEX
from ..types import Float64Array

CHANCE = {'pause': 0.45, 'accent': 0.15}
"""How likely a cue is answered."""
REFRACTORY_S = 3.0
_CYCLES = (0.42, 0.30, 0.16, 0.08, 0.04)
_FIRST_S, _MORE_S = 0.94, 0.15
_SIZES = (0.6, 1.2)
_BROWS_CHANCE = 0.3
_HEAD_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Nod:
    """One nod.

    Attributes:
        start_s: when it begins, on the clock of the frames [s].
        cycles: how often the head goes down.
        size: of the first cycle, 1 being what was asked for.
        raises_brows: whether the brows go up with it.
    """

    start_s: float
    cycles: int
    size: float
    raises_brows: bool

    @property
    def end_s(self) -> float:
        """When the head is back [s]."""
        return self.start_s + _FIRST_S + _MORE_S * (self.cycles - 1)

    def course(self, time_s: Float64Array) -> Float64Array:
        """Return how far down the head is, 0 to ``size``, at rest at both ends; shape (T,)."""
        share = np.clip((time_s - self.start_s) / (self.end_s - self.start_s), 0.0, 1.0)
        cycle = share * self.cycles
        height = self.size * (1.0 - np.minimum(np.floor(cycle), self.cycles - 1) / (
            self.cycles + 1))
        return np.asarray(height * 0.5 * (1.0 - np.cos(2.0 * np.pi * cycle)))

    def brows(self, time_s: Float64Array) -> Float64Array:
        """Return how far up the brows are, 0 to 1; shape (T,)."""
        if not self.raises_brows:
            return np.zeros(len(time_s))
        rise = minimum_jerk((time_s - self.start_s) / 0.15)
        fall = minimum_jerk((time_s - self.start_s - 0.35) / 0.3)
        return np.asarray(rise * (1.0 - fall))


class NodChooser:
    """Decides which cues are answered; the same cues give the same nods.

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._cues = 0
        self._last_s = -np.inf

    def answer(self, kind: str, start_s: float) -> Nod | None:
        """Return the nod that answers a cue, ``None`` if it is let pass.

        Args:
            kind: ``pause`` or ``accent``.
            start_s: when a nod could begin.
        """
        random = np.random.default_rng((self._seed, 1_301, self._cues))
        self._cues += 1
        taken = random.random() < CHANCE[kind]
        if not taken or start_s < self._last_s + REFRACTORY_S:
            return None
        cycles = 1 if kind == 'accent' else 1 + int(random.choice(len(_CYCLES), p=_CYCLES))
        nod = Nod(start_s, cycles, float(random.uniform(*_SIZES)),
                  bool(random.random() < _BROWS_CHANCE))
        self._last_s = nod.start_s
        return nod


def nod_vectors(nods: list[Nod], time_s: Float64Array, size_rad: float) -> Float64Array:
    """Return the turns of neck and head that nods make, shape (T, 12, 3), [rad]."""
    vectors = np.zeros((len(time_s), len(JOINT_INDEX), 3))
    for nod in nods:
        down_rad = size_rad * nod.course(time_s)
        vectors[:, JOINT_INDEX['head'], 1] += _HEAD_SHARE * down_rad
        vectors[:, JOINT_INDEX['neck'], 1] += (1.0 - _HEAD_SHARE) * down_rad
    return vectors
