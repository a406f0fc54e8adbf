"""How much each part of a pose counts on a robot: the key ``weights`` of a profile."""
from __future__ import annotations

from dataclasses import dataclass, fields

from ..exceptions import RobotError
from .profile_yaml import Node


@dataclass(frozen=True, slots=True)
class RetargetWeights:
    """What the squared errors of one frame are multiplied with. Zero leaves a term out.

    Directions count in rad^2, distances in squares of the arm's length, so all are comparable.

    Attributes:
        torso: orientation of the torso.
        head: orientation of the head.
        upper_arm: direction from shoulder to elbow.
        forearm: direction from elbow to wrist.
        elbow: axis of the elbow hinge, which decides where the elbow of a bent arm stands.
        fingers: direction of the straight fingers.
        palm: which way the palm faces: its normal and the edge of the hand.
        pointing: direction of the fingers of a hand that points, which the whole arm follows.
        hands_together: place of the hands relative to each other when they are close.
        hand_on_chest: place of a hand relative to the breastbone when it is close.
        movement: against moving away from the frame before; keeps joints quiet that the pose
            hardly decides, such as the swivel of a straight arm.
        rest: towards the rest posture, for what the pose leaves open.
    """

    torso: float = 1.0
    head: float = 1.0
    upper_arm: float = 1.0
    forearm: float = 1.0
    elbow: float = 0.1
    fingers: float = 0.5
    palm: float = 0.5
    pointing: float = 3.0
    hands_together: float = 10.0
    hand_on_chest: float = 1.0
    movement: float = 0.02
    rest: float = 0.002


def read_weights(node: Node) -> RetargetWeights:
    """Return the weights of a profile; those it does not name have their default.

    Raises:
        RobotError: a weight is unknown, no number, or negative.
    """
    node.allow(field.name for field in fields(RetargetWeights))
    values = {name: node.number(name) for name in node}
    for name, value in values.items():
        if value < 0.0:
            raise RobotError(f'weight {name!r} must be at least 0, got {value}')
    return RetargetWeights(**values)
