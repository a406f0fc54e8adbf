"""From a request to a motion for one robot, or the reason why not."""
from __future__ import annotations

import numpy as np

from ..exceptions import RequestError
from ..motion.profile import RobotProfile
from ..motion.rotations import Array
from .library import COUNTS, Gesture, GestureLibrary
from .motion import GestureMotion, make_motion
from .pointing import Pointer
from .request import GestureRequest
from .track import blended

_SIDES = ('right', 'left')
_SINGLE_FINGERS = ('index', 'middle', 'ring', 'little', 'thumb')
_SETTLE_FRAMES = 40


class GestureChooser:
    """Makes motions for one robot.

    Args:
        library: the gestures there are.
        profile: the robot; ``None`` is the canonical skeleton, which can do everything.
        idle_pose: shape (84,).
    """

    def __init__(self, library: GestureLibrary, profile: RobotProfile | None,
                 idle_pose: Array) -> None:
        self._library, self._profile = library, profile
        self._idle_pose = np.asarray(idle_pose, np.float64)
        self._pointer = Pointer(profile)

    def choose(self, request: GestureRequest) -> GestureMotion:
        """Return what is to be shown.

        Raises:
            RequestError: the gesture is unknown, takes other numbers or another hand, or the
                robot cannot show it.
        """
        gesture = self._library.find(request.gesture)
        self._check_arguments(gesture, request)
        sides = self._sides(gesture, request.hand)
        self._check_parts(gesture, sides)
        if gesture.argument == 'target':
            motion = self._pointing(gesture, request)
        else:
            number = int(request.arguments[0]) if request.arguments else COUNTS[0]
            motion = make_motion(gesture, self._library, sides, self._idle_pose, number)
        return motion.scaled(request.amplitude, self._idle_pose)

    def _check_arguments(self, gesture: Gesture, request: GestureRequest) -> None:
        given, name = request.arguments, gesture.name
        wanted = {'none': 0, 'number': 1, 'target': 3}[gesture.argument]
        if len(given) != wanted:
            what = {'none': 'no numbers', 'number': f'one number, {COUNTS[0]} to {COUNTS[1]}',
                    'target': 'three numbers, x y z in metres'}[gesture.argument]
            raise RequestError(f'{name} takes {what}, got {len(given)}')
        if gesture.argument == 'number' and given[0] not in range(COUNTS[0], COUNTS[1] + 1):
            raise RequestError(f'{name} takes a whole number from {COUNTS[0]} to {COUNTS[1]}, '
                               f'got {given[0]:g}')
        if request.frame and gesture.argument != 'target':
            raise RequestError(f'{name} has no target, so it takes no frame')

    def _sides(self, gesture: Gesture, hand: str) -> tuple[str, ...]:
        """Return the hands that show a gesture."""
        if gesture.hand == 'none':
            if hand:
                raise RequestError(f'{gesture.name} uses no hand')
            return ()
        allowed = {'right': ('right',), 'left': ('left',), 'either': _SIDES,
                   'both': ('both', *_SIDES)}[gesture.hand]
        if hand and hand not in allowed:
            raise RequestError(f'{gesture.name} is made with {" or ".join(allowed)}, not with '
                               f'{hand}')
        has = [side for side in _SIDES if self._has_arm(side)]
        if hand in _SIDES or gesture.hand in _SIDES:
            side = hand or gesture.hand
            if side not in has:
                raise RequestError(f'{self._robot} has no {side} arm')
            return (side,)
        if not has:
            raise RequestError(f'{self._robot} has no arm, which {gesture.name} needs')
        return tuple(has) if gesture.hand == 'both' else (has[0],)

    @property
    def _robot(self) -> str:
        return 'the robot' if self._profile is None else f'robot {self._profile.name}'

    def _has_arm(self, side: str) -> bool:
        return self._profile is None or any(
            arm.side == side and arm.joints for arm in self._profile.arms)

    def _check_parts(self, gesture: Gesture, sides: tuple[str, ...]) -> None:
        for need in gesture.needs:
            if not any(self._has(part, sides) for part in need.split('|')):
                part = need.replace('|', ' or ').replace('fingers', 'fingers that move singly')
                raise RequestError(f'{self._robot} has no {part}, which {gesture.name} needs')

    def _has(self, part: str, sides: tuple[str, ...]) -> bool:
        profile = self._profile
        if profile is None or part == 'arm':
            return True
        if part == 'head':
            return profile.head is not None and bool(profile.head.joints)
        if part == 'trunk':
            return bool(profile.torso.joints)
        return all(any(joint.curl in _SINGLE_FINGERS for joint in arm.closing)
                   for arm in profile.arms if arm.side in sides)

    def _pointing(self, gesture: Gesture, request: GestureRequest) -> GestureMotion:
        target = request.arguments
        aim = self._pointer.aim((target[0], target[1], target[2]), request.hand)
        motion = make_motion(gesture, self._library, (aim.side,), self._idle_pose, aim=aim.key)
        still = np.repeat(self._idle_pose[None], _SETTLE_FRAMES, axis=0)
        times_s = np.minimum(0.0, -motion.lead_s + 0.04 * np.arange(_SETTLE_FRAMES))
        self._pointer.check_miss(blended(still, motion, times_s), aim)
        return motion
