"""Plans joined as a controller joins them, and audited."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.demo.published import audit_published, executed, late_plans
from gesture_node.motion.robot import load_profile, RobotProfile
from gesture_node.sim.controller import TrajectoryMessage, TrajectoryPoint

MS = 10**6
STEP_NS = 20 * MS


@pytest.fixture(scope='module')
def nao() -> RobotProfile:
    return load_profile('nao')


def plan(profile: RobotProfile, first: int, count: int, reach_rad: float) -> TrajectoryMessage:
    """Return knots of one smooth swing of the first head joint, from a knot on."""
    times_s = (first + np.arange(count)) * 0.02
    points = []
    for index, time_s in enumerate(times_s):
        positions = profile.rest_positions.copy()
        velocities = np.zeros(len(positions))
        positions[0] += reach_rad * np.sin(time_s)
        velocities[0] = reach_rad * np.cos(time_s)
        points.append(TrajectoryPoint(index * STEP_NS, positions, velocities))
    return TrajectoryMessage(profile.joint_names, 10**9 + first * STEP_NS, tuple(points))


def test_overlapping_plans_are_one_motion(nao: RobotProfile) -> None:
    plans = [plan(nao, 0, 20, 0.2), plan(nao, 10, 20, 0.2), plan(nao, 15, 30, 0.2)]
    (motion,) = executed(plans, nao.joint_names)
    np.testing.assert_allclose(motion.times_s, 1.0 + 0.02 * np.arange(45), atol=1e-9)
    np.testing.assert_allclose(motion.positions[:, 0] - nao.rest_positions[0],
                               0.2 * np.sin(0.02 * np.arange(45)), atol=1e-9)
    assert audit_published(plans, nao, [motion]).total == 0


def test_a_pause_cuts_the_motion(nao: RobotProfile) -> None:
    stretches = executed([plan(nao, 0, 10, 0.1), plan(nao, 40, 10, 0.1)], nao.joint_names)
    assert [len(stretch) for stretch in stretches] == [10, 10]


def test_columns_are_by_name(nao: RobotProfile) -> None:
    original = plan(nao, 0, 5, 0.1)
    turned = TrajectoryMessage(original.joint_names[::-1], original.stamp_ns, tuple(
        TrajectoryPoint(point.time_from_start_ns, point.positions[::-1], point.velocities[::-1])
        for point in original.points))
    (expected,) = executed([original], nao.joint_names)
    (found,) = executed([turned], nao.joint_names)
    np.testing.assert_array_equal(found.positions, expected.positions)


def test_a_splice_that_jumps_is_a_violation(nao: RobotProfile) -> None:
    plans = [plan(nao, 0, 20, 0.1), plan(nao, 10, 20, -0.4)]
    motion = executed(plans, nao.joint_names)
    found = audit_published(plans, nao, motion)
    assert found.acceleration > 0
    assert found.position == 0


def test_what_is_never_executed_is_audited_too(nao: RobotProfile) -> None:
    wild = plan(nao, 0, 20, 50.0)
    plans = [wild, plan(nao, 0, 20, 0.1)]
    assert audit_published(plans, nao, executed(plans, nao.joint_names)).position > 0


def test_plans_beyond_their_horizon_are_late(nao: RobotProfile) -> None:
    plans = [plan(nao, 0, 5, speed) for speed in (0.1, 0.2, 0.3, 0.4)]
    arrivals = [(message.stamp_ns + delay * MS, message)
                for delay, message in zip((5, 79, 81, 300), plans)]
    assert late_plans(arrivals, 0.06) == 2


def test_a_copy_that_comes_later_is_no_late_plan(nao: RobotProfile) -> None:
    message = plan(nao, 0, 5, 0.1)
    assert late_plans([(message.stamp_ns + delay * MS, message) for delay in (5, 100)], 0.06) == 0
