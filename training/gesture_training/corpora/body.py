"""Builds the body channel of the training pack.

    python -m gesture_training.corpora.body --data DATA --out corpus [--hours H] [--seed S]

Every speech take of the training speakers is composed several times, with other random draws
and every second time mirrored, until the wanted hours are reached; each composition has its own
variant of the sound (clean, or augmented). Half of the takes are first made livelier or calmer
than they were read (``composer_delivery``), and everything is heard in that. A third of them move
with an arousal that is drawn and not heard, which is written down. Speakers that
``splits.held_out_speakers`` names are composed once, as read and clean, and marked ``held_out``.
Also written: ``body_idle_pose.npy`` (84) and ``body_summary.json`` (counts, hours, licences,
rules). All is written aside and moved in place at the end, so a training that reads the old pack
is not disturbed.
"""
from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field, replace
import json
from pathlib import Path
import sys
from typing import Any

import numpy as np

from gesture_node.audio.features import waveform_features
from gesture_node.motion.skeleton import mirror_pose
from gesture_node.timeline import BODY_RATE_HZ, SAMPLE_RATE_HZ, samples_per_frame
from gesture_node.types import Float32Array, Float64Array

from .accent_curve import accent_curve
from .augment import augment, load_noises
from .clips import wrist_positions
from .composer import compose, Composition, hear
from .composer_delivery import deliver, draw_delivery
from .composer_plan import Plan
from .composer_strokes import load_idle_pose, load_strokes, Stroke
from .pack import PackWriter
from .speech import (
    background_noise,
    join_take,
    list_utterances,
    plan_takes,
    silent_take,
    SpeechTake,
)
from .splits import held_out_speakers

GESTURE_LICENCE = 'LGPL 2.1 (SmartBody gesture clips)'
DEFAULT_HOURS = 5.5
"""Training motion that is composed unless asked otherwise [h]."""
CLEAN_SHARE, GAIN_SHARE = 0.35, 0.2
DELIVERY_SHARE = 0.5
"""Of the training takes, how many are said livelier or calmer than they were read."""
PINNED_SHARE = 0.35
"""Of the training takes, how many move with an arousal that is drawn instead of heard: so style
follows what is told of it, and a pinned one carries to any voice."""
SILENT_SHARE = 0.04
"""Of the hours, how much nobody speaks, half of it in noise: there is nothing to gesture to."""
SILENT_TAKE_S = (15.0, 40.0)
BODY_SAMPLES = samples_per_frame(BODY_RATE_HZ)


@dataclass
class _Builder:
    """What every take needs, and what is counted along the way."""

    writer: PackWriter
    strokes: list[Stroke]
    idle_pose: Float64Array
    noises: list[Float32Array]
    rng: np.random.Generator
    seconds: dict[str, float]
    categories: Counter[str]
    licences: Counter[str]
    strokes_placed: int = 0
    speech_s: float = 0.0
    arousals: list[float] = field(default_factory=list)
    hands: Counter[str] = field(default_factory=Counter)
    deliveries: Counter[str] = field(default_factory=Counter)

    def add(self, take: SpeechTake, copy: int, split: str) -> None:
        """Compose one take once and add it."""
        clean = waveform_features(take.waveform)
        if split == 'train' and self.rng.random() < DELIVERY_SHARE:
            take = self._delivered(take, clean)
            clean = waveform_features(take.waveform)
        prosody = hear(clean)
        if split == 'train' and self.rng.random() < PINNED_SHARE:
            prosody = replace(prosody, arousal=np.full(len(clean), self.rng.random()))
        composition = compose(prosody, self.strokes, self.idle_pose, self.rng)
        poses = mirror_pose(composition.poses) if copy % 2 else composition.poses
        variant, features, heard = 'clean', clean, take.waveform
        if split == 'train':
            variant, heard = _variant(take.waveform, self.noises, self.rng)
            features = clean if variant == 'clean' else waveform_features(heard)
        guides = guides_of(composition.plan, poses, self.idle_pose)
        self.writer.add(features, poses, name=f'{take.name}_{copy}', source=take.source,
                        speaker=take.speaker, split=split, variant=variant,
                        licence=f'{take.licence} + {GESTURE_LICENCE}',
                        accents=accent_curve(clean), arousal=prosody.arousal, guides=guides,
                        waveform=heard)
        self._count(take, composition, split, float(prosody.voiced.mean() * prosody.duration_s))
        if prosody.voiced.any():
            self.arousals.append(float(prosody.arousal[prosody.voiced].mean()))

    def _delivered(self, take: SpeechTake, features: Float32Array) -> SpeechTake:
        """Return the take said livelier or more calmly."""
        delivery = draw_delivery(self.rng)
        said = deliver(take.waveform, features, delivery)
        kind = 'lively' if delivery.pitch_range > 1.0 else 'calm'
        self.deliveries[kind] += 1
        whole = len(said) // BODY_SAMPLES * BODY_SAMPLES
        return replace(take, name=f'{take.name}_{kind}', waveform=said[:whole])

    def add_silence(self, take: SpeechTake) -> None:
        """Add a take of idle motion, heard with what noise there is."""
        prosody = hear(waveform_features(take.waveform))
        poses = compose(prosody, self.strokes, self.idle_pose, self.rng).poses
        heard = background_noise(len(take.waveform), self.noises, self.rng)
        features = waveform_features(heard)
        self.writer.add(features, poses, name=take.name, source=take.source,
                        speaker=take.speaker, split='train', variant='noise',
                        licence=GESTURE_LICENCE, accents=np.zeros(len(features)),
                        arousal=prosody.arousal, waveform=heard)
        self.seconds['train'] += len(take.waveform) / SAMPLE_RATE_HZ

    def _count(self, take: SpeechTake, composition: Composition, split: str,
               speech_s: float) -> None:
        self.seconds[split] += len(take.waveform) / SAMPLE_RATE_HZ
        self.licences[take.licence] += 1
        self.categories.update(p.stroke.category for p in composition.plan.strokes)
        self.hands.update(p.stroke.hand for p in composition.plan.strokes)
        self.strokes_placed += len(composition.plan.strokes)
        self.speech_s += speech_s


