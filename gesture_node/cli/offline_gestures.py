"""Gestures asked for by name in a recording: ``--gesture "point_at 1 0.3 0.5@2.5"``."""
from __future__ import annotations

from collections.abc import Sequence
import math

from ..exceptions import RequestError
from ..gestures.choice import GestureChooser
from ..gestures.library import load_library
from ..gestures.motion import GestureMotion
from ..gestures.request import parse_request
from ..motion.robot import RobotProfile
from ..types import Float32Array

TimedGesture = tuple[GestureMotion, float]
"""A gesture and the time of its stroke in the recording [s]."""


def timed_gestures(texts: Sequence[str], profile: RobotProfile, idle_pose: Float32Array,
                   duration_s: float) -> tuple[TimedGesture, ...]:
    """Return the gestures that are asked for, each as ``REQUEST@SECONDS``.

    Args:
        texts: what was asked for.
        profile: the robot.
        idle_pose: shape (84,).
        duration_s: of the recording.

    Raises:
        RequestError: one of them cannot be understood or done.
    """
    if not texts:
        return ()
    chooser = GestureChooser(load_library(), profile, idle_pose)
    return tuple(_timed(text, chooser, profile, duration_s) for text in texts)


def _timed(text: str, chooser: GestureChooser, profile: RobotProfile,
           duration_s: float) -> TimedGesture:
    words, _, at = text.rpartition('@')
    try:
        stroke_s = float(at) if words else math.nan
    except ValueError:
        stroke_s = math.nan
    if not 0.0 <= stroke_s <= duration_s:
        raise RequestError(f'--gesture is a request and the time of its stroke, such as '
                           f'greet@1.0, in [0, {duration_s:.2f}] s; got {text[:60]!r}')
    request = parse_request(words)
    if (request.in_s, request.fraction, request.stamp_s) != (None, None, None):
        raise RequestError(f'--gesture takes its time after the @ alone; got {text[:60]!r}')
    if request.frame not in ('', profile.root.link):
        raise RequestError(f'in a recording only targets in the frame {profile.root.link!r} are '
                           f'known, got {request.frame!r}')
    return chooser.choose(request), stroke_s
