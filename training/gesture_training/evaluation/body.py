"""Arms on speakers never trained on: do they answer the voice, its own voice, and like people?"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesture_node.measures.accents import voice_activity
from gesture_node.measures.alignment import align, BEAT_LAG_S, matched_share
from gesture_node.measures.beats import wrist_beats, wrist_speeds
from gesture_node.measures.diversity import mean_distance_m
from gesture_node.measures.drift import measure_drift
from gesture_node.measures.seams import seam_ratio
from gesture_node.pipeline import GesturePipeline
from gesture_node.timeline import BODY_RATE_HZ, FEATURE_RATE_HZ, SAMPLE_RATE_HZ

from ..corpora.augment import add_noise, load_noises
from .generate import generate_body
from .human import human_motion, motion_figures, moving_shares, wrist_positions
from .settings import OTHER_SEED, Outcome, Settings
from .speech import BodyTake, held_out_takes

Array = NDArray[np.float64]
Poses = Sequence[NDArray[np.floating]]
SEEDS = 3
NOISE_DB = 10.0
_DRIFT_MINUTES = 10
_NEAR_ACCENT_S = 0.2


def takes_of(settings: Settings) -> list[BodyTake]:
    """Return the held-out takes that all body sections share."""
    return held_out_takes(settings.data, settings.some(20, 3), settings.seed)


def beat_figures(takes: Sequence[BodyTake], wrists: Sequence[Array]) -> dict[str, Any]:
    """Return how wrists answer the voice; of a model and of every baseline alike.

    ``matched_error`` is the standard error of the matched share by leaving one take out at a time:
    pairs share takes, so they are fewer than they seem.
    """
    beats = [wrist_beats(w, BODY_RATE_HZ).times_s for w in wrists]
    accents = [take.accents_s for take in takes]
    speaking, silent = [], []
    for take, positions in zip(takes, wrists):
        times_s, speeds = wrist_speeds(positions, BODY_RATE_HZ)
        active = voice_activity(take.features)
        index = np.minimum((times_s * FEATURE_RATE_HZ).astype(int), len(active) - 1)
        said = active[index]
        quiet = np.convolve(said, np.ones(101), 'same') == 0
        speaking.append(speeds[said].mean())
        silent.append(speeds[quiet].mean() if quiet.any() else np.nan)
    minutes = sum(map(len, wrists)) / BODY_RATE_HZ / 60
    return {
        'matched_share': matched_share(accents, beats),
        'matched_error': _left_out_error(accents, beats),
        'alignment': float(np.mean([align(a, b).score for a, b in zip(accents, beats)])),
        'beats_per_minute': sum(map(len, beats)) / minutes,
        'accents_per_minute': sum(map(len, accents)) / minutes,
        'speed_in_speech_m_s': float(np.mean(speaking)),
        'speed_in_silence_m_s': float(np.nanmean(silent)) if np.isfinite(silent).any()
        else float('nan'),
    }


def _left_out_error(accents: list[Array], beats: list[Array]) -> float:
    """Return the jackknife standard error of the matched share; nan below three takes."""
    count = len(accents)
    if count < 3:
        return float('nan')
    shares = np.array([matched_share(accents[:i] + accents[i + 1:], beats[:i] + beats[i + 1:])
                       for i in range(count)])
    return float(np.sqrt((count - 1) / count * np.sum((shares - shares.mean()) ** 2)))


def of_other_takes(takes: Sequence[BodyTake], poses: Poses) -> list[NDArray[np.floating]]:
    """Return the motion of the next take for each take, repeated or cut to its length."""
    return [np.resize(poses[(i + 1) % len(poses)], (take.frames, poses[0].shape[1]))
            for i, take in enumerate(takes)]


def body(pipeline: GesturePipeline, settings: Settings, mode: str) -> Outcome:
    """Return all figures of the bundle's arms in one mode, and one take to draw."""
    takes, human = takes_of(settings), human_motion(settings.data)
    config = settings.config(pipeline, mode)
    poses = [generate_body(pipeline, take.speech.waveform, config) for take in takes]
    wrists = [wrist_positions(p) for p in poses]
    short = takes[:settings.some(4, 1)]
    others = [[wrist_positions(generate_body(pipeline, take.speech.waveform, settings.config(
        pipeline, mode, OTHER_SEED + seed))) for seed in range(1, SEEDS)] for take in short]
    again = generate_body(pipeline, takes[0].speech.waveform, config)
    shuffled = [wrist_positions(p) for p in of_other_takes(takes, poses)]
    figures = {
        'takes': len(takes), 'minutes': sum(map(len, poses)) / BODY_RATE_HZ / 60,
        'speakers': sorted({take.speech.speaker for take in takes}),
        'hop_s': config.body.hop_s, 'foresight_s': config.body.foresight_s,
        'steps': pipeline.bundle.body.calls(config.body.steps),
        **beat_figures(takes, wrists), **motion_figures(poses, human),
        'shuffled_audio': beat_figures(takes, shuffled),
        'diversity_m': float(np.mean([mean_distance_m(np.stack([own, *other]))
                                      for own, other in zip(wrists, others)])),
        'repeats': bool(np.array_equal(again, poses[0])),
        'seams': _seams(poses, round(config.body.hop_s * BODY_RATE_HZ)),
        **_lag_over_time(takes, wrists)}
    shares = {f'own_{name}': values for name, values in moving_shares(poses).items()}
    return Outcome(figures, {**_drawn(takes[0], wrists), **shares})