def build(data: Path, out: Path, hours: float, seed: int,
          keep_waveforms: bool = False) -> dict[str, Any]:
    """Build the body channel and return its summary.

    Args:
        data: folder of the public data.
        out: pack folder.
        hours: training motion wanted; passes over the speech are made until it is reached.
        seed: seed of everything drawn.
        keep_waveforms: also keep the sound, for another front end.
    """
    rng = np.random.default_rng(seed)
    # Written aside and moved in place at the end: whoever reads the old pack may go on.
    aside = out / 'cache' / 'body'
    builder = _Builder(PackWriter(aside, 'body', keep_waveforms), load_strokes(data),
                       load_idle_pose(data), load_noises(data), rng,
                       {'train': 0.0, 'held_out': 0.0}, Counter(), Counter())
    utterances = list_utterances(data)
    held_out = held_out_speakers([u.speaker for u in utterances if u.source == 'speechocean762'])
    copy = 0
    while copy == 0 or builder.seconds['train'] < 3600.0 * hours:
        groups = plan_takes(utterances, rng)
        for done, group in enumerate(groups):
            split = 'held_out' if group[0].speaker in held_out else 'train'
            enough = builder.seconds['train'] >= 3600.0 * hours
            if (copy and split == 'held_out') or (enough and split == 'train'):
                continue
            take = join_take(group, f'{group[0].speaker}_{copy}_{done}', rng)
            builder.add(take, copy, split)
            _progress(copy, done, len(groups), builder.seconds)
        copy += 1
    silent_s = builder.seconds['train'] * SILENT_SHARE
    while silent_s > 0.0:
        take = silent_take(f'silence_{int(silent_s)}', rng.uniform(*SILENT_TAKE_S))
        silent_s -= len(take.waveform) / SAMPLE_RATE_HZ
        builder.add_silence(take)
    builder.writer.write()
    np.save(aside / 'body_idle_pose.npy', builder.idle_pose)
    summary = _summary(builder, seed)
    (aside / 'body_summary.json').write_text(json.dumps(summary, indent=1), encoding='utf-8')
    for path in aside.glob('body_*'):
        path.replace(out / path.name)
    return summary


def guides_of(plan: Plan, poses: Float64Array, idle_pose: Float64Array) -> Float64Array:
    """Return the guides of a take (G, 9): apex [s], size, 1 for strokes, and both wrists.

    Wrists are where the composed motion has them at the apex, against the idle pose [m]; those of
    pulses are zero, for a pulse goes nowhere.
    """
    rows = [[pulse.apex_s, pulse.size, 0.0, *np.zeros(6)] for pulse in plan.pulses]
    at = np.array([round(p.apex_s * BODY_RATE_HZ) for p in plan.strokes], dtype=int)
    wrists = wrist_positions(poses[np.clip(at, 0, len(poses) - 1)])
    away = (wrists - wrist_positions(idle_pose[None])).reshape(-1, 6)
    rows += [[p.apex_s, p.amplitude, 1.0, *own] for p, own in zip(plan.strokes, away)]
    return np.array(sorted(rows), dtype=np.float64).reshape(-1, 9)


def _variant(waveform: Float32Array, noises: list[Float32Array],
             rng: np.random.Generator) -> tuple[str, Float32Array]:
    """Return a variant of the sound: as it is, at another gain, or augmented."""
    draw = rng.random()
    if draw < CLEAN_SHARE:
        return 'clean', waveform
    if draw < CLEAN_SHARE + GAIN_SHARE:
        gain_db = rng.uniform(-9.0, 9.0)
        louder = np.clip(waveform * 10.0 ** (gain_db / 20.0), -1.0, 1.0)
        return f'gain{gain_db:+.0f}dB', louder.astype(np.float32)
    return 'augmented', augment(waveform, rng, noises)


def _progress(copy: int, done: int, total: int, seconds: dict[str, float]) -> None:
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
        'hands': {k: round(v / total, 3) for k, v in builder.hands.most_common()},
        'deliveries': dict(builder.deliveries),
        'arousal_p10_p50_p90': [round(float(v), 2) for v in
                                np.percentile(builder.arousals or [0.5], (10, 50, 90))],
        'licences': {'motion': GESTURE_LICENCE, 'speech': dict(builder.licences)},
        'nature': 'Composed: recorded gesture clips placed on accents of unrelated speech.'}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description='Build the body channel of the training pack.')
    parser.add_argument('--data', type=Path, required=True, help='folder of the public data')
    parser.add_argument('--out', type=Path, default=Path('corpus'), help='pack folder')
    parser.add_argument('--hours', type=float, default=DEFAULT_HOURS,
                        help='training motion wanted [h]')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--keep-waveforms', action='store_true',
                        help='also keep the sound, for another front end (115 MB an hour)')
    args = parser.parse_args()
    summary = build(args.data, args.out, args.hours, args.seed, args.keep_waveforms)
    sys.stderr.write('\n')
    print(json.dumps(summary, indent=1))


if __name__ == '__main__':
    main()
