"""Follows a run of targets knot by knot, and counts what was changed.

The reference is the motion asked for: one control point per target, half an interval ahead. As
long as the motion is on the reference and the reference obeys the limits, knots are copied;
the first knot that needs a limit, and every one until the motion is back, is chosen one by one.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from .limiter_state import LimitedMotion, LimiterState, LimitReport
from .limiter_step import Bounds, choose, needs_no_limit, Situation, situation

_GROWTH = 1.01  # of a gentle start's speed scale at each knot


@dataclass(slots=True)
class _Run:
    """Arrays of one call: control points (K + 2, N) and what was decided at each knot (K, N)."""

    targets: Float64Array
    reference: Float64Array
    controls: Float64Array
    accelerations: Float64Array
    direct: NDArray[np.bool_]
    broken: NDArray[np.int64]
    bounds: Bounds
    nonfinite: int = 0
    clipped: int = 0


class Follower:
    """The limiter's working part; immutable."""

    def __init__(self, bounds: Bounds, acceleration_unit: Float64Array) -> None:
        """Keep the limits in natural units, and the unit of acceleration [rad/s^2]."""
        self._bounds = bounds
        self._step = acceleration_unit

    def follow(self, state: LimiterState, targets: Float64Array,
               speed_share: Float64Array | None = None) -> LimitedMotion:
        """Return the limited motion for finite or non-finite targets of shape (K, N)."""
        count = len(targets)
        if not count:
            ends = np.stack([state.before, state.after])
            return LimitedMotion.through(ends, targets, state, LimitReport())
        run = self._prepare(state, targets)
        reference_motion = self._reference_situation(state, run)
        if speed_share is not None:
            run.bounds = replace(run.bounds, speed=run.bounds.speed * speed_share)
        free = np.all(needs_no_limit(reference_motion, run.bounds.cap, run.bounds.speed), axis=1)
        acceleration, scale = state.accelerations, state.speed_scale
        knot = 0
        while knot < count:
            end = knot
            if self._is_on_reference(run, knot, acceleration, reference_motion, scale):
                end = knot + (int(np.argmin(free[knot:])) if not free[knot:].all()
                              else count - knot)
            if end > knot:
                run.controls[knot + 2:end + 2] = run.reference[knot + 2:end + 2]
                run.accelerations[knot:end] = reference_motion.direct[knot:end] * self._step
                run.direct[knot:end] = True
            else:
                scale = self._choose(run, knot, acceleration, reference_motion, scale)
                end = knot + 1
            acceleration = run.accelerations[end - 1]
            knot = end
        final = replace(
            state, before=run.controls[-2], after=run.controls[-1], accelerations=acceleration,
            reference_before=run.reference[-2], reference_after=run.reference[-1],
            target=run.targets[-1], speed_scale=scale)
        return LimitedMotion.through(run.controls, run.accelerations, final,
                                     self._report(run, targets))

    def _prepare(self, state: LimiterState, targets: Float64Array) -> _Run:
        """Replace bad targets, clip them, and lay out the reference."""
        bounds, (count, joints) = self._bounds, targets.shape
        clean = np.empty((count + 1, joints))
        clean[0] = np.where(np.isnan(state.target), state.after, state.target)
        finite = np.isfinite(targets)
        clean[1:] = np.clip(np.where(finite, targets, 0.0), bounds.lower, bounds.upper)
        if not finite.all():
            last = np.where(finite, np.arange(1, count + 1)[:, None], 0)
            clean[1:] = np.take_along_axis(clean, np.maximum.accumulate(last, axis=0), axis=0)
        clipped = int(np.count_nonzero(finite & (clean[1:] != targets)))
        clean[0] = np.where(np.isnan(state.target), clean[1], clean[0])
        reference = np.empty((count + 2, joints))
        # In this form, targets that stay the same give controls that stay the same, exactly.
        ahead = clean[1:] + 0.5 * (clean[1:] - clean[:-1])
        reference[2:] = np.clip(ahead, bounds.lower, bounds.upper)
        reference[0] = np.where(np.isnan(state.reference_before), clean[0], state.reference_before)
        reference[1] = np.where(np.isnan(state.reference_after), clean[0], state.reference_after)
        controls = np.empty_like(reference)
        controls[0], controls[1] = state.before, state.after
        return _Run(clean[1:], reference, controls, np.empty((count, joints)),
                    np.zeros((count, joints), dtype=bool), np.zeros(4, dtype=np.int64),
                    bounds, int(np.count_nonzero(~finite)), clipped)

    def _reference_situation(self, state: LimiterState, run: _Run) -> Situation:
        points = run.reference
        start = state.accelerations / self._step
        motion = situation(self._bounds, points[:-2], points[1:-1], start, points[2:])
        return replace(motion, acceleration=np.concatenate([start[None], motion.direct[:-1]]))

    def _is_on_reference(self, run: _Run, knot: int, acceleration: Float64Array,
                         reference: Situation, scale: Float64Array) -> bool:
        same = np.array_equal(run.controls[knot:knot + 2], run.reference[knot:knot + 2])
        return bool(same and (scale == 1.0).all() and np.array_equal(
            acceleration / self._step, reference.acceleration[knot]))

    def _choose(self, run: _Run, knot: int, acceleration: Float64Array, reference: Situation,
                scale: Float64Array) -> Float64Array:
        """Decide one knot, and return the speed scale for the next."""
        bounds, after = run.bounds, run.controls[knot + 1]
        now = situation(bounds, run.controls[knot], after, acceleration / self._step,
                        run.reference[knot + 2])
        goal = Situation(reference.velocity[knot], reference.acceleration[knot],
                         reference.direct[knot], reference.lower[knot], reference.upper[knot])
        offset = (after - run.reference[knot + 1]) / bounds.unit
        choice = choose(now, goal, offset, bounds.cap, bounds.speed * scale)
        run.controls[knot + 2] = np.where(
            choice.direct, run.reference[knot + 2],
            after + (now.velocity + choice.acceleration) * bounds.unit)
        run.accelerations[knot] = choice.acceleration * self._step
        run.direct[knot] = choice.direct
        held = ~choice.direct
        run.broken += [np.count_nonzero(held & broken) for broken in (
            np.abs(now.direct - now.acceleration) > 1.0, np.abs(now.direct) > bounds.cap,
            np.abs(now.velocity + now.direct) > bounds.speed * scale, held & ~choice.stays_inside)]
        return np.where(choice.direct, 1.0, np.minimum(scale * _GROWTH, 1.0))

    def _report(self, run: _Run, targets: Float64Array) -> LimitReport:
        positions = 0.5 * (run.controls[1:-1] + run.controls[2:])
        change = np.abs(np.where(np.isfinite(targets), targets, positions) - positions)
        jerk, acceleration, velocity, position = (int(count) for count in run.broken)
        return LimitReport(
            total=run.direct.size, changed=int(np.count_nonzero(~run.direct)),
            nonfinite=run.nonfinite, position=run.clipped + position, velocity=velocity,
            acceleration=acceleration, jerk=jerk,
            largest_change_rad=float(change.max(initial=0.0)),
            summed_change_rad=float(change.sum()))
