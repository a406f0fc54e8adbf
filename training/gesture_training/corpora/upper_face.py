"""Lids, gaze, brows and smiles for speech: sampled with human statistics, driven by the sound.

Nothing here is determined by the audio, it is only placed by it: blinks gather in pauses, brows
rise with accents, eyes wander and come back. The same speech with another generator gives another
face. Rates, durations and amplitudes: ``docs/face_teacher.md``.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gesture_node.measures.accents import find_accents, voice_activity
from gesture_node.motion.face import BLENDSHAPE_INDEX, FACE_DIM
from gesture_node.timeline import FACE_RATE_HZ

Array = NDArray[np.float64]
_RATE = FACE_RATE_HZ
_BLINK_CLOSE_S, _BLINK_SHUT_S, _BLINK_OPEN_S = 0.075, 0.02, 0.19
_BLINKS_PER_MIN, _BLINK_SHAPE, _DOUBLE_BLINKS = 24.0, 3.0, 0.12
_BROWS_PER_MIN = 6.0
_SMILES_PER_MIN, _EMPHATIC_SMILES = 2.0, 0.6
_GAZE_FULL_YAW_DEG, _GAZE_FULL_PITCH_DEG = 35.0, 30.0


@dataclass(frozen=True, slots=True)
class SpeechCues:
    """What the sound offers to place movements on; times in seconds.

    Attributes:
        duration_s: length of the recording.
        accents_s: times of loudness accents.
        pauses_s: starts of pauses of 200 ms or more.
        onsets_s: starts of speech after such a pause.
        prominences: of the accents, z-scores; None holds them all for equal.
    """

    duration_s: float
    accents_s: Array
    pauses_s: Array
    onsets_s: Array
    prominences: Array | None = None

    def at_speed(self, factor: float) -> SpeechCues:
        """Return the cues of the same recording played faster by a factor."""
        return SpeechCues(self.duration_s / factor, self.accents_s / factor,
                          self.pauses_s / factor, self.onsets_s / factor, self.prominences)

    def emphases(self, count: int, rng: np.random.Generator) -> Array:
        """Return up to ``count`` accents, stronger ones three times as likely for each z-score."""
        if not len(self.accents_s):
            return self.accents_s
        weights = (np.zeros(len(self.accents_s)) if self.prominences is None
                   else np.log(3.0) * self.prominences)
        # The largest sums of log weight and Gumbel noise are a weighted draw without repetition.
        order = np.argsort(-(weights + rng.gumbel(size=len(weights))))
        return np.asarray(self.accents_s[order[:count]])


def speech_cues(features: NDArray[np.floating]) -> SpeechCues:
    """Return accents and pauses of a recording from its speech features ``(F, 83)``."""
    speaking = np.concatenate([[True], voice_activity(features), [True]])
    starts = np.flatnonzero(speaking[:-1] & ~speaking[1:])
    ends = np.flatnonzero(~speaking[:-1] & speaking[1:])
    long = (ends - starts) >= 0.2 * _RATE
    accents = find_accents(features)
    return SpeechCues(len(features) / _RATE, accents.onsets_s, starts[long] / _RATE,
                      ends[long] / _RATE, accents.prominences)


def _bump(time_s: Array, start_s: float, rise_s: float, hold_s: float, fall_s: float) -> Array:
    """Return a smooth rise, hold and fall that starts at ``start_s``."""
    rising = np.clip((time_s - start_s) / rise_s, 0.0, 1.0)
    falling = np.clip((time_s - start_s - rise_s - hold_s) / fall_s, 0.0, 1.0)
    smooth = 0.5 - 0.5 * np.cos(np.pi * rising)
    return np.asarray(smooth * (0.5 + 0.5 * np.cos(np.pi * falling)))


def blink_times(cues: SpeechCues, rng: np.random.Generator) -> list[float]:
    """Return blink onsets [s]: gamma intervals, drawn to pauses nearby, some of them double."""
    mean_s = 60.0 / (_BLINKS_PER_MIN * rng.lognormal(0.0, 0.3)) * (1.0 + _DOUBLE_BLINKS)
    times: list[float] = []
    time = rng.gamma(_BLINK_SHAPE, mean_s / _BLINK_SHAPE) * rng.random()
    while time < cues.duration_s:
        placed = time
        if len(cues.pauses_s) and rng.random() < 0.7:
            nearest = cues.pauses_s[np.argmin(np.abs(cues.pauses_s - time))]
            if abs(nearest - time) < 0.8:
                placed = float(nearest + rng.normal(0.02, 0.08))
        if placed > 0.0 and (not times or placed - times[-1] > 0.35):
            times.append(placed)
            if rng.random() < _DOUBLE_BLINKS:
                times.append(placed + rng.uniform(0.36, 0.5))
        time = max(time, placed) + max(0.35, rng.gamma(_BLINK_SHAPE, mean_s / _BLINK_SHAPE))
    return times


def _add_blinks(face: Array, time_s: Array, times: list[float], rng: np.random.Generator) -> None:
    left, right = BLENDSHAPE_INDEX['eyeBlinkLeft'], BLENDSHAPE_INDEX['eyeBlinkRight']
    for start in times:
        speed, depth = rng.uniform(0.85, 1.2), 1.0 if rng.random() < 0.8 else rng.uniform(0.75, 1)
        curve = depth * _bump(time_s, start, _BLINK_CLOSE_S * speed, _BLINK_SHUT_S,
                              _BLINK_OPEN_S * speed)
        face[:, left] = np.maximum(face[:, left], curve)
        face[:, right] = np.maximum(face[:, right], curve)


def _saccade_targets(duration_s: float, onsets_s: Array,
                     rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Return gaze targets (time [s], yaw [deg] to the character's left, pitch [deg] up)."""
    targets = [(0.0, 0.0, 0.0)]
    time, away = rng.gamma(2.0, 1.0), True
    while time < duration_s:
        if away:
            yaw, pitch = _averted(rng)
            targets.append((time, yaw, pitch))
            time += float(np.clip(rng.normal(1.0, 0.6), 0.3, 2.5))
        else:
            for _ in range(rng.integers(1, 5)):
                targets.append((time, float(rng.normal(0.0, 1.0)), float(rng.normal(0.0, 0.7))))
                time += rng.gamma(2.0, 0.45)
        away = not away and rng.random() < 0.75
    for onset in onsets_s:
        if rng.random() < 0.25:
            yaw, pitch = _averted(rng)
            targets += [(max(0.0, onset - 0.3), yaw, pitch), (onset + 0.6, 0.0, 0.0)]
    return sorted(targets)


