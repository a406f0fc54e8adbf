"""Which joints follow what is wanted, which hold still, and which are on their way from there.

Each joint has a share in [0, 1] of what is wanted; the rest is the position it was left at. Share
0 is a joint that somebody else owns: its target stands still, so the limiter brakes it and holds
it. A joint that is taken back has its share grow along a minimum-jerk course.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..motion.courses import minimum_jerk
from ..types import Float64Array

RAMP_FRAMES = 30
"""Body frames in which a joint is taken back: 1.2 s."""


class JointRamp:
    """Shares of N joints.

    Args:
        joints: N.
    """

    def __init__(self, joints: int) -> None:
        self._held = np.zeros(joints)
        self._yielded = np.zeros(joints, dtype=bool)
        self._progress = np.ones(joints)

    @property
    def yielded(self) -> list[int]:
        """Columns that somebody else owns."""
        return [int(column) for column in np.flatnonzero(self._yielded)]

    @property
    def yielded_positions(self) -> Float64Array:
        """Where those columns were left, one position each [rad]."""
        return self._held[self._yielded]

    @property
    def is_idle(self) -> bool:
        """Whether everything simply follows what is wanted."""
        return bool((self._progress >= 1.0).all())

    def give(self, columns: Sequence[int], positions: Float64Array) -> None:
        """Hold joints, for somebody else to own.

        Args:
            columns: which.
            positions: where, one for each column [rad].
        """
        rows = list(columns)
        self._held[rows], self._progress[rows], self._yielded[rows] = positions, 0.0, True

    def take(self, columns: Sequence[int], positions: Float64Array) -> None:
        """Let joints follow again what is wanted, from where they are [rad], little by little."""
        rows = list(columns)
        self._held[rows], self._progress[rows], self._yielded[rows] = positions, 0.0, False

    def start_from(self, positions: Float64Array) -> None:
        """Let all joints that are not yielded go little by little, from positions (N,) [rad]."""
        free = np.flatnonzero(~self._yielded)
        self.take(free.tolist(), positions[free])

    def follow_at_once(self) -> None:
        """Let all joints that are not yielded follow what is wanted."""
        self._progress[~self._yielded] = 1.0

    def skip(self, frames: int) -> None:
        """Let some body frames pass."""
        free = ~self._yielded
        self._progress[free] = np.minimum(self._progress[free] + frames / RAMP_FRAMES, 1.0)

    def apply(self, wanted: Float64Array, committed: int) -> Float64Array:
        """Return what joints shall do, shape (T, N).

        Args:
            wanted: shape (T, N) at the body's frame rate, [rad].
            committed: frames that will not be asked for again.
        """
        if self.is_idle:
            return wanted
        grown = np.arange(1, len(wanted) + 1)[:, None] / RAMP_FRAMES
        progress = np.where(self._yielded, 0.0, self._progress + grown)
        share = minimum_jerk(progress)
        self.skip(committed)
        # A share of exactly 1 gives what is wanted to the bit, whatever is held.
        blended = self._held + share * (wanted - self._held)
        return np.where(share >= 1.0, wanted, blended)
