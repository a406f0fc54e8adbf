"""What the safety layer changed, for ``summary.json`` and the diagnostics."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Float64Array
from .collision_follow import FreeMotion

_WORTH_COUNTING_RAD = 0.01


@dataclass(slots=True)
class Interventions:
    """How often, and how much, the safety layer changed the motion that was committed.

    Counts of joint-knots count one joint for one second as 50.

    Attributes:
        knots: committed knots so far.
        limited_knots: knots where a limit changed the motion by more than 0.01 rad.
        max_change_rad: largest change of a joint.
        mean_change_rad: mean change over all joints and knots.
        collision_frames: body frames moved by the guard of links and walls, and hops in which the
            limited motion itself had to be.
        braked_knots: knots that braked because nothing else kept links apart.
        slowed_knots: knots whose targets were slowed down for the cap on hands.
        nonfinite: numbers that were NaN or infinite and were replaced.
        position: joint-knots asked for outside position limits, or too fast to stop inside them.
        velocity: joint-knots asked for above the velocity limit.
        acceleration: joint-knots asked for above the acceleration limit.
        jerk: joint-knots asked for with a larger step of acceleration than allowed.
    """

    knots: int = 0
    limited_knots: int = 0
    max_change_rad: float = 0.0
    mean_change_rad: float = 0.0
    collision_frames: int = 0
    braked_knots: int = 0
    slowed_knots: int = 0
    nonfinite: int = 0
    position: int = 0
    velocity: int = 0
    acceleration: int = 0
    jerk: int = 0

    def count(self, free: FreeMotion, targets: Float64Array, guarded: int) -> None:
        """Add a hop.

        Args:
            free: its committed motion.
            targets: what it was to follow, after the guard, shape (K, N), [rad].
            guarded: body frames that the guard moved.
        """
        motion = free.motion
        change = np.abs(motion.positions - targets)
        worst = change.max(axis=1, initial=0.0)
        before, self.knots = self.knots, self.knots + len(change)
        if self.knots:
            self.mean_change_rad = (self.mean_change_rad * before
                                    + float(change.mean(axis=1).sum())) / self.knots
        self.limited_knots += int((worst > _WORTH_COUNTING_RAD).sum())
        self.max_change_rad = max(self.max_change_rad, float(worst.max(initial=0.0)))
        self.collision_frames += guarded + int(free.parted)
        self.braked_knots += free.braked_knots
        self.slowed_knots += free.slowed_knots
        report = motion.report
        self.position += report.position
        self.velocity += report.velocity
        self.acceleration += report.acceleration
        self.jerk += report.jerk
