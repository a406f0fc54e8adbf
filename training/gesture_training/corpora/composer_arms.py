"""Arms through preparation, stroke, hold and retraction, by blending rotations.

Each arm has its own chain of strokes. A stroke is its clip, played on a time map that puts its
apex on the planned moment, under a weight that says how much of the arm is the clip and how much
what was there before. The weight rises with a minimum-jerk curve during the preparation; it stays
when the next apex of that arm is less than 1.8 s away, falls part of the way when it is less than
3 s away and the speaker goes on, and falls to the idle pose otherwise (rules of thumb from gesture
phase data: 46 % of strokes follow each other without a retraction; preparation and retraction take
about half a second each). Amplitude scales the whole gesture about the idle pose.

Pulses are a short lift of the forearm that falls into the accent: elbow, a little shoulder and,
40 ms later, the wrist; smaller in a hanging arm.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from gesture_node.motion.rotations import matrix_from_rotvec, slerp
from gesture_node.motion.skeleton import FINGER_COUNT, JOINT_INDEX, unpack_pose
from gesture_node.types import Float64Array

from .composer_plan import MEAN_SPEED, PlacedStroke, Plan, Span

CHAIN_S = 1.8
PARTIAL_S = 3.0
PREPARATION_S = (0.50, 0.85)
RETRACTION_S = (0.65, 1.0)
LEAVE_AFTER_APEX_S = 0.28
TRUNK_SHARE = 0.6
PULSE_ELBOW_RAD = np.radians(15.0)
PULSE_SHOULDER_RAD = np.radians(4.0)
PULSE_WRIST_RAD = np.radians(9.0)
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


def minimum_jerk(fraction: Float64Array) -> Float64Array:
    """Return 0 to 1 with zero speed and acceleration at both ends (Flash and Hogan 1985)."""
    x = np.clip(fraction, 0.0, 1.0)
    return np.asarray(x ** 3 * (10.0 - 15.0 * x + 6.0 * x ** 2))


def arm_motion(times_s: Float64Array, rotations: Float64Array, fingers: Float64Array, plan: Plan,
               rng: np.random.Generator) -> ArmMotion:
    """Return the idle motion with the planned strokes and pulses laid over it.

    Args:
        times_s: shape (T,), frame times.
        rotations: shape (T, 12, 3, 3), idle.
        fingers: shape (T, 12), idle.
        plan: strokes and pulses.
        rng: draws durations.
    """
    rotations, fingers = rotations.copy(), fingers.copy()
    raised = np.zeros((len(times_s), 2))
    for arm, side in enumerate(('left', 'right')):
        own = [placed for placed in plan.strokes if placed.stroke.hand in (side, 'both')]
        for placed, course in zip(own, _courses(own, plan.speech, rng)):
            _lay_arm(times_s, rotations, fingers, raised, placed, course, arm)
    for placed in plan.strokes:
        _lay_trunk(times_s, rotations, placed)
    for arm in range(2):
        _pulse_arm(times_s, rotations, raised[:, arm], plan, arm)
    return ArmMotion(rotations, fingers, raised)


def _courses(own: list[PlacedStroke], speech: list[Span],
             rng: np.random.Generator) -> list[_Course]:
    """Return how the weight of each stroke of one arm goes."""
    rises: list[Span] = []
    for i, placed in enumerate(own):
        start = placed.apex_s - max(rng.uniform(*PREPARATION_S),
                                    placed.stroke.reach_m / MEAN_SPEED)
        if i and start < own[i - 1].apex_s + LEAVE_AFTER_APEX_S:
            start = min(own[i - 1].apex_s + LEAVE_AFTER_APEX_S, placed.apex_s - 0.4)
        rises.append(Span(start, placed.apex_s - 0.06))
    courses = []
    for i, placed in enumerate(own):
        after = own[i + 1].apex_s - placed.apex_s if i + 1 < len(own) else np.inf
        stop_s = next((s.stop for s in speech if s.stop >= placed.apex_s - 0.3), placed.apex_s)
        goes_on = i + 1 < len(own) and own[i + 1].apex_s < stop_s
        leave_s = placed.apex_s + float(np.clip(stop_s + 0.1 - placed.apex_s, 0.35, 1.3))
        end_s = rises[i + 1].stop if i + 1 < len(own) else np.inf
        floor = 1.0 if after < CHAIN_S else (
            rng.uniform(0.45, 0.75) if after < PARTIAL_S and goes_on else 0.0)
        fall = Span(leave_s, leave_s + rng.uniform(*RETRACTION_S))
        courses.append(_Course(rises[i], fall, float(floor), end_s))
    return courses


def _clip_times(times_s: Float64Array, placed: PlacedStroke, start_s: float) -> Float64Array:
    """Return clip times: the apex in its place, then a slow hold."""
    stroke, lead_s = placed.stroke, placed.apex_s - start_s
    first = max(stroke.anchor_s - lead_s * placed.rate, 0.0)
    stay = max(stroke.hold_s - stroke.anchor_s, 0.05)
    knots = [start_s, placed.apex_s, placed.apex_s + stay / 0.9, placed.apex_s + stay / 0.9 + 1.5]
    values = [first, stroke.anchor_s, stroke.hold_s, stroke.hold_s + 0.05]
    course = PchipInterpolator(knots, values)
    return np.asarray(course(np.clip(times_s, knots[0], knots[-1])))


def _weight(times_s: Float64Array, course: _Course) -> Float64Array:
    rise = minimum_jerk((times_s - course.rise.start) / (course.rise.stop - course.rise.start))
    fall = minimum_jerk((times_s - course.fall.start) / (course.fall.stop - course.fall.start))
    return np.asarray(rise * (1.0 - (1.0 - course.floor) * fall))


def _lay_arm(times_s: Float64Array, rotations: Float64Array, fingers: Float64Array,
             raised: Float64Array, placed: PlacedStroke, course: _Course, arm: int) -> None:
    """Blend one stroke into one arm, in place."""
    stop_s = course.fall.stop if course.floor == 0.0 else max(course.end_s, course.rise.stop)
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


def _pulse_arm(times_s: Float64Array, rotations: Float64Array, raised: Float64Array, plan: Plan,
               arm: int) -> None:
    """Superpose pulses on one arm, in place."""
    side, sign = (('left', -1.0), ('right', 1.0))[arm]
    curve, late = np.zeros(len(times_s)), np.zeros(len(times_s))
    other = 0.55 if arm == 0 else 0.8
    for pulse in plan.pulses:
        strength = pulse.size * (other + (1.0 - other) * raised)
        curve += strength * pulse_curve(times_s - pulse.apex_s)
        late += strength * pulse_curve(times_s - pulse.apex_s - 0.04)
    flex = curve * (0.6 + 0.4 * raised)
    elbow, shoulder, wrist = (JOINT_INDEX[f'{side}_{n}'] for n in ('elbow', 'shoulder', 'wrist'))
    down = np.array([0.0, -1.0, 0.0])
    rotations[:, elbow] = _turn(down, PULSE_ELBOW_RAD * flex) @ rotations[:, elbow]
    rotations[:, shoulder] = _turn(down, PULSE_SHOULDER_RAD * flex) @ rotations[:, shoulder]
    rotations[:, wrist] = rotations[:, wrist] @ _turn(
        np.array([1.0, 0.0, 0.0]), -sign * PULSE_WRIST_RAD * late * raised)


def pulse_curve(after_s: Float64Array) -> Float64Array:
    """Return a lift to about 1 at -0.2 s that falls to -0.25 at 0 s (the apex) and eases out."""
    lift = np.where(after_s < -0.19, np.exp(-0.5 * ((after_s + 0.19) / 0.14) ** 2),
                    np.exp(-0.5 * ((after_s + 0.19) / 0.062) ** 2))
    drop = np.where(after_s < 0.0, np.exp(-0.5 * (after_s / 0.06) ** 2),
                    np.exp(-0.5 * (after_s / 0.16) ** 2))
    return np.asarray(lift - 0.3 * drop)


def _turn(axis: Float64Array, angle_rad: Float64Array) -> Float64Array:
    return np.asarray(matrix_from_rotvec(angle_rad[:, None] * axis))


