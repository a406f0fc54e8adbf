"""Walls that wrists never pass: how far and how high a robot may reach.

A wall is watched as if it were a very thick capsule: its contact lies far behind its surface, so
distance and direction stay well defined for a wrist on either side of the surface.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..exceptions import RobotError
from ..types import Float64Array
from .collision_capsules import Contacts, dot

NO_WALL_M = 10.0
"""A wall this far away is none."""

WALL_DEPTH_M = 20.0


@dataclass(frozen=True, slots=True)
class Walls:
    """Limits of the workspace, seen from the pelvis of a profile.

    Attributes:
        reach_m: largest distance of a wrist from the vertical line through the pelvis.
        height_m: largest height of a wrist above the pelvis.
    """

    reach_m: float = NO_WALL_M
    height_m: float = NO_WALL_M

    def _kinds(self) -> list[tuple[str, float]]:
        return [(name, value) for name, value in (('reach', self.reach_m),
                                                  ('height', self.height_m)) if value < NO_WALL_M]

    @property
    def count(self) -> int:
        """Number of walls that each wrist has."""
        return len(self._kinds())

    def check_rest(self, clearance: Float64Array) -> None:
        """Check that hands at rest are inside.

        Args:
            clearance: of each wrist and wall, the walls of one wrist together [m].

        Raises:
            RobotError: naming the wall that is too near.
        """
        for index, room in enumerate(clearance):
            if room <= 0.0:
                name, value = self._kinds()[index % self.count]
                raise RobotError(f'limits.hand_{name}_m is {value} m, but a hand at rest needs '
                                 f'more than {value - room:.3f} m')

    def contacts(self, points: Float64Array, columns: NDArray[np.intp], origin: Float64Array,
                 up: Float64Array) -> Contacts:
        """Return contacts of wrists with walls.

        Args:
            points: wrists, shape (T, W, 3), [m].
            columns: shape (W,), which wrist and wall, the walls of one wrist together.
            origin: shape (3,), of the pelvis.
            up: shape (3,), unit vector.
        """
        offset = points - origin
        height = dot(offset, up)
        outward = offset - height[..., None] * up
        radius = np.sqrt(dot(outward, outward))
        outward = outward / np.maximum(radius, 1e-9)[..., None]
        distance, direction = np.empty(radius.shape), np.empty(points.shape)
        for kind, (name, value) in enumerate(self._kinds()):
            rows = columns % self.count == kind
            away, along = (radius, outward) if name == 'reach' else (
                height, np.broadcast_to(up, outward.shape))
            distance[:, rows] = value + WALL_DEPTH_M - away[:, rows]
            direction[:, rows] = along[:, rows]
        return Contacts(distance, points, points + distance[..., None] * direction)
