"""Our solver against Pink, a general differential inverse kinematics with a quadratic program.

Pink gets the robot as Pinocchio reads it from the URDF file, our directions as its tasks with
Jacobians of its own, and the joint limits; it steps until it stands still. Then both solutions are
judged by the same cost, computed from link placements alone.
"""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import pink
from pink.tasks import DampingTask, Task
import pinocchio
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from retarget_world import POSES, ROBOTS, smooth_motion

from gesture_node.motion.profile import RobotProfile
from gesture_node.motion.retarget import Retargeter
from gesture_node.motion.retarget_solver import FrameSolver
from gesture_node.motion.retarget_targets import ARM_ROWS, pose_frames
from gesture_node.motion.robot import load_profile

NAMES = ('elbows_bent', 'palms_up', 'wave', 'lean', 'sway', 'tilt', 't_pose')
STEPS, STEP_S = 80, 0.1
WITHIN = 1.03
NEARLY_NONE = 2e-3
"""Costs below this are a few degrees in one weak term: neither solver tries harder."""


class DirectionTask(Task):
    """A unit vector of a link that shall point in a direction of the world."""

    def __init__(self, link: str, inside: np.ndarray, wanted: np.ndarray, weight: float,
                 columns: list[int]) -> None:
        super().__init__(cost=np.sqrt(weight), gain=1.0, lm_damping=0.05)
        self.link, self.inside, self.wanted, self.columns = link, inside, wanted, columns

    def __repr__(self) -> str:
        return f'DirectionTask({self.link!r})'

    def compute_error(self, configuration: pink.Configuration) -> np.ndarray:
        rotation = configuration.get_transform_frame_to_world(self.link).rotation
        return rotation @ self.inside - self.wanted

    def compute_jacobian(self, configuration: pink.Configuration) -> np.ndarray:
        turning = configuration.get_frame_jacobian(self.link)[3:]
        rotation = configuration.get_transform_frame_to_world(self.link).rotation
        jacobian = np.zeros((3, turning.shape[1]))
        jacobian[:, self.columns] = -(rotation @ pinocchio.skew(self.inside)
                                      @ turning[:, self.columns])
        return jacobian


class Reference:
    """One robot in Pink, and the cost of its postures."""

    def __init__(self, profile: RobotProfile) -> None:
        self.profile = profile
        full = pinocchio.buildModelFromUrdf(str(profile.urdf_path))
        held = [full.getJointId(name) for name in full.names[1:]
                if name not in profile.joint_names]
        self.model = pinocchio.buildReducedModel(full, held, pinocchio.neutral(full))
        self.columns = {name: self.model.joints[self.model.getJointId(name)].idx_q
                        for name in profile.joint_names}
        for name, lower, upper in zip(profile.joint_names, profile.limits.lower,
                                      profile.limits.upper):
            self.model.lowerPositionLimit[self.columns[name]] = lower
            self.model.upperPositionLimit[self.columns[name]] = upper

    def at(self, positions: np.ndarray) -> pink.Configuration:
        coordinates = np.zeros(self.model.nq)
        for name, position in zip(self.profile.joint_names, positions):
            coordinates[self.columns[name]] = position
        return pink.Configuration(self.model, self.model.createData(), coordinates)

    def improved(self, positions: np.ndarray, tasks: list[DirectionTask]) -> np.ndarray:
        configuration = self.at(positions)
        for _ in range(STEPS):
            velocity = pink.solve_ik(configuration, [*tasks, DampingTask(cost=0.03)], STEP_S,
                                     solver='daqp', safety_break=False)
            velocity = np.clip(velocity * STEP_S, -0.3, 0.3)
            coordinates = np.clip(configuration.q + velocity, self.model.lowerPositionLimit,
                                  self.model.upperPositionLimit)
            moved = np.abs(coordinates - configuration.q).max()
            configuration.update(coordinates)
            if moved < 1e-5:
                break
        return np.array([configuration.q[self.columns[name]]
                         for name in self.profile.joint_names])

    def cost(self, positions: np.ndarray, tasks: list[DirectionTask]) -> float:
        configuration = self.at(positions)
        return float(sum(task.cost ** 2 * np.sum(task.compute_error(configuration) ** 2)
                         for task in tasks))

    def turned(self, positions: np.ndarray, link: str) -> np.ndarray:
        return self.at(positions).get_transform_frame_to_world(link).rotation


