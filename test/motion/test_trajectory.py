"""Tests of the plan: frozen knots, messages a controller splices without a jolt, late chunks."""
from __future__ import annotations

from pathlib import Path
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from controller_oracle import ControllerOracle
from plan_world import (
    at_knot,
    chunk_of,
    chunks_of,
    Commands,
    EPOCH_NS,
    HOP,
    HOP_NS,
    HORIZON_NS,
    LEAD_NS,
    LIMITER,
    LIMITS,
    Line,
    MS,
    NAMES,
    new_plan,
    play,
    RATE_HZ,
    TAIL,
)

from gesture_node.measures.limit_audit import audit_motion, LimitViolations
from gesture_node.motion.trajectory import TrajectoryPlan
from gesture_node.types import JointChunk


def stream(plan: TrajectoryPlan, count: int, delays_ns: dict[int, int] | None = None
           ) -> list[tuple[int, object]]:
    """Return events that extend the plan chunk by chunk, some of them late."""
    world = {'state': LIMITER.rest_state(np.zeros(3))}

    def extend(index: int, now_ns: int) -> None:
        chunk, world['state'] = chunk_of(world['state'], index * HOP)
        result = plan.extend(chunk, EPOCH_NS, now_ns, LIMITER)
        if result.resume is not None:
            resume = result.resume
            world['state'] = LIMITER.moving_state(resume.positions, resume.velocities,
                                                  resume.accelerations)

    late = delays_ns or {}
    return [(at_knot(index * HOP) - LEAD_NS + late.get(index, 0),
             lambda now_ns, index=index: extend(index, now_ns)) for index in range(count)]


def assert_smooth(commands: Commands, slack: float = 1e-6) -> None:
    """Check steps against velocity x period, and second differences against acceleration."""
    assert (np.abs(commands.speeds()) <= LIMITS.velocity * (1 + slack)).all()
    assert (np.abs(commands.accelerations()) <= LIMITS.acceleration * (1 + slack) + 1e-3).all()


@pytest.mark.parametrize('closed_loop', [True, False])
@pytest.mark.parametrize(('controller_hz', 'loss'), [(100, 0.3), (500, 0.05), (1000, 0.2)])
def test_a_controller_follows_the_stream_without_a_jolt(controller_hz: int, loss: float,
                                                        closed_loop: bool) -> None:
    plan, controller = new_plan(), ControllerOracle(np.zeros(3), closed_loop)
    commands = play(plan, stream(plan, 15), at_knot(15 * HOP + 60), Line(7, loss=loss),
                    controller, controller_hz)
    assert_smooth(commands)
    assert controller.refused == 0 and plan.underruns == 0
    assert np.array_equal(commands.positions[-1], plan.sample(at_knot(15 * HOP + 60))[0])
    assert np.ptp(commands.positions, axis=0).min() > 0.3


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2 ** 16), st.sampled_from([100, 500]))
def test_what_is_commanded_is_the_plan(seed: int, controller_hz: int) -> None:
    plan = new_plan()
    commands = play(plan, stream(plan, 9), at_knot(9 * HOP), Line(seed),
                    ControllerOracle(np.zeros(3)), controller_hz)
    kept = commands.times_ns > at_knot(9 * HOP) - 1_500 * MS
    planned = np.array([plan.sample(int(time_ns))[0] for time_ns in commands.times_ns[kept]])
    assert np.abs(planned - commands.positions[kept]).max() < 1e-9


def test_naive_messages_would_be_caught() -> None:
    """The oracle sees what the plan avoids: positions sent without an anchor in the past."""
    plan, controller = new_plan(), ControllerOracle(np.zeros(3))
    commands = play(plan, stream(plan, 10), at_knot(10 * HOP), Line(7), controller, 500, 'zero')
    assert np.abs(commands.accelerations()).max() > 3 * LIMITS.acceleration.max()


def test_what_is_frozen_never_changes() -> None:
    plan, frozen = new_plan(), {}
    delays_ns = {4: 150 * MS, 7: 700 * MS, 11: 90 * MS}
    events = sorted(stream(plan, 14, delays_ns), key=lambda event: event[0])
    for now_ns in range(at_knot(0) - LEAD_NS, at_knot(14 * HOP), 17 * MS):
        while events and events[0][0] <= now_ns:
            events.pop(0)[1](now_ns)
        message = plan.message(now_ns)
        for row, after_ns in enumerate(message.times_from_start_ns if message else ()):
            knot_ns = message.stamp_ns + after_ns
            values = (*message.positions[row], *message.velocities[row])
            assert frozen.get(knot_ns, values) == values
            if knot_ns <= now_ns + HORIZON_NS:
                frozen[knot_ns] = values
    assert plan.underruns == 3 and len(frozen) > 120
    # What was frozen is what is executed: it is one motion inside every limit, splices included.
    times_ns, values = np.array(sorted(frozen)), np.array([frozen[key] for key in sorted(frozen)])
    assert audit_motion((times_ns - times_ns[0]) * 1e-9, values[:, :3], values[:, 3:],
                        LIMITS) == LimitViolations()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2 ** 16), st.booleans())
