"""One knot of the motion limiter, and the short way for motion that needs no limiting.

Works in the natural units of ``limiter_brake``. A knot chooses the acceleration of the interval
that begins, for all joints at once:

1. Jerk, acceleration and velocity limits give an interval of accelerations in closed form.
2. A few accelerations of it, with the brake's own and the one that meets the target exactly, are
   followed by their brakes. Those that stay inside the position limits are allowed; the set is
   convex, so everything between two allowed ones is allowed too.
3. If meeting the reference exactly is allowed and can be kept up, that is taken. Otherwise the
   acceleration whose brake would end where a brake of the reference would end, as far as allowed.
   So a joint that is behind hurries, and still does not overshoot when the reference stops.

Motion that already obeys the limits is checked for all knots in one pass and copied.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from .limiter_brake import brake_extent, brake_step, landing_acceleration

BoolArray = NDArray[np.bool_]
_TRIALS = 9
_SPAN = np.linspace(0.0, 1.0, _TRIALS)[:, None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of N joints in natural units; every array has shape (N,).

    Attributes:
        lower: lowest position [rad].
        upper: highest position [rad].
        unit: position unit ``jerk * T**3`` [rad].
        cap: acceleration limit over ``jerk * T``.
        speed: velocity limit over ``jerk * T**2``.
    """

    lower: Float64Array
    upper: Float64Array
    unit: Float64Array
    cap: Float64Array
    speed: Float64Array


@dataclass(frozen=True, slots=True)
class Situation:
    """Motion and reference at one knot; arrays of shape (..., N), natural units, from ``after``.

    Attributes:
        velocity: velocity at the knot.
        acceleration: acceleration of the interval that ended.
        direct: acceleration that puts the next control point on the reference.
        lower: lowest position, relative to the control point ahead.
        upper: highest position, likewise.
    """

    velocity: Float64Array
    acceleration: Float64Array
    direct: Float64Array
    lower: Float64Array
    upper: Float64Array


def situation(bounds: Bounds, before: Float64Array, after: Float64Array,
              acceleration: Float64Array, following: Float64Array) -> Situation:
    """Return the situation between control points [rad], the reference's next being given."""
    return Situation(velocity=(after - before) / bounds.unit, acceleration=acceleration,
                     direct=(following - 2.0 * after + before) / bounds.unit,
                     lower=(bounds.lower - after) / bounds.unit,
                     upper=(bounds.upper - after) / bounds.unit)


