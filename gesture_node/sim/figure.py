"""A figure of the robot drawn without OpenGL: its links as shaded capsules, projected.

MuJoCo still does the forward kinematics; only the picture is made with Pillow.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..types import Float64Array
from .model import compile_model, make_spec
from .scene import FIELD_OF_VIEW_DEG, frame_robot, visible_geoms
from .urdf import PreparedUrdf

Picture = NDArray[np.uint8]

_SUPERSAMPLING = 2
_SKY_TOP, _SKY_BOTTOM = np.array([150, 176, 202]), np.array([236, 240, 244])
_FLOOR = (205, 212, 219)
_OUTLINE_PX = 3.0
_CAP_SHARE = 0.55
_FRONT_SHARE = 0.5
"""Of its radius, by how much a shape counts as nearer: a head hides the joint in its middle."""


class FigureRenderer:
    """Draws every visible shape of the robot as a capsule, far ones first.

    Args:
        urdf: the robot.
        joint_names: N joints, order of the positions to come; the others stay at 0.
        width: of the picture [px].
        height: of the picture [px].
        rest: positions [rad] with the arms down, by joint name; they place the camera.
        note: a line written into the picture, to say what it is.

    Raises:
        RobotError: the URDF lacks a named joint.
        SimulationError: MuJoCo refuses the model.
    """

    is_drawn = True

    def __init__(self, urdf: PreparedUrdf, joint_names: Sequence[str], width: int, height: int,
                 rest: Mapping[str, float], note: str = '') -> None:
        self._robot = compile_model(urdf, make_spec(urdf), rest)
        self._columns = self._robot.columns(joint_names)
        self._positions = np.array(self._robot.rest)
        self._data = mujoco.MjData(self._robot.model)
        self._framing = frame_robot(self._robot, width / height)
        self._size = width, height
        self._note = note
        self._geoms = visible_geoms(self._robot.model)
        self._centres, self._ends, self._radii = _capsules(self._robot.model, self._geoms)
        self._background = self._draw_background()

    def render(self, positions: Float64Array) -> Picture:
        """Return the picture (H, W, 3), RGB, of the robot at positions (N,) [rad]."""
        self._positions[self._columns] = positions
        self._data.qpos[:] = self._robot.qpos(self._positions)
        mujoco.mj_kinematics(self._robot.model, self._data)
        rotation = self._data.geom_xmat[self._geoms].reshape(-1, 3, 3)
        centre = self._data.geom_xpos[self._geoms] + np.einsum('gij,gj->gi', rotation,
                                                               self._centres)
        axis = np.einsum('gij,gj->gi', rotation, self._ends)
        start, scale = self._project(centre - axis)
        end, _ = self._project(centre + axis)
        picture = self._background.copy()
        draw = ImageDraw.Draw(picture)
        for link in self._links_by_depth(scale):
            for outline in (True, False):
                for geom in link[np.argsort(scale[link])]:
                    colour = self._robot.model.geom_rgba[self._geoms[geom], :3]
                    _draw_capsule(draw, start[geom], end[geom], self._radii[geom] * scale[geom],
                                  colour, outline)
        picture = picture.reduce(_SUPERSAMPLING)
        self._write_note(picture)
        return np.asarray(picture)

    def close(self) -> None:
        """Do nothing: a figure holds no context."""

    def _links_by_depth(self, scale: Float64Array) -> list[NDArray[np.intp]]:
        """Return the shapes of every link, the farthest link first."""
        bodies = self._robot.model.geom_bodyid[self._geoms]
        links = [np.flatnonzero(bodies == body) for body in np.unique(bodies)]
        depth_m = self._pixels_at_1_m() / scale - _FRONT_SHARE * self._radii
        return sorted(links, key=lambda link: -float(depth_m[link].mean()))

    def _pixels_at_1_m(self) -> float:
        half = 0.5 * _SUPERSAMPLING * self._size[1]
        return float(half / np.tan(np.radians(0.5 * FIELD_OF_VIEW_DEG)))

    def _project(self, points: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return supersampled pixels (G, 2) and pixels per metre (G,) of world points (G, 3)."""
        framing = self._framing
        right, up, forward = framing.axes()
        relative = points - framing.lookat
        depth = np.maximum(relative @ forward + framing.distance_m, 0.05)
        width, height = (_SUPERSAMPLING * side for side in self._size)
        scale = self._pixels_at_1_m() / depth
        pixels = np.stack([0.5 * width + scale * (relative @ right),
                           0.5 * height - scale * (relative @ up)], axis=-1)
        return pixels, scale

    def _draw_background(self) -> Image.Image:
        width, height = (_SUPERSAMPLING * side for side in self._size)
        share = np.linspace(0.0, 1.0, height)[:, None, None]
        rows = _SKY_TOP + share * (_SKY_BOTTOM - _SKY_TOP)
        picture = Image.fromarray(np.broadcast_to(rows, (height, width, 3)).astype(np.uint8))
        floor_y = self._project(np.array([[-3.0, 0.0, self._framing.floor_z_m]]))[0][0, 1]
        if floor_y < height:
            ImageDraw.Draw(picture).rectangle([0, floor_y, width, height], fill=_FLOOR)
        return picture

    def _write_note(self, picture: Image.Image) -> None:
        if self._note:
            font = ImageFont.load_default(size=max(11, self._size[1] // 48))
            draw = ImageDraw.Draw(picture)
            place = (12, self._size[1] - 12)
            left, top, right, bottom = draw.textbbox(place, self._note, anchor='lb', font=font)
            draw.rectangle((left - 6, top - 4, right + 6, bottom + 4), fill=(240, 243, 246))
            draw.text(place, self._note, anchor='lb', font=font, fill=(60, 72, 84))


def _capsules(model: mujoco.MjModel, geoms: NDArray[np.intp]) -> tuple[
        Float64Array, Float64Array, Float64Array]:
    """Return for every shape the capsule that stands for it, in the shape's own frame.

    Returns:
        centres (G, 3), half axes (G, 3) and radii (G,): the longest side of the bounding box is
        the axis, the geometric mean of the others the diameter.
    """
    half = np.maximum(model.geom_aabb[geoms, 3:], 1e-3)
    longest = half.argmax(axis=1)
    rows = np.arange(len(geoms))
    others = np.arange(3)[None, :] != longest[:, None]
    radii = np.sqrt(half[others].reshape(-1, 2).prod(axis=1))
    ends = np.zeros((len(geoms), 3))
    ends[rows, longest] = np.maximum(half[rows, longest] - _CAP_SHARE * radii, 0.0)
    return model.geom_aabb[geoms, :3].copy(), ends, radii


def _draw_capsule(draw: ImageDraw.ImageDraw, start: Float64Array, end: Float64Array,
                  radius: float, colour: Float64Array, outline: bool) -> None:
    """Draw a capsule's dark outline, or its body with a light towards the upper left."""
    light = np.array([-0.28, -0.34]) * radius
    still = np.zeros(2)
    body = ((1.0, still, 0.84), (0.7, 0.45 * light, 0.95), (0.34, 0.8 * light, 1.06))
    for share, shift, brightness in ((1.0, still, 0.5),) if outline else body:
        size = radius * share + (_OUTLINE_PX if outline else 0.0)
        fill = tuple(int(v) for v in np.clip(255 * brightness * (0.12 + 0.88 * colour), 0, 255))
        points = [tuple(start + shift), tuple(end + shift)]
        draw.line(points, fill=fill, width=max(1, round(2 * size)))
        for x, y in points:
            draw.ellipse([x - size, y - size, x + size, y + size], fill=fill)