def _drawn(take: BodyTake, wrists: Sequence[Array]) -> dict[str, NDArray[Any]]:
    times_s, speeds = wrist_speeds(wrists[0], BODY_RATE_HZ)
    return {'times': times_s, 'speeds': speeds, 'accents': take.accents_s,
            'beats': wrist_beats(wrists[0], BODY_RATE_HZ).times_s}


def _seams(poses: Poses, hop: int) -> dict[str, float]:
    """Return the roughness of seams over that within chunks, of all takes together."""
    ratios = [seam_ratio(wrist_positions(p).reshape(len(p), -1), hop, BODY_RATE_HZ)
              for p in poses]
    return {'velocity_p99': float(np.mean([r.p99_velocity for r in ratios])),
            'acceleration_p99': float(np.mean([r.p99_acceleration for r in ratios])),
            'velocity_median': float(np.mean([r.median_velocity for r in ratios])),
            'seams': sum(r.seams for r in ratios)}


def _lag_over_time(takes: Sequence[BodyTake], wrists: Sequence[Array]) -> dict[str, float]:
    """Return the median lag of beats behind accents in the first and the last third of takes."""
    thirds: list[list[float]] = [[], [], []]
    for take, positions in zip(takes, wrists):
        beats = wrist_beats(positions, BODY_RATE_HZ).times_s
        if not len(beats):
            continue
        end_s = take.frames / BODY_RATE_HZ
        for accent_s in take.accents_s:
            lag_s = float(beats[np.argmin(np.abs(beats - accent_s - BEAT_LAG_S))] - accent_s)
            if abs(lag_s - BEAT_LAG_S) <= _NEAR_ACCENT_S:
                thirds[min(int(3 * accent_s / end_s), 2)].append(lag_s)
    early, _, late = (float(np.median(lags)) if lags else float('nan') for lags in thirds)
    return {'beat_lag_early_s': early, 'beat_lag_late_s': late}


def body_in_noise(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return whether motion in noise stays nearer to that without it than to other motion."""
    takes, noises = takes_of(settings)[:settings.some(6, 2)], load_noises(settings.data)
    config, random = settings.config(pipeline, 'live'), settings.random(5)
    own, other, finite = [], [], True
    clean = [generate_body(pipeline, take.speech.waveform, config) for take in takes]
    for number, take in enumerate(takes):
        noise = noises[int(random.integers(len(noises)))]
        sound = add_noise(take.speech.waveform, noise, NOISE_DB, random).clip(-1.0, 1.0)
        noisy = generate_body(pipeline, sound, config)
        finite = finite and bool(np.isfinite(noisy).all())
        foreign = np.resize(clean[(number + 1) % len(takes)], noisy.shape)
        own.append(_distance_m(noisy, clean[number]))
        other.append(_distance_m(noisy, foreign))
    return Outcome({'snr_db': NOISE_DB, 'takes': len(takes), 'finite': finite,
                    'distance_to_clean_m': float(np.mean(own)),
                    'distance_to_other_m': float(np.mean(other)),
                    'nearer_to_clean': float(np.mean(np.less(own, other)))}, {})


def _distance_m(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    return float(np.linalg.norm(wrist_positions(one) - wrist_positions(other), axis=-1).mean())


def body_for_ten_minutes(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return what ten minutes of one live stream do to the torso and to the beats."""
    takes = takes_of(settings)
    minutes = settings.some(_DRIFT_MINUTES, 2)
    wanted = minutes * 60 * SAMPLE_RATE_HZ
    joined = np.concatenate([take.speech.waveform for take in takes])
    waveform = np.resize(joined, wanted).astype(np.float32)
    poses = generate_body(pipeline, waveform, settings.config(pipeline, 'live'))
    drift = measure_drift(poses, BODY_RATE_HZ)
    speed = [wrist_speeds(wrist_positions(part), BODY_RATE_HZ)[1].mean()
             for part in (poses[:60 * BODY_RATE_HZ], poses[-60 * BODY_RATE_HZ:])]
    return Outcome({
        'minutes': minutes, 'torso_deg': drift.torso_deg, 'neck_cm': drift.neck_cm,
        'wrists_cm': drift.wrists_cm, 'torso_spread_deg': drift.torso_spread_deg,
        'speed_first_minute_m_s': float(speed[0]), 'speed_last_minute_m_s': float(speed[1])}, {})