def _averted(rng: np.random.Generator) -> tuple[float, float]:
    """Return a gaze aside: size after Lee, Badler and Badler ("Eyes Alive", 2002), 12 deg cap."""
    size = min(12.0, -6.9 * np.log(rng.uniform(0.5, 15.0) / 15.7)) + 2.0
    angle = rng.choice(8, p=[.155, .07, .168, .07, .177, .08, .204, .076]) * np.pi / 4
    yaw, pitch = size * np.cos(angle), 0.5 * size * np.sin(angle)
    if rng.random() < 0.2:
        pitch = abs(pitch) + 3.0
    return float(yaw), float(pitch)


def gaze_angles(time_s: Array, targets: list[tuple[float, float, float]]) -> tuple[Array, Array]:
    """Return yaw and pitch [deg]: fixations joined by saccades of 25 ms + 2.4 ms per degree."""
    yaw, pitch = np.zeros(len(time_s)), np.zeros(len(time_s))
    last = (0.0, 0.0)
    for start, *aim in targets:
        size = float(np.hypot(aim[0] - last[0], aim[1] - last[1]))
        share = np.clip((time_s - start) / (0.025 + 0.0024 * size), 0.0, 1.0)
        share = 0.5 - 0.5 * np.cos(np.pi * share)
        yaw += share * (aim[0] - last[0])
        pitch += share * (aim[1] - last[1])
        last = (aim[0], aim[1])
    return yaw, pitch


def _add_gaze(face: Array, yaw_deg: Array, pitch_deg: Array) -> None:
    left, right = yaw_deg.clip(0.0), (-yaw_deg).clip(0.0)
    values = {'eyeLookOutLeft': left, 'eyeLookInRight': left, 'eyeLookInLeft': right,
              'eyeLookOutRight': right}
    for name, value in values.items():
        face[:, BLENDSHAPE_INDEX[name]] = value / _GAZE_FULL_YAW_DEG
    for side in ('Left', 'Right'):
        down = (-pitch_deg).clip(0.0) / _GAZE_FULL_PITCH_DEG
        up = pitch_deg.clip(0.0) / _GAZE_FULL_PITCH_DEG
        face[:, BLENDSHAPE_INDEX[f'eyeLookDown{side}']] = down
        face[:, BLENDSHAPE_INDEX[f'eyeLookUp{side}']] = up
        # Lids follow the eyes, and a blink wins over either.
        face[:, BLENDSHAPE_INDEX[f'eyeBlink{side}']] += 0.35 * down
        face[:, BLENDSHAPE_INDEX[f'eyeWide{side}']] += 0.2 * up


