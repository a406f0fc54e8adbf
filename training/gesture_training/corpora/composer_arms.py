"""Arms through preparation, stroke, hold and retraction, by blending rotations.

Each arm has its own chain of strokes. A stroke is its clip, played on a time map that puts its
apex on the planned moment, under a weight that says how much of the arm is the clip and how much
what was there before. The weight rises with a minimum-jerk curve that ends with the stroke, so
preparation flows into it without a stop; the further the way, the earlier it starts. What
follows needs nothing that is still to come: the hands stay, while the clip's own hold runs on
slowly and they sink by at most 3 cm/s, until the next stroke calls them or the voice has stopped
or 2.8 s have passed; then they go back to the idle pose (46 % of strokes follow each other
without a retraction in gesture phase data; preparation takes about half a second). Amplitude
scales the whole gesture about the idle pose. Pulses (``composer_pulses``) are laid over all of it.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from gesture_node.guides.rules import Span
from gesture_node.motion.courses import minimum_jerk
from gesture_node.motion.rotations import matrix_from_rotvec, slerp
from gesture_node.motion.skeleton import FINGER_COUNT, JOINT_INDEX, unpack_pose
from gesture_node.types import Float64Array

from .composer_plan import PlacedStroke, Plan
from .composer_pulses import pulse_track, steady, WRIST_LAG_S

HOLD_S = (0.5, 2.8)
"""The hands stay up while the voice goes on, at least and at most so long."""
LEAVE_S = 0.45
"""They go down so long after the voice stopped: by then it is heard that it did."""
PREPARATION_S = (0.4, 0.8)
PREPARATION_S_PER_M = 0.6
SETTLE_SHARE = 0.08
"""The weight ends this share of the preparation after the apex: minimum jerk ends slowly."""
RETRACTION_S = (0.55, 0.95)
SINK_SPEED = 0.03
"""How fast hands sink and wander while they wait [m/s]; no beat is that slow."""
MAX_SINK = 0.45
TRUNK_SHARE = 0.6
PULSE_ELBOW_RAD = np.radians(19.0)
PULSE_SHOULDER_RAD = np.radians(5.0)
PULSE_WRIST_RAD = np.radians(8.0)
LOWERED = 0.8
"""Strength of pulses in a hanging arm, against a raised one."""
_TRUNK = [JOINT_INDEX[name] for name in ('spine', 'chest', 'neck', 'head')]


@dataclass(frozen=True, slots=True)
class ArmMotion:
    """Rotations (T, 12, 3, 3), fingers (T, 12) and how far each arm is raised (T, 2), 0 to 1."""

    rotations: Float64Array
    fingers: Float64Array
    raised: Float64Array


@dataclass(frozen=True, slots=True)
class _Course:
    """When the weight of one stroke changes in one arm [s], and what it falls to."""

    rise: Span
    fall: Span
    floor: float
    end_s: float


def arm_motion(times_s: Float64Array, rotations: Float64Array, fingers: Float64Array, plan: Plan,
               speech_size: Float64Array) -> ArmMotion:
    """Return the idle motion with the planned strokes and pulses laid over it.

    Args:
        times_s: shape (T,), frame times.
        rotations: shape (T, 12, 3, 3), idle.
        fingers: shape (T, 12), idle.
        plan: strokes and pulses.
        speech_size: shape (T,), size of gestures that the voice asks for.
    """
    rotations, fingers = rotations.copy(), fingers.copy()
    raised = np.zeros((len(times_s), 2))
    for arm, side in enumerate(('left', 'right')):
        own = [placed for placed in plan.strokes if placed.stroke.hand in (side, 'both')]
        for placed, course in zip(own, _courses(own, plan.speech)):
            _lay_arm(times_s, rotations, fingers, raised, placed, course, arm)
    for placed in plan.strokes:
        _lay_trunk(times_s, rotations, placed)
    track, late = (pulse_track(times_s - lag_s, plan, speech_size)
                   for lag_s in (0.0, WRIST_LAG_S))
    for arm in range(2):
        _pulse_arm(rotations, raised[:, arm], track, late, arm)
    return ArmMotion(rotations, fingers, raised)


def _courses(own: list[PlacedStroke], speech: list[Span]) -> list[_Course]:
    """Return how the weight of each stroke of one arm goes."""
    rises = [_rise(placed) for placed in own]
    courses = []
    for i, placed in enumerate(own):
        last = i + 1 == len(own)
        stop_s = next((s.stop for s in speech if s.stop >= placed.apex_s - 0.3), placed.apex_s)
        leave_s = placed.apex_s + float(np.clip(stop_s + LEAVE_S - placed.apex_s, *HOLD_S))
        reach_m = max(placed.amplitude * placed.stroke.reach_m, 0.05)
        if not last and rises[i + 1].start < leave_s + 0.1:
            fall = Span(placed.apex_s + 0.3, max(rises[i + 1].start, placed.apex_s + 0.5))
            sink = min(SINK_SPEED * (fall.stop - fall.start) / reach_m, MAX_SINK)
            courses.append(_Course(rises[i], fall, 1.0 - sink, rises[i + 1].stop))
        else:
            down_s = float(np.clip(0.7 + 1.4 * reach_m, *RETRACTION_S))
            end_s = np.inf if last else rises[i + 1].stop
            courses.append(_Course(rises[i], Span(leave_s, leave_s + down_s), 0.0, end_s))
    return courses


def _rise(placed: PlacedStroke) -> Span:
    """Return when the weight of a stroke rises: the further the way, the longer."""
    wanted_s = np.clip(0.35 + PREPARATION_S_PER_M * placed.travel_m, *PREPARATION_S)
    start_s = max(placed.apex_s - float(wanted_s), placed.free_s)
    return Span(start_s, placed.apex_s + SETTLE_SHARE * (placed.apex_s - start_s))


def _clip_times(times_s: Float64Array, placed: PlacedStroke, start_s: float) -> Float64Array:
    """Return clip times: the stroke's own movement up to its apex, then a slow hold."""
    stroke, lead_s = placed.stroke, placed.apex_s - start_s
    own_s = min(max(stroke.anchor_s - stroke.start_s, 0.05) / placed.rate, 0.7 * lead_s)
    stay_s = max((stroke.hold_s - stroke.anchor_s) / 0.9,
                 placed.amplitude * stroke.hold_path_m / SINK_SPEED, 0.06)
    knots = [start_s, placed.apex_s - own_s, placed.apex_s, placed.apex_s + stay_s,
             placed.apex_s + stay_s + 1.5]
    before = min(stroke.start_s, stroke.anchor_s - 0.02)
    values = [max(before - 0.15, -0.01) if before > 0.0 else -0.01, before, stroke.anchor_s,
              stroke.hold_s, stroke.hold_s + 0.05]
    course = PchipInterpolator(knots, values)
    return np.asarray(course(np.clip(times_s, knots[0], knots[-1])))


