"""How fast the joints of a described robot may move beside people, and how far."""
from __future__ import annotations

from dataclasses import dataclass

from robot_facts import Node
from robot_tree import RobotTree, SIDES

SPEEDS: dict[str, dict[str, tuple[float, float, float]]] = {
    # Person-sized: half the speed of lively human arms; a heavy trunk far less.
    'large': {'torso': (0.8, 4.0, 60.0), 'head': (2.0, 16.0, 250.0), 'arm': (2.5, 22.0, 400.0),
              'wrist': (4.0, 40.0, 800.0), 'hand': (4.0, 40.0, 800.0)},
    # Table-top: light arms may keep up with people's.
    'small': {'torso': (1.0, 6.0, 80.0), 'head': (3.0, 25.0, 400.0), 'arm': (4.0, 40.0, 800.0),
              'wrist': (6.0, 70.0, 1400.0), 'hand': (6.0, 70.0, 1400.0)},
}
"""Velocity [rad/s], acceleration [rad/s^2] and jerk [rad/s^3] by part."""
_ACCELERATION_PER_VELOCITY, _JERK_PER_ACCELERATION = 11.0, 20.0
_EFFORT = 40.0
_EFFORT_RANGE = (0.5, 500.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one commanded joint.

    Attributes:
        lower: [rad].
        upper: [rad].
        velocity: [rad/s].
        acceleration: [rad/s^2].
        jerk: [rad/s^3].
    """

    lower: float
    upper: float
    velocity: float
    acceleration: float
    jerk: float


def parts_of(tree: RobotTree) -> dict[str, str]:
    """Return the part each commanded joint belongs to: torso, head, arm, wrist or hand."""
    description = tree.description
    parts = dict.fromkeys(description['torso']['joints'], 'torso')
    parts |= dict.fromkeys(description.get('head', {}).get('joints', []), 'head')
    for side in SIDES:
        arm = tree.arm(side)
        elbow = arm['joints'].index(arm['elbow'])
        parts |= dict.fromkeys(arm['joints'][:elbow + 1], 'arm')
        parts |= dict.fromkeys(arm['joints'][elbow + 1:], 'wrist')
        parts |= dict.fromkeys(arm.get('closing', {}), 'hand')
    return parts


def is_placeholder(tree: RobotTree, joint: Node) -> bool:
    """Return whether the velocity limit in the facts is none that was meant."""
    velocity = joint.get('velocity')
    return not velocity or velocity in tree.description.get('placeholder_velocities', [])


def limits_of(tree: RobotTree, name: str, part: str) -> Limits:
    """Return the limits of one commanded joint."""
    joint = tree.joints[name]
    velocity, acceleration, jerk = (tree.description.get('speeds', {}).get(part)
                                    or SPEEDS[tree.description['size']][part])
    if not is_placeholder(tree, joint) and joint['velocity'] < velocity:
        velocity = joint['velocity']
        acceleration = min(acceleration, _ACCELERATION_PER_VELOCITY * velocity)
        jerk = min(jerk, _JERK_PER_ACCELERATION * acceleration)
    lower, upper = tree.description.get('narrow', {}).get(
        name, (joint.get('soft_lower', joint['lower']), joint.get('soft_upper', joint['upper'])))
    return Limits(max(lower, joint['lower']), min(upper, joint['upper']), velocity,
                  acceleration, jerk)


def urdf_rates(tree: RobotTree, joint: Node, part: str) -> tuple[float, float]:
    """Return velocity [rad/s] and effort [N m] for the URDF, placeholders replaced."""
    velocity = (SPEEDS[tree.description['size']][part][0] if is_placeholder(tree, joint)
                else joint['velocity'])
    effort = joint.get('effort') or 0.0
    low, high = _EFFORT_RANGE
    return velocity, effort if low <= effort <= high else _EFFORT
