"""Builds the body channel of the training pack.

    python -m gesture_training.corpora.body --data DATA --out corpus [--hours H] [--seed S]

Every speech take of the training speakers is composed several times, with other random draws and
every second time mirrored, until the wanted hours are reached; each composition has its own variant
of the sound (clean, or augmented). Speakers that ``splits.held_out_speakers`` names are composed
once, clean, and marked ``held_out``. Also written: ``body_idle_pose.npy`` (84) and
``body_summary.json`` (counts, hours, licences, rules).
"""
from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
import json
from pathlib import Path
import sys
from typing import Any

import numpy as np

from gesture_node.audio.features import waveform_features
from gesture_node.motion.skeleton import mirror_pose
from gesture_node.timeline import BODY_RATE_HZ, SAMPLE_RATE_HZ
from gesture_node.types import Float32Array, Float64Array

from .composer import compose, Composition, hear
from .composer_strokes import load_idle_pose, load_strokes, Stroke
from .pack import PackWriter
from .speech import join_take, list_utterances, plan_takes, SpeechTake
from .splits import held_out_speakers

GESTURE_LICENCE = 'LGPL 2.1 (SmartBody gesture clips)'
CLEAN_SHARE = 0.4


@dataclass
class _Builder:
    """What every take needs, and what is counted along the way."""

    writer: PackWriter
    strokes: list[Stroke]
    idle_pose: Float64Array
    rng: np.random.Generator
    seconds: Counter[str]
    categories: Counter[str]
    licences: Counter[str]
    accents: int = 0
    strokes_placed: int = 0
    speech_s: float = 0.0

    def add(self, take: SpeechTake, copy: int, split: str) -> None:
        """Compose one take once and add it."""
        clean = waveform_features(take.waveform)
        prosody = hear(clean)
        composition = compose(prosody, self.strokes, self.idle_pose, self.rng)
        poses = mirror_pose(composition.poses) if copy % 2 else composition.poses
        variant, features = 'clean', clean
        if split == 'train' and (copy or self.rng.random() > CLEAN_SHARE):
            variant, heard = _augmented(take.waveform, self.rng)
            features = waveform_features(heard)
        self.writer.add(features, poses, name=f'{take.name}_{copy}', source=take.source,
                        speaker=take.speaker, split=split, variant=variant,
                        licence=f'{take.licence} + {GESTURE_LICENCE}')
        self._count(take, composition, split, float(prosody.voiced.mean() * prosody.duration_s))

    def _count(self, take: SpeechTake, composition: Composition, split: str,
               speech_s: float) -> None:
        self.seconds[split] += len(take.waveform) / SAMPLE_RATE_HZ
        self.licences[take.licence] += 1
        self.categories.update(p.stroke.category for p in composition.plan.strokes)
        self.strokes_placed += len(composition.plan.strokes)
        self.speech_s += speech_s


def build(data: Path, out: Path, hours: float, seed: int) -> dict[str, Any]:
    """Build the body channel and return its summary.

    Args:
        data: folder of the public data.
        out: pack folder.
        hours: training motion wanted; whole passes over the speech are made until it is reached.
        seed: seed of everything drawn.
    """
    rng = np.random.default_rng(seed)
    builder = _Builder(PackWriter(out, 'body'), load_strokes(data), load_idle_pose(data), rng,
                       Counter(), Counter(), Counter())
    utterances = list_utterances(data)
    held_out = held_out_speakers([u.speaker for u in utterances if u.source == 'speechocean762'])
    copy = 0
    while copy == 0 or builder.seconds['train'] < 3600.0 * hours:
        groups = plan_takes(utterances, rng)
        for done, group in enumerate(groups):
            split = 'held_out' if group[0].speaker in held_out else 'train'
            if copy and (split == 'held_out' or builder.seconds['train'] >= 3600.0 * hours):
                continue
            take = join_take(group, f'{group[0].speaker}_{copy}_{done}', rng)
            builder.add(take, copy, split)
            _progress(copy, done, len(groups), builder.seconds)
        copy += 1
    builder.writer.write()
    np.save(out / 'body_idle_pose.npy', builder.idle_pose)
    summary = _summary(builder, seed)
    (out / 'body_summary.json').write_text(json.dumps(summary, indent=1), encoding='utf-8')
    return summary


def _augmented(waveform: Float32Array, rng: np.random.Generator) -> tuple[str, Float32Array]:
    """Return a variant of the sound: other gain, and quiet noise half of the time."""
    gain_db = rng.uniform(-9.0, 9.0)
    heard = waveform * 10.0 ** (gain_db / 20.0)
    name = 'gain'
    if rng.random() < 0.5:
        level = np.sqrt(np.mean(heard.astype(np.float64) ** 2)) * 10 ** (-rng.uniform(18, 35) / 20)
        heard = heard + level * rng.standard_normal(len(heard))
        name = 'gain+noise'
    return name, np.clip(heard, -1.0, 1.0).astype(np.float32)


def _progress(copy: int, done: int, total: int, seconds: Counter[str]) -> None:
    hours = sum(seconds.values()) / 3600.0
    sys.stderr.write(f'\rpass {copy + 1}: take {done + 1}/{total}, {hours:.2f} h')
    sys.stderr.flush()


def _summary(builder: _Builder, seed: int) -> dict[str, Any]:
    total = sum(builder.categories.values())
    return {
        'seed': seed, 'frame_rate_hz': BODY_RATE_HZ,
        'hours': {split: round(s / 3600.0, 3) for split, s in builder.seconds.items()},
        'strokes_per_minute_of_speech': round(60.0 * builder.strokes_placed
                                              / max(builder.speech_s, 1.0), 1),
        'categories': {k: round(v / total, 3) for k, v in builder.categories.most_common()},
        'licences': {'motion': GESTURE_LICENCE, 'speech': dict(builder.licences)},
        'nature': 'Composed: recorded gesture clips placed on accents of unrelated speech.'}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description='Build the body channel of the training pack.')
    parser.add_argument('--data', type=Path, required=True, help='folder of the public data')
    parser.add_argument('--out', type=Path, default=Path('corpus'), help='pack folder')
    parser.add_argument('--hours', type=float, default=3.5, help='training motion wanted [h]')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    summary = build(args.data, args.out, args.hours, args.seed)
    sys.stderr.write('\n')
    print(json.dumps(summary, indent=1))


if __name__ == '__main__':
    main()
