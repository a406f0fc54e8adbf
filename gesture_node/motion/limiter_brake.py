r"""The shortest stop of a joint whose acceleration is constant over each knot interval.

Everything here is in the natural units of one joint: time in knot intervals ``T``, acceleration
in ``D = jerk * T`` (the largest step of acceleration at a knot), so velocity is in ``D * T`` and
position in ``D * T**2``. A state is ``(velocity, acceleration of the interval that just ended)``.

The brake is a feedback law: each interval takes the acceleration nearest to the one from which
stepping down by one unit an interval lands on velocity zero and acceleration zero together,
within one unit of the last acceleration and within ``+-cap``::

    acceleration   |\                  ramp down by 1 an interval, possibly through zero,
                 0 |-\-------------/-  hold -cap,
                   |  \___________/    ramp back by 1 an interval: velocity and acceleration
                                      reach exactly zero at the same knot

Because it is a feedback law, the brake of any state on a brake is the rest of that brake. A
limiter that moves only to states whose brake is allowed therefore always has an allowed next
step: the brake itself. The sums have closed forms, so a whole array of states costs a few dozen
array operations.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Float64Array


@dataclass(frozen=True, slots=True)
class BrakeExtent:
    """Where the brake of each state goes, as displacement from the state's position.

    Attributes:
        stop: where it comes to rest.
        lower: lowest displacement on the way, zero included, between knots too.
        upper: highest displacement on the way, zero included, between knots too.
    """

    stop: Float64Array
    lower: Float64Array
    upper: Float64Array


def landing_acceleration(speed: Float64Array) -> Float64Array:
    """Return the size of the deceleration from which unit steps land on velocity zero.

    This inverts ``speed = b + (b - 1) + (b - 2) + ...`` (positive terms only).

    Args:
        speed: any shape, not negative.
    """
    steps = np.floor((np.sqrt(1.0 + 8.0 * speed) - 1.0) * 0.5)
    return (speed + 0.5 * steps * (steps + 1.0)) / (steps + 1.0)


def ramp_velocity(acceleration: Float64Array) -> Float64Array:
    """Return the velocity gained while the acceleration falls to zero by unit steps."""
    size = np.abs(acceleration)
    steps = np.floor(size)
    gained: Float64Array = np.sign(acceleration) * steps * (size - 0.5 * (steps + 1.0))
    return gained


def brake_step(velocity: Float64Array, acceleration: Float64Array,
               cap: Float64Array) -> Float64Array:
    """Return the acceleration of the next interval of the brake; arrays of one shape."""
    wanted = -np.sign(velocity) * np.minimum(landing_acceleration(np.abs(velocity)), cap)
    nearest: Float64Array = np.clip(wanted, acceleration - 1.0, acceleration + 1.0)
    return nearest


def brake_extent(velocity: Float64Array, acceleration: Float64Array,
                 cap: Float64Array) -> BrakeExtent:
    """Return where the brakes of many states go.

    Args:
        velocity: any shape.
        acceleration: the same shape.
        cap: largest allowed acceleration, broadcastable; raised to ``abs(acceleration)`` where
            a state is already beyond it.
    """
    cap = np.maximum(cap, np.abs(acceleration))
    # Mirrored so that the brake first pushes towards negative acceleration.
    side = np.where(velocity + ramp_velocity(acceleration) < 0.0, -1.0, 1.0)
    u, a = side * velocity, side * acceleration

    # Down ramp. On the ramp extended back to an acceleration f in [0, 1), its velocity there is
    # p, and n' more full steps keep the landing reachable: (n' - f)^2 <= p - f + f^2.
    whole = np.floor(a)
    f = a - whole
    p = u + whole * (a - 0.5 * (whole + 1.0))
    n = whole + np.floor(f + np.sqrt(np.maximum(p - f * (1.0 - f), 0.0)))
    n = np.minimum(np.maximum(n, 0.0), np.floor(a + cap))
    at_ramp_end = u + n * (a - 0.5 * (n + 1.0))
    travelled = _ramp_distance(u, a, n)

    # Hold at the cap, then land.
    deep = np.floor(cap)
    cap_landing = (deep + 1.0) * (cap - 0.5 * deep)
    held = np.maximum(np.ceil((at_ramp_end - cap_landing) / cap), 0.0)
    speed = np.maximum(at_ramp_end - held * cap, 0.0)
    travelled += held * (at_ramp_end - 0.5 * held * cap)
    steps = np.floor((np.sqrt(1.0 + 8.0 * speed) - 1.0) * 0.5)
    first = (speed + 0.5 * steps * (steps + 1.0)) / (steps + 1.0)
    pairs = 0.5 * (steps + 1.0) * (steps + 2.0)
    stop = travelled + pairs * (first - steps * (2.0 / 3.0)) - 0.5 * speed

    ahead, behind = np.maximum(stop, 0.0), _dip(u, a)
    mirrored = side < 0.0
    return BrakeExtent(stop=side * stop, lower=np.where(mirrored, -ahead, behind),
                       upper=np.where(mirrored, -behind, ahead))


def _ramp_distance(velocity: Float64Array, acceleration: Float64Array,
                   steps: Float64Array) -> Float64Array:
    """Return the displacement over whole steps of a ramp that falls by one a step."""
    return steps * (velocity + 0.5 * acceleration * steps
                    - (steps + 1.0) * (2.0 * steps + 1.0) / 12.0)


def _dip(velocity: Float64Array, acceleration: Float64Array) -> Float64Array:
    """Return the lowest displacement of a ramp that starts backwards and is turned round."""
    back = velocity < 0.0
    if not back.any():
        return np.zeros_like(velocity)
    u = np.minimum(velocity, 0.0)
    centre = acceleration - 0.5
    steps = np.floor(np.maximum(centre - np.sqrt(np.maximum(centre * centre + 2.0 * u, 0.0)), 0.0))
    speed = u + steps * (acceleration - 0.5 * (steps + 1.0))
    force = np.maximum(acceleration - steps - 1.0, 1e-9)
    inside = np.where(speed < 0.0, speed * speed / (2.0 * force), 0.0)
    return np.where(back, np.minimum(_ramp_distance(u, acceleration, steps) - inside, 0.0), 0.0)
