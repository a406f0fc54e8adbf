"""What surrounds the robot in a picture, and where the camera stands."""
from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from .model import RobotModel

FIELD_OF_VIEW_DEG = 30.0
"""Vertical; narrow, so that hands held forward do not look oversized."""
_AZIMUTH_DEG = 162.0
_ELEVATION_DEG = -9.0
_VISUAL_GROUP = 1
_HEADROOM = 0.2
_REACH_SHARE = 0.55


@dataclass(frozen=True, slots=True)
class Framing:
    """A camera that looks at a point, and the floor.

    Attributes:
        lookat: shape (3,), the point in the middle of the picture, world frame [m].
        distance_m: from the camera to that point.
        azimuth_deg: direction of view about z; 180 looks along -x, at the robot's front.
        elevation_deg: direction of view above the horizon; negative looks down.
        floor_z_m: height of the lowest part of the robot.
    """

    lookat: Float64Array
    distance_m: float
    azimuth_deg: float
    elevation_deg: float
    floor_z_m: float

    def axes(self) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Return the camera's unit vectors right, up and forward in the world frame."""
        azimuth, elevation = np.radians([self.azimuth_deg, self.elevation_deg])
        forward = np.array([np.cos(elevation) * np.cos(azimuth),
                            np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
        right = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
        return right, np.cross(right, forward), forward


def visible_geoms(model: mujoco.MjModel) -> NDArray[np.intp]:
    """Return the geoms that make the robot's look: its visuals, or all if it has none."""
    visual = np.flatnonzero(model.geom_group == _VISUAL_GROUP)
    return visual if len(visual) else np.arange(model.ngeom)


def frame_robot(robot: RobotModel, aspect: float) -> Framing:
    """Return a camera that shows the upper body at rest with room for its gestures.

    Args:
        robot: the robot alone, without scenery.
        aspect: width over height of the picture.
    """
    model = robot.model
    data = mujoco.MjData(model)
    data.qpos[:] = robot.qpos(robot.rest)
    mujoco.mj_forward(model, data)
    geoms = visible_geoms(model)
    low, high = _extent(model, data, geoms)
    top, floor = float(high[:, 2].max()), float(low[:, 2].min())
    arms = _arm_geoms(model, data, geoms, top)
    hands = float(low[arms, 2].min())
    upper = top - hands
    middle = 0.5 * (low[arms] + high[arms])
    half_width = np.abs(middle[:, 1]).max() + _REACH_SHARE * upper
    half_height = 0.5 * (1.0 + _HEADROOM) * upper
    half = max(half_height, half_width / aspect)
    lookat = np.array([0.5 * (low[arms, 0].min() + high[arms, 0].max()), 0.0,
                       top + 0.45 * _HEADROOM * upper - half])
    distance = half / np.tan(np.radians(0.5 * FIELD_OF_VIEW_DEG))
    return Framing(lookat, float(distance), _AZIMUTH_DEG, _ELEVATION_DEG, floor)


def _extent(model: mujoco.MjModel, data: mujoco.MjData,
            geoms: NDArray[np.intp]) -> tuple[Float64Array, Float64Array]:
    """Return lowest and highest corner (G, 3) of the geoms' boxes, world-aligned."""
    rotation = data.geom_xmat[geoms].reshape(-1, 3, 3)
    centre = data.geom_xpos[geoms] + np.einsum('gij,gj->gi', rotation, model.geom_aabb[geoms, :3])
    half = np.einsum('gij,gj->gi', np.abs(rotation), model.geom_aabb[geoms, 3:])
    return centre - half, centre + half


def _arm_geoms(model: mujoco.MjModel, data: mujoco.MjData, geoms: NDArray[np.intp],
               top: float) -> NDArray[np.intp]:
    """Return which of the geoms belong to limbs that leave the trunk in the upper half.

    A limb is the chain of bodies below the outermost bodies; arms and head differ from legs in
    where they are joined to the trunk.
    """
    floor = float(data.geom_xpos[geoms, 2].min())
    middle = 0.5 * (top + floor)
    chosen = np.zeros(model.nbody, dtype=bool)
    for body in range(1, model.nbody):
        parent = int(model.body_parentid[body])
        joined_high = data.xpos[body, 2] > middle + 0.08 * (top - floor)
        chosen[body] = chosen[parent] or (model.body_jntnum[body] > 0 and bool(joined_high))
    mask = chosen[model.geom_bodyid[geoms]]
    return np.flatnonzero(mask) if mask.any() else np.arange(len(geoms))


def add_scenery(spec: mujoco.MjSpec, framing: Framing, width: int, height: int) -> None:
    """Add floor, sky and lights to a robot's specification, and room for a picture."""
    spec.visual.global_.offwidth, spec.visual.global_.offheight = width, height
    spec.visual.global_.fovy = FIELD_OF_VIEW_DEG
    spec.visual.quality.offsamples = 4
    spec.visual.quality.numslices, spec.visual.quality.numstacks = 24, 14
    spec.visual.headlight.ambient = [0.30, 0.30, 0.33]
    spec.visual.headlight.diffuse = [0.14, 0.14, 0.14]
    spec.visual.headlight.specular = [0.05, 0.05, 0.05]
    spec.visual.rgba.haze = [0.88, 0.91, 0.94, 1.0]
    spec.add_texture(name='sky', type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
                     builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
                     rgb1=[0.30, 0.45, 0.62], rgb2=[0.93, 0.95, 0.97], width=128, height=768)
    spec.add_texture(name='floor', type=mujoco.mjtTexture.mjTEXTURE_2D,
                     builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT, mark=mujoco.mjtMark.mjMARK_EDGE,
                     rgb1=[0.90, 0.91, 0.92], markrgb=[0.80, 0.83, 0.86], width=256, height=256)
    floor = spec.add_material(name='floor', texrepeat=[2.0, 2.0], texuniform=True, specular=0.1,
                              shininess=0.1)
    floor.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = 'floor'
    spec.worldbody.add_geom(name='floor', type=mujoco.mjtGeom.mjGEOM_PLANE, material='floor',
                            size=[0.0, 0.0, 0.05], pos=[0.0, 0.0, framing.floor_z_m],
                            group=_VISUAL_GROUP, contype=0, conaffinity=0)
    _add_lights(spec, framing)


def _add_lights(spec: mujoco.MjSpec, framing: Framing) -> None:
    """Add a warm key light from the upper left, a cool fill and a rim light from behind.

    None casts a shadow: shadows double the time per picture on a software driver.
    """
    reach = framing.distance_m
    lookat = framing.lookat
    lights = (([0.55, -0.9, 0.9], [0.66, 0.64, 0.60]), ([0.6, 1.2, 0.1], [0.10, 0.13, 0.18]),
              ([-0.9, 0.7, 0.8], [0.30, 0.34, 0.40]))
    for direction, colour in lights:
        position = lookat + reach * np.array(direction)
        spec.worldbody.add_light(pos=position, dir=lookat - position, diffuse=colour,
                                 specular=[0.3 * c for c in colour], castshadow=False,
                                 ambient=[0.0, 0.0, 0.0],
                                 type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
