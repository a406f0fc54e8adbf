"""The way back to rest: begins with the motion there is, ends at the goal, inside the limits."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np

from gesture_node.dialogue.retraction import retraction, retraction_s, SHORTEST_S
from gesture_node.motion.limits import JointLimits, MotionLimiter
from gesture_node.motion.trajectory import TrajectoryPlan
from gesture_node.timeline import KNOT_RATE_HZ
from gesture_node.types import JointChunk

LIMITS = JointLimits(np.full(2, -2.0), np.full(2, 2.0), np.array([3.0, 1.5]),
                     np.array([20.0, 8.0]), np.array([400.0, 100.0]))
LIMITER = MotionLimiter(LIMITS)
MS = 1_000_000
UNIT = st.floats(-1.0, 1.0)


def moving(seed):
    """Return a plan of a robot that waves, and a time in the middle of it [ns]."""
    random = np.random.default_rng(seed)
    t = np.arange(150) / KNOT_RATE_HZ
    targets = 0.8 * np.sin(2 * np.pi * random.uniform(0.3, 1.2, 2) * t[:, None])
    motion = LIMITER.follow(LIMITER.rest_state(np.zeros(2)), targets)
    whole = motion.then(LIMITER.brake(motion.state))
    plan = TrajectoryPlan(('a', 'b'), KNOT_RATE_HZ, 0.06)
    plan.extend(JointChunk(('a', 'b'), 0, whole.positions, whole.velocities,
                           whole.accelerations, 150, KNOT_RATE_HZ), 1_000 * MS, 0)
    return plan, (1_000 + int(random.integers(100, 2_800))) * MS


@given(st.integers(0, 10_000), UNIT, UNIT)
@settings(max_examples=60, deadline=None)
def test_a_plan_that_retracts_never_jumps_and_ends_at_the_goal(seed, first, second):
    plan, now_ns = moving(seed)
    frozen_ns = now_ns + 60 * MS
    before = [plan.sample(now_ns + k * MS)[0] for k in range(0, 60, 5)]
    goal = np.array([first, second])
    plan.lead(now_ns, LIMITER, lambda brake: retraction(brake, goal, LIMITS, KNOT_RATE_HZ))
    after = [plan.sample(now_ns + k * MS)[0] for k in range(0, 60, 5)]
    kept = plan.changed_ns
    for k, (old, new) in enumerate(zip(before, after)):
        if now_ns + 5 * k * MS <= kept:
            assert np.array_equal(old, new)
    assert kept > frozen_ns - 20 * MS
    message = plan.message(now_ns)
    assert not message.velocities[-1].any()
    assert np.abs(message.positions[-1] - goal).max() < 2e-3
    assert (np.abs(message.velocities) <= LIMITS.velocity + 1e-9).all()
    accelerations = np.diff(message.velocities, axis=0) * KNOT_RATE_HZ
    assert (np.abs(accelerations) <= LIMITS.acceleration + 1e-6).all()
    steps = np.abs(np.diff(accelerations, axis=0)) * KNOT_RATE_HZ
    assert (steps <= LIMITS.jerk + 1e-3).all()


@given(st.floats(0.0, 3.0))
@settings(max_examples=40, deadline=None)
def test_its_time_grows_with_the_way_and_stays_inside_the_limits(way):
    span_s = retraction_s(np.array([way, 0.0]), LIMITS)
    assert span_s >= SHORTEST_S and span_s <= retraction_s(np.array([way, way]), LIMITS)
    assert 1.875 * way / span_s <= 0.7 * LIMITS.velocity[0] + 1e-9


def test_braking_some_joints_leaves_the_others_as_they_were():
    plan, now_ns = moving(3)
    until = [plan.sample(now_ns + k * 20 * MS)[0] for k in range(40)]
    rest = plan.brake_joints(now_ns, LIMITER, [1])
    for k, old in enumerate(until):
        assert plan.sample(now_ns + k * 20 * MS)[0][0] == np.float64(old[0])
    end = plan.sample(now_ns + 2_000 * MS)
    assert end[0][1] == rest[0] and end[1][1] == 0.0
    plan.place_joints([1], np.array([0.4]))
    assert plan.sample(now_ns + 500 * MS)[0][1] == 0.4