def _add_brows(face: Array, time_s: Array, cues: SpeechCues, rng: np.random.Generator) -> None:
    wanted = rng.poisson(_BROWS_PER_MIN * cues.duration_s / 60.0)
    anchors = list(cues.emphases(wanted, rng))
    anchors += [onset for onset in cues.onsets_s if rng.random() < 0.12]
    for accent in anchors:
        inner, outer = rng.uniform(0.15, 0.4), rng.uniform(0.1, 0.3)
        scale = rng.uniform(0.8, 1.25)
        curve = _bump(time_s, accent - 0.12 * scale - 0.06, 0.12 * scale, 0.15 * scale,
                      0.25 * scale)
        for name, size in (('browInnerUp', inner), ('browOuterUpLeft', outer),
                           ('browOuterUpRight', outer), ('eyeWideLeft', 0.3 * inner),
                           ('eyeWideRight', 0.3 * inner)):
            index = BLENDSHAPE_INDEX[name]
            face[:, index] = np.maximum(face[:, index], size * curve)
    for accent in cues.emphases(rng.poisson(1.5 * cues.duration_s / 60.0), rng):
        curve = rng.uniform(0.12, 0.35) * _bump(time_s, accent - 0.3, 0.25, 0.4, 0.5)
        for name, size in (('browDown', 1.0), ('eyeSquint', 0.5)):
            for side in ('Left', 'Right'):
                face[:, BLENDSHAPE_INDEX[f'{name}{side}']] += size * curve


def _add_smiles(face: Array, time_s: Array, cues: SpeechCues, rng: np.random.Generator) -> None:
    count = rng.poisson(_SMILES_PER_MIN * cues.duration_s / 60.0)
    emphases = list(cues.emphases(count, rng))
    for _ in range(count):
        size, rise_s = rng.uniform(0.08, 0.2), rng.uniform(0.5, 0.9)
        start_s = rng.uniform(-0.5, cues.duration_s)
        if emphases and rng.random() < _EMPHATIC_SMILES:
            start_s = float(emphases.pop(0) - 0.6 * rise_s + rng.normal(0.0, 0.1))
        curve = _bump(time_s, start_s, rise_s, rng.uniform(0.6, 2.0), rng.uniform(0.7, 1.4))
        skew = rng.uniform(0.85, 1.0)
        for name, scale in (('mouthSmile', 1.0), ('cheekSquint', 0.9), ('eyeSquint', 0.5)):
            face[:, BLENDSHAPE_INDEX[f'{name}Left']] += size * scale * curve
            face[:, BLENDSHAPE_INDEX[f'{name}Right']] += size * scale * skew * curve


def sample_upper_face(cues: SpeechCues, frames: int, rng: np.random.Generator) -> Array:
    """Return lids, gaze, brows, cheeks and slight smiles; all other channels are 0.

    Args:
        cues: of the recording.
        frames: number of frames at 50 Hz.
        rng: another generator, another face.

    Returns:
        shape (frames, 52), [0, 1].
    """
    time_s = np.arange(frames) / _RATE
    face = np.zeros((frames, FACE_DIM))
    targets = _saccade_targets(cues.duration_s, cues.onsets_s, rng)
    _add_gaze(face, *gaze_angles(time_s, targets))
    blinks = blink_times(cues, rng)
    # A large gaze shift brings a blink with it now and then.
    for (_, *before), (start, *after) in zip(targets, targets[1:]):
        shift_deg = np.hypot(after[0] - before[0], after[1] - before[1])
        alone = all(abs(start - other) > 0.4 for other in blinks)
        if shift_deg > 12.0 and alone and rng.random() < 0.3:
            blinks.append(start - 0.02)
    _add_blinks(face, time_s, blinks, rng)
    _add_brows(face, time_s, cues, rng)
    _add_smiles(face, time_s, cues, rng)
    return np.asarray(face.clip(0.0, 1.0))


def join_face(lips: NDArray[np.float32], upper: Array) -> NDArray[np.float32]:
    """Return lips and upper face as one ``(T, 52)``: smiles give way where the lips are sealed."""
    close, jaw = (lips[:, BLENDSHAPE_INDEX[name]] for name in ('mouthClose', 'jawOpen'))
    press = lips[:, BLENDSHAPE_INDEX['mouthPressLeft']]
    seal = np.maximum(press / 0.6, np.where(jaw > 0.02, close / np.maximum(jaw, 0.02), 0.0))
    joined = upper.copy()
    for side in ('Left', 'Right'):
        joined[:, BLENDSHAPE_INDEX[f'mouthSmile{side}']] *= 1.0 - 0.5 * seal.clip(0.0, 1.0)
    return np.asarray((joined + lips).clip(0.0, 1.0).astype(np.float32))
