"""Idle motion: breathing, sway, posture shifts and a wandering head, within a motion budget.

Every joint of the skeleton turns away from the idle pose by a rotation vector whose length is at
most the budget, at every instant: breathing and sway take a part of it, posture shifts and the
head's wandering the rest. Figures: people at rest breathe 12 to 16 times a minute, sway at about
0.3 Hz, and shift their posture every 20 to 90 s (sources: ``docs/dialogue.md``).

Motion is a function of the seed and the absolute frame alone. Shifts and glances are drawn slot by
slot, each slot from a generator of its own, so any frame can be asked for in any order.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..motion.courses import minimum_jerk
from ..motion.rotations import matrix_from_rotvec
from ..motion.skeleton import JOINT_INDEX, pack_pose, unpack_pose
from ..types import Float64Array

_BREATH_HZ, _BREATH_SPREAD_HZ = 0.23, 0.03
_SWAY_HZ = (0.083, 0.137, 0.29)
_SHIFT_SLOT_S, _SHIFT_S = 45.0, (1.8, 3.0)
_GLANCE_SLOT_S, _GLANCE_S = 7.0, (0.6, 1.1)
_HALF_TURN = 2.0 * np.pi

_BREATH: dict[str, tuple[float, float, float]] = {
    'chest': (0.0, -0.30, 0.0), 'spine': (0.0, 0.08, 0.0), 'neck': (0.0, 0.12, 0.0),
    'left_clavicle': (0.25, 0.0, 0.0), 'right_clavicle': (-0.25, 0.0, 0.0),
    'left_shoulder': (0.12, 0.0, 0.0), 'right_shoulder': (-0.12, 0.0, 0.0)}
"""Rotation vectors at full inhalation, in shares of the budget (x forward, y left, z up)."""
_SWAY: dict[str, tuple[float, float, float]] = {
    'spine': (0.10, 0.10, 0.05), 'chest': (0.05, 0.05, 0.05), 'head': (0.08, 0.10, 0.10),
    'left_elbow': (0.0, -0.15, 0.05), 'right_elbow': (0.0, -0.15, -0.05)}
_SHIFT: dict[str, tuple[float, float, float]] = {
    'spine': (0.40, 0.20, 0.30), 'chest': (0.20, 0.15, 0.25), 'neck': (0.15, 0.10, 0.20),
    'left_shoulder': (0.25, 0.30, 0.0), 'right_shoulder': (0.25, 0.30, 0.0),
    'left_elbow': (0.0, 0.45, 0.0), 'right_elbow': (0.0, 0.45, 0.0)}
_GLANCE: dict[str, tuple[float, float, float]] = {
    'head': (0.10, 0.30, 0.50), 'neck': (0.0, 0.10, 0.25)}


def _table(shares: dict[str, tuple[float, float, float]]) -> Float64Array:
    """Return rotation vectors of all joints, shape (12, 3)."""
    table = np.zeros((len(JOINT_INDEX), 3))
    for name, vector in shares.items():
        table[JOINT_INDEX[name]] = vector
    return table


_TABLES = {name: _table(shares) for name, shares in (
    ('breath', _BREATH), ('sway', _SWAY), ('shift', _SHIFT), ('glance', _GLANCE))}
_REACH = sum(np.linalg.norm(table, axis=1) for table in _TABLES.values())
_SCALE = 1.0 / np.maximum(_REACH, 1.0)[:, None]
"""Keeps every joint within the budget even when all parts of its motion add up."""


@dataclass(frozen=True, slots=True)
class _Wander:
    """A posture that is kept for a slot of time and then changes.

    Args:
        seed: of the draws.
        salt: tells this wandering from others of the same seed.
        slot_s: mean time between changes [s].
        span_s: shortest and longest change [s].
    """

    seed: int
    salt: int
    slot_s: float
    span_s: tuple[float, float]

    def at(self, time_s: Float64Array) -> Float64Array:
        """Return directions, shape (T, 12, 3), each number in [-1, 1]."""
        slots = np.floor(time_s / self.slot_s).astype(int)
        result = np.empty((len(time_s), len(JOINT_INDEX), 3))
        for slot in np.unique(slots):
            rows = slots == slot
            start_s, span_s, after = _drawn(self, int(slot))
            before = _drawn(self, int(slot) - 1)[2]
            share = minimum_jerk((time_s[rows] - slot * self.slot_s - start_s) / span_s)
            result[rows] = before + share[:, None, None] * (after - before)
        return result


@lru_cache(maxsize=256)
def _drawn(wander: _Wander, slot: int) -> tuple[float, float, Float64Array]:
    """Return when in its slot a change begins [s], how long it takes [s], and where it leads."""
    random = np.random.default_rng((wander.seed, wander.salt, slot + 2 ** 31))
    span_s = float(random.uniform(*wander.span_s))
    start_s = float(random.uniform(0.0, wander.slot_s - span_s))
    common = random.uniform(-1.0, 1.0, 3)
    own = random.uniform(-1.0, 1.0, (len(JOINT_INDEX), 3))
    return start_s, span_s, 0.6 * common + 0.4 * own


class IdleMotion:
    """Small motion about the idle pose.

    Args:
        seed: of everything drawn.
        budget_rad: largest turn of a joint away from the idle pose [rad]; 0 is perfectly still.
        rate_hz: frames per second.
    """

    def __init__(self, seed: int, budget_rad: float, rate_hz: int) -> None:
        self.budget_rad = budget_rad
        self._rate_hz = rate_hz
        random = np.random.default_rng((seed, 1_201))
        self._breath_hz = _BREATH_HZ + _BREATH_SPREAD_HZ * random.uniform(-1.0, 1.0)
        self._sway_hz = np.array(_SWAY_HZ) * random.uniform(0.9, 1.1, 3)
        self._phases = random.uniform(0.0, _HALF_TURN, 4)
        self._shifts = _Wander(seed, 1_213, _SHIFT_SLOT_S, _SHIFT_S)
        self._glances = _Wander(seed, 1_217, _GLANCE_SLOT_S, _GLANCE_S)

    def rotation_vectors(self, first_frame: int, count: int) -> Float64Array:
        """Return turns of the joints, shape (T, 12, 3), [rad], at most the budget long."""
        time_s = (first_frame + np.arange(count)) / self._rate_hz
        breath = self._breath(time_s)[:, None, None] * _TABLES['breath']
        sway = np.sin(_HALF_TURN * self._sway_hz * time_s[:, None] + self._phases[1:])
        wander = (breath + sway[:, None, :] * _TABLES['sway']
                  + self._shifts.at(time_s) * _TABLES['shift']
                  + self._glances.at(time_s) * _TABLES['glance'])
        return np.asarray(self.budget_rad * _SCALE * wander)

    def _breath(self, time_s: Float64Array) -> Float64Array:
        """Return how far the chest is filled, -1 to 1; breathing in takes 40 % of the cycle."""
        cycle = (self._breath_hz * time_s + self._phases[0] / _HALF_TURN) % 1.0
        rising = 0.5 - 0.5 * np.cos(np.pi * np.clip(cycle / 0.4, 0.0, 1.0))
        falling = 0.5 + 0.5 * np.cos(np.pi * np.clip((cycle - 0.4) / 0.6, 0.0, 1.0))
        return np.asarray(2.0 * np.where(cycle < 0.4, rising, falling) - 1.0)


def turned(pose: Float64Array, parts: Sequence[Float64Array]) -> Float64Array:
    """Return poses ``(T, 84)``: a pose whose joints are turned on by summed rotation vectors.

    Args:
        pose: shape (84,).
        parts: rotation vectors, each of shape (T, 12, 3), [rad], in the frame of each joint.
    """
    rotations, fingers = unpack_pose(pose)
    vectors = sum(parts[1:], start=parts[0])
    turned_by = rotations @ matrix_from_rotvec(vectors)
    return np.asarray(pack_pose(turned_by, np.repeat(fingers[None], len(vectors), axis=0)))
