"""Hands that come together, and hands on the chest: the few places where points are matched.

Directions alone bring a person's clasped hands to wherever the robot's longer arms or wider
shoulders take them. So while the palms are close to each other, or a palm to the breastbone, their
relative place is matched too, scaled by the length of the arms; the weight fades in with the
closeness on the person. All of it is seen from the chest, so joints of the trunk change nothing.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..types import Float64Array
from .courses import smoothstep
from .kinematics import DirectionKinematics, LinkPoint, LinkVector
from .profile import Arm, RobotProfile
from .rotations import Array
from .skeleton import JOINT_INDEX, OFFSETS_M

PALM_CENTRE_M = 0.09
"""From a person's wrist to the middle of the palm."""
_UPPER_ARM_M = float(-OFFSETS_M[JOINT_INDEX['left_elbow']][2])
_ARM_M = _UPPER_ARM_M - float(OFFSETS_M[JOINT_INDEX['left_wrist']][2])
_SHORTEST_FOREARM = 0.3  # of the upper arm
_SHOULDERS_M = np.array([0.0, 0.0, OFFSETS_M[JOINT_INDEX['left_clavicle']][2]])
_BREAST_M = np.array([0.11, 0.0, 0.10])
_TOGETHER_M = (0.10, 0.30)
_ON_CHEST_M = (0.10, 0.24)
_HAND_M = 0.06  # hands are about as thick on a small robot; they meet, and do not overlap
_NO_DISTANCE = 1e-3
_ALL_AXES, _ACROSS = np.ones(3), np.array([0.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class PointPair:
    """Two points whose relative place is matched while they are close.

    Attributes:
        first: index of the point that moves.
        second: index of the other point; a hand, or the breastbone, which stands still.
        joints: shape (N,), 1 for the joints that may bring them together.
        moved: shape (2, N, 1), 1 where a joint moves the first or the second point, seen from
            the chest.
        axes: shape (3,), 1 for the axes of the chest along which the place counts.
        weight: how much the squared error counts.
    """

    first: int
    second: int
    joints: Float64Array
    moved: Float64Array
    axes: Float64Array
    weight: float


@dataclass(frozen=True, slots=True)
class PointTargets:
    """What the pairs shall do in each of T frames.

    Attributes:
        wanted: shape (T, Q, 3), place of the first point from the second [arm lengths], chest.
        weights: shape (T, Q), 0 where the pair is too far apart to count.
    """

    wanted: Array
    weights: Array


class PointPairs:
    """The point pairs of one robot.

    Args:
        profile: the robot. One with less than two arms has no pairs.

    Attributes:
        points: what :class:`DirectionKinematics` must follow, in this order.
        pairs: left and right hand, then each hand and the breastbone.
        length_m: length of the robot's arm from shoulder to hand link.

    Raises:
        RobotError: Pinocchio is missing or refuses the URDF.
    """

    def __init__(self, profile: RobotProfile) -> None:
        self.points: tuple[LinkPoint, ...] = ()
        self.pairs: tuple[PointPair, ...] = ()
        self.length_m = _ARM_M
        if len(profile.arms) != 2:
            return
        breast, upper_m, self.length_m, has_hand = _measured(profile)
        scale = self.length_m / _ARM_M
        before_m = 0.0 if has_hand else self.length_m - upper_m
        self.points = (*(_palm(arm, scale, before_m) for arm in profile.arms),
                       LinkPoint(profile.torso.link, breast))
        names = profile.joint_names
        moved = [np.array([name in arm.joints for name in names], np.float64)
                 for arm in profile.arms]
        reaching = [own * [name in profile.urdf.joints_to(arm.forearm_link) for name in names]
                    for own, arm in zip(moved, profile.arms)]
        still = np.zeros(len(names))
        weights = profile.weights
        self.pairs = (
            PointPair(0, 1, reaching[0] + reaching[1], np.stack(moved)[..., None], _ALL_AXES,
                      weights.hands_together),
            *(PointPair(hand, 2, reaching[hand], np.stack([moved[hand], still])[..., None],
                        _ACROSS, weights.hand_on_chest) for hand in (0, 1)))

    def targets(self, palms: Mapping[str, Array]) -> PointTargets:
        """Return what a person's palms ask for.

        Args:
            palms: middle of the left and the right palm, shape (T, 3) each [m], from the origin
                of the chest in its frame.
        """
        left, right = palms['left'], palms['right']
        if not self.pairs:
            return PointTargets(np.zeros((len(left), 0, 3)), np.zeros((len(left), 0)))
        apart = np.stack([left - right, left - _BREAST_M, right - _BREAST_M], axis=1)
        distance = np.sqrt(np.sum(apart * apart, axis=-1))
        near, far = np.array([_TOGETHER_M, _ON_CHEST_M, _ON_CHEST_M]).T
        closeness = smoothstep((far - distance) / (far - near))
        wanted = apart / _ARM_M
        scaled = distance[:, 0] / _ARM_M
        kept = np.hypot(scaled, _HAND_M / self.length_m) / np.maximum(scaled, _NO_DISTANCE)
        wanted[:, 0] *= kept[:, None]
        return PointTargets(wanted, fading_weight(
            closeness, np.array([pair.weight for pair in self.pairs])))

    def slopes(self, pair: PointPair, wanted: Array, chest: Array, axes: Float64Array,
               points: Float64Array, moments: Float64Array) -> tuple[Array, Array]:
        """Return the error of a pair, shape (3,), and its change per radian, shape (N, 3).

        Both are in the frame of the chest and in arm lengths.

        Args:
            pair: one of :attr:`pairs`.
            wanted: shape (3,), of :class:`PointTargets`.
            chest: shape (3, 3), rows are the axes of the robot's chest in the root frame.
            axes: joint axes ``(N, 3)``.
            points: shape (P, 3), root frame [m].
            moments: shape (N, 3), of :meth:`DirectionKinematics.points`.
        """
        first, second = points[pair.first], points[pair.second]
        away = chest @ (first - second) / self.length_m
        one, other = pair.moved
        moved = one * (moments + axes @ _skew(first)) - other * (moments + axes @ _skew(second))
        return (away - wanted) * pair.axes, moved @ (chest.T * (pair.axes / self.length_m))


def _palm(arm: Arm, scale: float, before_m: float) -> LinkPoint:
    centre_m = arm.palm_centre_m
    if centre_m is None:
        centre_m = before_m + PALM_CENTRE_M * scale
    return LinkPoint(arm.hand_link, arm.fingers * centre_m)


def _measured(profile: RobotProfile) -> tuple[Float64Array, float, float, bool]:
    """Return breastbone, upper arm, arm, and whether the hand has a link of its own.

    The breastbone is in the frame of the torso link, the others are lengths [m]. Where forearm
    and hand are one link its length is not in the URDF's joints, and taken from a person's.
    """
    joints = profile.urdf.joints
    links = [(joints[arm.joints[min(1, len(arm.joints) - 1)]].child, arm.forearm_link,
              arm.hand_link) for arm in profile.arms]
    points = [LinkPoint(link, np.zeros(3)) for arm in links for link in arm]
    torso = profile.torso
    kinematics = DirectionKinematics(
        profile.urdf, profile.joint_names, [LinkVector(torso.link, axis) for axis in np.eye(3)],
        [*points, LinkPoint(torso.link, np.zeros(3))])
    workspace = kinematics.workspace()
    _, frame = kinematics.directions(workspace, profile.rest_positions)
    places, _ = kinematics.points(workspace)
    shoulders, elbows, hands = places[0:6:3], places[1:6:3], places[2:6:3]
    upper_m = float(np.mean(np.linalg.norm(elbows - shoulders, axis=1)))
    fore_m = float(np.mean(np.linalg.norm(hands - elbows, axis=1)))
    has_hand = fore_m > _SHORTEST_FOREARM * upper_m
    length_m = upper_m + fore_m if has_hand else upper_m * _ARM_M / _UPPER_ARM_M
    between = frame @ (shoulders.mean(axis=0) - places[6])
    below = torso.frame @ (_BREAST_M - _SHOULDERS_M) * (length_m / _ARM_M)
    return between + below, upper_m, length_m, has_hand


def _skew(point: Float64Array) -> Float64Array:
    """Return the matrix S with ``a @ S = a x point``."""
    x, y, z = point.tolist()
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def fading_weight(share: Array, weight: Array | float) -> Array:
    """Return a weight that moves a solution as far as ``share`` says, and is ``weight`` at 1.

    Against terms of weight one a term of weight ``w`` closes ``w / (1 + w)`` of its error: a
    weight that rose in proportion would have done most of it at a tenth of its way.
    """
    return np.asarray(share * weight / (1.0 + weight * (1.0 - share)))


def cross(left: Array, right: Array) -> Array:
    """Return cross products of rows; ``np.cross`` costs several times as much on few rows."""
    return np.asarray(left.take(_NEXT, -1) * right.take(_LAST, -1)
                      - left.take(_LAST, -1) * right.take(_NEXT, -1))


_NEXT, _LAST = np.array([1, 2, 0]), np.array([2, 0, 1])
