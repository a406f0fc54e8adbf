"""What a robot is to this package: the joints it may command and what they show of a person.

These are values; ``robot.py`` reads them from a profile file and checks them against the URDF.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..types import Float64Array
from .collision_pairs import CollisionNotes
from .limits import JointLimits
from .profile_cannot import Cannot
from .profile_interface import RobotInterface
from .retarget_weights import RetargetWeights
from .urdf import Urdf


@dataclass(frozen=True, slots=True)
class OrientedPart:
    """A link whose orientation is matched: pelvis, torso or head.

    Attributes:
        link: name of the link.
        joints: commanded joints that turn it, in chain order.
        frame: shape (3, 3); columns are the robot's forward, left and up in the link's frame
            when it stands or looks straight ahead (REP-103).
    """

    link: str
    joints: tuple[str, ...]
    frame: Float64Array


@dataclass(frozen=True, slots=True)
class ClosingJoint:
    """A finger joint that follows how far the fingers are curled.

    Attributes:
        name: name of the joint.
        curl: whose curl: ``hand`` (mean of the four fingers) or one of
            ``thumb index middle ring little thumb_opposition``.
        open_rad: position when straight.
        closed_rad: position when closed.
    """

    name: str
    curl: str
    open_rad: float
    closed_rad: float


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: directions fixed in links that are turned towards those of the person.

    Attributes:
        side: ``left`` or ``right``.
        joints: commanded joints from shoulder to wrist, in chain order.
        upper_arm_link: link that turns with the upper arm.
        upper_arm: unit vector from shoulder to elbow in that link's frame.
        forearm_link: link that the elbow hinge carries.
        forearm: unit vector from elbow to wrist in that link's frame.
        hand_link: last link of the arm.
        fingers: unit vector along the straight fingers in the hand link's frame.
        palm: unit normal out of the palm in the hand link's frame.
        closing: finger joints.
        hang_out_rad: how far a hanging arm is held away from the body so that it clears the
            hips; fades out as the arm is raised.
        palm_centre_m: how far the middle of the palm is from the hand link's origin, along the
            fingers; ``None`` takes a person's, scaled to the length of the arm.
    """

    side: str
    joints: tuple[str, ...]
    upper_arm_link: str
    upper_arm: Float64Array
    forearm_link: str
    forearm: Float64Array
    hand_link: str
    fingers: Float64Array
    palm: Float64Array
    closing: tuple[ClosingJoint, ...]
    hang_out_rad: float
    palm_centre_m: float | None = None


@dataclass(frozen=True, slots=True)
class RobotProfile:
    """A robot as this package sees it.

    Attributes:
        name: name of the profile.
        source: where its numbers come from.
        licence: licence of those numbers.
        urdf_path: the URDF.
        urdf: its kinematic tree.
        joint_names: the N commanded joints, order of all arrays.
        limits: position, velocity, acceleration and jerk limits of those joints.
        rest_positions: shape (N,) [rad], standing with hanging arms.
        root: the fixed pelvis (or base) and which way it faces.
        torso: what carries the arms; may have no joints.
        head: ``None`` when the robot cannot move its head.
        arms: one or two arms.
        interface: which topics take which joints.
        cannot: parts of canonical poses that the robot does not show.
        weights: how much each part of a pose counts.
        collision: what the URDF does not say of collisions.
    """

    name: str
    source: str
    licence: str
    urdf_path: Path
    urdf: Urdf
    joint_names: tuple[str, ...]
    limits: JointLimits
    rest_positions: Float64Array
    root: OrientedPart
    torso: OrientedPart
    head: OrientedPart | None
    arms: tuple[Arm, ...]
    interface: RobotInterface
    cannot: tuple[Cannot, ...] = ()
    weights: RetargetWeights = RetargetWeights()
    collision: CollisionNotes = CollisionNotes()

    @property
    def root_link(self) -> str:
        """Name of the link that is fixed."""
        return self.root.link
