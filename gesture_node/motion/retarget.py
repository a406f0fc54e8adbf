"""From canonical poses to robot joint positions.

Every frame is a small least-squares problem: turn directions fixed in the robot's links towards
those of the person, inside the joint limits, starting from the frame before::

    minimise  sum_k w_k |v_k(q) - t_k|^2  +  sum_p c_p |d_p(q) - s d_p|^2
              + rest |q - q_rest|^2  +  movement |q - q_before|^2

where ``v_k`` are unit vectors (torso and head axes, upper arm, forearm, elbow hinge, fingers,
palm), ``t_k`` what the pose asks for, and ``d_p`` the place of one hand relative to the other,
counted only while they are close on the person (``retarget_points``). A few damped Gauss-Newton
steps solve it (``retarget_solver``).

Parts do not pull at each other: only torso joints follow the torso, only joints up to the elbow
the arm's directions, only joints beyond it the hand, so a hand that cannot reach its orientation
never pulls the arm away; unless it points, then the whole arm helps it to. But each step counts on
those before it along the chain: a hand is turned to where the arm will have carried it. The
equations are block triangular then, and one step leaves what two leave without. The weak pull
towards rest settles what the pose leaves open, that against movement keeps still what the pose
hardly decides.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exceptions import RobotError
from ..types import Float64Array
from .kinematics import Workspace
from .profile import RobotProfile
from .retarget_solver import FrameSolver
from .retarget_targets import closing_positions, pose_frames
from .rotations import Array
from .skeleton import POSE_DIM

_ITERATIONS, _AHEAD_ITERATIONS = 3, 1
_EXACT_AHEAD = 2  # provisional poses that interpolation to knots looks at


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
        self._solver = FrameSolver(profile)

    def initial_state(self) -> RetargetState:
        """Return the state of the robot at rest."""
        return RetargetState(self._profile.rest_positions)

    def workspace(self) -> Workspace:
        """Return scratch memory for :meth:`retarget`, for a caller that calls often."""
        return self._solver.kinematics.workspace()

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
        targets = self._solver.targets(frames)
        closing = np.concatenate([closing_positions(arm, frames) for arm in self._profile.arms]
                                 or [np.zeros((len(poses), 0))], axis=1)
        workspace = workspace or self.workspace()
        positions = np.empty((len(poses), len(self._profile.joint_names)))
        current, settled = state.positions, len(poses) - ahead
        exact = settled + _EXACT_AHEAD
        for row, hand in enumerate(closing):
            current = self._solver.solve(workspace, targets, row, hand, current,
                                         _ITERATIONS if row < exact else _AHEAD_ITERATIONS)
            positions[row] = current
        last = positions[settled - 1].copy() if settled else state.positions
        return positions, RetargetState(last)
