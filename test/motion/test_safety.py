"""The contract of the safety layer, on a sample for every robot; ``make soak`` does all of it."""
from __future__ import annotations

from pathlib import Path
import sys

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from safety_world import (
    committed_violations,
    dense,
    hand_points,
    HOP,
    KINDS,
    layer_of,
    play,
    ROBOTS,
    STEP_S,
    TAIL,
    violations,
    wishes,
)

from gesture_node.config import LimitsConfig
from gesture_node.exceptions import RobotError
from gesture_node.motion.safety import SafetyLayer
from gesture_node.motion.safety_report import Interventions


def gesture(profile, frames: int, size_rad: float = 0.5) -> np.ndarray:
    """Return a lively but ordinary gesture of the arms from rest."""
    time_s = np.arange(frames)[:, None] / 25
    names = profile.joint_names
    wanted = np.tile(profile.rest_positions, (frames, 1))
    for row, arm in enumerate(profile.arms):
        elbow = names.index(arm.joints[3])
        middle = 0.5 * (profile.limits.lower + profile.limits.upper)[elbow]
        sway = 0.5 - 0.5 * np.cos(2 * np.pi * (0.8 + 0.1 * row) * time_s[:, 0])
        wanted[:, elbow] += np.sign(middle - wanted[0, elbow]) * size_rad * sway
    return wanted


@pytest.mark.parametrize('robot', ROBOTS)
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(KINDS), st.integers(0, 2 ** 32 - 1))
def test_whatever_is_asked_for_the_contract_holds(robot: str, kind: str, seed: int) -> None:
    profile, layer = layer_of(robot)
    limits, counts = layer.limiter().limits, Interventions()
    wanted = wishes(kind, np.random.default_rng(seed), 2 * HOP + TAIL, profile)
    positions, velocities, ends = play(layer, profile, wanted, counts)
    assert not any(committed_violations(positions, velocities, limits, layer.guard).values())
    assert not any(violations(*ends[-1], limits, layer.guard).values())
    assert counts.knots == 2 * HOP * len(ends)


@pytest.mark.parametrize('kind', ['steps', 'broken', 'resonance'])
def test_every_provisional_end_is_safe_too(kind: str) -> None:
    profile, layer = layer_of('unitree_g1')
    wanted = wishes(kind, np.random.default_rng(7), 8 * HOP + TAIL, profile)
    _, _, ends = play(layer, profile, wanted, Interventions())
    for positions, velocities in ends:
        found = violations(positions, velocities, layer.limiter().limits, layer.guard)
        assert not any(found.values()), found


def test_the_judge_sees_each_kind_of_violation() -> None:
    profile, layer = layer_of('humanoid')
    limits = layer.limiter().limits
    rest = np.tile(profile.rest_positions, (6, 1))
    still = np.zeros_like(rest)

    def judged(positions: np.ndarray, velocities: np.ndarray = still) -> dict[str, int]:
        return violations(positions, velocities, limits, layer.guard)

    assert not any(judged(rest).values())
    beyond = rest.copy()
    beyond[:, 0] = limits.upper[0] + 0.01
    assert judged(beyond)['position'] == 5 * 21
    jump = rest.copy()
    jump[3:, 0] += 0.1
    found = judged(jump)
    assert found['velocity'] and found['acceleration'] and found['jerk']
    assert judged(rest, np.full_like(rest, 0.1))['unfinished'] == 1
    into = rest.copy()
    into[:, profile.joint_names.index('left_shoulder_roll')] = (
        profile.limits.lower[profile.joint_names.index('left_shoulder_roll')])
    into[:, profile.joint_names.index('left_shoulder_yaw')] = -1.5
    into[:, profile.joint_names.index('left_elbow')] = 1.9
    assert judged(into)['collision'] > 0 or layer.guard.clearance(into).min() > 0.0


def test_links_pass_each_other_only_where_there_is_room() -> None:
    profile, layer = layer_of('humanoid')
    plain = layer.limiter().limits
    wanted = wishes('sweeps', np.random.default_rng(3), 12 * HOP + TAIL, profile)
    from gesture_node.motion.limits import MotionLimiter
    from gesture_node.motion.safety import to_knots
    alone = MotionLimiter(plain)
    free = alone.follow(alone.rest_state(profile.rest_positions), to_knots(wanted))
    assert layer.guard.audit(free.positions) > 0
    counts = Interventions()
    positions, velocities, _ = play(layer, profile, wanted, counts)
    assert layer.guard.audit(dense(positions, velocities)[0].reshape(-1, len(plain.lower))) == 0
    assert counts.collision_frames > 0 and np.abs(velocities).max() > 0.1


@pytest.mark.parametrize(('robot', 'kind'), [('humanoid', 'noise'), ('nao', 'sweeps')])
def test_wrists_never_leave_the_workspace(robot: str, kind: str) -> None:
    profile, free = layer_of(robot)
    model = free.guard.model
    rest = model.place(profile.rest_positions[None])
    wrist = rest.starts[0, model.wrists]
    reach, height = np.hypot(wrist[:, 0], wrist[:, 1]).max() + 0.04, wrist[:, 2].max() + 0.1
    # The humanoid's and NAO's pelvis frames have their origin at the root and z up.
    layer = SafetyLayer(profile, LimitsConfig(hand_reach_m=reach, hand_height_m=height))
    wanted = wishes(kind, np.random.default_rng(5), 5 * HOP + TAIL, profile)
    found = {}
    for name, tried in (('free', free), ('walled', layer)):
        positions, velocities, _ = play(tried, profile, wanted, Interventions())
        poses = dense(positions, velocities)[0].reshape(-1, positions.shape[1])
        places = model.place(poses).starts[:, model.wrists]
        found[name] = (np.hypot(places[..., 0], places[..., 1]).max() - reach,
                       places[..., 2].max() - height, np.abs(velocities).max())
    assert max(found['free'][:2]) > 0.02
    assert max(found['walled'][:2]) <= 0.0 and found['walled'][2] > 0.05