def _weight(times_s: Float64Array, course: _Course) -> Float64Array:
    rise = minimum_jerk((times_s - course.rise.start) / (course.rise.stop - course.rise.start))
    span = (times_s - course.fall.start) / (course.fall.stop - course.fall.start)
    fall = minimum_jerk(span) if course.floor == 0.0 else steady(span)
    return np.asarray(rise * (1.0 - (1.0 - course.floor) * fall))


def _lay_arm(times_s: Float64Array, rotations: Float64Array, fingers: Float64Array,
             raised: Float64Array, placed: PlacedStroke, course: _Course, arm: int) -> None:
    """Blend one stroke into one arm, in place."""
    stop_s = course.fall.stop if course.floor == 0.0 else max(course.end_s, course.rise.stop)
    stop_s = min(stop_s, max(course.end_s, course.rise.stop))
    part = (times_s > course.rise.start) & (times_s < stop_s)
    if not part.any():
        return
    now = times_s[part]
    clip_rotations, clip_fingers = unpack_pose(
        placed.stroke.clip.at(_clip_times(now, placed, course.rise.start)))
    weight = _weight(now, course)
    first = JOINT_INDEX[f'{("left", "right")[arm]}_clavicle']
    joints, half = slice(first, first + 4), FINGER_COUNT // 2
    hand = slice(arm * half, (arm + 1) * half)
    idle = rotations[:1, joints]
    scaled = slerp(np.broadcast_to(idle, clip_rotations[:, joints].shape),
                   clip_rotations[:, joints], placed.amplitude)
    rotations[part, joints] = slerp(rotations[part, joints], scaled, weight[:, None])
    fingers[part, hand] += weight[:, None] * (clip_fingers[:, hand] - fingers[part, hand])
    raised[part, arm] += weight * (1.0 - raised[part, arm])
    if course.floor < 1.0:
        raised[part, arm] = np.minimum(raised[part, arm], np.maximum(weight, course.floor))


def _lay_trunk(times_s: Float64Array, rotations: Float64Array, placed: PlacedStroke) -> None:
    """Add what trunk and head do in the clip against its first frame, for the stroke only."""
    weight = minimum_jerk((times_s - placed.apex_s + 0.6) / 0.55) * minimum_jerk(
        (placed.apex_s + 1.1 - times_s) / 0.8)
    part = weight > 0.0
    if not part.any():
        return
    clip_times = _clip_times(times_s[part], placed, placed.apex_s - 0.6)
    turned, _ = unpack_pose(placed.stroke.clip.at(clip_times))
    start, _ = unpack_pose(placed.stroke.clip.at(np.zeros(1)))
    change = np.swapaxes(start[:, _TRUNK], -1, -2) @ turned[:, _TRUNK]
    share = slerp(np.broadcast_to(np.eye(3), change.shape), change,
                  (TRUNK_SHARE * weight[part])[:, None])
    where = np.ix_(np.flatnonzero(part), np.array(_TRUNK))
    rotations[where] = rotations[where] @ share


def _pulse_arm(rotations: Float64Array, raised: Float64Array, track: Float64Array,
               late: Float64Array, arm: int) -> None:
    """Superpose the pulse track on one arm, in place."""
    side, sign = (('left', -1.0), ('right', 1.0))[arm]
    strength = LOWERED + (1.0 - LOWERED) * raised
    elbow, shoulder, wrist = (JOINT_INDEX[f'{side}_{n}'] for n in ('elbow', 'shoulder', 'wrist'))
    down = np.array([0.0, -1.0, 0.0])
    rotations[:, elbow] = _turn(down, PULSE_ELBOW_RAD * strength * track) @ rotations[:, elbow]
    rotations[:, shoulder] = _turn(
        down, PULSE_SHOULDER_RAD * strength * track) @ rotations[:, shoulder]
    rotations[:, wrist] = rotations[:, wrist] @ _turn(
        np.array([1.0, 0.0, 0.0]), -sign * PULSE_WRIST_RAD * late * raised)


def _turn(axis: Float64Array, angle_rad: Float64Array) -> Float64Array:
    return np.asarray(matrix_from_rotvec(angle_rad[:, None] * axis))
