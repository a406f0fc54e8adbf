"""A robot in MuJoCo whose joints follow position commands, with its base fixed.

Every joint has a position servo of one bandwidth ``w``: stiffness and damping come from the
inertia that the joint moves, so a shoulder and a finger answer alike, and the time by which the
motion lags behind a steadily moving command is the same everywhere::

    torque = inertia * (w^2 * (command - q) - 2 * w * dq/dt),   lag = 2 / w

Links carry no weight (real arms compensate gravity in their drives) and do not collide (what is
published has already been kept from self-collision; overlapping primitive shapes would fight the
joints). Torque stays within the URDF's effort limits, positions within its ranges.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from ..exceptions import SimulationError
from ..types import Float64Array
from .model import compile_model, make_spec, TIMESTEP_S
from .urdf import prepare_urdf

if TYPE_CHECKING:
    from ..motion.profile import RobotProfile


_LONGEST_CATCH_UP_S = 10.0


class SimulatedRobot:
    """A robot that follows commands in simulated time.

    Args:
        urdf_path: the robot's URDF.
        joint_names: N joints that are commanded, order of all arrays; all moving joints without
            it. Joints that are not commanded hold their rest position.
        rest: starting positions [rad] by joint name; 0, or the nearest limit, for the others.

    Raises:
        RobotError: the URDF is missing or malformed, or lacks a named joint.
        SimulationError: MuJoCo refuses the model.
    """

    def __init__(self, urdf_path: Path | str, joint_names: Sequence[str] | None = None,
                 rest: Mapping[str, float] | None = None) -> None:
        urdf = prepare_urdf(Path(urdf_path))
        self._robot = compile_model(urdf, make_spec(urdf), rest)
        self.left_out = urdf.left_out
        self.joint_names = tuple(joint_names or self._robot.joint_names)
        self._columns = self._robot.columns(self.joint_names)
        self._wanted = np.array(self._robot.rest)
        self._data = mujoco.MjData(self._robot.model)
        self._data.qpos[:] = self._robot.qpos(self._robot.rest)
        self._steps = 0
        mujoco.mj_forward(self._robot.model, self._data)

    @classmethod
    def from_profile(cls, profile: RobotProfile) -> SimulatedRobot:
        """Return the robot of a profile, commanded by the profile's joints, at its rest."""
        rest = dict(zip(profile.joint_names, profile.rest_positions.tolist()))
        return cls(profile.urdf_path, profile.joint_names, rest)

    @property
    def time_s(self) -> float:
        """Simulated time [s] since the start."""
        return self._steps * TIMESTEP_S

    @property
    def positions(self) -> Float64Array:
        """Measured joint positions, shape (N,), [rad]."""
        return np.array(self._data.qpos[self._robot.qpos_index[self._columns]])

    @property
    def velocities(self) -> Float64Array:
        """Measured joint velocities, shape (N,), [rad/s]."""
        return np.array(self._data.qvel[self._robot.dof_index[self._columns]])

    def all_joints(self) -> dict[str, tuple[float, float]]:
        """Return position [rad] and velocity [rad/s] of every moving joint, commanded or not."""
        q, v = self._data.qpos[self._robot.qpos_index], self._data.qvel[self._robot.dof_index]
        return dict(zip(self._robot.joint_names, zip(q.tolist(), v.tolist())))

    def command(self, positions: Float64Array) -> None:
        """Set where the joints shall go; it holds until the next command.

        Args:
            positions: shape (N,), [rad]; clipped to the URDF's ranges.

        Raises:
            SimulationError: the shape is wrong or a number is not finite.
        """
        wanted = np.asarray(positions, dtype=np.float64)
        if wanted.shape != (len(self.joint_names),):
            raise SimulationError(f'a command needs {len(self.joint_names)} positions, '
                                  f'got shape {wanted.shape}')
        if not np.isfinite(wanted).all():
            joint = self.joint_names[int(np.argmin(np.isfinite(wanted)))]
            raise SimulationError(f'the command of joint {joint!r} is not finite')
        self._wanted[self._columns] = np.clip(wanted, self._robot.lower[self._columns],
                                              self._robot.upper[self._columns])

    def step_to(self, time_s: float) -> None:
        """Let physics run until simulated time ``time_s``; earlier times do nothing.

        Raises:
            SimulationError: the time lies further ahead than can be caught up in one call, or the
                physics diverged.
        """
        steps = round(time_s / TIMESTEP_S) - self._steps
        if steps * TIMESTEP_S > _LONGEST_CATCH_UP_S:
            raise SimulationError(f'cannot simulate {steps * TIMESTEP_S:.1f} s in one call; '
                                  f'at most {_LONGEST_CATCH_UP_S:.0f} s')
        if steps <= 0:
            return
        count = len(self._wanted)
        self._data.ctrl[:count] = self._wanted
        self._data.ctrl[count:] = self._robot.mimic(self._wanted)
        mujoco.mj_step(self._robot.model, self._data, steps)
        self._steps += steps
        if not np.isfinite(self._data.qpos).all():
            raise SimulationError(f'the physics diverged at {self.time_s:.3f} s')
