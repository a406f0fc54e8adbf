"""Knots of a plan at absolute times, and the cubic between them that a controller runs."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..timeline import frame_to_ns, NS_PER_S
from ..types import Float64Array, JointChunk

_STILL_RAD_S = 1e-6


@dataclass(frozen=True, slots=True)
class KnotState:
    """Motion of N joints at one time.

    Attributes:
        time_ns: ROS time [ns].
        positions: shape (N,), [rad].
        velocities: shape (N,), [rad/s].
        accelerations: shape (N,), [rad/s^2], just before the time.
    """

    time_ns: int
    positions: Float64Array
    velocities: Float64Array
    accelerations: Float64Array


@dataclass(frozen=True, slots=True)
class Knots:
    """K knots of N joints; a value.

    Before the first knot and after the last the motion holds its end positions at rest.

    Attributes:
        times_ns: shape (K,), int64, ROS time [ns], strictly increasing.
        positions: shape (K, N), [rad].
        velocities: shape (K, N), [rad/s].
    """

    times_ns: NDArray[np.int64]
    positions: Float64Array
    velocities: Float64Array

    @classmethod
    def none(cls, joints: int) -> Knots:
        """Return no knots."""
        return cls(np.empty(0, np.int64), np.empty((0, joints)), np.empty((0, joints)))

    @classmethod
    def hold(cls, time_ns: int, positions: Float64Array) -> Knots:
        """Return one knot at rest."""
        return cls(np.array([time_ns], np.int64), positions[None].copy(),
                   np.zeros((1, len(positions))))

    @classmethod
    def of_chunk(cls, chunk: JointChunk, joint_names: Sequence[str], rate_hz: int,
                 epoch_ns: int) -> Knots:
        """Return the knots of a chunk, whose knot k is at ``epoch_ns + k / rate``.

        Raises:
            ValueError: the chunk has other joints or another rate, is not finite, or does not
                end at rest.
        """
        shape = (len(chunk.positions), len(joint_names))
        if chunk.joint_names != joint_names or chunk.rate_hz != rate_hz:
            raise ValueError(f'chunk is of {len(chunk.joint_names)} joints at {chunk.rate_hz} Hz, '
                             f'the plan of {len(joint_names)} at {rate_hz} Hz')
        if not shape[0] or chunk.positions.shape != shape or chunk.velocities.shape != shape:
            raise ValueError(f'chunk must have knots of shape (K, {shape[1]}), got positions '
                             f'{chunk.positions.shape} and velocities {chunk.velocities.shape}')
        if not (np.isfinite(chunk.positions).all() and np.isfinite(chunk.velocities).all()):
            raise ValueError('chunk has a position or velocity that is not finite')
        if chunk.velocities[-1].any():
            raise ValueError('chunk must end with velocity exactly zero in every joint')
        first_ns = epoch_ns + frame_to_ns(chunk.first_knot, rate_hz)
        times = first_ns + frame_to_ns(1, rate_hz) * np.arange(shape[0], dtype=np.int64)
        return cls(times, chunk.positions, chunk.velocities)

    def __len__(self) -> int:
        """Return the number of knots."""
        return len(self.times_ns)

    def part(self, start: int, end: int) -> Knots:
        """Return the knots of rows ``start`` to ``end``, the end left out."""
        rows = slice(start, end)
        return Knots(self.times_ns[rows], self.positions[rows], self.velocities[rows])

    def then(self, later: Knots) -> Knots:
        """Return these knots followed by later ones."""
        return Knots(np.concatenate([self.times_ns, later.times_ns]),
                     np.concatenate([self.positions, later.positions]),
                     np.concatenate([self.velocities, later.velocities]))

    def until(self, time_ns: int) -> Knots:
        """Return the knots before a time and the state at it as the last knot.

        For motion of constant acceleration between knots, the motion up to the time stays as it
        was: a piece of a parabola is the same parabola.
        """
        state = self.state(time_ns)
        last = Knots(np.array([time_ns], np.int64), state.positions[None], state.velocities[None])
        return self.part(0, int(np.searchsorted(self.times_ns, time_ns))).then(last)

    def held_until(self, time_ns: int, step_ns: int) -> Knots:
        """Return knots that reach at least to a time, the last position being held at rest."""
        missing = -((int(self.times_ns[-1]) - time_ns) // step_ns)
        if missing <= 0:
            return self
        times = self.times_ns[-1] + step_ns * np.arange(1, missing + 1, dtype=np.int64)
        held = np.repeat(self.positions[-1:], missing, axis=0)
        return self.then(Knots(times, held, np.zeros_like(held)))

    def placed(self, columns: list[int], positions: Float64Array) -> Knots:
        """Return knots in which some joints stand still throughout, one position each [rad]."""
        changed, velocities = self.positions.copy(), self.velocities.copy()
        changed[:, columns], velocities[:, columns] = positions, 0.0
        return Knots(self.times_ns, changed, velocities)

    def rest_of_moving(self, time_ns: int) -> Float64Array:
        """Return the last position of each joint that moves after a time, (N,) [rad].

        NaN for joints that stand still from then on.
        """
        row = max(int(np.searchsorted(self.times_ns, time_ns, side='right')) - 1, 0)
        moves = (np.abs(self.velocities[row:]) > _STILL_RAD_S).any(axis=0)
        return np.where(moves, self.positions[-1], np.nan)

    def state(self, time_ns: int) -> KnotState:
        """Return the motion at a time, by cubic Hermite interpolation; exact at the knots.

        Raises:
            ValueError: there are no knots.
        """
        times = self.times_ns
        if not len(times):
            raise ValueError('a plan without knots has no state')
        rest = np.zeros(self.positions.shape[1])
        after = int(np.searchsorted(times, time_ns))
        if after < len(times) and times[after] == time_ns:
            return KnotState(time_ns, self.positions[after].copy(), self.velocities[after].copy(),
                             self._ending_acceleration(after))
        if after in (0, len(times)):
            held = self.positions[0 if after == 0 else -1]
            return KnotState(time_ns, held.copy(), rest, rest)
        begin = after - 1
        span_s = int(times[after] - times[begin]) / NS_PER_S
        share = int(time_ns - times[begin]) / int(times[after] - times[begin])
        return self._inside(begin, share, span_s, time_ns)

    def _inside(self, begin: int, share: float, span_s: float, time_ns: int) -> KnotState:
        start, end = self.positions[begin], self.positions[begin + 1]
        leave, arrive = self.velocities[begin] * span_s, self.velocities[begin + 1] * span_s
        # start + leave s + bend s^2 + twist s^3, with s from 0 to 1 over the segment.
        bend = 3.0 * (end - start) - 2.0 * leave - arrive
        twist = 2.0 * (start - end) + leave + arrive
        positions = start + share * (leave + share * (bend + share * twist))
        velocities = (leave + share * (2.0 * bend + share * 3.0 * twist)) / span_s
        accelerations = (2.0 * bend + 6.0 * share * twist) / span_s ** 2
        return KnotState(time_ns, positions, velocities, accelerations)

    def _ending_acceleration(self, row: int) -> Float64Array:
        """Return the acceleration with which a knot is reached."""
        if row == 0:
            return np.zeros(self.positions.shape[1])
        span_s = int(self.times_ns[row] - self.times_ns[row - 1]) / NS_PER_S
        return self._inside(row - 1, 1.0, span_s, int(self.times_ns[row])).accelerations
