"""A gesture made ready to be played: keyframes of joint rotations, of one or both hands."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..motion.courses import minimum_jerk
from ..motion.rotations import Array, slerp
from ..motion.skeleton import (
    FINGER_COUNT,
    JOINT_COUNT,
    JOINT_INDEX,
    unpack_pose,
)
from ..types import Float64Array
from .library import Gesture, GestureLibrary, Key, KeyArm, shape_of
from .posing import arm_rotations, ArmDirections, outward, turn_rotations

_ARM = ('clavicle', 'shoulder', 'elbow', 'wrist')
_PARTS = {'head': ('neck', 'head'), 'trunk': ('spine', 'chest')}
_FINGERS_OF = {side: slice(start, start + FINGER_COUNT // 2) for side, start in (
    ('left', 0), ('right', FINGER_COUNT // 2))}
_MIRROR = np.array([-1.0, 1.0, -1.0])


@dataclass(frozen=True, slots=True)
class GestureMotion:
    """Keyframes of a gesture for the canonical skeleton.

    Attributes:
        name: of the gesture.
        times_s: shape (K,), from the stroke [s].
        rotations: shape (K, 12, 3, 3), local joint rotations.
        fingers: shape (K, 12).
        joint_mask: shape (12,), joints that the gesture moves.
        finger_mask: shape (12,).
        preparation_s: before the first keyframe.
        retraction_s: after the last one.
        fixed_sides: sides whose arm is asked for in the pelvis frame rather than that of the
            chest: it points at what stands still.
    """

    name: str
    times_s: Float64Array
    rotations: Array
    fingers: Array
    joint_mask: NDArray[np.bool_]
    finger_mask: NDArray[np.bool_]
    preparation_s: float
    retraction_s: float
    fixed_sides: tuple[str, ...] = ()

    @property
    def lead_s(self) -> float:
        """From the beginning of the motion to the stroke [s]."""
        return self.preparation_s - float(self.times_s[0])

    @property
    def rest_s(self) -> float:
        """From the stroke to the end of the motion [s]."""
        return float(self.times_s[-1]) + self.retraction_s

    def at(self, time_s: Float64Array) -> tuple[Array, Array, Float64Array]:
        """Return what is shown at some times from the stroke, shape (T,).

        Returns:
            rotations (T, 12, 3, 3), fingers (T, 12) and weights (T,) in [0, 1].
        """
        before = np.clip(np.searchsorted(self.times_s, time_s, side='right') - 1, 0,
                         max(len(self.times_s) - 2, 0))
        after = np.minimum(before + 1, len(self.times_s) - 1)
        span = np.maximum(self.times_s[after] - self.times_s[before], 1e-9)
        share = minimum_jerk((time_s - self.times_s[before]) / span)
        turned = slerp(self.rotations[before], self.rotations[after], share[:, None])
        bent = self.fingers[before] + share[:, None] * (
            self.fingers[after] - self.fingers[before])
        rising = minimum_jerk((time_s - self.times_s[0]) / self.preparation_s + 1.0)
        falling = minimum_jerk((time_s - self.times_s[-1]) / self.retraction_s)
        return turned, bent, rising * (1.0 - falling)

    def scaled(self, amplitude: float, idle_pose: Array) -> GestureMotion:
        """Return the gesture larger or smaller than written, about the idle pose ``(84,)``.

        An arm that points keeps its direction.
        """
        if amplitude == 1.0:
            return self
        idle, _ = unpack_pose(np.asarray(idle_pose, np.float64))
        rotations = slerp(np.broadcast_to(idle, self.rotations.shape), self.rotations,
                          np.asarray(amplitude))
        for side in self.fixed_sides:
            kept = [JOINT_INDEX[f'{side}_{name}'] for name in _ARM]
            rotations[:, kept] = self.rotations[:, kept]
        return replace(self, rotations=rotations)

    def quicker(self, preparation_s: float) -> GestureMotion:
        """Return the gesture with another preparation [s]."""
        return replace(self, preparation_s=preparation_s)


def make_motion(gesture: Gesture, library: GestureLibrary, sides: tuple[str, ...],
                idle_pose: Array, number: int = 1,
                aim: Callable[[Key, str], tuple[KeyArm | None, Float64Array | None]] | None = None,
                ) -> GestureMotion:
    """Return a gesture ready to be played.

    Args:
        gesture: what is shown.
        library: its hand shapes.
        sides: hands that show it.
        idle_pose: shape (84,); head and trunk turn away from it.
        number: what ``count`` shows.
        aim: for a gesture with a target: the arm and the head of a keyframe.
    """
    idle_rotations, idle_fingers = unpack_pose(np.asarray(idle_pose, np.float64))
    keys = gesture.keys
    rotations = np.repeat(idle_rotations[None], len(keys), axis=0)
    fingers = np.repeat(idle_fingers[None], len(keys), axis=0)
    joint_mask, finger_mask = np.zeros(JOINT_COUNT, bool), np.zeros(FINGER_COUNT, bool)
    flips = gesture.is_mirrored != (gesture.hand == 'either' and sides == ('left',))
    if aim is not None:
        flips = False
    # What a keyframe does not name it holds; what it is the first to name, it brings in.
    held: dict[str, KeyArm | Float64Array | str] = {}
    for row, key in enumerate(keys):
        arm, head = (key.arm, key.head) if aim is None else aim(key, sides[0])
        named = {'arm': arm, 'head': head, 'trunk': key.trunk, 'shape': key.shape}
        held.update({part: value for part, value in named.items() if value is not None})
        _write(held, rotations[row], fingers[row], joint_mask, finger_mask, sides, library,
               number, flips)
    return GestureMotion(
        gesture.name, np.array([key.time_s for key in keys]), rotations, fingers, joint_mask,
        finger_mask, gesture.preparation_s, gesture.retraction_s,
        sides if aim is not None else ())


def _write(held: dict[str, KeyArm | Float64Array | str], rotations: Array, fingers: Array,
           joint_mask: NDArray[np.bool_], finger_mask: NDArray[np.bool_],
           sides: tuple[str, ...], library: GestureLibrary, number: int, flips: bool) -> None:
    """Write one keyframe: what is held turns its joints."""
    for part, joints in _PARTS.items():
        if part in held:
            angles = np.asarray(held[part], np.float64) * (_MIRROR if flips else 1.0)
            rows = [JOINT_INDEX[name] for name in joints]
            rotations[rows] = rotations[rows] @ turn_rotations(*angles.tolist())
            joint_mask[rows] = True
    for side in sides:
        arm = held.get('arm')
        if isinstance(arm, KeyArm):
            rows = [JOINT_INDEX[f'{side}_{name}'] for name in _ARM]
            rotations[rows] = arm_rotations(_directions(arm, side), side, arm.lift_rad)
            joint_mask[rows] = True
        shape = held.get('shape')
        if isinstance(shape, str):
            fingers[_FINGERS_OF[side]] = library.shapes[shape_of(shape, number)]
            finger_mask[_FINGERS_OF[side]] = True


def _directions(arm: KeyArm, side: str) -> ArmDirections:
    return ArmDirections(outward(arm.upper, side), outward(arm.fore, side),
                         outward(arm.fingers, side), outward(arm.palm, side))
