"""A URDF in Pinocchio with only the joints that move; the others stay at position 0."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..exceptions import RobotError
from .urdf import Urdf


def reduced_model(urdf: Urdf, joint_names: Sequence[str]) -> tuple[Any, Any]:
    """Return the module ``pinocchio``, imported only here, and the reduced model.

    Args:
        urdf: the robot.
        joint_names: joints that move.

    Raises:
        RobotError: Pinocchio cannot be imported or refuses the URDF.
    """
    try:
        import pinocchio
    except ImportError as error:
        raise RobotError('robots need the package "pin" (Pinocchio): pip install pin'
                         ) from error
    try:
        full = pinocchio.buildModelFromXML(urdf.kinematic_xml)
    except (RuntimeError, ValueError) as error:
        raise RobotError(f'Pinocchio refuses the URDF of {urdf.name}: {error}') from error
    held = [full.getJointId(name) for name in full.names[1:] if name not in joint_names]
    return pinocchio, pinocchio.buildReducedModel(full, held, pinocchio.neutral(full))
