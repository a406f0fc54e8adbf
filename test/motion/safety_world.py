"""What tests of the safety layer share: hostile wishes, and a judge that knows only the knots."""
from __future__ import annotations

from functools import lru_cache
import os
from pathlib import Path

import numpy as np

from gesture_node.config import LimitsConfig
from gesture_node.motion.collision import SelfCollisionGuard
from gesture_node.motion.limits import JointLimits
from gesture_node.motion.robot import load_profile, RobotProfile
from gesture_node.motion.safety import SafetyLayer
from gesture_node.motion.safety_report import Interventions

ROOT = Path(__file__).resolve().parents[2]
ROBOTS = tuple(sorted(path.stem for path in (ROOT / 'config' / 'robots').glob('*.yaml')))
CHOSEN = tuple(filter(None, os.environ.get('SOAK_ROBOTS', '').split(','))) or ROBOTS
"""Robots of campaigns."""
KINDS = ('noise', 'steps', 'sweeps', 'walk', 'edges', 'resonance', 'broken', 'huge')
STEP_S, LOOKS = 0.02, 20  # 1 kHz between knots
HOP, TAIL = 5, 15
ROUNDING = 1e-7


@lru_cache
def layer_of(robot: str) -> tuple[RobotProfile, SafetyLayer]:
    profile = load_profile(robot)
    return profile, SafetyLayer(profile, LimitsConfig())


def wishes(kind: str, random: np.random.Generator, frames: int,
           profile: RobotProfile) -> np.ndarray:
    """Return joint positions at 25 Hz that a broken or malicious source might ask for."""
    limits = profile.limits
    shape = (frames, len(profile.joint_names))
    middle, half = 0.5 * (limits.lower + limits.upper), 0.5 * (limits.upper - limits.lower)
    inside = random.uniform(limits.lower, limits.upper, shape)
    if kind == 'noise':
        return profile.rest_positions + half * random.normal(size=shape)
    if kind == 'steps':
        return np.repeat(inside[::12], 12, axis=0)[:frames]
    if kind == 'sweeps':
        every = int(random.integers(8, 30))
        at = np.arange(frames) / every
        goals = random.uniform(limits.lower, limits.upper, (frames // every + 2, shape[1]))
        return np.stack([np.interp(at, np.arange(len(goals)), goal) for goal in goals.T], axis=1)
    if kind == 'walk':
        return profile.rest_positions + np.cumsum(0.05 * half * random.normal(size=shape), axis=0)
    if kind == 'edges':
        side = random.choice([-1.0, 1.0], (frames // 10 + 1, shape[1]))
        return middle + 1.05 * half * np.repeat(side, 10, axis=0)[:frames]
    if kind == 'resonance':
        rate = random.uniform(0.2, 2.5, shape[1])
        return middle + 1.5 * half * np.sign(np.sin(np.arange(frames)[:, None] * rate))
    if kind == 'broken':
        bad = random.choice([np.nan, np.inf, -np.inf], shape)
        return np.where(random.random(shape) < 0.3, bad, inside)
    return inside * random.choice([1.0, 1e300, -1e300], shape)


def play(layer: SafetyLayer, profile: RobotProfile, wanted: np.ndarray, counts: Interventions,
         caps_m_s: float | np.ndarray = 10.0) -> tuple[np.ndarray, np.ndarray, list[tuple]]:
    """Step through wishes hop by hop, and return what was committed and every end.

    Returns:
        Positions and velocities (1 + K, N), the start first, and for each hop the positions and
        velocities of its provisional part, the last committed knot first.
    """
    start = np.clip(profile.rest_positions, *_soft(layer))
    state = layer.at_rest(start, start, is_measured=False)
    positions, velocities, ends = [start[None]], [np.zeros((1, len(start)))], []
    for index, row in enumerate(range(0, len(wanted) - HOP - TAIL + 1, HOP)):
        cap = float(np.broadcast_to(caps_m_s, len(wanted))[index])
        moved = layer.step(state, wanted[row:row + HOP + TAIL], HOP, counts, cap)
        state = moved.state
        positions.append(moved.committed.positions)
        velocities.append(moved.committed.velocities)
        ends.append((np.concatenate([positions[-1][-1:], moved.ahead.positions]),
                     np.concatenate([velocities[-1][-1:], moved.ahead.velocities])))
    return np.concatenate(positions), np.concatenate(velocities), ends


def _soft(layer: SafetyLayer) -> tuple[np.ndarray, np.ndarray]:
    limits = layer.limiter().limits
    return limits.lower, limits.upper


def dense(positions: np.ndarray, velocities: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return positions, velocities and accelerations at 1 kHz on a controller's cubic.

    Each has shape (K, LOOKS + 1, N), both ends of each of the K segments included.
    """
    time_s = np.linspace(0.0, STEP_S, LOOKS + 1)[:, None]
    p0, p1, v0, v1 = (rows[:, None] for rows in (
        positions[:-1], positions[1:], velocities[:-1], velocities[1:]))
    c2 = (3.0 * (p1 - p0) / STEP_S - 2.0 * v0 - v1) / STEP_S
    c3 = (2.0 * (p0 - p1) / STEP_S + v0 + v1) / STEP_S ** 2
    return (p0 + time_s * (v0 + time_s * (c2 + time_s * c3)),
            v0 + time_s * (2.0 * c2 + time_s * 3.0 * c3), 2.0 * c2 + time_s * 6.0 * c3)


def violations(positions: np.ndarray, velocities: np.ndarray, limits: JointLimits,
               guard: SelfCollisionGuard) -> dict[str, int]:
    """Return how many looks at 1 kHz, and steps at knots, break each part of the contract."""
    q, v, a = dense(positions, velocities)
    step = np.abs(a[1:, 0] - a[:-1, -1])
    wild = ~(np.isfinite(q) & np.isfinite(v))
    outside = wild | (q < limits.lower - ROUNDING) | (q > limits.upper + ROUNDING)
    return {
        'position': int(outside.sum()),
        'velocity': int((np.abs(v) > limits.velocity * (1.0 + ROUNDING) + ROUNDING).sum()),
        'acceleration': int((np.abs(a) > limits.acceleration * (1.0 + ROUNDING) + 1e-6).sum()),
        'jerk': int((step > limits.jerk * STEP_S * (1.0 + ROUNDING) + 1e-6).sum()),
        'collision': guard.audit(q[:, :-1].reshape(-1, q.shape[-1])) + guard.audit(q[-1, -1:]),
        'unfinished': int(np.abs(velocities[-1]).max() > 0.0)}


def committed_violations(positions: np.ndarray, velocities: np.ndarray, limits: JointLimits,
                         guard: SelfCollisionGuard) -> dict[str, int]:
    """Return the same for motion that need not end at rest."""
    return violations(positions, velocities, limits, guard) | {'unfinished': 0}


def hand_points(profile: RobotProfile, guard: SelfCollisionGuard,
                poses: np.ndarray) -> np.ndarray:
    """Return the ends of all capsules of hands, shape (T, P, 3), [m], in the root's frame."""
    hands = {link for arm in profile.arms for link in profile.urdf.links
             if arm.joints[-1] in profile.urdf.joints_to(link)}
    rows = [row for row, capsule in enumerate(guard.model.capsules) if capsule.link in hands]
    placement = guard.model.place(poses)
    starts, alongs = placement.starts[:, rows], placement.alongs[:, rows]
    return np.concatenate([starts, starts + alongs], axis=1)
