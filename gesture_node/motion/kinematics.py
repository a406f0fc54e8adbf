"""Forward kinematics of directions, by Pinocchio.

Retargeting matches directions, not points: a gesture keeps its look on longer or shorter arms.
So all that is asked of the kinematics is where joint axes, and vectors fixed in links, point. For
these the Jacobian needs no further call: a unit vector ``v`` moved by a joint of axis ``a``
changes by ``a x v``.
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


class DirectionKinematics:
    """Where joint axes and link vectors point, as seen from the URDF's root link.

    Immutable; give each caller its own :meth:`workspace`. Each vector is appended to the model as
    the axis of a massless joint that never moves, so that one C++ call returns all directions.

    Args:
        urdf: the robot.
        joint_names: N joints that move; all others stay at position 0.
        vectors: K vectors.

    Raises:
        RobotError: Pinocchio cannot be imported or refuses the URDF, or a link does not exist.
    """

    def __init__(self, urdf: Urdf, joint_names: Sequence[str],
                 vectors: Sequence[LinkVector]) -> None:
        self._pinocchio, self._model = reduced_model(urdf, joint_names)
        for index, vector in enumerate(vectors):
            self._append(vector, f'vector {index}', urdf)
        self._coordinates = self._columns(joint_names)
        self._vector_columns = self._columns([f'vector {i}' for i in range(len(vectors))])

    def _append(self, vector: LinkVector, name: str, urdf: Urdf) -> None:
        pinocchio, model = self._pinocchio, self._model
        if vector.link not in urdf.links:
            raise RobotError(f'the URDF of {urdf.name} has no link {vector.link!r}')
        frame = model.frames[model.getFrameId(vector.link)]
        axis = frame.placement.rotation @ vector.direction
        model.addJoint(frame.parentJoint, pinocchio.JointModelRevoluteUnaligned(*axis.tolist()),
                       pinocchio.SE3.Identity(), name)

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


@dataclass(frozen=True, slots=True)
class Workspace:
    """Scratch memory of one caller: Pinocchio's data and its coordinates ``(nq,)``."""

    data: Any
    coordinates: Float64Array
