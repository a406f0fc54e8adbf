"""The simulated robot follows its commands, whatever they are."""
from __future__ import annotations

from pathlib import Path

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.exceptions import RobotError, SimulationError
from gesture_node.sim.model import SERVO_BANDWIDTH_RAD_S
from gesture_node.sim.robot import SimulatedRobot

MAX_LAG_S = 0.03


def _swing(robot: SimulatedRobot, seconds: float, hz: float = 0.7) -> tuple[np.ndarray, ...]:
    """Swing every joint inside its range; return times, commands and measured positions."""
    model = robot._robot
    lower, upper = np.maximum(model.lower, -1.5), np.minimum(model.upper, 1.5)
    middle, reach = 0.5 * (lower + upper), np.minimum(0.3, 0.25 * (upper - lower))
    times = np.arange(0.0, seconds, 0.005)
    commands, measured = [], []
    for time_s in times:
        robot.step_to(time_s)
        measured.append(robot.positions)
        commands.append(middle + reach * np.sin(2 * np.pi * hz * time_s))
        robot.command(commands[-1])
    return times, np.array(commands), np.array(measured)


def _lag_s(times: np.ndarray, commands: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return the delay of every joint by the phase of the swing."""
    late = times > 0.5 * times[-1]
    lags = np.arange(0.0, 0.08, 0.001)
    errors = [[np.mean((np.interp(times[late] - lag, times, c) - m[late])**2) for lag in lags]
              for c, m in zip(commands.T, measured.T)]
    return lags[np.argmin(errors, axis=1)]


def test_shipped_robots_follow_within_30_ms(shipped_urdf: Path):
    lag_s = _lag_s(*_swing(SimulatedRobot(shipped_urdf), 3.0))
    assert lag_s.max() < MAX_LAG_S
    assert lag_s.min() > 0.5 / SERVO_BANDWIDTH_RAD_S


def test_a_held_command_is_reached_exactly(arm_urdf: Path):
    robot = SimulatedRobot(arm_urdf)
    wanted = np.array([0.7, -1.1, 0.4])
    robot.command(wanted)
    robot.step_to(1.0)
    np.testing.assert_allclose(robot.positions, wanted, atol=1e-6)
    np.testing.assert_allclose(robot.velocities, 0.0, atol=1e-6)


def test_without_commands_it_stays_at_rest(arm_urdf: Path):
    robot = SimulatedRobot(arm_urdf, rest={'shoulder': 0.3})
    robot.step_to(1.0)
    np.testing.assert_allclose(robot.positions, [0.3, 0.0, 0.0], atol=1e-9)


def test_joints_that_are_not_commanded_hold_and_mimic_joints_follow(arm_urdf: Path):
    robot = SimulatedRobot(arm_urdf, ['finger_joint'], rest={'elbow': -0.5})
    robot.command(np.array([0.8]))
    robot.step_to(1.0)
    joints = robot.all_joints()
    assert joints['elbow'][0] == pytest.approx(-0.5, abs=1e-3)
    thumb = robot._data.qpos[robot._robot.mimic_qpos_index]
    np.testing.assert_allclose(thumb, -0.5 * 0.8 + 0.1, atol=1e-4)


def test_joint_order_is_the_callers(arm_urdf: Path):
    robot = SimulatedRobot(arm_urdf, ['elbow', 'shoulder'])
    robot.command(np.array([-1.0, 0.5]))
    robot.step_to(1.0)
    np.testing.assert_allclose(robot.positions, [-1.0, 0.5], atol=1e-6)
    assert robot.all_joints()['shoulder'][0] == pytest.approx(0.5, abs=1e-6)


@settings(max_examples=15, deadline=None, suppress_health_check=[
    HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000))
def test_wild_commands_never_leave_the_ranges_for_good(arm_urdf: Path, seed: int):
    robot = SimulatedRobot(arm_urdf)
    rng = np.random.default_rng(seed)
    for step in range(40):
        robot.command(rng.uniform(-20.0, 20.0, 3))
        robot.step_to(0.05 * (step + 1))
    robot.command(np.zeros(3))
    robot.step_to(4.0)
    np.testing.assert_allclose(robot.positions, 0.0, atol=1e-3)


def test_physics_does_not_depend_on_how_it_is_called(arm_urdf: Path):
    once, often = SimulatedRobot(arm_urdf), SimulatedRobot(arm_urdf)
    for robot in (once, often):
        robot.command(np.array([0.5, -0.5, 0.5]))
    once.step_to(0.3)
    for time_s in np.arange(0.001, 0.3005, 0.001):
        often.step_to(float(time_s))
    np.testing.assert_array_equal(once.positions, often.positions)
    once.step_to(0.1)
    assert once.time_s == pytest.approx(0.3)


def test_bad_input_is_one_sentence(arm_urdf: Path):
    with pytest.raises(RobotError, match="'wrist' is not a moving joint of 'arm'"):
        SimulatedRobot(arm_urdf, ['wrist'])
    with pytest.raises(RobotError, match="'knee'"):
        SimulatedRobot(arm_urdf, rest={'knee': 1.0})
    robot = SimulatedRobot(arm_urdf)
    with pytest.raises(SimulationError, match="'elbow' is not finite"):
        robot.command(np.array([0.0, np.nan, 0.0]))
    with pytest.raises(SimulationError, match='3 positions'):
        robot.command(np.zeros(2))
    with pytest.raises(SimulationError, match='in one call'):
        robot.step_to(1_000.0)
