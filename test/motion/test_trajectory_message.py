"""Tests of what a plan says: the three stamp policies, and when it says nothing."""
from __future__ import annotations

from pathlib import Path
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from plan_world import (
    chunk_of,
    chunks_of,
    EPOCH_NS,
    HORIZON_NS,
    LEAD_NS,
    LIMITER,
    MS,
    NAMES,
    new_plan,
)

from gesture_node.motion.trajectory import TrajectoryMessage
from gesture_node.motion.trajectory_message import SHORTEST_NS


def assert_valid(message: TrajectoryMessage, now_ns: int) -> None:
    times = message.times_from_start_ns
    assert all(isinstance(time_ns, int) for time_ns in times)
    assert all(b > a for a, b in zip(times, times[1:]))
    assert not message.velocities[-1].any() and np.isfinite(message.positions).all()
    assert (message.stamp_ns or now_ns) + times[-1] > now_ns
    assert message.positions.shape == message.velocities.shape == (len(times), 3)


@settings(max_examples=40, deadline=None)
@given(st.integers(-100 * MS, 900 * MS))
def test_stamp_policies(offset_ns: int) -> None:
    plan, chunks = new_plan(), chunks_of(2)
    plan.extend(chunks[0], EPOCH_NS, EPOCH_NS - LEAD_NS)
    now_ns = EPOCH_NS + offset_ns
    past, future, zero = (plan.message(now_ns, policy) for policy in ('past', 'future', 'zero'))
    if plan.is_settled(now_ns):
        assert past is future is zero is None
        return
    for message in (past, future, zero):
        assert message is not None and message.joint_names == NAMES
        assert_valid(message, now_ns)
    assert past.times_from_start_ns[0] == 0 and past.stamp_ns <= now_ns
    assert past.stamp_ns + past.times_from_start_ns[1] > now_ns
    assert future.times_from_start_ns[0] == 0 and future.stamp_ns > now_ns
    # Beyond the horizon, unless what was said before is good for less.
    good_ns = plan.changed_ns if plan.changed_ns > now_ns else now_ns + HORIZON_NS
    assert future.stamp_ns >= min(now_ns + HORIZON_NS, good_ns)
    assert all(message.stamp_ns + message.times_from_start_ns[-1] >= now_ns + SHORTEST_NS
               for message in (past, future))
    assert zero.stamp_ns == 0 and zero.times_from_start_ns[0] > 0
    assert np.array_equal(zero.positions, past.positions[1:])
    assert now_ns + zero.times_from_start_ns[0] == past.stamp_ns + past.times_from_start_ns[1]


def test_a_future_stamp_stays_while_a_message_may_wait_for_it() -> None:
    plan, chunks = new_plan(), chunks_of(2)
    plan.extend(chunks[0], EPOCH_NS, EPOCH_NS - LEAD_NS)
    now_ns = EPOCH_NS + 50 * MS
    first = plan.message(now_ns, 'future')
    assert first is not None and first.stamp_ns == EPOCH_NS + 160 * MS
    plan.stop(now_ns + 5 * MS, LIMITER)
    brake = plan.message(now_ns + 5 * MS, 'future')
    assert brake is not None and brake.stamp_ns == EPOCH_NS + 120 * MS == plan.changed_ns
    again = plan.message(now_ns + 45 * MS, 'future')
    assert again is not None and again.stamp_ns == brake.stamp_ns
    later = plan.message(now_ns + 75 * MS, 'future')
    assert later is not None and later.stamp_ns == EPOCH_NS + 240 * MS


def test_a_plan_about_to_end_is_held_for_a_while() -> None:
    plan = new_plan()
    plan.extend(chunks_of(1)[0], EPOCH_NS, EPOCH_NS - LEAD_NS)
    message = plan.message(plan.end_ns - 1)
    assert message is not None and set(np.diff(message.times_from_start_ns)) == {20 * MS}
    assert (message.positions[1:] == message.positions[-1]).all()
    assert not message.velocities[1:].any() and len(message.positions) == 12


def test_nothing_is_said_before_the_first_chunk_and_after_settling() -> None:
    plan = new_plan()
    assert plan.is_empty and plan.message(EPOCH_NS) is None and plan.is_settled(EPOCH_NS)
    assert plan.end_ns is None
    with pytest.raises(ValueError, match='without knots'):
        plan.sample(EPOCH_NS)
    plan.extend(chunks_of(1)[0], EPOCH_NS, EPOCH_NS - LEAD_NS)
    assert plan.message(plan.end_ns - 1) is not None
    assert plan.message(plan.end_ns) is None and plan.is_settled(plan.end_ns)
    plan.stop(plan.end_ns + 1, LIMITER)
    assert plan.message(plan.end_ns + 1) is None


def test_the_first_message_begins_where_the_robot_is() -> None:
    start = np.array([0.3, -0.2, 0.1])
    chunk, _ = chunk_of(LIMITER.rest_state(start), 0)
    plan = new_plan()
    plan.extend(chunk, EPOCH_NS, EPOCH_NS - 500 * MS)
    message = plan.message(EPOCH_NS - 400 * MS)
    assert message is not None and message.stamp_ns <= EPOCH_NS - 400 * MS
    assert np.allclose(message.positions[0], start, atol=1e-12)
    assert not message.velocities[0].any()


def test_an_unknown_stamp_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="one of past, future, zero, got 'now'"):
        new_plan().message(EPOCH_NS, 'now')
