"""Composes body motion for speech: recorded gestures, placed on the accents of a voice.

No speech recorded together with body motion could be had on usable terms, so pairs are
composed. Recorded are the shapes and speeds of the gestures (hand-animated and motion-captured
clips) and the speech; composed is which gesture goes where, and everything small in between.
The rules and their sources are in ``docs/composer.md`` and in the modules of the steps:

1. ``measures.arousal``, ``composer_style``: how lively the voice is, and what size and spacing of
   gestures suit it.
2. ``composer_plan``, ``composer_choice``: which accents get a stroke, which a pulse; which clip.
3. ``composer_arms``, ``composer_pulses``: arms through preparation, stroke, hold and retraction.
4. ``composer_trunk``: idle sway, breathing, posture shifts, head motion and nods.
5. here: the layers together, smoothed, from the idle pose and back to it.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from gesture_node.audio.features import FEATURE_DIM, waveform_features
from gesture_node.guides.rules import amplitude_of
from gesture_node.measures.accents import (
    find_accents,
    frame_times_s,
    voice_activity,
    vowel_energy_db,
)
from gesture_node.measures.arousal import arousal_curve
from gesture_node.motion.skeleton import pack_pose, project_pose, unpack_pose
from gesture_node.timeline import BODY_RATE_HZ, FEATURE_RATE_HZ
from gesture_node.types import Float64Array

from ..exceptions import TrainingError
from .clips import wrist_positions
from .composer_arms import arm_motion
from .composer_plan import Plan, plan
from .composer_strokes import Stroke
from .composer_trunk import trunk_motion

SMOOTHING_FRAMES = 0.5
"""Standard deviation of the last Gaussian over time, 20 ms: hides the joins of the layers."""


@dataclass(frozen=True, slots=True)
class Prosody:
    """What the composer hears of a take.

    Attributes:
        duration_s: length of the take [s].
        accents_s: shape (A,), vowel onsets of accents [s].
        prominences: shape (A,), z-scores.
        voiced: shape (F,), speech activity at 50 Hz.
        loudness: shape (F,), z-score of the energy within speech, 0 outside, at 50 Hz.
        arousal: shape (F,), 0 calm to 1 lively, at 50 Hz, from the last 8 s.
    """

    duration_s: float
    accents_s: Float64Array
    prominences: Float64Array
    voiced: NDArray[np.bool_]
    loudness: Float64Array
    arousal: Float64Array


@dataclass(frozen=True, slots=True)
class Composition:
    """Composed motion.

    Attributes:
        poses: shape (T, 84) at 25 fps; frame k is at k / 25 s of the take.
        plan: what was placed where.
    """

    poses: Float64Array
    plan: Plan


def hear(features: NDArray[np.floating]) -> Prosody:
    """Return the prosody of a take from its clean features ``(F, 83)``."""
    accents = find_accents(features)
    voiced = voice_activity(features)
    energy = vowel_energy_db(features)
    loudness = np.zeros(len(features))
    if voiced.any():
        spread = max(float(energy[voiced].std()), 1.0)
        loudness[voiced] = np.clip((energy[voiced] - energy[voiced].mean()) / spread, -2.5, 2.5)
    return Prosody(len(features) / FEATURE_RATE_HZ, accents.onsets_s, accents.prominences, voiced,
                   loudness, arousal_curve(features))


def compose(prosody: Prosody, strokes: list[Stroke], idle_pose: Float64Array,
            rng: np.random.Generator) -> Composition:
    """Return motion for a take.

    Args:
        prosody: from :func:`hear`.
        strokes: the library, from ``composer_strokes.load_strokes``.
        idle_pose: shape (84,), where every take begins and ends.
        rng: draws everything that is chance.
    """
    frames = int(round(prosody.duration_s * BODY_RATE_HZ))
    times_s = np.arange(frames) / BODY_RATE_HZ
    feature_s = frame_times_s(len(prosody.voiced))
    idle_m = wrist_positions(idle_pose[None])[0]
    planned = plan(prosody.accents_s, prosody.prominences, prosody.voiced, prosody.arousal,
                   strokes, idle_m, rng)
    sizes = amplitude_of(np.interp(times_s, feature_s, prosody.arousal))
    idle = unpack_pose(idle_pose)
    rotations, fingers = (np.repeat(part[None], frames, axis=0).astype(np.float64)
                          for part in idle)
    arms = arm_motion(times_s, rotations, fingers, planned, sizes)
    loudness = np.interp(times_s, feature_s, prosody.loudness)
    voiced = np.interp(times_s, feature_s, prosody.voiced.astype(np.float64))
    trunk_motion(times_s, arms.rotations, planned, voiced, loudness, sizes, rng)
    poses = pack_pose(arms.rotations, arms.fingers)
    poses = gaussian_filter1d(poses, SMOOTHING_FRAMES, axis=0, mode='nearest')
    return Composition(np.asarray(project_pose(poses), dtype=np.float64), planned)


def compose_for(sound: NDArray[np.floating], strokes: list[Stroke], idle_pose: Float64Array,
                seed: int) -> Float64Array:
    """Return composed motion for a recording, shape (T, 84) at 25 fps: the procedural baseline.

    Args:
        sound: waveform (n,), 16 kHz, or its features (F, 83).
        strokes: from ``composer_strokes.load_strokes``.
        idle_pose: from ``composer_strokes.load_idle_pose``, shape (84,).
        seed: of every draw.

    Raises:
        TrainingError: the sound has another shape.
    """
    if sound.ndim == 1:
        features: NDArray[np.floating] = waveform_features(sound.astype(np.float32))
    elif sound.ndim == 2 and sound.shape[1] == FEATURE_DIM:
        features = sound
    else:
        raise TrainingError(f'sound of shape {sound.shape} is neither a waveform (n,) nor '
                            f'features (F, {FEATURE_DIM})')
    return compose(hear(features), strokes, idle_pose, np.random.default_rng(seed)).poses
