"""What campaigns are judged by: the judge of motion sees each fault, the clock counts computing.

Quick, so part of ``make test``.
"""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'motion'))
sys.path.insert(0, str(Path(__file__).parent))
from motion_judge import Findings, LOOK_NS, MotionJudge
from safety_world import layer_of
from speeches import PACKET, RATE_HZ, speech_of
from virtual_clock import VirtualClock, VirtualLatency

from gesture_node.motion.trajectory import TrajectoryMessage

PROFILE, LAYER = layer_of('humanoid')
LIMITS = LAYER.limiter().limits
STEP_NS, BEGIN_NS = 20_000_000, 1_000_000_000_000
REST = np.clip(PROFILE.rest_positions, LIMITS.lower, LIMITS.upper)


def wave(knots: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return allowed motion of the head from rest to rest, the first knot included."""
    limiter, targets = LAYER.limiter(), np.tile(REST, (knots, 1))
    head = PROFILE.joint_names.index(PROFILE.head.joints[0])
    targets[:, head] += 0.1 * np.sin(np.arange(knots) / 8)
    motion = limiter.follow(limiter.rest_state(REST), targets)
    whole = motion.then(limiter.brake(motion.state))
    still = np.zeros((1, len(REST)))
    return (np.concatenate([REST[None], whole.positions]),
            np.concatenate([still, whole.velocities]))


def message(positions: np.ndarray, velocities: np.ndarray, first: int = 0) -> TrajectoryMessage:
    times = tuple(STEP_NS * knot for knot in range(len(positions) - first))
    return TrajectoryMessage(PROFILE.joint_names, BEGIN_NS + STEP_NS * first, times,
                             positions[first:], velocities[first:])


def judged(*messages: tuple[TrajectoryMessage, int]) -> Findings:
    """Return what the judge finds in messages that arrive so long after the beginning [ns]."""
    judge = MotionJudge(LIMITS, PROFILE.limits, LAYER.guard, REST, BEGIN_NS)
    for item, after_ns in messages:
        judge.receive(item, BEGIN_NS + after_ns)
    return judge.finish(BEGIN_NS + 3_000_000_000)


def test_allowed_motion_that_is_said_twice_passes() -> None:
    positions, velocities = wave()
    found = judged((message(positions, velocities), 0),
                   (message(positions, velocities, first=7), 7 * STEP_NS + 3_000_000))
    assert not found.any() and str(found) == '0'


@pytest.mark.parametrize('fault', ['position', 'velocity', 'acceleration', 'jerk', 'nonfinite'])
def test_each_fault_is_seen(fault: str) -> None:
    positions, velocities = wave()
    row, joint = 20, 0
    if fault == 'position':
        positions[row:, joint] = LIMITS.upper[joint] + 1e-4
    elif fault == 'velocity':
        velocities[row, joint] = 1.01 * LIMITS.velocity[joint]
    elif fault == 'acceleration':
        velocities[row, joint] += 1.01 * LIMITS.acceleration[joint] * 0.02
    elif fault == 'jerk':
        velocities[row, joint] += 0.6 * LIMITS.jerk[joint] * 0.02 ** 2
    else:
        velocities[row, joint] = np.nan
    assert getattr(judged((message(positions, velocities), 0)), fault) > 0


def test_a_plan_that_does_not_go_on_from_the_one_before_is_a_jump() -> None:
    positions, velocities = wave()
    other = positions.copy()
    other[:, 0] += 1e-4
    found = judged((message(positions, velocities), 0),
                   (message(other, velocities, first=10), 10 * STEP_NS + 5_000_000))
    assert found.jump == 1


def test_hands_inside_the_body_are_seen() -> None:
    random = np.random.default_rng(3)
    poses = random.uniform(LIMITS.lower, LIMITS.upper, (200, len(REST)))
    touching = poses[LAYER.guard.clearance(poses) < -0.01][0]
    line = REST + np.linspace(0.0, 1.0, 100)[:, None] * (touching - REST)
    assert judged((message(line, np.zeros_like(line)), 0)).collision > 0


def test_the_clock_counts_computing_and_nothing_else() -> None:
    clock = VirtualClock(5 * LOOK_NS)
    latency = VirtualLatency(clock)
    with clock.computing():
        with latency.measure('sum'):
            np.sort(np.random.default_rng(0).random(200_000))
        spent_ns = clock.now_ns()
        with clock.elsewhere(7):
            assert clock.now_ns() == 7
            np.sort(np.random.default_rng(0).random(200_000))
        beside_ns = clock.now_ns() - spent_ns
        clock.charge(3 * LOOK_NS)
    assert spent_ns > 5 * LOOK_NS and latency.latest()['sum'] > 0.0
    assert beside_ns < spent_ns - 5 * LOOK_NS
    end_ns = clock.now_ns()
    assert end_ns == clock.now_ns() and end_ns >= spent_ns + 3 * LOOK_NS
    clock.move_to(0)
    assert clock.now_ns() == end_ns


def test_speech_is_packets_in_time_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('DATA', raising=False)
    speech = speech_of(2.0)
    times = np.array([at_s for at_s, _ in speech.packets])
    steps = np.diff(times)
    assert {len(samples) for _, samples in speech.packets} == {PACKET}
    assert np.isclose(steps.min(), PACKET / RATE_HZ) and steps.max() > 5.0
    assert 60.0 < speech.spoken_s < 120.0 and 100.0 < speech.duration_s < 120.0
