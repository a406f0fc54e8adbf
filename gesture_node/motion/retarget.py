"""From canonical poses to robot joint positions.

Every frame is a small least-squares problem: turn directions fixed in the robot's links towards
those of the person, inside the joint limits, starting from the frame before::

    minimise  sum_k w_k |v_k(q) - t_k|^2  +  rest_weight |q - q_rest|^2

where ``v_k`` are unit vectors (torso and head axes, upper arm, forearm, elbow hinge, fingers,
palm) and ``t_k`` what the pose asks for. A few damped Gauss-Newton steps solve it. For unit
vectors turned by joint axes ``a_i`` the normal equations have a closed form without forming the
Jacobian ``a_i x v_k``, by the identities::

    (a x v).(b x v) = a.b - (a.v)(b.v)         (a x v).t = a.(v x t)

Parts are independent: only torso joints follow the torso, only joints up to the elbow the arm's
directions, only joints beyond it the hand, so a hand that cannot reach its orientation never
pulls the arm away. Joints that reach a limit are held there while the others go on (an active
set, as in bounded least squares). The weak pull towards rest settles what the pose leaves open.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exceptions import RobotError
from ..types import Float64Array
from .kinematics import DirectionKinematics, LinkVector, Workspace
from .profile import RobotProfile
from .retarget_targets import arm_directions, closing_positions, pose_frames, PoseFrames
from .retarget_tasks import arm_tasks, part_tasks
from .rotations import Array
from .skeleton import POSE_DIM

_ITERATIONS = 3
_DAMPING = 0.004
_REST_WEIGHT = 0.002
_MAX_STEP_RAD = 0.5


@dataclass(frozen=True, slots=True)
class RetargetState:
    """Where retargeting stands: joint positions ``(N,)`` [rad] of the last frame."""

    positions: Float64Array


class Retargeter:
    """Turns poses into positions of one robot's joints. Immutable; all memory is in the state.

    What a robot cannot show is left out: a robot without head joints keeps its head still, one
    without torso joints holds its arms before an upright chest.

    Args:
        profile: the robot.

    Raises:
        RobotError: Pinocchio is missing or refuses the URDF.
    """

    def __init__(self, profile: RobotProfile) -> None:
        self._profile = profile
        parts = [profile.torso, *([profile.head] if profile.head else [])]
        tasks = [task for part in parts for task in part_tasks(part)]
        self._part_rows = len(tasks)
        tasks += [task for arm in profile.arms for task in arm_tasks(profile, arm)]
        vectors = [task.vector for task in tasks]
        names = profile.joint_names
        self._kinematics = DirectionKinematics(profile.urdf, names, vectors)
        self._moves = np.array([[name in task.joints for name in names] for task in tasks], float)
        self._weights = np.array([task.weight for task in tasks])[:, None]
        self._pairs = self._moves.T @ (self._weights * self._moves)
        self._weighted = self._weights * self._moves
        self._root = self._root_frame()
        self._closing = np.array([names.index(joint.name)
                                  for arm in profile.arms for joint in arm.closing], dtype=np.intp)

    def _root_frame(self) -> Float64Array:
        """Return the pelvis frame (forward, left, up as columns) in the URDF's root frame."""
        root = self._profile.root
        names = self._profile.joint_names
        kinematics = DirectionKinematics(
            self._profile.urdf, names, [LinkVector(root.link, axis) for axis in root.frame.T])
        _, axes = kinematics.directions(kinematics.workspace(), np.zeros(len(names)))
        return np.asarray(axes.T)

    def initial_state(self) -> RetargetState:
        """Return the state of the robot at rest."""
        return RetargetState(self._profile.rest_positions)

    def retarget(self, poses: Array, state: RetargetState) -> tuple[Float64Array, RetargetState]:
        """Return joint positions for poses that follow those the state has seen.

        One call with T poses and T calls with one give the same positions, bit for bit.

        Args:
            poses: shape (T, 84), pose vectors at 25 fps.
            state: from :meth:`initial_state` or the call before.

        Returns:
            positions of shape (T, N) [rad], inside the position limits, no joint moving more
            than 0.5 rad from one frame to the next, and the state after the last pose.

        Raises:
            RobotError: the poses are not of shape (T, 84) or not finite.
        """
        if poses.ndim != 2 or poses.shape[1] != POSE_DIM:
            raise RobotError(f'poses must have shape (T, {POSE_DIM}), got {poses.shape}')
        if not np.isfinite(poses).all():
            raise RobotError('poses must be finite, got NaN or infinity')
        frames = pose_frames(poses)
        targets = self._targets(frames)
        closing = np.concatenate([closing_positions(arm, frames) for arm in self._profile.arms]
                                 or [np.zeros((len(poses), 0))], axis=1)
        workspace = self._kinematics.workspace()
        positions = np.empty((len(poses), len(self._profile.joint_names)))
        current = state.positions
        for row, (target, hand) in enumerate(zip(targets, closing)):
            current = self._frame(workspace, target, hand, current)
            positions[row] = current
        return positions, RetargetState(current)

    def _targets(self, frames: PoseFrames) -> Array:
        """Return targets ``(T, K, 3)``: parts in the root link's frame, arms in the chest's."""
        parts = [frames.chest, *([frames.head] if self._profile.head else [])]
        rows = [self._root @ part for part in parts]
        columns = [row[..., column][:, None] for row in rows for column in (0, 2)]
        arms = [arm_directions(arm, frames) for arm in self._profile.arms]
        return np.concatenate([*columns, *arms], axis=1)

    def _frame(self, workspace: Workspace, targets: Array, closing: Float64Array,
               previous: Float64Array) -> Float64Array:
        limits = self._profile.limits
        lower = np.maximum(limits.lower, previous - _MAX_STEP_RAD)
        upper = np.minimum(limits.upper, previous + _MAX_STEP_RAD)
        positions: Float64Array = previous.copy()
        positions[self._closing] = closing
        positions = np.minimum(np.maximum(positions, lower), upper)
        for _ in range(_ITERATIONS):
            positions = self._improved(workspace, targets, positions, lower, upper)
        return positions

    def _improved(self, workspace: Workspace, targets: Array, positions: Float64Array,
                  lower: Float64Array, upper: Float64Array) -> Float64Array:
        """Return the positions after one bounded Gauss-Newton step."""
        axes, vectors = self._kinematics.directions(workspace, positions)
        wanted = targets.copy()
        chest = np.stack([vectors[0], _cross(vectors[1], vectors[0]), vectors[1]])
        wanted[self._part_rows:] = targets[self._part_rows:] @ chest
        along = (vectors @ axes.T) * self._moves
        normal = (axes @ axes.T) * self._pairs - along.T @ (self._weights * along)
        turn = self._weighted.T @ _cross(vectors, wanted)
        gradient = (axes * turn).sum(axis=1)
        gradient -= _REST_WEIGHT * (positions - self._profile.rest_positions)
        gradient[self._closing] = 0.0
        free = ~(((positions <= lower) & (gradient < 0.0))
                 | ((positions >= upper) & (gradient > 0.0)))
        held = free.astype(float)
        normal *= held[:, None] * held
        normal.flat[::len(positions) + 1] += _DAMPING + _REST_WEIGHT
        step = np.linalg.solve(normal, gradient * held)
        return np.asarray(np.minimum(np.maximum(positions + step, lower), upper))


def _cross(left: Array, right: Array) -> Array:
    """Return cross products of rows; ``np.cross`` costs several times as much on few rows."""
    return (left[..., [1, 2, 0]] * right[..., [2, 0, 1]]
            - left[..., [2, 0, 1]] * right[..., [1, 2, 0]])
