"""Gestures on the absolute frame clock, blended over generated motion.

A gesture takes its joints over with a weight that rises and falls along a minimum-jerk course;
joints it does not name go on with the generated motion. What a frame shows depends on the frame
and on the gestures alone, so packets and windows change nothing. Gestures that overlap lie over
each other in the order in which they were placed: the later takes the joints it needs over from
the earlier, which need not come to rest first.
"""
from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

from ..exceptions import RequestError
from ..motion.rotations import Array, slerp
from ..motion.skeleton import JOINT_INDEX, pack_pose, unpack_pose
from ..timeline import BODY_RATE_HZ
from ..types import Float32Array
from .motion import GestureMotion

MOST_GESTURES = 16
"""Placed at the same time; more is refused."""
HURRY = 0.6
"""A preparation may be made in this share of its time if the stroke is asked for soon."""


@dataclass(frozen=True, slots=True)
class PlacedGesture:
    """A gesture and the body frames in which it is shown.

    Attributes:
        motion: what is shown.
        stroke_s: stream time of the stroke [s].
    """

    motion: GestureMotion
    stroke_s: float

    @property
    def start_s(self) -> float:
        """Stream time at which it begins to move [s]."""
        return self.stroke_s - self.motion.lead_s

    @property
    def end_s(self) -> float:
        """Stream time at which nothing of it is shown any more [s]."""
        return self.stroke_s + self.motion.rest_s

    @property
    def end_frame(self) -> int:
        """First body frame that shows nothing of it."""
        return math.ceil(self.end_s * BODY_RATE_HZ)


class GestureTrack:
    """The gestures of one stream."""

    def __init__(self) -> None:
        self._placed: list[PlacedGesture] = []

    @property
    def end_frame(self) -> int:
        """First body frame after all gestures; 0 if there are none."""
        return max((placed.end_frame for placed in self._placed), default=0)

    def clear(self) -> None:
        """Forget all gestures."""
        self._placed.clear()

    def place(self, motion: GestureMotion, stroke_s: float | None,
              next_frame: int) -> PlacedGesture:
        """Place a gesture; only frames from ``next_frame`` on are changed.

        Args:
            motion: the gesture.
            stroke_s: stream time of its stroke [s]; ``None`` as soon as possible.
            next_frame: first body frame that is not committed.

        Raises:
            RequestError: the stroke cannot be made that soon, or there are too many gestures.
        """
        first_s = next_frame / BODY_RATE_HZ
        self._placed = [old for old in self._placed if old.end_frame > next_frame]
        if len(self._placed) >= MOST_GESTURES:
            raise RequestError(f'{MOST_GESTURES} gestures are waiting or shown; ask again later')
        placed = PlacedGesture(motion, first_s + motion.lead_s if stroke_s is None else stroke_s)
        late_s = first_s - placed.start_s
        if late_s > 1e-9:
            left_s = motion.preparation_s - late_s
            if left_s < HURRY * motion.preparation_s:
                soonest_s = late_s - (1.0 - HURRY) * motion.preparation_s
                raise RequestError(f'too late: the stroke of {motion.name} could come '
                                   f'{soonest_s:.2f} s after the time asked for at the earliest')
            placed = PlacedGesture(motion.quicker(left_s), placed.stroke_s)
        self._placed.append(placed)
        return placed

    def restore(self, placed: PlacedGesture) -> None:
        """Place a gesture again as it was, whatever is committed; after a reset of the stream."""
        self._placed.append(placed)

    def shows(self, first_frame: int, count: int) -> bool:
        """Return whether any of the frames shows a gesture."""
        return any(placed.start_s * BODY_RATE_HZ < first_frame + count
                   and placed.end_frame > first_frame for placed in self._placed)

    def apply(self, first_frame: int, poses: Array) -> Float32Array:
        """Return poses ``(T, 84)`` with the gestures over them.

        Args:
            first_frame: absolute index of row 0 at 25 Hz.
            poses: shape (T, 84), generated motion.
        """
        result = np.array(poses, np.float32)
        time_s = (first_frame + np.arange(len(poses))) / BODY_RATE_HZ
        for placed in self._placed:
            rows = np.flatnonzero((time_s > placed.start_s) & (time_s < placed.end_s))
            if len(rows):
                result[rows] = blended(result[rows], placed.motion, time_s[rows] - placed.stroke_s)
        return result


def blended(poses: Array, motion: GestureMotion, time_s: Array) -> Float32Array:
    """Return poses ``(T, 84)`` with one gesture over them, at times ``(T,)`` from its stroke."""
    rotations, fingers = unpack_pose(np.asarray(poses, np.float64))
    wanted, bent, weights = motion.at(np.asarray(time_s, np.float64))
    aimed = [JOINT_INDEX[f'{side}_shoulder'] for side in motion.fixed_sides]
    joints = [joint for joint in np.flatnonzero(motion.joint_mask) if joint not in aimed]
    rotations[:, joints] = slerp(rotations[:, joints], wanted[:, joints], weights[:, None])
    for shoulder in aimed:
        clavicle = shoulder - 1
        upper_arm = wanted[:, clavicle] @ wanted[:, shoulder]
        carrier = rotations[:, JOINT_INDEX['spine']] @ rotations[:, JOINT_INDEX['chest']] @ (
            rotations[:, clavicle])
        rotations[:, shoulder] = slerp(rotations[:, shoulder],
                                       np.swapaxes(carrier, -1, -2) @ upper_arm, weights)
    masked = motion.finger_mask
    fingers[:, masked] += weights[:, None] * (bent[:, masked] - fingers[:, masked])
    return np.asarray(pack_pose(rotations, fingers), np.float32)