def test_a_wall_inside_the_resting_hands_is_refused() -> None:
    profile, _ = layer_of('humanoid')
    with pytest.raises(RobotError, match=r'limits.hand_reach_m is 0.1 m, but a hand at rest'):
        SafetyLayer(profile, LimitsConfig(hand_reach_m=0.1))


@pytest.mark.parametrize('cap_m_s', [0.1, 0.5])
def test_hands_never_move_faster_than_the_cap(cap_m_s: float) -> None:
    profile, layer = layer_of('humanoid')
    counts = Interventions()
    wanted = np.concatenate([gesture(profile, 40, 1.2), wishes(
        'steps', np.random.default_rng(1), 40, profile)])
    positions, velocities, ends = play(layer, profile, wanted, counts, cap_m_s)
    for knots, speeds in ((positions, velocities), *ends[::5]):
        poses = dense(knots, speeds)[0]
        points = np.stack([hand_points(profile, layer.guard, each) for each in poses])
        fastest = np.linalg.norm(np.diff(points, axis=1), axis=-1).max() / (STEP_S / 20)
        assert fastest <= cap_m_s
    assert counts.slowed_knots > 0
    assert not any(committed_violations(positions, velocities, layer.limiter().limits,
                                        layer.guard).values())
    # It moves on, at a fair part of the cap.
    points = hand_points(profile, layer.guard, positions)
    assert np.linalg.norm(np.diff(points, axis=0), axis=-1).max() / STEP_S > 0.5 * cap_m_s


def test_a_cap_that_comes_in_the_middle_slows_hands_down_smoothly() -> None:
    profile, layer = layer_of('humanoid')
    wanted = wishes('sweeps', np.random.default_rng(2), 90, profile)
    hops = len(wanted)
    caps = np.where(np.arange(hops) < 7, 10.0, 0.3)
    positions, velocities, _ = play(layer, profile, wanted, Interventions(), caps)
    assert not any(committed_violations(positions, velocities, layer.limiter().limits,
                                        layer.guard).values())
    points = hand_points(profile, layer.guard, positions)
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1).max(axis=1) / STEP_S
    change = 7 * 2 * HOP
    assert speed[change - 10:change].max() > 0.5 and speed[change + 25:].max() <= 0.3
    assert speed[change + 25:].max() > 0.1


def test_a_cap_leaves_slow_hands_alone() -> None:
    profile, layer = layer_of('humanoid')
    wanted = gesture(profile, 50, 0.05)
    free, _, _ = play(layer, profile, wanted, Interventions())
    counts = Interventions()
    capped, _, _ = play(layer, profile, wanted, counts, 1.0)
    assert np.abs(free - capped).max() < 0.002 and counts.slowed_knots == 0


def test_a_scale_scales_velocity_acceleration_and_jerk() -> None:
    profile, _ = layer_of('nao')
    layer = SafetyLayer(profile, LimitsConfig(scale=0.5, velocity_scale=0.8))
    limits = layer.limiter().limits
    assert np.allclose(limits.velocity, 0.4 * profile.limits.velocity)
    assert np.allclose(limits.acceleration, 0.5 * profile.limits.acceleration)
    assert np.allclose(limits.jerk, 0.5 * profile.limits.jerk)
    wanted = wishes('resonance', np.random.default_rng(2), 4 * HOP + TAIL, profile)
    positions, velocities, _ = play(layer, profile, wanted, Interventions())
    assert not any(committed_violations(positions, velocities, limits, layer.guard).values())
    assert (np.abs(velocities).max(axis=0) > 0.3 * profile.limits.velocity).any()


def test_calm_motion_is_hardly_changed() -> None:
    profile, layer = layer_of('humanoid')
    counts = Interventions()
    play(layer, profile, gesture(profile, 70, 0.3), counts)
    assert counts.max_change_rad < 0.02 and counts.collision_frames == 0
    assert counts.nonfinite == counts.slowed_knots == counts.braked_knots == 0


def test_what_was_changed_is_counted() -> None:
    profile, layer = layer_of('humanoid')
    counts = Interventions()
    play(layer, profile, wishes('broken', np.random.default_rng(4), 60, profile), counts)
    assert counts.nonfinite > 50 and counts.jerk > 0 and counts.velocity > 0
    assert 0.0 < counts.mean_change_rad < counts.max_change_rad
    assert 0 < counts.limited_knots <= counts.knots


def test_late_chunks_keep_links_apart_as_well() -> None:
    profile, layer = layer_of('humanoid')
    limiter = layer.limiter()
    targets = wishes('sweeps', np.random.default_rng(3), 120, profile)
    state, poses = limiter.rest_state(profile.rest_positions), []
    for row in range(0, 120, 15):
        motion = limiter.follow(state, targets[row:row + 15])
        state = motion.state
        poses += [motion.positions, limiter.brake(state).positions]
    assert layer.guard.audit(np.concatenate(poses)) == 0
