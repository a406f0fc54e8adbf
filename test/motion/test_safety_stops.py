"""A stop, and the way back to rest, keep links apart wherever in a hop they begin."""
from __future__ import annotations

import os
from pathlib import Path
import sys

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from safety_world import (
    committed_violations,
    dense,
    hand_points,
    HOP,
    layer_of,
    LOOKS,
    play,
    ROBOTS,
    STEP_S,
    TAIL,
    wishes,
)

from gesture_node.dialogue.retraction import retraction
from gesture_node.motion.limits import MotionLimiter
from gesture_node.motion.safety_report import Interventions
from gesture_node.motion.trajectory import TrajectoryPlan
from gesture_node.timeline import KNOT_RATE_HZ
from gesture_node.types import JointChunk

FEW = ('humanoid', 'nao', 'unitree_g1')
HOPS, KNOTS = 6, 2 * HOP
MS = 1_000_000
HOME_RAD = 2e-3
SOAK_TRIALS = int(os.environ.get('SOAK_STOPS', '40'))


def moved(name: str, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and velocities of hostile motion as committed, (1 + K, N) each."""
    profile, layer = layer_of(name)
    wanted = wishes(kind, np.random.default_rng(seed), HOPS * HOP + TAIL, profile)
    positions, velocities, _ = play(layer, profile, wanted, Interventions())
    return positions, velocities


def plan_under_way(name: str, kind: str, seed: int) -> tuple[TrajectoryPlan, int]:
    """Return the plan of a robot in hostile motion, and a time inside its last hop [ns]."""
    profile, layer = layer_of(name)
    random = np.random.default_rng(seed)
    wanted = wishes(kind, random, HOPS * HOP + TAIL, profile)
    limits = layer.limiter().limits
    start = np.clip(profile.rest_positions, limits.lower, limits.upper)
    state = layer.at_rest(start, start, is_measured=False)
    plan, hops = TrajectoryPlan(profile.joint_names, KNOT_RATE_HZ, 0.06), HOPS
    for hop in range(hops):
        rows = wanted[hop * HOP:hop * HOP + HOP + TAIL]
        moved = layer.step(state, rows, HOP, Interventions())
        state, whole = moved.state, moved.committed.then(moved.ahead)
        plan.extend(JointChunk(profile.joint_names, hop * KNOTS, whole.positions,
                               whole.velocities, whole.accelerations, KNOTS, KNOT_RATE_HZ),
                    1_000 * MS, (800 + 200 * hop) * MS)
    return plan, (800 + 200 * hops + int(random.integers(0, 180))) * MS


def check_stops(name: str, kind: str, seed: int) -> None:
    _, layer = layer_of(name)
    limiter = layer.limiter()
    positions, velocities = moved(name, kind, seed)
    steps = np.diff(velocities, axis=0, prepend=velocities[:1]) * KNOT_RATE_HZ
    for row in np.random.default_rng(seed).choice(len(positions), 12, replace=False):
        stop = limiter.brake(limiter.moving_state(positions[row], velocities[row], steps[row]))
        whole = (np.concatenate([positions[row:row + 1], stop.positions]),
                 np.concatenate([velocities[row:row + 1], stop.velocities]))
        found = committed_violations(*whole, limiter.limits, layer.guard)
        assert not any(found.values()), f'{name} {kind} {seed}, knot {row}: {found}'


def check_retraction(name: str, kind: str, seed: int) -> bool:
    """Check a way back to rest; return whether the robot came there."""
    profile, layer = layer_of(name)
    limiter = layer.limiter()
    plan, now_ns = plan_under_way(name, kind, seed)
    goal = np.clip(profile.rest_positions, limiter.limits.lower, limiter.limits.upper)
    plan.lead(now_ns, limiter, lambda brake: retraction(
        brake, goal, limiter.limits, limiter.rate_hz))
    message = plan.message(now_ns)
    assert message is not None
    found = committed_violations(message.positions, message.velocities, limiter.limits,
                                 layer.guard)
    assert not any(found.values()), f'{name} {kind} {seed}: {found}'
    assert not message.velocities[-1].any()
    return bool(np.abs(message.positions[-1] - goal).max() < HOME_RAD)


@pytest.mark.parametrize('name', FEW)
@pytest.mark.parametrize('kind', ['sweeps', 'resonance'])
def test_a_stop_is_free_at_every_knot(name: str, kind: str) -> None:
    check_stops(name, kind, 0)


@pytest.mark.parametrize('name', FEW)
def test_the_way_back_to_rest_is_free_and_gets_there(name: str) -> None:
    assert sum(check_retraction(name, 'sweeps', seed) for seed in range(2)) == 2


def test_joints_that_are_given_up_stop_no_other_link_short() -> None:
    """One arm brakes while the other goes on as planned, or both brake: they never meet."""
    profile, layer = layer_of('humanoid')
    limiter = layer.limiter()
    columns = [profile.joint_names.index(name) for name in profile.arms[0].joints]
    for seed in range(3):
        plan, now_ns = plan_under_way('humanoid', 'sweeps', seed)
        rest = plan.brake_joints(now_ns, limiter, columns)
        message = plan.message(now_ns)
        assert message is not None
        found = committed_violations(message.positions, message.velocities, limiter.limits,
                                     layer.guard)
        assert not any(found.values()), found
        assert np.array_equal(message.positions[-1][columns], rest)


class _Crowded(MotionLimiter):
    """A limiter that lets nothing but a stop of all joints through."""

    def allows(self, positions: np.ndarray, velocities: np.ndarray) -> bool:
        return False


def test_where_others_would_run_into_joints_given_up_all_brake() -> None:
    profile, layer = layer_of('humanoid')
    limits = layer.limiter().limits
    plans = {}
    for kind in (MotionLimiter, _Crowded):
        plan, now_ns = plan_under_way('humanoid', 'sweeps', 1)
        plan.brake_joints(now_ns, kind(limits), [0])
        plans[kind] = plan
    stopped = plans[_Crowded].state(now_ns + 400 * MS)
    going = plans[MotionLimiter].state(now_ns + 400 * MS)
    assert np.abs(stopped.positions - going.positions).max() > 0.01
    assert plans[_Crowded].end_ns == plans[MotionLimiter].end_ns


def test_stops_of_many_knots_are_those_of_each() -> None:
    _, layer = layer_of('nao')
    limiter = layer.limiter()
    positions, velocities = moved('nao', 'walk', 1)
    steps = np.diff(velocities, axis=0, prepend=velocities[:1]) * KNOT_RATE_HZ
    stops, speeds = limiter.brakes(positions, velocities, steps)
    lengths = limiter.brake_lengths(velocities, steps)
    for row in (3, 17, 40):
        one = limiter.brake(limiter.moving_state(positions[row], velocities[row], steps[row]))
        count = len(one.positions)
        assert np.allclose(stops[row, 1:count + 1], one.positions, atol=1e-12)
        assert np.allclose(stops[row, count:], one.positions[-1], atol=1e-12)
        assert not speeds[row, count:].any()
    # Inside knots the speed is linear, so its absolute value is below the trapezoid.
    way = 0.5 / KNOT_RATE_HZ * (np.abs(speeds[:, :-1]) + np.abs(speeds[:, 1:])).sum(axis=1)
    least = np.abs(np.diff(stops, axis=1)).sum(axis=1)
    assert (lengths <= way + 1e-9).all() and (lengths >= least - 1e-9).all()


def fastest_hand(name: str, positions: np.ndarray, velocities: np.ndarray) -> float:
    """Return the speed of the fastest point of the hands on some knots' cubics [m/s]."""
    profile, layer = layer_of(name)
    points = np.stack([hand_points(profile, layer.guard, poses)
                       for poses in dense(positions, velocities)[0]])
    return float(np.linalg.norm(np.diff(points, axis=1), axis=-1).max() / (STEP_S / LOOKS))


@pytest.mark.parametrize(('name', 'kind'), [('humanoid', 'resonance'), ('nao', 'noise')])
def test_hands_keep_the_cap_in_a_stop_at_any_knot(name: str, kind: str) -> None:
    profile, layer = layer_of(name)
    limiter, cap_m_s = layer.limiter(), 0.5
    wanted = wishes(kind, np.random.default_rng(4), 6 * HOP + TAIL, profile)
    positions, velocities, _ = play(layer, profile, wanted, Interventions(), cap_m_s)
    steps = np.diff(velocities, axis=0) * KNOT_RATE_HZ
    stops = limiter.brakes(positions[1:], velocities[1:], steps)
    speeds = [fastest_hand(name, *stop) for stop in zip(*stops)]
    assert 0.5 * cap_m_s < max(speeds) <= cap_m_s


def cancelling(name: str, start: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return velocities of an arm whose joints move a hand against each other [rad/s]."""
    profile, layer = layer_of(name)
    columns = [profile.joint_names.index(joint) for joint in profile.arms[0].joints]
    poses = np.tile(start, (len(columns) + 1, 1))
    poses[range(1, len(columns) + 1), columns] += 1e-4
    points = hand_points(profile, layer.guard, poses).reshape(len(poses), -1)
    jacobian = (points[1:] - points[0]).T / 1e-4
    still = np.linalg.svd(jacobian)[2][-2:]
    velocity = np.zeros(len(start))
    velocity[columns] = random.normal(0.0, 0.2, len(columns)) + 2.0 * random.normal(size=2) @ still
    return velocity


def test_motion_whose_stop_would_move_hands_too_fast_is_not_allowed() -> None:
    """Joints that move against each other do not stop together, so a stop may be the faster."""
    profile, layer = layer_of('humanoid')
    random, cap_m_s, only_stops = np.random.default_rng(0), 0.3, 0
    free, capped = layer.limiter(), layer.limiter(cap_m_s)
    rest = np.array(profile.rest_positions)
    columns = [profile.joint_names.index(name) for name in profile.arms[0].joints]
    for _ in range(40):
        start = rest.copy()
        start[columns] += random.uniform(-0.3, 0.3, len(columns))
        velocities = np.tile(cancelling('humanoid', start, random), (4, 1))
        velocities *= 0.95 * cap_m_s / fastest_hand(
            'humanoid', start + np.arange(4)[:, None] * STEP_S * velocities, velocities)
        positions = start + np.arange(4)[:, None] * STEP_S * velocities
        stops = free.brakes(positions[1:], velocities[1:], np.zeros((3, len(rest))))
        fastest = max(fastest_hand('humanoid', *stop) for stop in zip(*stops))
        only_stops += fastest > cap_m_s >= fastest_hand('humanoid', positions, velocities)
        assert fastest <= cap_m_s or not capped.allows(positions, velocities)
    assert only_stops > 3
    assert capped.allows(np.tile(rest, (4, 1)), np.zeros((4, len(rest))))


@pytest.mark.soak
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize('name', ROBOTS)
def test_stops_and_ways_back_of_every_robot(name: str) -> None:
    home = []
    for seed in range(SOAK_TRIALS):
        kind = ('sweeps', 'steps', 'walk', 'resonance')[seed % 4]
        check_stops(name, kind, seed)
        home.append(check_retraction(name, kind, seed))
    print(f'\n{name}: {sum(home)} of {len(home)} ways back came to rest pose')
    assert np.mean(home) > 0.8
