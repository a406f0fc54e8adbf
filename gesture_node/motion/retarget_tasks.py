"""Which directions of a robot are matched, by which joints, and how much each counts."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Float64Array
from .kinematics import DirectionKinematics, LinkVector
from .profile import Arm, OrientedPart, RobotProfile

_UP_SHARE = 0.4
_STRAIGHT = 0.05


@dataclass(frozen=True, slots=True)
class Task:
    """One direction to match.

    Attributes:
        vector: what is turned.
        joints: joints that may turn it.
        weight: how much its squared error counts; 0 leaves it out.
        when_pointing: joints that follow it while the arm points.
    """

    vector: LinkVector
    joints: tuple[str, ...]
    weight: float
    when_pointing: tuple[str, ...] = ()


def part_tasks(part: OrientedPart, weight: float) -> list[Task]:
    """Return the forward and the up axis of torso or head."""
    return [Task(LinkVector(part.link, part.frame[:, 0]), part.joints, weight),
            Task(LinkVector(part.link, part.frame[:, 2]), part.joints, _UP_SHARE * weight)]


def arm_tasks(profile: RobotProfile, arm: Arm) -> list[Task]:
    """Return upper arm, forearm, elbow hinge, fingers, palm and edge of the hand, in this order.

    The edge keeps its direction when the hand bends towards the palm, whose own normal then turns
    into the forearm: a wrist that can only turn would not know which way round.
    """
    to_forearm = profile.urdf.joints_to(arm.forearm_link)
    reaching = tuple(name for name in arm.joints if name in to_forearm)
    raising = tuple(name for name in profile.urdf.joints_to(arm.upper_arm_link)
                    if name in reaching)
    turning = tuple(name for name in arm.joints if name not in to_forearm)
    hinge, weights = _hinge_axis(profile, arm, reaching), profile.weights
    return [
        Task(LinkVector(arm.upper_arm_link, arm.upper_arm), raising, weights.upper_arm),
        Task(LinkVector(arm.forearm_link, arm.forearm), reaching, weights.forearm),
        Task(LinkVector(arm.forearm_link, arm.forearm if hinge is None else hinge), reaching,
             0.0 if hinge is None else weights.elbow),
        Task(LinkVector(arm.hand_link, arm.fingers), turning, weights.fingers,
             reaching + turning),
        Task(LinkVector(arm.hand_link, arm.palm), turning, 0.5 * weights.palm),
        Task(LinkVector(arm.hand_link, _edge(arm)), turning, 0.5 * weights.palm),
    ]


def _edge(arm: Arm) -> Float64Array:
    edge = np.cross(arm.palm, arm.fingers)
    length = float(np.linalg.norm(edge))
    return np.asarray(edge / length) if length > _STRAIGHT else arm.palm


def _hinge_axis(profile: RobotProfile, arm: Arm, reaching: tuple[str, ...]) -> Float64Array | None:
    """Return the axis of the last joint before the forearm, in its frame, positive in flexion.

    Flexion is what the middle of the joint ranges does; ``None`` when the arm is straight there
    or no joint bends it.
    """
    if not reaching:
        return None
    vectors = [LinkVector(arm.upper_arm_link, arm.upper_arm),
               LinkVector(arm.forearm_link, arm.forearm),
               *(LinkVector(arm.forearm_link, axis) for axis in np.eye(3))]
    kinematics = DirectionKinematics(profile.urdf, profile.joint_names, vectors)
    middle = 0.5 * (profile.limits.lower + profile.limits.upper)
    axes, (upper, forearm, *frame) = kinematics.directions(kinematics.workspace(), middle)
    axis = axes[profile.joint_names.index(reaching[-1])]
    flexion = float(axis @ np.cross(upper, forearm))
    if abs(flexion) < _STRAIGHT:
        return None
    return np.asarray(np.sign(flexion) * np.array(frame) @ axis)
