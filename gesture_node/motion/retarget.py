"""From canonical poses to robot joint positions.

Every frame is a small least-squares problem: turn directions fixed in the robot's links towards
those of the person, inside the joint limits, starting from the frame before::

    minimise  sum_k w_k |v_k(q) - t_k|^2  +  rest_weight |q - q_rest|^2

where ``v_k`` are unit vectors (torso and head axes, upper arm, forearm, elbow hinge, fingers,
palm) and ``t_k`` what the pose asks for. A few damped Gauss-Newton steps solve it. For unit
vectors turned by joint axes ``a_i`` the normal equations have a closed form without forming the
Jacobian ``a_i x v_k``, by the identities::

    (a x v).(b x v) = a.b - (a.v)(b.v)         (a x v).t = a.(v x t)

Parts do not pull at each other: only torso joints follow the torso, only joints up to the elbow
the arm's directions, only joints beyond it the hand, so a hand that cannot reach its orientation
never pulls the arm away. But each step counts on those before it along the chain: a hand is
turned to where the arm will have carried it. The equations are block triangular then, and one
step leaves what two leave without. Joints that reach a limit are held there while the others go
on (an active set, as in bounded least squares). The weak pull towards rest settles what the pose
leaves open.
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

_ITERATIONS, _AHEAD_ITERATIONS = 3, 1
_EXACT_AHEAD = 2  # provisional poses that interpolation to knots looks at
_SETTLED_RAD = 0.01  # a smaller step needs no other after it
_DAMPING = 0.004
_REST_WEIGHT = 0.002
_MAX_STEP_RAD = 0.5
_NEXT, _LAST = np.array([1, 2, 0]), np.array([2, 0, 1])


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
        weights = np.array([task.weight for task in tasks])[:, None]
        self._weighted = weights * [[name in task.joints for name in names] for task in tasks]
        self._carried = self._carried_by(vectors)
        self._pairs = self._weighted.T @ self._carried
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
                          and (row < self._part_rows or name in in_arms)
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

    def initial_state(self) -> RetargetState:
        """Return the state of the robot at rest."""
        return RetargetState(self._profile.rest_positions)

    def workspace(self) -> Workspace:
        """Return scratch memory for :meth:`retarget`, for a caller that calls often."""
        return self._kinematics.workspace()

    def retarget(self, poses: Array, state: RetargetState, ahead: int = 0,
                 workspace: Workspace | None = None) -> tuple[Float64Array, RetargetState]:
        """Return joint positions for poses that follow those the state has seen.

        One call with T poses and T calls with one give the same positions, bit for bit.

        Args:
            poses: shape (T, 84), pose vectors at 25 fps.
            state: from :meth:`initial_state` or the call before.
            ahead: number of poses at the end that are provisional: all but the first two of them
                are followed in fewer steps, and the state does not count them.
            workspace: overwritten; made when not given.

        Returns:
            positions of shape (T, N) [rad], inside the position limits, no joint moving more
            than 0.5 rad from one frame to the next, and the state after the last pose that is
            not provisional.

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
        workspace = workspace or self._kinematics.workspace()
        positions = np.empty((len(poses), len(self._profile.joint_names)))
        current, settled = state.positions, len(poses) - ahead
        exact = settled + _EXACT_AHEAD
        for row, (target, hand) in enumerate(zip(targets, closing)):
            current = self._frame(workspace, target, hand, current,
                                  _ITERATIONS if row < exact else _AHEAD_ITERATIONS)
            positions[row] = current
        last = positions[settled - 1].copy() if settled else state.positions
        return positions, RetargetState(last)

    def _targets(self, frames: PoseFrames) -> Array:
        """Return targets ``(T, K, 3)``: parts in the root link's frame, arms in the chest's."""
        parts = [frames.chest, *([frames.head] if self._profile.head else [])]
        rows = [self._root @ part for part in parts]
        columns = [row[..., column][:, None] for row in rows for column in (0, 2)]
        arms = [arm_directions(arm, frames) for arm in self._profile.arms]
        return np.concatenate([*columns, *arms], axis=1)

    def _frame(self, workspace: Workspace, targets: Array, closing: Float64Array,
               previous: Float64Array, iterations: int) -> Float64Array:
        limits = self._profile.limits
        lower = np.maximum(limits.lower, previous - _MAX_STEP_RAD)
        upper = np.minimum(limits.upper, previous + _MAX_STEP_RAD)
        positions: Float64Array = previous.copy()
        positions[self._closing] = closing
        positions = np.minimum(np.maximum(positions, lower), upper)
        for _ in range(iterations):
            before = positions
            positions = self._improved(workspace, targets, before, lower, upper)
            if np.abs(positions - before).max(initial=0.0) < _SETTLED_RAD:
                break
        return positions

    def _improved(self, workspace: Workspace, targets: Array, positions: Float64Array,
                  lower: Float64Array, upper: Float64Array) -> Float64Array:
        """Return the positions after one bounded Gauss-Newton step."""
        axes, vectors = self._kinematics.directions(workspace, positions)
        forward, up = vectors[:2]
        chest = np.array([forward, _cross(up, forward), up])
        wanted = targets.copy()
        wanted[self._part_rows:] = targets[self._part_rows:] @ chest
        along = vectors @ axes.T
        normal = (axes @ axes.T) * self._pairs
        normal -= (along * self._weighted).T @ (along * self._carried)
        gradient = (axes * (self._weighted.T @ _cross(vectors, wanted))).sum(axis=1)
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
    return np.asarray(left.take(_NEXT, -1) * right.take(_LAST, -1)
                      - left.take(_LAST, -1) * right.take(_NEXT, -1))
