"""One frame of retargeting: bounded Gauss-Newton over directions and a few points.

For unit vectors ``v_k`` turned by joint axes ``a_i`` the normal equations have a closed form
without forming the Jacobian ``a_i x v_k``, by the identities::

    (a x v).(b x v) = a.b - (a.v)(b.v)         (a x v).t = a.(v x t)

Joints that reach a limit are held there while the others go on (an active set, as in bounded
least squares).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from .kinematics import DirectionKinematics, LinkVector, Workspace
from .profile import RobotProfile
from .retarget_points import cross, fading_weight, PointPairs
from .retarget_targets import ARM_ROWS, arm_targets, PoseFrames
from .retarget_tasks import arm_tasks, part_tasks, Task
from .rotations import Array

_SETTLED_RAD = 0.01  # a smaller step needs no other after it
_PULLED, _NEAR_ITERATIONS = 0.5, 2  # points bend more than directions do
_DAMPING = 0.004
MAX_STEP_RAD = 0.5
"""No joint moves further from one frame to the next."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What T frames ask of a robot with K task vectors, the last R of them in arms.

    Attributes:
        directions: shape (T, K, 3), those of torso and head in the frame of the root link, those
            of arms in the robot's chest frame.
        standing: shape (T, R, 3), those of arms in the frame of the root link.
        pointing: shape (T, K) in [0, 1], how much an arm points; 0 in torso and head.
        shares: shape (T, K) in [0, 1], what is left of each weight.
        extra: shape (T, K), weights of what an arm that points is asked for.
        points: shape (T,), whether an arm points.
        places: shape (T, Q, 3), of the point pairs.
        closeness: shape (T, Q), weights of the point pairs.
    """

    directions: Array
    standing: Array
    pointing: Array
    shares: Array
    extra: Array
    points: NDArray[np.bool_]
    places: Array
    closeness: Array


@dataclass(slots=True)
class _Frame:
    """One row of the targets, with the weights it leads to."""

    directions: Array
    standing: Array
    pointing: Array
    points: bool
    weighted: Float64Array
    coupled: Float64Array
    places: Array
    closeness: list[float]
    near: tuple[int, ...]


class FrameSolver:
    """Finds joint positions for one frame after the other. Immutable.

    Args:
        profile: the robot.

    Attributes:
        tasks: the K directions that are matched.
        part_rows: how many of them belong to torso and head.
        kinematics: of these directions and of the point pairs.

    Raises:
        RobotError: Pinocchio is missing or refuses the URDF.
    """

    def __init__(self, profile: RobotProfile) -> None:
        self._profile = profile
        weights, names = profile.weights, profile.joint_names
        tasks = part_tasks(profile.torso, weights.torso)
        tasks += part_tasks(profile.head, weights.head) if profile.head else []
        self.part_rows = len(tasks)
        tasks += [task for arm in profile.arms for task in arm_tasks(profile, arm)]
        self.tasks: tuple[Task, ...] = tuple(tasks)
        self._points = PointPairs(profile)
        vectors = [task.vector for task in tasks]
        self.kinematics = DirectionKinematics(profile.urdf, names, vectors, self._points.points)
        self._weighted = np.array([[task.weight * (name in task.joints) for name in names]
                                   for task in tasks])
        self._when_pointing = np.array([[name in task.when_pointing for name in names]
                                        for task in tasks], dtype=np.float64)
        self._pointing_weight = weights.pointing
        self._carried = self._carried_by(vectors)
        self._coupled = self._weighted.T @ self._carried
        self._root = self._root_frame()
        self._closing = np.array([names.index(joint.name)
                                  for arm in profile.arms for joint in arm.closing], dtype=np.intp)

    def _carried_by(self, vectors: list[LinkVector]) -> Float64Array:
        """Return (K, N), 1 where a joint turns a vector against what its target is fixed in.

        Targets of arms are fixed in the chest, so torso joints change nothing between them.
        """
        profile = self._profile
        in_arms = {name for arm in profile.arms for name in arm.joints}
        return np.array([[name in profile.urdf.joints_to(vector.link)
                          and (row < self.part_rows or name in in_arms)
                          for name in profile.joint_names]
                         for row, vector in enumerate(vectors)], dtype=np.float64)

    def _root_frame(self) -> Float64Array:
        """Return the pelvis frame (forward, left, up as columns) in the URDF's root frame."""
        root = self._profile.root
        names = self._profile.joint_names
        kinematics = DirectionKinematics(
            self._profile.urdf, names, [LinkVector(root.link, axis) for axis in root.frame.T])
        _, axes = kinematics.directions(kinematics.workspace(), np.zeros(len(names)))
        return np.asarray(axes.T)

    def targets(self, frames: PoseFrames) -> Targets:
        """Return what poses ask of this robot."""
        parts = [frames.chest, *([frames.head] if self._profile.head else [])]
        rows = [self._root @ part for part in parts]
        columns = [row[..., column][:, None] for row in rows for column in (0, 2)]
        arms = [arm_targets(arm, frames) for arm in self._profile.arms]
        count, none = len(frames.chest), np.zeros((len(frames.chest), 0))
        inside = np.concatenate([none[..., None] * np.zeros(3), *(a.directions for a in arms)], 1)
        pointing = np.concatenate(
            [none, *(np.repeat(a.pointing[:, None], ARM_ROWS, axis=1) for a in arms)], axis=1)
        unmoved = np.zeros((count, self.part_rows))
        near = self._points.targets(frames.palms)
        pointing = np.concatenate([unmoved, pointing], axis=1)
        return Targets(
            directions=np.concatenate([*columns, inside], axis=1),
            standing=inside @ np.swapaxes(rows[0], -1, -2),
            pointing=pointing,
            shares=np.concatenate([unmoved + 1.0, none, *(a.shares for a in arms)], axis=1),
            extra=fading_weight(pointing, self._pointing_weight),
            points=np.asarray(pointing.any(axis=1)),
            places=near.wanted, closeness=near.weights)

    def solve(self, workspace: Workspace, targets: Targets, row: int, closing: Float64Array,
              previous: Float64Array, iterations: int) -> Float64Array:
        """Return joint positions ``(N,)`` [rad] for one frame.

        Args:
            workspace: of :attr:`kinematics`; overwritten.
            targets: of :meth:`targets`.
            row: which frame of them.
            closing: positions of the finger joints.
            previous: positions of the frame before, ``(N,)``.
            iterations: Gauss-Newton steps at most; at least two where hands are close.
        """
        limits = self._profile.limits
        lower = np.maximum(limits.lower, previous - MAX_STEP_RAD)
        upper = np.minimum(limits.upper, previous + MAX_STEP_RAD)
        positions: Float64Array = previous.copy()
        positions[self._closing] = closing
        positions = np.minimum(np.maximum(positions, lower), upper)
        frame = self._frame(targets, row)
        pulled = max(frame.closeness, default=0.0) > _PULLED
        for _ in range(max(iterations, _NEAR_ITERATIONS) if pulled else iterations):
            before = positions
            positions = self._improved(workspace, frame, before, previous, lower, upper)
            if np.abs(positions - before).max(initial=0.0) < _SETTLED_RAD:
                break
        return positions

    def _frame(self, targets: Targets, row: int) -> _Frame:
        weighted, coupled = self._weighted, self._coupled
        points = bool(targets.points[row])
        if points:
            weighted = (weighted * targets.shares[row][:, None]
                        + self._when_pointing * targets.extra[row][:, None])
            coupled = weighted.T @ self._carried
        closeness = targets.closeness[row].tolist()
        near = tuple(index for index, weight in enumerate(closeness) if weight > 0.0)
        return _Frame(targets.directions[row], targets.standing[row],
                      targets.pointing[row, self.part_rows:, None], points, weighted, coupled,
                      targets.places[row], closeness, near)

    def _improved(self, workspace: Workspace, frame: _Frame, positions: Float64Array,
                  previous: Float64Array, lower: Float64Array,
                  upper: Float64Array) -> Float64Array:
        """Return the positions after one bounded Gauss-Newton step."""
        weights = self._profile.weights
        axes, vectors = self.kinematics.directions(workspace, positions)
        forward, up = vectors[:2]
        chest = np.array([forward, cross(up, forward), up])
        wanted = frame.directions.copy()
        wanted[self.part_rows:] = frame.directions[self.part_rows:] @ chest
        if frame.points:
            wanted[self.part_rows:] += frame.pointing * (frame.standing - wanted[self.part_rows:])
        along = vectors @ axes.T
        normal = (axes @ axes.T) * frame.coupled
        normal -= (along * frame.weighted).T @ (along * self._carried)
        gradient = (axes * (frame.weighted.T @ cross(vectors, wanted))).sum(axis=1)
        if frame.near:
            self._pull_together(workspace, frame, chest, axes, normal, gradient)
        gradient -= weights.rest * (positions - self._profile.rest_positions)
        gradient -= weights.movement * (positions - previous)
        gradient[self._closing] = 0.0
        free = ~(((positions <= lower) & (gradient < 0.0))
                 | ((positions >= upper) & (gradient > 0.0)))
        held = free.astype(float)
        normal *= held[:, None] * held
        normal.flat[::len(positions) + 1] += _DAMPING + weights.rest + weights.movement
        step = np.linalg.solve(normal, gradient * held)
        return np.asarray(np.minimum(np.maximum(positions + step, lower), upper))

    def _pull_together(self, workspace: Workspace, frame: _Frame, chest: Array, axes: Float64Array,
                       normal: Float64Array, gradient: Float64Array) -> None:
        """Add what the point pairs ask for to the normal equations.

        A place out of reach leaves a large error, whose curvature Gauss-Newton does not see: the
        error itself damps the joints that would overshoot (as in Levenberg-Marquardt).
        """
        points, moments = self.kinematics.points(workspace)
        for index in frame.near:
            pair = self._points.pairs[index]
            error, slope = self._points.slopes(pair, frame.places[index], chest, axes, points,
                                               moments)
            pull = slope * (pair.joints * frame.closeness[index])[:, None]
            normal += pull @ slope.T
            gradient -= pull @ error
            strain = frame.closeness[index] * float(np.sqrt(error @ error))
            normal.flat[::len(gradient) + 1] += strain * pair.joints
