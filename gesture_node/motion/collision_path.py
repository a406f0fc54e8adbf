"""Whether motion keeps links apart at every instant, not only at the knots that are looked at.

Two poses are looked at and the motion between them is bounded: while joint i moves along a path of
length ``s_i``, the clearance of a pair changes by at most ``sum_i reach_i s_i``, reach being the
furthest that the pair's capsules can be from the joint. With ``D`` that sum over the whole way,
the clearance on the way is never below ``(c_a + c_b - D) / 2``. Where this is not enough, the
pose in the middle is looked at too, down to a sixteenth of a knot interval; what is not certain
then counts as not free. So most motion is settled by a few poses, and motion near a link is
followed closely. (Conservative advancement, as in Mirtich, "Impulse-based Dynamic Simulation of
Rigid Body Systems", 1996, ch. 2, turned to a question of yes or no.)
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from .collision_model import CollisionModel

_STRIDE = 4
_FINEST = 1.0 / 16.0


class PathClearance:
    """Looks at stretches of motion on the knot grid; immutable.

    Args:
        model: capsules and pairs.
        rate_hz: knots per second.
    """

    def __init__(self, model: CollisionModel, rate_hz: int) -> None:
        self._model, self._step_s = model, 1.0 / rate_hz

    def keeps(self, positions: Float64Array, velocities: Float64Array,
              reserve_m: float) -> bool:
        """Return whether no watched pair comes nearer than a reserve where it is looked at.

        At the first knot and on the way between, no pair comes nearer than 0 m, or than the
        reserve if that is below.

        Args:
            positions: K knots joined by parabolas, shape (K, N), [rad].
            velocities: shape (K, N), [rad/s].
            reserve_m: clearance.
        """
        last = len(positions) - 1
        if not len(self._model.pairs) or last < 0:
            return True
        if last == 0:
            positions, velocities, last = positions[[0, 0]], 0.0 * velocities[[0, 0]], 1
        nodes = np.append(np.arange(0.0, last, _STRIDE), float(last))
        return self._keeps(positions, velocities, reserve_m,
                           np.stack([nodes[:-1], nodes[1:]], axis=1))

    def all_keep(self, positions: Float64Array, velocities: Float64Array,
                 reserve_m: float) -> bool:
        """Return whether :meth:`keeps` holds for each of some stretches of motion.

        Args:
            positions: S stretches of K > 1 knots each, shape (S, K, N), [rad].
            velocities: shape (S, K, N), [rad/s].
            reserve_m: clearance.
        """
        count, knots, joints = positions.shape
        if not len(self._model.pairs) or not count:
            return True
        begins = knots * np.arange(count, dtype=np.float64)
        ways = np.stack([begins, begins + (knots - 1)], axis=1)
        return self._keeps(positions.reshape(-1, joints), velocities.reshape(-1, joints),
                           reserve_m, ways)

    def _keeps(self, positions: Float64Array, velocities: Float64Array, reserve_m: float,
               ways: Float64Array) -> bool:
        """Return what :meth:`keeps` does, for some ways between knots, shape (W, 2)."""
        model, between, whole = self._model, min(reserve_m, 0.0), self._whole(velocities)
        nodes, index = np.unique(ways, return_inverse=True)
        ends, length = index.reshape(-1, 2), self._length(velocities, whole, ways)
        placement = model.place(self._poses(positions, velocities, nodes))
        pairs = model.near_pairs(
            placement, reserve_m + 0.5 * (length @ model.reach.T).max(axis=0))
        clearance = model.clearances(placement, pairs)
        if (clearance[1:] < reserve_m).any() or (clearance[0] < between).any():
            return False
        begin, end = clearance[ends[:, 0]], clearance[ends[:, 1]]
        while len(pairs):
            least = begin + end - length @ model.reach[pairs].T
            open_ways = (least < 2.0 * between).any(axis=1)
            ways = ways[open_ways]
            size = ways[:, 1] - ways[:, 0]
            if not len(ways) or (size <= _FINEST).any():
                return not len(ways)
            # Pairs that keep the reserve on all of these ways need not be looked at again.
            doubtful = np.flatnonzero((least[open_ways] < 2.0 * reserve_m).any(axis=0))
            pairs, begin, end = (pairs[doubtful], begin[open_ways][:, doubtful],
                                 end[open_ways][:, doubtful])
            middle = np.where(size > 1.0, np.floor(ways.mean(axis=1)), ways.mean(axis=1))
            inside = model.clearances(
                model.place(self._poses(positions, velocities, middle)), pairs)
            if (inside < reserve_m).any():
                return False
            ways = np.concatenate([np.stack([ways[:, 0], middle], axis=1),
                                   np.stack([middle, ways[:, 1]], axis=1)])
            begin, end = np.concatenate([begin, inside]), np.concatenate([inside, end])
            length = self._length(velocities, whole, ways)
        return True

    def stops_to_look_at(self, positions: Float64Array, velocities: Float64Array,
                         lengths: Float64Array) -> NDArray[np.intp]:
        """Return the knots at which a stop is not known to be free without looking at it.

        A stop is free where no pair is so near that its way could close the clearance.

        Args:
            positions: K knots, shape (K, N), [rad].
            velocities: shape (K, N), [rad/s].
            lengths: length of every joint's path in the stop from each knot, shape (K, N), [rad].
        """
        if not len(self._model.pairs) or not len(positions):
            return np.empty(0, np.intp)
        nodes = np.arange(0, len(positions), _STRIDE)
        of = np.arange(len(positions)) // _STRIDE
        whole = self._whole(velocities)
        change = (whole - whole[nodes[of]] + lengths) @ self._model.reach.T
        placement = self._model.place(positions[nodes])
        pairs = self._model.near_pairs(placement, change.max(axis=0))
        if not len(pairs):
            return np.empty(0, np.intp)
        clearance = self._model.clearances(placement, pairs)
        return np.flatnonzero((clearance[of] <= change[:, pairs]).any(axis=1))

    def _whole(self, velocities: Float64Array) -> Float64Array:
        """Return at least the length of each joint's path up to each knot, (K, N), [rad]."""
        return np.concatenate([np.zeros((1, velocities.shape[1])), np.cumsum(
            np.abs(velocities[:-1]) + np.abs(velocities[1:]), axis=0)]) * (0.5 * self._step_s)

    def _poses(self, positions: Float64Array, velocities: Float64Array,
               nodes: Float64Array) -> Float64Array:
        """Return poses at fractions of knots, on the parabolas."""
        row = np.minimum(nodes.astype(np.intp), len(positions) - 2)
        share = (nodes - row)[:, None] * self._step_s
        bend = (velocities[row + 1] - velocities[row]) / (2.0 * self._step_s)
        poses: Float64Array = positions[row] + share * (velocities[row] + share * bend)
        return poses

    def _length(self, velocities: Float64Array, whole: Float64Array,
                ways: Float64Array) -> Float64Array:
        """Return at least the length of every joint's path on each way, shape (W, N), [rad].

        The speed of a joint is convex on each interval, so the trapezoid is above its integral.
        """
        begin, end = ways.T
        row = np.minimum(begin.astype(np.intp), len(velocities) - 2)
        inside = np.flatnonzero(end - begin < 1.0)
        length: Float64Array = whole[end.astype(np.intp)] - whole[begin.astype(np.intp)]
        if len(inside):
            row, leave = row[inside], (begin[inside] - row[inside])[:, None]
            change = velocities[row + 1] - velocities[row]
            arrive = (end[inside] - row)[:, None]
            speeds = (np.abs(velocities[row] + leave * change)
                      + np.abs(velocities[row] + arrive * change))
            length[inside] = 0.5 * self._step_s * (arrive - leave) * speeds
        return length
