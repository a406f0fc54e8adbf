"""The spawned robots under physics: they stand, and follow gestures, by the plugins' own gains."""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import pytest

from gesture_node.gazebo.model import spawned_model, STEP_S, trajectory_plugins
from gesture_node.motion.limits import MotionLimiter
from gesture_node.motion.robot import load_profile, profile_names
from gesture_node.timeline import KNOT_RATE_HZ

sys.path.insert(0, str(Path(__file__).parent / 'gazebo'))
pytest.importorskip('mujoco')

from hello_motion import hello_motion
from sdf_physics import SdfRobot

STEPS_PER_KNOT = round(1.0 / (KNOT_RATE_HZ * STEP_S))
SAG_RAD = 0.03


def spawned(name: str) -> SdfRobot:
    profile = load_profile(name)
    return SdfRobot(spawned_model(profile, trajectory_plugins(profile))[1])


def tracked(robot: SdfRobot, names: tuple[str, ...], positions: np.ndarray,
            velocities: np.ndarray) -> np.ndarray:
    """Return the error [rad] at every knot, joints in the order of the first follower."""
    follower = robot.followers[0]
    order = [names.index(name) for name in follower.names]
    errors = []
    for position, velocity in zip(positions[:, order], velocities[:, order]):
        # Until a knot's time Gazebo aims at that knot, not between it and the one before.
        follower.target = np.array([position, velocity])
        for _ in range(STEPS_PER_KNOT):
            robot.step()
        errors.append(robot.positions() - position)
    return np.array(errors)


@pytest.mark.parametrize('name', profile_names())
def test_robots_stand_still(name: str) -> None:
    robot = spawned(name)
    starts = [robot.positions(k) for k in range(len(robot.followers))]
    for _ in range(1_000):
        robot.step()
    for number, start in enumerate(starts):
        worst = np.abs(robot.positions(number) - start)
        assert worst.max(initial=0.0) < SAG_RAD, robot.followers[number].names[worst.argmax()]
    assert np.abs(robot.data.qvel).max() < 0.02


@pytest.mark.parametrize('name', ['humanoid', 'unitree_g1'])
def test_the_quickest_motion_the_limits_allow_stays_calm(name: str) -> None:
    """Targets that step to and fro, made into motion by the limiter, and then rest."""
    profile, rng = load_profile(name), np.random.default_rng(3)
    limiter = MotionLimiter(profile.limits)
    rest, reach = profile.rest_positions, profile.limits.upper - profile.limits.lower
    state = limiter.moving_state(rest, np.zeros_like(rest), np.zeros_like(rest))
    targets = np.repeat(rest + 0.4 * reach * rng.uniform(-1.0, 1.0, (5, len(rest))), 12, axis=0)
    motion = limiter.follow(state, np.concatenate([targets, np.repeat(rest[None], 90, axis=0)]))
    robot = spawned(name)
    errors = tracked(robot, profile.joint_names, motion.positions, motion.velocities)
    assert np.ptp(motion.positions, axis=0).max() > 0.5
    assert np.isfinite(robot.data.qpos).all()
    assert np.abs(errors[-1]).max() < SAG_RAD, 'it does not come back to rest'
    assert np.abs(robot.data.qvel).max() < 0.05


def test_the_humanoid_says_hello() -> None:
    names, positions, velocities = hello_motion()
    robot = spawned('humanoid')
    assert np.ptp(positions, axis=0).max() > 0.3, 'the greeting is no gesture'
    first = np.repeat(positions[:1], KNOT_RATE_HZ // 2, axis=0)
    tracked(robot, names, first, np.zeros_like(first))
    errors = tracked(robot, names, positions, velocities)
    assert np.sqrt((errors ** 2).mean(axis=0)).max() < 0.02
    assert np.abs(errors).max() < 0.06
