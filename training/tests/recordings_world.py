"""Small recordings of every kind, written for the tests alone."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

SECONDS = 2.4
TREE = {'Hips': ('', (0, 0, 0)), 'Spine': ('Hips', (0, 10, 0)), 'Spine1': ('Spine', (0, 10, 0)),
        'Spine2': ('Spine1', (0, 10, 0)), 'Spine3': ('Spine2', (0, 10, 0)),
        'Neck': ('Spine3', (0, 10, 0)), 'Neck1': ('Neck', (0, 5, 0)),
        'Head': ('Neck1', (0, 5, 0))} | {
    f'{side}{name}': (f'{side}{parent}' if parent != 'Spine3' else parent, (sign * x, y, 0))
    for side, sign in (('Left', 1), ('Right', -1)) for name, parent, x, y in (
        ('Shoulder', 'Spine3', 3, 8), ('Arm', 'Shoulder', 14, 0), ('ForeArm', 'Arm', 28, 0),
        ('Hand', 'ForeArm', 26, 0))}


def bvh(path: Path, seconds: float = SECONDS, speed: float = 20.0) -> None:
    """Write a T pose at 60 fps whose left arm is lowered at ``speed`` degrees a second."""
    lines = ['HIERARCHY']
    order: list[str] = []

    def joint(name: str) -> None:
        order.append(name)
        place = 'Xposition Yposition Zposition ' if name == 'Hips' else ''
        lines.extend([f'{"JOINT" if TREE[name][0] else "ROOT"} {name}', '{',
                      'OFFSET {} {} {}'.format(*TREE[name][1]),
                      f'CHANNELS {6 if place else 3} {place}Zrotation Xrotation Yrotation'])
        children = [other for other, (parent, _) in TREE.items() if parent == name]
        for child in children:
            joint(child)
        lines.extend([] if children else ['End Site', '{', 'OFFSET 0 1 0', '}'])
        lines.append('}')

    joint('Hips')
    frames = int(seconds * 60)
    values = np.zeros((frames, 3 + 3 * len(order)))
    values[:, 3 + 3 * order.index('LeftArm')] = -speed * np.arange(frames) / 60.0
    rows = [' '.join(f'{v:.6f}' for v in row) for row in values]
    path.write_text('\n'.join([*lines, 'MOTION', f'Frames: {frames}',
                               f'Frame Time: {1 / 60:.8f}', *rows]))


def sound(path: Path, seconds: float = SECONDS, rate_hz: int = 24_000) -> None:
    """Write syllables of noise, four a second."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(0).standard_normal(len(time_s))
    soundfile.write(path, 0.2 * noise * np.clip(np.sin(2 * np.pi * 4 * time_s), 0, 1), rate_hz)


def weights(path: Path, seconds: float = SECONDS) -> None:
    """Write the jaw rising by 0.3 a second, the left lid shut."""
    frames = [{'weights': [0.3 * k / 60.0, 1.0], 'time': k / 60.0}
              for k in range(int(seconds * 60))]
    path.write_text(json.dumps({'names': ['jawOpen', 'eyeBlinkLeft'], 'frames': frames}))


def phones(path: Path) -> None:
    """Write silence, a closure and a vowel."""
    path.write_text('start_s,end_s,phone\n0,0.8,SIL\n0.8,1.0,B\n1.0,1.6,AA1\n')


CATALOGUE: dict[str, Any] = {
    'name': 'mine', 'licence': 'CC0-1.0', 'speaker': {'pattern': '^([a-z]+)_'},
    'audio': '**/*.wav', 'body': {'files': '**/*.bvh', 'format': 'bvh', 'skeleton': 'trinity'},
    'face': {'files': '**/*.json', 'format': 'arkit'},
    'phones': {'files': '**/*_phones.csv'}, 'strip': '_phones$'}


def catalogue(folder: Path, **changes: Any) -> None:
    content = {key: value for key, value in (CATALOGUE | changes).items() if value is not None}
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(content))
