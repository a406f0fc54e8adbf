"""What trunk and head do all the time: sway, breathing, posture shifts, head motion, nods.

At rest everything stays within 1 to 2 degrees: sway of trunk at incommensurate periods around
0.3 Hz, breathing in chest and clavicles, in at pauses, a slow wandering of the head. While
somebody speaks the head moves most of the time, 5 to 8 degrees and more with a lively voice,
with its loudness and with a brief nod on the more prominent half of the accents (Hadar; Munhall et
al. 2004; Graf et al. 2002: 42 % of accents carry a nod). Posture shifts of about 2 degrees happen
in pauses.
"""
from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from gesture_node.motion.courses import smoothstep
from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import JOINT_INDEX
from gesture_node.timeline import BODY_RATE_HZ
from gesture_node.types import Float64Array

from .composer_plan import Plan

SWAY_RAD = np.radians([0.35, 0.45, 0.35])
BREATH_RAD = np.radians(0.5)
IDLE_HEAD_RAD = np.radians([0.6, 0.6, 0.9])
SPEECH_HEAD_RAD = np.radians([1.8, 2.0, 3.2])
LOUDNESS_HEAD_RAD = np.radians(1.6)
NOD_RAD = np.radians(4.5)
SHIFT_RAD = np.radians([1.2, 0.8, 1.8])
SHIFT_SHARE = 0.35
_EDGE_S = 0.8


def trunk_motion(times_s: Float64Array, rotations: Float64Array, plan: Plan, voiced: Float64Array,
                 loudness: Float64Array, sizes: Float64Array, rng: np.random.Generator) -> None:
    """Lay trunk and head motion over ``rotations`` (T, 12, 3, 3), in place.

    Args:
        times_s: shape (T,).
        rotations: joint rotations so far.
        plan: nods and speech.
        voiced: shape (T,), speech activity 0 to 1.
        loudness: shape (T,), z-score within speech.
        sizes: shape (T,), size of movements that the voice asks for, about 1.
        rng: draws everything.
    """
    sway = np.stack([_sway(times_s, rng) for _ in range(3)], axis=-1) * SWAY_RAD
    sway += _shifts(times_s, plan, rng)
    _turn(rotations, 'spine', sway)
    breath = BREATH_RAD * breathing(times_s, plan, rng)
    zero = np.zeros(len(times_s))
    _turn(rotations, 'chest', np.stack([zero, -breath, zero], axis=-1) - 0.4 * sway)
    for side, sign in (('left', 1.0), ('right', -1.0)):
        _turn(rotations, f'{side}_clavicle', np.stack([sign * 1.2 * breath, zero, zero], axis=-1))
    speaking = gaussian_filter1d(voiced, 0.2 * BODY_RATE_HZ) * sizes
    head = _wander(len(times_s), 0.25, rng) * IDLE_HEAD_RAD
    head += speaking[:, None] * _wander(len(times_s), 0.7, rng) * SPEECH_HEAD_RAD
    lively = np.roll(gaussian_filter1d(loudness, 0.09 * BODY_RATE_HZ), 1)
    head[:, 1] += LOUDNESS_HEAD_RAD * lively * speaking
    for nod in plan.nods:
        head[:, 1] += NOD_RAD * nod.size * nod_curve(times_s - nod.apex_s)
    ease = np.minimum(times_s, times_s[-1] - times_s)
    head *= np.clip(ease / _EDGE_S, 0.15, 1.0)[:, None]
    head = gaussian_filter1d(head, 1.0, axis=0, mode='nearest')
    _turn(rotations, 'neck', 0.45 * head)
    _turn(rotations, 'head', 0.55 * head)


def nod_curve(after_s: Float64Array) -> Float64Array:
    """Return a nod: down to 1 at 0 s within 0.2 s, back a little slower with a small overshoot."""
    down = np.where(after_s < 0.0, np.exp(-0.5 * (after_s / 0.085) ** 2),
                    np.exp(-0.5 * (after_s / 0.13) ** 2))
    return np.asarray(down - 0.2 * np.exp(-0.5 * ((after_s - 0.35) / 0.12) ** 2))


def breathing(times_s: Float64Array, plan: Plan, rng: np.random.Generator) -> Float64Array:
    """Return how full the chest is, -1 to 1: in at pauses, out while speaking.

    Before every stretch of speech there is a breath of 0.6 s, deeper before a longer one
    (Winkworth et al. 1994, 1995); in silence a breath about every 4 s takes 40 % of its time.
    """
    knots_s, levels = [times_s[0] - 4.0], [0.0]
    for span in [*plan.speech, None]:
        until_s = times_s[-1] + 8.0 if span is None else span.start - 0.65
        now_s = knots_s[-1] + 0.3
        while now_s + 3.0 < until_s:
            cycle_s = min(rng.uniform(3.4, 4.5), until_s - now_s)
            knots_s += [now_s + 0.4 * cycle_s, now_s + cycle_s]
            levels += [rng.uniform(0.4, 0.8), rng.uniform(-0.7, -0.4)]
            now_s += cycle_s
        if span is not None:
            length_s = span.stop - span.start
            inhaled_s = max(span.start - 0.05, knots_s[-1] + 0.3)
            knots_s += [max(inhaled_s - 0.6, knots_s[-1] + 0.1), inhaled_s,
                        max(span.stop, inhaled_s + 0.3)]
            levels += [levels[-1], min(0.4 + 0.12 * length_s, 1.0), -0.6]
    return np.asarray(PchipInterpolator(knots_s, levels)(times_s))


def _turn(rotations: Float64Array, joint: str, rotvec_rad: Float64Array) -> None:
    index = JOINT_INDEX[joint]
    rotations[:, index] = matrix_from_rotvec(rotvec_rad) @ rotations[:, index]


def _phase(times_s: Float64Array, rate_hz: float, rng: np.random.Generator) -> Float64Array:
    return np.asarray(2.0 * np.pi * (rate_hz * times_s + rng.random()))


def _sway(times_s: Float64Array, rng: np.random.Generator) -> Float64Array:
    """Return sway of about unit RMS at three incommensurate rates around 0.2 Hz."""
    rates = np.array([0.09, 0.17, 0.31]) * rng.uniform(0.85, 1.15, 3)
    waves = [np.sin(_phase(times_s, rate, rng)) for rate in rates]
    return np.asarray(0.8 * (waves[0] + 0.7 * waves[1] + 0.5 * waves[2]))


def _wander(frames: int, rate_hz: float, rng: np.random.Generator) -> Float64Array:
    """Return smooth noise ``(frames, 3)`` of unit RMS with most power below ``rate_hz``."""
    width = BODY_RATE_HZ / (2.0 * np.pi * rate_hz)
    margin = int(4 * width)
    noise = rng.standard_normal((frames + 2 * margin, 3))
    smooth = gaussian_filter1d(noise, width, axis=0)[margin:margin + frames]
    return np.asarray(smooth * np.sqrt(2.0 * np.sqrt(np.pi) * width))


def _shifts(times_s: Float64Array, plan: Plan, rng: np.random.Generator) -> Float64Array:
    """Return posture shifts in pauses, back to zero at the end of the take."""
    target, result = np.zeros(3), np.zeros((len(times_s), 3))
    for i, span in enumerate(plan.speech):
        last = i == len(plan.speech) - 1
        if last or rng.random() < SHIFT_SHARE:
            new = np.zeros(3) if last else rng.normal(0.0, 1.0, 3).clip(-1.5, 1.5) * SHIFT_RAD
            result += (new - target) * smoothstep((times_s - span.stop) / 1.2)[:, None]
            target = new
    return result
