"""Measures the composed body corpus, and the definition of a beat against the animators' marks.

    python -m gesture_training.corpora.composer_report --data DATA --corpus corpus

Prints JSON: where the nearest apex and the nearest speed peak lie against the ``emphasis``
marks of the clips, and for a sample of the pack's clean takes how well motion fits its own
speech, how often better than another's, and the wrist's speeds and accelerations beside those
of the raw clips: quantiles, Hellinger distances of their distributions, and jitter above 8 Hz.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from gesture_node.measures.accents import find_accents, voice_activity
from gesture_node.measures.alignment import align, matched_share
from gesture_node.measures.beats import wrist_beats, wrist_speeds
from gesture_node.measures.distributions import hellinger, log_histograms, wrist_kinematics
from gesture_node.measures.jitter import jitter_mm
from gesture_node.timeline import BODY_RATE_HZ
from gesture_node.types import Float64Array

from .clips import Clip, load_clips, wrist_positions
from .pack import Pack, read_pack, Take

_CLIP_RATE_HZ = 100.0
_QUANTILES = (50, 90, 99, 99.9)


def sync_offsets(clips: list[Clip]) -> dict[str, Any]:
    """Return how far the nearest apex and speed peak are from each ``emphasis`` mark [s]."""
    apexes: list[float] = []
    peaks: list[float] = []
    for clip in clips:
        wrists = wrist_positions(clip.at(np.arange(0.0, clip.sync.end, 1.0 / _CLIP_RATE_HZ)))
        beats = wrist_beats(wrists, _CLIP_RATE_HZ).times_s
        times_s, speeds = wrist_speeds(wrists, _CLIP_RATE_HZ)
        speed = speeds.max(axis=1)
        tops = times_s[1:-1][(speed[1:-1] >= speed[:-2]) & (speed[1:-1] > speed[2:])
                             & (speed[1:-1] > 0.25 * speed.max())]
        for found, into in ((beats, apexes), (tops, peaks)):
            if len(found):
                into.append(found[np.argmin(np.abs(found - clip.sync.emphasis))]
                            - clip.sync.emphasis)
    return {'clips': len(clips), 'apex_minus_emphasis_s': _spread(np.array(apexes)),
            'speed_peak_minus_emphasis_s': _spread(np.array(peaks))}


def corpus_figures(pack: Pack, sample: int, clips: list[Clip]) -> dict[str, Any]:
    """Return alignment and speeds of up to ``sample`` clean takes, held-out ones first."""
    takes = [take for take in pack.takes if take.variant == 'clean']
    takes = sorted(takes, key=lambda take: take.split)[:sample]
    accents, beats, speech, silence, accelerations, motions = [], [], [], [], [], []
    for take in takes:
        features, wrists = _read(pack, take)
        accents.append(find_accents(features).onsets_s)
        beats.append(wrist_beats(wrists, BODY_RATE_HZ).times_s)
        speed = np.linalg.norm(np.diff(wrists, axis=0), axis=-1) * BODY_RATE_HZ
        voiced = voice_activity(features)[::2][:len(speed)]
        speech.append(speed[voiced].ravel())
        silence.append(speed[~voiced].ravel())
        accelerations.append(_accelerations(wrists, BODY_RATE_HZ))
        motions.append(wrists)
    scores = [align(a, b) for a, b in zip(accents, beats)]
    return {
        'takes': len(takes), 'matched_share': matched_share(accents, beats),
        'alignment': {name: round(float(np.mean([getattr(s, name) for s in scores])), 3)
                      for name in ('score', 'recall', 'precision')},
        'accents_per_take': float(np.mean([len(a) for a in accents])),
        'beats_per_take': float(np.mean([len(b) for b in beats])),
        'wrist_speed_speech': _quantiles(speech), 'wrist_speed_silence': _quantiles(silence),
        'wrist_acceleration': _quantiles(accelerations),
        **_against(motions, clips)}


def _against(motions: list[Float64Array], clips: list[Clip]) -> dict[str, Any]:
    """Return how far the wrists' kinematics are from those of the recorded clips."""
    recorded = [(wrist_positions(clip.at(np.arange(0.0, clip.sync.end, 1.0 / BODY_RATE_HZ))),
                 float(BODY_RATE_HZ)) for clip in clips]
    human = log_histograms(wrist_kinematics(*one) for one in recorded)
    ours = log_histograms(wrist_kinematics(one, BODY_RATE_HZ) for one in motions)
    return {'hellinger': {name: round(hellinger(human[name], ours[name]), 3) for name in human},
            'jitter_mm': round(jitter_mm((one, float(BODY_RATE_HZ)) for one in motions), 3),
            'jitter_mm_clips': round(jitter_mm(recorded), 3)}


def _read(pack: Pack, take: Take) -> tuple[Float64Array, Float64Array]:
    features = pack.features[take.first_feature:take.first_feature + take.features]
    poses = pack.motion[take.first_frame:take.first_frame + take.frames]
    return features.astype(np.float64), wrist_positions(poses.astype(np.float64))


def _accelerations(wrists: Float64Array, fps: float) -> Float64Array:
    return np.asarray(np.linalg.norm(np.diff(wrists, 2, axis=0), axis=-1) * fps ** 2).ravel()


def _spread(values: Float64Array) -> dict[str, float]:
    return {'median': round(float(np.median(values)), 3), 'sd': round(float(values.std()), 3),
            'within_0.1': round(float(np.mean(np.abs(values) < 0.1)), 3)}


def _quantiles(parts: list[Float64Array]) -> dict[str, float]:
    values = np.concatenate(parts)
    quantiles = {f'p{q}': round(float(np.percentile(values, q)), 3) for q in _QUANTILES}
    return {'mean': round(float(values.mean()), 3), **quantiles}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description='Measure the composed body corpus.')
    parser.add_argument('--data', type=Path, required=True, help='folder of the public data')
    parser.add_argument('--corpus', type=Path, default=Path('corpus'), help='pack folder')
    parser.add_argument('--takes', type=int, default=40, help='takes to measure')
    args = parser.parse_args()
    clips = load_clips(args.data)
    raw = [_accelerations(wrist_positions(clip.at(np.arange(0.0, clip.sync.end, 0.04))),
                          BODY_RATE_HZ) for clip in clips]
    figures = {'marks': sync_offsets(clips), 'raw_clips_acceleration': _quantiles(raw),
               'corpus': corpus_figures(read_pack(args.corpus, 'body'), args.takes, clips)}
    print(json.dumps(figures, indent=1))


if __name__ == '__main__':
    main()
