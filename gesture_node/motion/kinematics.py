"""Forward kinematics of directions and a few points, by Pinocchio.

Retargeting matches directions first: a gesture keeps its look on longer or shorter arms. So what
is asked of the kinematics is where joint axes, and vectors fixed in links, point. For these the
Jacobian needs no further call: a unit vector ``v`` moved by a joint of axis ``a`` changes by
``a x v``. A point ``p`` moved by a joint through ``o`` changes by ``a x (p - o)``, where ``o x a``
comes out of the same call.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exceptions import RobotError
from ..types import Float64Array
from .reduced_model import reduced_model
from .urdf import Urdf


@dataclass(frozen=True, slots=True)
class LinkVector:
    """A unit vector ``(3,)`` fixed in the frame of a link."""

    link: str
    direction: Float64Array


@dataclass(frozen=True, slots=True)
class LinkPoint:
    """A point ``(3,)`` [m] fixed in the frame of a link."""

    link: str
    offset_m: Float64Array


class DirectionKinematics:
    """Where joint axes and link vectors point, and where points are, seen from the root link.

    Immutable; give each caller its own :meth:`workspace`. Each vector is appended to the model as
    the axis of a massless joint that never moves, so that one C++ call returns all directions;
    each point as the place of such a joint.

    Args:
        urdf: the robot.
        joint_names: N joints that move; all others stay at position 0.
        vectors: K vectors.
        points: P points.

    Raises:
        RobotError: Pinocchio cannot be imported or refuses the URDF, or a link does not exist.
    """

    def __init__(self, urdf: Urdf, joint_names: Sequence[str], vectors: Sequence[LinkVector],
                 points: Sequence[LinkPoint] = ()) -> None:
        self._pinocchio, self._model = reduced_model(urdf, joint_names)
        for index, vector in enumerate(vectors):
            self._append(urdf, vector.link, f'vector {index}', vector.direction, np.zeros(3))
        self._point_joints = [
            self._append(urdf, point.link, f'point {index}', np.array([1.0, 0.0, 0.0]),
                         point.offset_m) for index, point in enumerate(points)]
        self._coordinates = self._columns(joint_names)
        self._vector_columns = self._columns([f'vector {i}' for i in range(len(vectors))])

    def _append(self, urdf: Urdf, link: str, name: str, axis: Float64Array,
                offset_m: Float64Array) -> int:
        pinocchio, model = self._pinocchio, self._model
        if link not in urdf.links:
            raise RobotError(f'the URDF of {urdf.name} has no link {link!r}')
        frame = model.frames[model.getFrameId(link)]
        turned = frame.placement.rotation @ axis
        place = pinocchio.SE3(np.eye(3), frame.placement.act(offset_m))
        return int(model.addJoint(
            frame.parentJoint, pinocchio.JointModelRevoluteUnaligned(*turned.tolist()), place,
            name))

    def _columns(self, names: Sequence[str]) -> Any:
        return np.array([self._model.joints[self._model.getJointId(name)].idx_v
                         for name in names], dtype=np.intp)

    def workspace(self) -> Workspace:
        """Return scratch memory for :meth:`directions`."""
        return Workspace(self._model.createData(), np.zeros(self._model.nq))

    def directions(self, workspace: Workspace,
                   positions: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return joint axes ``(N, 3)`` and link vectors ``(K, 3)`` in the root link's frame.

        Args:
            workspace: overwritten.
            positions: joint positions ``(N,)`` [rad].
        """
        workspace.coordinates[self._coordinates] = positions
        jacobian = self._pinocchio.computeJointJacobians(
            self._model, workspace.data, workspace.coordinates)[3:].T
        return jacobian[self._coordinates], jacobian[self._vector_columns]

    def points(self, workspace: Workspace) -> tuple[Float64Array, Float64Array]:
        """Return points ``(P, 3)`` and moments ``(N, 3)`` [m] in the root link's frame.

        Both are for the positions of the last call of :meth:`directions`. A joint of axis ``a``
        and moment ``m`` moves a point ``p`` behind it by ``m + a x p`` per radian.
        """
        placements = workspace.data.oMi
        points = np.array([placements[joint].translation for joint in self._point_joints])
        return points.reshape(-1, 3), workspace.data.J[:3].T[self._coordinates]


@dataclass(frozen=True, slots=True)
class Workspace:
    """Scratch memory of one caller: Pinocchio's data and its coordinates ``(nq,)``."""

    data: Any
    coordinates: Float64Array
