"""Messages with and without accelerations, as the controller oracle obeys them."""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from controller_oracle import ControllerOracle
from plan_world import (
    at_knot,
    chunks_of,
    Commands,
    EPOCH_NS,
    HOP,
    HORIZON_NS,
    LEAD_NS,
    LIMITS,
    Line,
    MS,
    NAMES,
    play,
    RATE_HZ,
)

from gesture_node.motion.trajectory import TrajectoryPlan
from gesture_node.motion.trajectory_controllers import Controller, message_for

CHUNKS = 8


def commanded(smooth: bool, seed: int = 1) -> Commands:
    """Return what a controller at 1 kHz commands when messages are late and 5 % are lost."""
    plan = TrajectoryPlan(NAMES, RATE_HZ, HORIZON_NS * 1e-9, smooth)
    events = [(at_knot(index * HOP) - LEAD_NS,
               lambda now_ns, chunk=chunk: plan.extend(chunk, EPOCH_NS, now_ns))
              for index, chunk in enumerate(chunks_of(CHUNKS))]
    return play(plan, events, at_knot(CHUNKS * HOP + 50), Line(seed, loss=0.05),
                ControllerOracle(np.zeros(3)), 1000, repeat_ns=20 * MS)


def test_accelerations_make_the_jerk_of_what_is_commanded_obey_its_limit() -> None:
    plain, smooth = commanded(False), commanded(True)
    jerks = [np.abs(np.diff(run.accelerations(), axis=0)).max() * 1000 for run in (plain, smooth)]
    # Where accelerations step, all of jerk x 20 ms comes in one millisecond.
    assert jerks[0] > 5 * LIMITS.jerk[0]
    assert jerks[1] <= LIMITS.jerk[0] * 1.01
    for run in (plain, smooth):
        assert (np.abs(run.accelerations()).max(axis=0) <= LIMITS.acceleration + 0.01).all()
        assert (np.abs(run.speeds()).max(axis=0) <= LIMITS.velocity + 1e-4).all()


def test_the_price_is_half_a_knot_interval() -> None:
    plain, smooth = commanded(False), commanded(True)
    late = smooth.positions[10:] - plain.positions[:-10]
    # The mean over an interval differs from its middle by at most a T^2 / 24.
    assert np.abs(late).max() <= LIMITS.acceleration[0] * 0.02 ** 2 / 24 + 1e-6
    assert np.abs(smooth.positions - plain.positions).max() > 0.003


def test_messages_carry_the_accelerations_of_their_own_motion() -> None:
    plan = TrajectoryPlan(NAMES, RATE_HZ, HORIZON_NS * 1e-9, smooth=True)
    chunk = chunks_of(3)[2]
    plan.extend(chunk, EPOCH_NS, at_knot(2 * HOP) - LEAD_NS)
    message = plan.message(at_knot(2 * HOP + 4))
    assert message is not None and message.accelerations is not None
    assert message.accelerations.shape == message.velocities.shape
    assert not message.velocities[-1].any() and not message.accelerations[-1].any()
    # Between knots the acceleration is a straight line, so velocity gains its trapezoid.
    gained = 0.01 * (message.accelerations[1:] + message.accelerations[:-1])
    assert np.diff(message.velocities, axis=0) == pytest.approx(gained, abs=1e-6)
    part = message_for(Controller('c', 'c/joint_trajectory', ('c', 'a')), message)
    assert part.accelerations is not None
    assert np.array_equal(part.accelerations, message.accelerations[:, [2, 0]])
    plain = TrajectoryPlan(NAMES, RATE_HZ, HORIZON_NS * 1e-9)
    plain.extend(chunk, EPOCH_NS, at_knot(2 * HOP) - LEAD_NS)
    bare = plain.message(at_knot(2 * HOP + 4))
    assert bare is not None and bare.accelerations is None


def test_ros_messages_hold_them() -> None:
    pytest.importorskip('rclpy')
    from gesture_node.ros.conversions import joint_trajectory
    for smooth in (False, True):
        plan = TrajectoryPlan(NAMES, RATE_HZ, HORIZON_NS * 1e-9, smooth)
        plan.extend(chunks_of(1)[0], EPOCH_NS, at_knot(0) - LEAD_NS)
        message = plan.message(at_knot(3))
        assert message is not None
        points = joint_trajectory(message).points
        assert [len(point.accelerations) for point in points] == [3 * smooth] * len(points)
        if message.accelerations is not None:
            assert np.allclose([point.accelerations for point in points], message.accelerations)
