"""Measures who is taken for a speaker: people in noise, and noises that are no people.

``python benchmark/voice_activity.py --data DATA`` prints the table of ``docs/dialogue.md``.
Speakers and noises are those that no network of this project was trained on.
"""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import sys
import time

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault('OMP_NUM_THREADS', '1')
sys.path[:0] = [str(ROOT), str(ROOT / 'training')]

from gesture_training.corpora.readers.audio import read_audio  # noqa: E402
from gesture_training.evaluation.voice_scenes import (  # noqa: E402
    in_noise,
    LEAD_S,
    masker,
    MASKERS,
    nobody,
    noise_clips,
    Scene,
    speech_files,
    spoken,
)
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from gesture_node.audio.features import waveform_features  # noqa: E402
from gesture_node.dialogue.voice_activity import VoiceActivity  # noqa: E402

CORPORA = {'speechocean762': 'English', 'emodb': 'German'}
CONDITIONS = {'clean': None, '10 dB': 10.0, '0 dB': 0.0}
HEARD_SHARE = 0.1
"""Of the frames of an utterance that is heard."""
HANGOVER_FRAMES = 25
"""So long after speech nothing counts as a false alarm: words may go on."""
FRAMES_PER_MINUTE = 3_000.0


@dataclass
class Found:
    """What was counted in scenes of one kind.

    Attributes:
        missed: frames of speech in which nobody was heard; of ``frames``.
        unheard: utterances that were not heard; of ``utterances``.
        onsets_s: from the first frame of an utterance until somebody is heard.
        false: onsets where nobody speaks, in ``quiet`` frames.
    """

    missed: int = 0
    frames: int = 0
    unheard: int = 0
    utterances: int = 0
    onsets_s: list[float] = field(default_factory=list)
    false: int = 0
    quiet: int = 0

    def add(self, scene: Scene, active: NDArray[np.bool_]) -> None:
        """Count one scene."""
        self.missed += int((scene.speaks & ~active).sum())
        self.frames += int(scene.speaks.sum())
        quiet = ~scene.speaks
        quiet[:round(LEAD_S * 50) // 2] = False
        for first, end in scene.spans:
            heard = active[first:end]
            self.utterances += 1
            if heard.mean() < HEARD_SHARE:
                self.unheard += 1
            elif not active[first - 1]:
                self.onsets_s.append((int(np.argmax(heard)) + 1) / 50.0)
            quiet[first:end + HANGOVER_FRAMES] = False
        self.quiet += int(quiet.sum())
        begins = active & ~np.concatenate([[False], active[:-1]])
        self.false += int((begins & quiet).sum())

    def as_dict(self) -> dict[str, float]:
        """Return shares, percentiles and rates."""
        half, most = np.percentile(self.onsets_s or [np.nan], [50, 95])
        return {'missed': self.missed / max(1, self.frames),
                'unheard': self.unheard / max(1, self.utterances), 'onset_p50_s': float(half),
                'onset_p95_s': float(most), 'utterances': self.utterances,
                'false_per_min': FRAMES_PER_MINUTE * self.false / max(1, self.quiet)}


def hear(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return for each frame whether somebody is heard."""
    return VoiceActivity().accept(waveform_features(samples))


def scenes(data: Path, corpus: str, snr_db: float | None, count: int,
           seed: int) -> Iterator[Scene]:
    """Yield the scenes of one corpus at one ratio, one of each kind of noise."""
    rng = np.random.default_rng(seed)
    files = speech_files(data, corpus)
    clips = noise_clips(data)
    crowd = [read_audio(path) for path in speech_files(data, 'speechocean762')[:40]]
    kinds = ('white',) if snr_db is None else MASKERS
    per_scene = count if snr_db is None else max(1, count // len(kinds))
    for kind in kinds:
        chosen = [files[i] for i in rng.permutation(len(files))[:per_scene]]
        scene = spoken([read_audio(path) for path in chosen], rng)
        yield scene if snr_db is None else in_noise(
            scene, masker(kind, clips, crowd, rng), snr_db, rng)


def measure(data: Path, count: int, seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return all figures: speech by corpus and ratio, noise by class."""
    speech: dict[str, dict[str, float]] = {}
    for corpus, language in CORPORA.items():
        for condition, snr_db in CONDITIONS.items():
            found = Found()
            for scene in scenes(data, corpus, snr_db, count, seed):
                found.add(scene, hear(scene.samples))
            speech[f'{language}, {condition}'] = found.as_dict()
    noise: dict[str, dict[str, float]] = {}
    rng = np.random.default_rng(seed)
    for kind, clips in sorted(noise_clips(data).items()):
        active = hear(nobody(clips, rng))
        loud = sum(len(clip) for clip in clips) / 16_000.0
        begins = int((active & ~np.concatenate([[False], active[:-1]])).sum())
        noise[kind] = {'false_per_min': 60.0 * begins / loud,
                       'active': float(active.sum() / (50.0 * loud)), 'clips': len(clips)}
    return {'speech': speech, 'noise': noise}


def table(figures: dict[str, dict[str, dict[str, float]]]) -> str:
    """Return the figures as two Markdown tables."""
    lines = ['| speech | frames missed | utterances missed | heard after p50 / p95 | false, per '
             'minute |', '|---|---|---|---|---|']
    lines += [f'| {name} | {100 * row["missed"]:.1f} % | {100 * row["unheard"]:.1f} % of '
              f'{row["utterances"]} | {row["onset_p50_s"]:.2f} / {row["onset_p95_s"]:.2f} s | '
              f'{row["false_per_min"]:.1f} |' for name, row in figures['speech'].items()]
    lines += ['', '| noise | false onsets per minute | taken for speech |', '|---|---|---|']
    lines += [f'| {name.replace("_", " ")} | {row["false_per_min"]:.1f} | '
              f'{100 * row["active"]:.0f} % |' for name, row in figures['noise'].items()]
    return '\n'.join(lines)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description='Measures voice activity.')
    parser.add_argument('--data', type=Path, required=True, metavar='DIR')
    parser.add_argument('--utterances', type=int, default=64, metavar='N',
                        help='per corpus and ratio (default: 64)')
    parser.add_argument('--seed', type=int, default=0, metavar='N')
    parser.add_argument('--out', type=Path, metavar='FILE', help='JSON file to write')
    options = parser.parse_args()
    begun_s = time.perf_counter()
    figures = measure(options.data, options.utterances, options.seed)
    print(table(figures))
    print(f'measured in {time.perf_counter() - begun_s:.0f} s', file=sys.stderr)
    if options.out is not None:
        options.out.write_text(json.dumps(figures, indent=2) + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