def acceleration_range(now: Situation, cap: Float64Array,
                       speed: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return the accelerations that jerk, acceleration and velocity limits leave.

    The velocity limit counts the velocity still gained while the acceleration returns to zero.
    """
    room = np.stack([speed - now.velocity, speed + now.velocity])
    reach = np.copysign(landing_acceleration(np.abs(room)), room)
    least, most = now.acceleration - 1.0, now.acceleration + 1.0
    # Faster than its limit by far, as when that was lowered, a joint brakes at the cap.
    lowest = np.minimum(np.maximum(-cap, -reach[1]), cap)
    highest = np.maximum(np.minimum(cap, reach[0]), -cap)
    return (np.minimum(np.maximum(lowest, least), most),
            np.minimum(np.maximum(highest, least), most))


def inside(velocity: Float64Array, trial: Float64Array, lower: Float64Array, upper: Float64Array,
           reach: tuple[Float64Array, Float64Array]) -> BoolArray:
    """Return whether a trial interval and the brake after it stay inside position limits.

    Args:
        velocity: at the knot.
        trial: acceleration of the interval.
        lower: position limit relative to the control point ahead.
        upper: likewise.
        reach: lowest and highest displacement of the brake from the end of the interval.
    """
    end = velocity + trial
    # The parabola turns inside the interval when the velocity changes sign; otherwise the control
    # point ahead, which is passed then, does no harm.
    turns = velocity * end < 0.0
    turn = np.where(turns, velocity * end / np.where(turns, -2.0 * trial, 1.0), 0.0)
    middle = 0.5 * end
    return ((np.maximum(middle + reach[1], turn) <= upper)
            & (np.minimum(middle + reach[0], turn) >= lower))


def needs_no_limit(now: Situation, cap: Float64Array, speed: Float64Array) -> BoolArray:
    """Return where the reference may be met exactly, for motion that is on the reference."""
    least, most = acceleration_range(now, cap, speed)
    brake = brake_extent(now.velocity + now.direct, now.direct, cap)
    return ((now.direct >= least) & (now.direct <= most)
            & inside(now.velocity, now.direct, now.lower, now.upper, (brake.lower, brake.upper)))


@dataclass(frozen=True, slots=True)
class Choice:
    """Outcome of one knot, each of shape (N,).

    Attributes:
        acceleration: of the interval that begins.
        direct: whether it meets the reference exactly.
        stays_inside: whether meeting the reference would have kept the position limits.
    """

    acceleration: Float64Array
    direct: BoolArray
    stays_inside: BoolArray


def choose(now: Situation, reference: Situation, offset: Float64Array, cap: Float64Array,
           speed: Float64Array) -> Choice:
    """Choose the acceleration of the next interval.

    Args:
        now: the motion, its ``direct`` meeting the reference.
        reference: the reference itself, with its own velocity and next acceleration.
        offset: motion minus reference at the control point ahead.
        cap: acceleration limits.
        speed: velocity limits.
    """
    least, most = acceleration_range(now, cap, speed)
    grid = least + (most - least) * _SPAN
    stop = brake_step(now.velocity, now.acceleration, cap)
    trials = np.concatenate([grid, np.minimum(np.maximum(now.direct, least), most)[None],
                             stop[None]])
    # The reference may be wild; where it would stop is asked of motion the joint could have.
    aim_velocity = np.minimum(np.maximum(reference.velocity + reference.direct, -speed), speed)
    aim_acceleration = np.minimum(np.maximum(reference.direct, -cap), cap)

    # One call for the brakes of all trials, of the present state, and of the reference.
    brake = brake_extent(
        np.concatenate([now.velocity + trials, now.velocity[None], aim_velocity[None]]),
        np.concatenate([trials, now.acceleration[None], aim_acceleration[None]]), cap)
    count = len(trials)
    # A state outside the limits may go as far as its own brake must, and no further.
    here = -0.5 * now.velocity
    lower = np.minimum(now.lower, here + brake.lower[count])
    upper = np.maximum(now.upper, here + brake.upper[count])
    allowed = inside(now.velocity, trials, lower, upper,
                     (brake.lower[:count], brake.upper[:count]))
    allowed[-1] = True
    lowest = np.where(allowed, trials, np.inf).min(axis=0)
    highest = np.where(allowed, trials, -np.inf).max(axis=0)

    aim = 0.5 * (reference.velocity + reference.direct) - offset + brake.stop[count + 1]
    miss = 0.5 * (now.velocity + grid) + brake.stop[:_TRIALS] - aim
    wanted = np.minimum(np.maximum(_root(grid, miss), lowest), highest)
    direct = (allowed[-2] & (now.direct >= least) & (now.direct <= most)
              & (np.abs(offset) <= 1.0)
              & (np.abs(offset - (now.direct - reference.direct)) <= 1.0))
    return Choice(np.where(direct, now.direct, wanted), direct, allowed[-2])


def _root(grid: Float64Array, miss: Float64Array) -> Float64Array:
    """Return where rising values cross zero, or the end of the grid nearest to it."""
    above = np.minimum(np.maximum(np.count_nonzero(miss <= 0.0, axis=0), 1), _TRIALS - 1)
    columns = np.arange(grid.shape[1])
    left, right = grid[above - 1, columns], grid[above, columns]
    under, over = miss[above - 1, columns], miss[above, columns]
    share = np.minimum(np.maximum(under / np.minimum(under - over, -1e-12), 0.0), 1.0)
    root: Float64Array = left + share * (right - left)
    return root