def test_motion_up_to_the_horizon_never_changes_between_knots_either(seed: int,
                                                                     resumes: bool) -> None:
    """A stop, a late chunk, or one on a grid of another phase: at any moment whatever."""
    random = np.random.default_rng(seed)
    plan, chunks = new_plan(), chunks_of(4)
    plan.extend(chunks[0], EPOCH_NS, EPOCH_NS - LEAD_NS)
    plan.extend(chunks[1], EPOCH_NS, EPOCH_NS)
    now_ns = EPOCH_NS + int(random.integers(0, 2 * HOP_NS))
    assert plan.message(now_ns) is not None
    looks = now_ns + np.arange(0, HORIZON_NS + 1, MS // 2)
    before = [plan.sample(int(look)) for look in looks]
    if resumes:
        shift_ns = int(random.integers(0, 20 * MS))
        plan.extend(chunks[int(random.integers(1, 4))], EPOCH_NS + shift_ns, now_ns, LIMITER)
    else:
        plan.stop(now_ns, LIMITER)
    for look, (position, velocity) in zip(looks, before):
        after = plan.sample(int(look))
        assert np.abs(after[0] - position).max() < 1e-9
        assert np.abs(after[1] - velocity).max() < 1e-7


@pytest.mark.parametrize('delay_ms', [70, 150, 400, 900])
@pytest.mark.parametrize('controller_hz', [100, 1000])
def test_a_late_chunk_is_eased_in(delay_ms: int, controller_hz: int) -> None:
    plan, controller = new_plan(), ControllerOracle(np.zeros(3))
    # What follows a stalled worker is late too, until it has caught up.
    delays_ns = {4 + i: max(delay_ms * MS - i * HOP_NS + i * 20 * MS, 0) for i in range(5)}
    commands = play(plan, stream(plan, 14, delays_ns), at_knot(14 * HOP + 60), Line(3),
                    controller, controller_hz)
    assert_smooth(commands)
    assert plan.underruns >= 1 and plan.late_knots >= 1 and controller.refused == 0
    end_ns = at_knot(14 * HOP + 60)
    assert np.array_equal(commands.positions[-1], plan.sample(end_ns)[0])


def test_a_late_chunk_without_a_limiter_is_left_out() -> None:
    plan, chunks = new_plan(), chunks_of(4)
    for chunk in chunks[:3]:
        plan.extend(chunk, EPOCH_NS, at_knot(chunk.first_knot) - LEAD_NS)
    end_ns = plan.end_ns
    result = plan.extend(chunks[3], EPOCH_NS, at_knot(3 * HOP + 2))
    # Knots 30 to 35 are at most the horizon of three knots beyond now, knot 32.
    assert (result.late_knots, result.refused, result.replanned) == (6, True, False)
    assert plan.end_ns == end_ns and (plan.underruns, plan.late_knots) == (1, 6)
    assert result.resume is not None and result.resume.time_ns == at_knot(4 * HOP - 1)
    assert np.array_equal(result.resume.positions, plan.sample(at_knot(4 * HOP - 1))[0])


def test_the_next_chunk_continues_from_what_a_late_one_became() -> None:
    plan, state = new_plan(), LIMITER.rest_state(np.zeros(3))
    results = []
    for index in range(5):
        chunk, state = chunk_of(state, index * HOP)
        delay_ns = 150 * MS if index == 2 else 0
        results.append(plan.extend(chunk, EPOCH_NS, at_knot(index * HOP) - LEAD_NS + delay_ns,
                                   LIMITER))
        if results[-1].resume is not None:
            resume = results[-1].resume
            state = LIMITER.moving_state(resume.positions, resume.velocities,
                                         resume.accelerations)
    assert [r.late_knots > 0 for r in results] == [False, False, True, False, False]
    assert [r.replanned for r in results] == [False, False, True, False, False]


def test_a_chunk_from_elsewhere_is_eased_in_too() -> None:
    plan, controller = new_plan(), ControllerOracle(np.zeros(3))
    stranger, _ = chunk_of(LIMITER.rest_state(np.full(3, 1.0)), 3 * HOP)
    events = [*stream(plan, 3),
              (at_knot(3 * HOP) - LEAD_NS,
               lambda now_ns: results.append(plan.extend(stranger, EPOCH_NS, now_ns, LIMITER)))]
    results: list[object] = []
    commands = play(plan, events, at_knot(5 * HOP + 60), Line(1), controller, 1000)
    assert results[0].replanned and results[0].late_knots == 0 and plan.underruns == 0
    assert_smooth(commands)


def test_a_chunk_from_elsewhere_is_left_out_without_a_limiter() -> None:
    plan, chunks = new_plan(), chunks_of(3)
    for chunk in chunks:
        plan.extend(chunk, EPOCH_NS, at_knot(chunk.first_knot) - LEAD_NS)
    end_ns = plan.end_ns
    stranger, _ = chunk_of(LIMITER.rest_state(np.full(3, 1.0)), 3 * HOP)
    result = plan.extend(stranger, EPOCH_NS, at_knot(3 * HOP) - LEAD_NS)
    assert result.refused and result.late_knots == 0 and plan.end_ns == end_ns


def test_a_chunk_that_forgot_its_acceleration_is_eased_in() -> None:
    plan, state = new_plan(), LIMITER.rest_state(np.zeros(3))
    for index in range(6):
        chunk, state = chunk_of(state, index * HOP)
        plan.extend(chunk, EPOCH_NS, at_knot(index * HOP) - LEAD_NS, LIMITER)
    assert np.abs(state.accelerations).max() > 8.0
    forgetful = LIMITER.moving_state(state.positions, state.velocities)
    away = [LIMITER.follow(forgetful, np.full((30, 3), goal)) for goal in (-1.4, 1.4)]
    results = []
    for motion in away:
        brake = LIMITER.brake(motion.state)
        results.append(plan.extend(JointChunk(
            NAMES, 6 * HOP, *(np.concatenate([getattr(part, name) for part in (motion, brake)])
                              for name in ('positions', 'velocities', 'accelerations')),
            HOP, RATE_HZ), EPOCH_NS, at_knot(6 * HOP) - LEAD_NS, LIMITER))
    assert any(result.replanned for result in results)


@pytest.mark.parametrize('rested', [False, True])
def test_a_late_start_from_rest_does_not_jump(rested: bool) -> None:
    plan, controller = new_plan(), ControllerOracle(np.zeros(3))
    events, begin_ns = [], EPOCH_NS
    if rested:
        still = [chunk_of(LIMITER.rest_state(np.zeros(3)), 0, lambda t: np.zeros((len(t), 3)))[0]]
        events.append((EPOCH_NS - LEAD_NS, lambda now_ns: plan.extend(still[0], EPOCH_NS, now_ns)))
        begin_ns = at_knot(100)
    lively = chunk_of(LIMITER.rest_state(np.zeros(3)), 0, lambda t: 0.8 * np.ones((len(t), 3)))[0]
    events.append((begin_ns + 150 * MS, lambda now_ns: results.append(
        plan.extend(lively, begin_ns, now_ns, LIMITER))))
    results: list[object] = []
    commands = play(plan, events, begin_ns + 1_500 * MS, Line(4), controller, 500)
    assert_smooth(commands)
    assert results[0].late_knots == HOP and results[0].replanned and plan.underruns == 1
    assert np.ptp(commands.positions, axis=0).min() > 0.3


def test_speech_that_starts_again_on_another_grid_splices() -> None:
    plan, controller = new_plan(), ControllerOracle(np.zeros(3))
    second_ns = at_knot(3 * HOP) + 7 * MS + 13

    def again(now_ns: int) -> None:
        chunk, _ = chunk_of(LIMITER.rest_state(np.zeros(3)), 0)
        plan.extend(chunk, second_ns, now_ns, LIMITER)

    commands = play(plan, [*stream(plan, 3), (second_ns - 100 * MS, again)],
                    second_ns + 1_500 * MS, Line(2), controller, 1000)
    assert_smooth(commands)


@pytest.mark.parametrize('controller_hz', [100, 1000])
def test_stop_brakes_at_once(controller_hz: int) -> None:
    plan, controller = new_plan(), ControllerOracle(np.zeros(3))
    stop_ns = at_knot(55) + 3 * MS
    commands = play(plan, [*stream(plan, 5), (stop_ns, lambda now_ns: plan.stop(now_ns, LIMITER))],
                    stop_ns + 1_000 * MS, Line(5), controller, controller_hz)
    assert_smooth(commands)
    # Horizon, a knot, then at most 3 rad/s at 20 rad/s^2 with two ramps of 50 ms.
    settled_ns = HORIZON_NS + 20 * MS + round((3.0 / 20.0 + 0.2) * 1e9)
    assert plan.end_ns is not None and plan.end_ns <= stop_ns + settled_ns
    rest = commands.positions[commands.times_ns > plan.end_ns]
    assert len(rest) > 10 and (rest == rest[0]).all()
    assert plan.is_settled(stop_ns + 1_000 * MS)


def test_a_dead_node_means_a_smooth_stop() -> None:
    plan, controller = new_plan(), ControllerOracle(np.zeros(3))
    events = [(time_ns, act) for time_ns, act in stream(plan, 12) if time_ns < at_knot(62)]
    commands = play(plan, events, at_knot(200), Line(9), controller, 500, repeat_ns=10 ** 18)
    assert_smooth(commands)
    assert (commands.positions[-100:] == commands.positions[-1]).all()


def test_sampling_is_the_cubic_and_holds_outside() -> None:
    plan, chunk = new_plan(), chunks_of(1)[0]
    plan.extend(chunk, EPOCH_NS, EPOCH_NS - LEAD_NS)
    for knot in (0, 3, len(chunk.positions) - 1):
        positions, velocities = plan.sample(at_knot(knot))
        assert np.array_equal(positions, chunk.positions[knot])
        assert np.array_equal(velocities, chunk.velocities[knot])
    positions, velocities = plan.sample(at_knot(3) + 10 * MS)
    acceleration = (chunk.velocities[4] - chunk.velocities[3]) * RATE_HZ
    assert np.allclose(velocities, chunk.velocities[3] + 0.01 * acceleration)
    assert np.allclose(positions, chunk.positions[3] + 0.01 * chunk.velocities[3]
                       + 0.5e-4 * acceleration)
    held, still = plan.sample(plan.end_ns + 10 ** 12)
    assert np.array_equal(held, chunk.positions[-1]) and not still.any()


def test_a_backward_jump_of_the_clock_empties_the_plan() -> None:
    plan, chunks = new_plan(), chunks_of(2)
    plan.extend(chunks[0], EPOCH_NS, EPOCH_NS - LEAD_NS)
    assert plan.message(EPOCH_NS - 300 * MS) is not None and plan.clock_resets == 0
    assert plan.message(EPOCH_NS - 10_000 * MS) is None
    assert plan.is_empty and plan.clock_resets == 1
    earlier_ns = EPOCH_NS - 10_000 * MS
    assert not plan.extend(chunks[0], earlier_ns + 200 * MS, earlier_ns).refused
    assert plan.message(earlier_ns) is not None


def test_a_long_stream_keeps_little() -> None:
    plan, state = new_plan(), LIMITER.rest_state(np.zeros(3))
    for index in range(80):
        chunk, state = chunk_of(state, index * HOP)
        assert plan.extend(chunk, EPOCH_NS, at_knot(index * HOP) - LEAD_NS).resume is None
    message = plan.message(at_knot(80 * HOP) - LEAD_NS)
    assert message is not None and len(message.times_from_start_ns) < HOP + TAIL + 60
    oldest = plan.sample(at_knot(80 * HOP) - LEAD_NS - 1_900 * MS)
    assert np.isfinite(oldest[0]).all()
    with pytest.raises(AssertionError):
        # Three seconds back is forgotten: the plan holds its oldest position there, at rest.
        assert plan.sample(at_knot(80 * HOP) - 3_500 * MS)[1].any()


@pytest.mark.parametrize(('change', 'message'), [
    ({'joint_names': ('a', 'b', 'd')}, 'chunk is of'),
    ({'rate_hz': 100}, 'chunk is of'),
    ({'positions': np.zeros((0, 3))}, 'chunk must have knots'),
    ({'velocities': np.zeros((4, 2))}, 'chunk must have knots'),
    ({'positions': np.full((4, 3), np.nan)}, 'not finite'),
    ({'velocities': np.full((4, 3), 0.1)}, 'must end with velocity exactly zero')])
def test_chunks_that_make_no_sense_are_refused(change: dict[str, object], message: str) -> None:
    values = {'joint_names': NAMES, 'first_knot': 0, 'positions': np.zeros((4, 3)),
              'velocities': np.zeros((4, 3)), 'accelerations': np.zeros((4, 3)), 'committed': 2,
              'rate_hz': RATE_HZ} | change
    with pytest.raises(ValueError, match=message):
        new_plan().extend(JointChunk(**values), EPOCH_NS, EPOCH_NS - LEAD_NS)
