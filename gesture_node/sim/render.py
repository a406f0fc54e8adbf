"""Pictures of the robot: rendered by MuJoCo, or drawn where no OpenGL library is present."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
import logging
from pathlib import Path
from typing import Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..exceptions import SimulationError
from ..types import Float64Array
from .figure import FigureRenderer
from .gl import INSTALL_COMMAND, why_no_gl
from .model import compile_model, make_spec
from .scene import add_scenery, frame_robot
from .urdf import prepare_urdf, PreparedUrdf

Picture = NDArray[np.uint8]

_log = logging.getLogger(__name__)


class RobotRenderer(Protocol):
    """Makes pictures of one robot from its joint positions.

    Attributes:
        is_drawn: true for a drawn figure, false for a rendered robot.
    """

    is_drawn: bool

    def render(self, positions: Float64Array) -> Picture:
        """Return the picture (H, W, 3), RGB, of the robot at positions (N,) [rad]."""

    def close(self) -> None:
        """Free what the renderer holds."""


def make_renderer(urdf_path: Path | str, joint_names: Sequence[str], width: int = 854,
                  height: int = 720, rest: Float64Array | None = None) -> RobotRenderer:
    """Return the best renderer that works here, and log which library would make it better.

    Args:
        urdf_path: the robot's URDF.
        joint_names: N joints, order of the positions to come; the others stay at 0.
        width: of the picture [px].
        height: of the picture [px].
        rest: positions (N,) [rad] with the arms down, by which the camera is placed.

    Raises:
        RobotError: the URDF is missing or malformed, or lacks a named joint.
        SimulationError: MuJoCo refuses the model.
    """
    urdf = prepare_urdf(Path(urdf_path))
    resting = {} if rest is None else dict(zip(joint_names, rest.tolist()))
    reason = why_no_gl()
    if reason is None:
        try:
            return MujocoRenderer(urdf, joint_names, width, height, resting)
        except SimulationError as error:
            reason = str(error)
    _log.warning('the robot is drawn as a plain figure: %s', reason)
    return FigureRenderer(urdf, joint_names, width, height, resting,
                          note=f'drawn figure; for a rendered robot: {INSTALL_COMMAND}')


class MujocoRenderer:
    """Renders the robot's visual shapes on a studio floor, framing the upper body.

    Raises:
        RobotError: the URDF lacks a named joint.
        SimulationError: MuJoCo refuses the model or no OpenGL context can be made.
    """

    is_drawn = False

    def __init__(self, urdf: PreparedUrdf, joint_names: Sequence[str], width: int, height: int,
                 rest: Mapping[str, float]) -> None:
        framing = frame_robot(compile_model(urdf, make_spec(urdf), rest),
                              width / height)
        spec = make_spec(urdf)
        add_scenery(spec, framing, width, height)
        self._robot = compile_model(urdf, spec, rest)
        self._columns = self._robot.columns(joint_names)
        self._positions = np.array(self._robot.rest)
        self._data = mujoco.MjData(self._robot.model)
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        self._camera.lookat[:] = framing.lookat
        self._camera.distance = framing.distance_m
        self._camera.azimuth, self._camera.elevation = framing.azimuth_deg, framing.elevation_deg
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 0
        self._option.geomgroup[_shown_group(self._robot.model)] = 1
        self._option.geomgroup[1] = 1
        try:
            self._renderer = mujoco.Renderer(self._robot.model, height, width)
        except Exception as error:  # drivers fail with errors of many kinds
            raise SimulationError(f'no OpenGL context for pictures ({error}); '
                                  f'install it with: {INSTALL_COMMAND}') from error

    def render(self, positions: Float64Array) -> Picture:
        """Return the picture (H, W, 3), RGB, of the robot at positions (N,) [rad]."""
        self._positions[self._columns] = positions
        self._data.qpos[:] = self._robot.qpos(self._positions)
        mujoco.mj_kinematics(self._robot.model, self._data)
        mujoco.mj_comPos(self._robot.model, self._data)
        mujoco.mj_camlight(self._robot.model, self._data)
        self._renderer.update_scene(self._data, self._camera, self._option)
        picture: Picture = self._renderer.render()
        return picture

    def close(self) -> None:
        """Free the OpenGL context."""
        self._renderer.close()


def _shown_group(model: mujoco.MjModel) -> int:
    """Return the group of the robot's shapes: visuals if it has any, else collision shapes."""
    return 1 if np.any((model.geom_group == 1) & (model.geom_bodyid > 0)) else 0
