"""Body on speakers never trained on: does it answer the voice, and only its own voice?"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from gesture_node.audio.features import waveform_features
from gesture_node.config import GestureConfig
from gesture_node.measures.accents import find_accents, voice_activity
from gesture_node.measures.alignment import align, matched_share
from gesture_node.measures.beats import wrist_beats, wrist_speeds
from gesture_node.motion.skeleton import forward_kinematics, JOINT_INDEX, unpack_pose
from gesture_node.pipeline import GesturePipeline
from gesture_node.timeline import BODY_RATE_HZ

from ..corpora.speech import join_take, list_utterances, plan_takes, SpeechTake
from ..corpora.splits import held_out_speakers
from .generate import generate_body

_WRISTS = [JOINT_INDEX['left_wrist'], JOINT_INDEX['right_wrist']]


@dataclass(frozen=True, slots=True)
class BodyTake:
    """Speech of a held-out speaker and what is measured on it."""

    speech: SpeechTake
    features: NDArray[np.float32]
    accents_s: NDArray[np.float64]


def held_out_takes(data: Path, limit: int, seed: int = 0) -> list[BodyTake]:
    """Return takes of speakers that are never trained on, one after another by speaker."""
    rng = np.random.default_rng(seed)
    utterances = [u for u in list_utterances(data) if u.source == 'speechocean762']
    speakers = held_out_speakers([u.speaker for u in utterances])
    plans = plan_takes([u for u in utterances if u.speaker in speakers], rng)
    chosen = [plans[i] for i in rng.permutation(len(plans))[:limit]]
    takes = []
    for number, plan in enumerate(chosen):
        speech = join_take(plan, f'held_out_{number}', rng)
        features = waveform_features(speech.waveform)
        takes.append(BodyTake(speech, features, find_accents(features).onsets_s))
    return takes


def wrist_positions(poses: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return wrist positions ``(T, 2, 3)`` [m] of pose vectors ``(T, 84)``."""
    rotations, _ = unpack_pose(poses.astype(np.float64))
    return np.asarray(forward_kinematics(rotations)[0][:, _WRISTS])


def evaluate_body(pipeline: GesturePipeline, takes: list[BodyTake],
                  config: GestureConfig) -> dict[str, Any]:
    """Return alignment, speech against silence, diversity and smoothness of generated motion."""
    poses = [generate_body(pipeline, take.speech.waveform, config)
             for take in tqdm(takes, 'body')]
    other = [generate_body(pipeline, take.speech.waveform,
                           GestureConfig(body=config.body, seed=config.seed + 1))
             for take in takes[:4]]
    wrists = [wrist_positions(p) for p in poses]
    scores = score_wrists(takes, wrists)
    apart = [np.linalg.norm(a - wrist_positions(b), axis=-1).mean()
             for a, b in zip(wrists, other)]
    hop = round(config.body.hop_s * BODY_RATE_HZ)
    return {**scores, 'wrist_distance_between_seeds_m': float(np.mean(apart)),
            'seams': seam_figures(wrists, hop)}


def score_wrists(takes: list[BodyTake], wrists: list[NDArray[np.float64]]) -> dict[str, Any]:
    """Return the figures that need only wrist positions, for models and baselines alike."""
    beats = [wrist_beats(w, BODY_RATE_HZ).times_s for w in wrists]
    accents = [take.accents_s for take in takes]
    speaking, silent = [], []
    for take, positions in zip(takes, wrists):
        times_s, speeds = wrist_speeds(positions, BODY_RATE_HZ)
        active = voice_activity(take.features)
        said = active[np.minimum((times_s * 50).astype(int), len(active) - 1)]
        quiet = np.convolve(said, np.ones(101), 'same') == 0
        speaking.append(speeds[said].mean())
        silent.append(speeds[quiet].mean() if quiet.any() else np.nan)
    own = [align(a, b) for a, b in zip(accents, beats)]
    minutes = sum(len(w) for w in wrists) / BODY_RATE_HZ / 60
    return {
        'takes': len(takes), 'minutes': round(minutes, 2),
        'speakers': sorted({take.speech.speaker for take in takes}),
        'matched_beats_mismatched': matched_share(accents, beats),
        'alignment': float(np.mean([a.score for a in own])),
        'beats_per_minute': sum(map(len, beats)) / minutes,
        'accents_per_minute': sum(map(len, accents)) / minutes,
        'wrist_speed_in_speech_m_s': float(np.mean(speaking)),
        'wrist_speed_in_silence_m_s': float(np.nanmean(silent)),
    }


def seam_figures(wrists: list[NDArray[np.float64]], hop: int) -> dict[str, float]:
    """Return jumps of wrist velocity at seams against the 99th percentile inside windows."""
    at_seam, inside = [], []
    for positions in wrists:
        change = np.linalg.norm(np.diff(positions, n=2, axis=0), axis=-1).max(axis=1)
        frame = np.arange(len(change)) + 2
        seam = (frame % hop == 0) | (frame % hop == 1)
        at_seam.append(change[seam])
        inside.append(change[~seam])
    scale = BODY_RATE_HZ
    return {'seam_velocity_jump_p50_m_s': float(np.median(np.concatenate(at_seam)) * scale),
            'seam_velocity_jump_p99_m_s': float(np.percentile(np.concatenate(at_seam), 99)
                                                * scale),
            'inside_velocity_jump_p50_m_s': float(np.median(np.concatenate(inside)) * scale),
            'inside_velocity_jump_p99_m_s': float(np.percentile(np.concatenate(inside), 99)
                                                  * scale)}