def stages(reference: Reference, solver: FrameSolver, pose: np.ndarray,
           positions: np.ndarray) -> list[list[DirectionTask]]:
    """Return the tasks of torso and head, of arms to the elbow, and of hands.

    Later ones stand on what the earlier ones found, as parts do not pull at each other.
    """
    targets = solver.targets(pose_frames(pose[None]))
    assert not targets.pointing.any() and not targets.closeness.any()
    chest = reference.turned(positions, reference.profile.torso.link) \
        @ reference.profile.torso.frame
    groups: list[list[DirectionTask]] = [[], [], []]
    for row, task in enumerate(solver.tasks):
        wanted = targets.directions[0, row]
        in_arm = row >= solver.part_rows
        stage = 0 if not in_arm else (1 if (row - solver.part_rows) % ARM_ROWS < 3 else 2)
        columns = [reference.columns[name] for name in task.joints]
        if columns and task.weight > 0.0:
            groups[stage].append(DirectionTask(
                task.vector.link, task.vector.direction, chest @ wanted if in_arm else wanted,
                task.weight, columns))
    return groups


def poses() -> dict[str, np.ndarray]:
    moving = {f'motion {seed}': smooth_motion(seed, frames=20, size_rad=0.25)[-1]
              for seed in range(6)}
    return {**{name: POSES[name] for name in NAMES}, **moving}


@pytest.mark.parametrize('name', ROBOTS)
def test_no_posture_of_pink_costs_noticeably_less(name):
    profile = load_profile(name)
    reference, solver, retargeter = Reference(profile), FrameSolver(profile), Retargeter(profile)
    compared = 0
    for label, pose in poses().items():
        targets = solver.targets(pose_frames(pose[None]))
        if targets.pointing.any() or targets.closeness.any():
            continue  # there the arm is shared between terms; those have tests of their own
        still = np.repeat(pose[None], 120, axis=0)
        ours = retargeter.retarget(still, retargeter.initial_state())[0][-1]
        for tasks in stages(reference, solver, pose, ours):
            if not tasks:
                continue
            theirs = reference.cost(reference.improved(ours, tasks), tasks)
            mine = reference.cost(ours, tasks)
            assert mine <= WITHIN * theirs + NEARLY_NONE, f'{label}: {mine:.4f} > {theirs:.4f}'
            compared += 1
    assert compared >= 15


@pytest.mark.parametrize('name', ROBOTS)
def test_pink_from_rest_finds_no_better_posture_either(name):
    """From elsewhere, so that agreeing on one bad local minimum would be noticed."""
    profile = load_profile(name)
    reference, solver, retargeter = Reference(profile), FrameSolver(profile), Retargeter(profile)
    for label in ('elbows_bent', 'palms_up', 'wave'):
        still = np.repeat(POSES[label][None], 120, axis=0)
        ours = retargeter.retarget(still, retargeter.initial_state())[0][-1]
        start = ours.copy()
        arms = [profile.joint_names.index(joint) for arm in profile.arms for joint in arm.joints]
        start[arms] = profile.rest_positions[arms]
        tasks = stages(reference, solver, POSES[label], ours)[1]
        theirs = reference.cost(reference.improved(start, tasks), tasks)
        mine = reference.cost(ours, tasks)
        assert mine <= WITHIN * theirs + NEARLY_NONE, f'{label}: {mine:.4f} > {theirs:.4f}'
