"""How well beats of motion fall on accents of speech.

Every accent is matched with its nearest beat and every beat with its nearest accent; a match at
distance d counts ``exp(-d^2 / (2 sigma^2))``. The *recall* is the mean over accents (is the voice
answered?), the *precision* the mean over beats (does motion without an accent stay away?), and the
score their harmonic mean, in [0, 1]. The first alone would reward waving without end, the second
one single well-placed beat. It is symmetric in the two series but for the expected lag: beats are
apexes, and an apex belongs 60 ms after the vowel onset that names an accent.

The score of motion with its own speech means little by itself, since it depends on both rates;
compare it with the score of the same motion with other speech (:func:`matched_share`). The
one-sided form with sigma in frames is the "beat alignment score" of Li et al., "AI
Choreographer", ICCV 2021.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Float64Array

SIGMA_S = 0.1
BEAT_LAG_S = 0.06


@dataclass(frozen=True, slots=True)
class Alignment:
    """Agreement of accents and beats, each number in [0, 1]."""

    recall: float
    precision: float

    @property
    def score(self) -> float:
        """Harmonic mean of recall and precision."""
        total = self.recall + self.precision
        return 2.0 * self.recall * self.precision / total if total > 0.0 else 0.0


def align(accents_s: Float64Array, beats_s: Float64Array, sigma_s: float = SIGMA_S,
          lag_s: float = BEAT_LAG_S) -> Alignment:
    """Return how well beats answer accents; both zero when there are none of either.

    Args:
        accents_s: shape (A,), vowel onsets of accents [s].
        beats_s: shape (B,), beats of the motion [s], same clock.
        sigma_s: distance [s] at which a match counts 0.61.
        lag_s: where a beat is expected, seconds after its accent.
    """
    if len(accents_s) == 0 or len(beats_s) == 0:
        return Alignment(0.0, 0.0)
    distance = np.abs(np.asarray(accents_s)[:, None] + lag_s - np.asarray(beats_s)[None, :])
    match = np.exp(-0.5 * (distance / sigma_s) ** 2)
    return Alignment(float(match.max(axis=1).mean()), float(match.max(axis=0).mean()))


def matched_share(accents_s: list[Float64Array], beats_s: list[Float64Array]) -> float:
    """Return how often motion fits its own speech better than another's, in [0, 1].

    Every motion i is scored with its own accents and with those of every other take j, cut to the
    span that both have; a tie counts one half. 0.5 is chance.

    Args:
        accents_s: accents of each take [s].
        beats_s: beats of the motion of each take [s], same order.

    Raises:
        ValueError: fewer than two takes, or lists of different length.
    """
    if len(accents_s) != len(beats_s) or len(accents_s) < 2:
        raise ValueError(f'need two or more takes of equal number, got {len(accents_s)} '
                         f'and {len(beats_s)}')
    wins = []
    for i, beats in enumerate(beats_s):
        for j, other in enumerate(accents_s):
            if i != j and len(beats) and len(other) and len(accents_s[i]):
                end = min(accents_s[i][-1], other[-1]) + 0.5
                start = max(accents_s[i][0], other[0]) - 0.5
                own = align(_within(accents_s[i], start, end), _within(beats, start, end)).score
                cross = align(_within(other, start, end), _within(beats, start, end)).score
                wins.append(1.0 if own > cross else 0.5 if own == cross else 0.0)
    return float(np.mean(wins)) if wins else 0.5


def _within(times_s: Float64Array, start: float, end: float) -> Float64Array:
    return times_s[(times_s >= start) & (times_s <= end)]
