"""``make evaluate``: every figure of a bundle in one run, as JSON and as a page of Markdown."""
from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from gesture_node.cli.machine import machine
from gesture_node.config import BodyConfig, FaceConfig, GestureConfig
from gesture_node.pipeline import GesturePipeline

from ..corpora.pack import read_pack
from .body import BodyTake, evaluate_body, held_out_takes, score_wrists, wrist_positions
from .mouth import evaluate_mouth

LIVE = GestureConfig()
AHEAD = GestureConfig(body=BodyConfig(hop_s=0.8, foresight_s=0.8, steps=8),
                      face=FaceConfig(hop_s=0.64, foresight_s=0.32, steps=8))


def machine_in_words() -> str:
    """Return the machine in words: processor and cores."""
    found = machine()
    return f'{found["cpu"]}, {found["cores"]} cores'


def body_baselines(takes: list[BodyTake], corpus: Path | None) -> dict[str, Any]:
    """Return the scores of standing still and of composed motion of other speech.

    Args:
        takes: held-out speech.
        corpus: packed set to take composed motion from; None leaves that baseline out.
    """
    still = [np.zeros((len(take.features) // 2, 2, 3)) for take in takes]
    scores = {'static': score_wrists(takes, still)}
    if corpus is not None:
        pack = read_pack(corpus, 'body')
        ours = [t for t in pack.takes if t.split == 'train' and t.variant == 'clean']
        lengths = [len(take.features) // 2 for take in takes]
        rng = np.random.default_rng(0)
        loops = []
        for length in lengths:
            take = ours[int(rng.integers(len(ours)))]
            poses = np.asarray(pack.motion[take.first_frame:take.first_frame + take.frames])
            loops.append(wrist_positions(np.resize(poses, (length, poses.shape[1]))))
        scores['motion_of_other_speech'] = score_wrists(takes, loops)
    return scores


def evaluate(bundle: Path | None, data: Path, corpus: Path | None, every: int,
             body_takes: int) -> dict[str, Any]:
    """Return all figures of a bundle.

    Args:
        bundle: folder, None for the shipped one.
        data: corpora folder.
        corpus: packed set, for baselines.
        every: each n-th Emo-DB utterance.
        body_takes: number of held-out body takes.
    """
    pipeline = GesturePipeline.from_bundle(bundle, provider='cpu')
    takes = held_out_takes(data, body_takes)
    return {
        'bundle': pipeline.bundle.name, 'bundle_hash': pipeline.bundle.hash, 'seed': LIVE.seed,
        'machine': machine_in_words(), 'provider': pipeline.provider,
        'mouth_live': evaluate_mouth(pipeline, data, LIVE, every),
        'mouth_ahead': evaluate_mouth(pipeline, data, AHEAD, every),
        'body_live': evaluate_body(pipeline, takes, LIVE),
        'body_ahead': evaluate_body(pipeline, takes, AHEAD),
        'body_baselines': body_baselines(takes, corpus),
    }


def markdown(figures: dict[str, Any]) -> str:
    """Return the figures as a Markdown page."""
    lines = ['# Evaluation report', '',
             f'Bundle `{figures["bundle"]}` {figures["bundle_hash"]}, seed {figures["seed"]}, '
             f'{figures["provider"]}, {figures["machine"]}. Live: hop 0.2 s body / 0.1 s face, '
             'foresight 0.08 / 0.08 s, 4 / 2 steps. '
             'Ahead: hop 0.8 / 0.64 s, foresight 0.8 / 0.32 s, '
             '8 steps. Measures are defined in [evaluation.md](evaluation.md).', '']
    for section, values in figures.items():
        if not isinstance(values, dict):
            continue
        lines += [f'## {section}', '', '| figure | value |', '|---|---|']
        lines += [f'| {name} | {value} |' for name, value in _flat(values, '')]
        lines.append('')
    return '\n'.join(lines)


def _flat(values: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            rows += _flat(value, f'{prefix}{name}.')
        else:
            text = f'{value:.4g}' if isinstance(value, float) else str(value)
            rows.append((prefix + name, text))
    return rows


def main() -> None:
    """Evaluate a bundle and write ``evaluation.json`` and ``evaluation_report.md``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--data', type=Path, required=True, help='corpora folder')
    parser.add_argument('--bundle', type=Path, help='bundle folder; default: the shipped one')
    parser.add_argument('--corpus', type=Path, help='packed set, for a baseline')
    parser.add_argument('--out', type=Path, default=Path('out/evaluation'))
    parser.add_argument('--every', type=int, default=1, help='use each n-th mouth utterance')
    parser.add_argument('--body-takes', type=int, default=16)
    options = parser.parse_args()
    figures = evaluate(options.bundle, options.data, options.corpus, options.every,
                       options.body_takes)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / 'evaluation.json').write_text(json.dumps(figures, indent=1) + '\n')
    page = markdown(figures)
    (options.out / 'evaluation_report.md').write_text(page + '\n')
    print(page)


if __name__ == '__main__':
    main()
