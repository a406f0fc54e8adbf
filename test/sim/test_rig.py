"""The control loop keeps its own time, whoever calls it how irregularly."""
from __future__ import annotations

from pathlib import Path

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.sim.controller import TrajectoryController, TrajectoryMessage, TrajectoryPoint
from gesture_node.sim.rig import SimulatedRig, Tick
from gesture_node.sim.robot import SimulatedRobot

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000


def make_rig(urdf: Path) -> SimulatedRig:
    robot = SimulatedRobot(urdf)
    return SimulatedRig(robot, TrajectoryController(robot.joint_names, robot.positions), 200.0)


def move(stamp_ns: int) -> TrajectoryMessage:
    """Return a move to (0.5, -0.5, 0.5) rad within 0.4 s."""
    goal, still = np.array([0.5, -0.5, 0.5]), np.zeros(3)
    return TrajectoryMessage(('shoulder', 'elbow', 'finger_joint'), stamp_ns, (
        TrajectoryPoint(0, still, still), TrajectoryPoint(400 * MS, goal, still)))


@settings(max_examples=15, deadline=None, suppress_health_check=[
    HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 60), min_size=5, max_size=40))
def test_jitter_of_the_caller_changes_nothing(arm_urdf: Path, steps_ms: list[int]):
    regular, jittery = make_rig(arm_urdf), make_rig(arm_urdf)
    for rig in (regular, jittery):
        rig.advance(START_NS)
        rig.receive(move(START_NS + 10 * MS), START_NS + 3 * MS)
    now_ns, ticks = START_NS, []
    for step_ms in steps_ms:
        now_ns += step_ms * MS
        ticks += jittery.advance(now_ns)
    expected = [tick for at_ns in range(START_NS + 5 * MS, now_ns + 1, 5 * MS)
                for tick in regular.advance(at_ns)]
    assert [tick.time_ns for tick in ticks] == [tick.time_ns for tick in expected]
    for tick, other in zip(ticks, expected):
        np.testing.assert_array_equal(tick.positions, other.positions)
        np.testing.assert_array_equal(tick.commanded, other.commanded)


def test_a_trajectory_is_reached(arm_urdf: Path):
    rig = make_rig(arm_urdf)
    rig.advance(START_NS)
    rig.receive(move(START_NS), START_NS)
    ticks = rig.advance(START_NS + 900 * MS)
    assert len(ticks) == 180
    np.testing.assert_allclose(ticks[-1].positions, [0.5, -0.5, 0.5], atol=1e-4)


def test_a_message_is_not_obeyed_before_it_arrives(arm_urdf: Path):
    rig = make_rig(arm_urdf)
    rig.advance(START_NS)
    rig.receive(move(START_NS), START_NS + 52 * MS)
    ticks = rig.advance(START_NS + 100 * MS)
    moved = [tick.time_ns for tick in ticks if np.any(tick.commanded != 0.0)]
    assert min(moved) == START_NS + 55 * MS


@pytest.mark.parametrize('jump_s', [3.0, -100.0, 1_000.0])
def test_a_jump_of_the_clock_is_skipped_not_simulated(arm_urdf: Path, jump_s: float):
    rig = make_rig(arm_urdf)
    rig.advance(START_NS)
    rig.advance(START_NS + 50 * MS)
    simulated_s = rig.robot.time_s
    ticks: list[Tick] = rig.advance(START_NS + round(jump_s * 1e9))
    assert len(ticks) == 1
    assert rig.robot.time_s - simulated_s == pytest.approx(0.005, abs=0.0011)
    assert rig.skipped_s == pytest.approx(jump_s, abs=0.06)
