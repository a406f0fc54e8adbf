"""``gesture_replay``: a black-box file in, the same motion out. Needs no ROS.

``gesture_replay FILE [--bundle DIR] [--out DIR]`` plays every take of the file again and compares
each window with what it gave on the robot, bit for bit. ``--out`` writes the motion that was made
again as ``take_0/joints.csv`` and ``take_0/face.csv``, and so on. The exit code is 0 when all that
can be replayed is the same, 1 after an error, 3 when something differs.
"""
from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
import sys
from typing import Any

import numpy as np

from ..exceptions import BlackBoxError, GestureError
from ..motion.face import BLENDSHAPE_NAMES
from ..operations.black_box_file import BlackBoxFile
from ..operations.processor import compute_on_own_threads
from ..operations.replay import replay, Replayed
from ..pipeline import GesturePipeline
from ..timeline import FACE_RATE_HZ, KNOT_RATE_HZ
from .motion_files import write_table

_DIFFERS = 3


def main(arguments: list[str] | None = None) -> int:
    """Replay a file; return the exit code."""
    parser = argparse.ArgumentParser(description='Play a black-box file of gesture_node again.')
    parser.add_argument('file', type=Path, help='what ~/dump wrote')
    parser.add_argument('--bundle', default='', help='folder of the bundle; empty takes the one '
                                                     'that was in use')
    parser.add_argument('--out', type=Path, help='folder for the motion that was made again')
    options = parser.parse_args(arguments)
    compute_on_own_threads()
    try:
        return _replay_file(options)
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1


def _replay_file(options: argparse.Namespace) -> int:
    file = BlackBoxFile(options.file)
    stated = str(file.header.get('bundle_hash', ''))

    @cache
    def pipeline(folder: str) -> GesturePipeline:
        loaded = GesturePipeline.from_bundle(
            options.bundle or folder or str(file.header.get('bundle', '')), provider='cpu')
        if stated and loaded.bundle.hash != stated:
            raise BlackBoxError(f'{options.file} was recorded with bundle {stated}, '
                                f'{loaded.bundle.path} is {loaded.bundle.hash}; use --bundle')
        return loaded

    print(f'{options.file}: {file.header.get("reason", "")}, bundle {stated}, '
          f'{file.header.get("provider", "")}, {len(file.takes)} takes, {len(file.plans)} plans')
    same = True
    for number, take in enumerate(file.takes):
        if take.why_not:
            print(f'take {number}: cannot be replayed: {take.why_not}')
            continue
        again = replay(take, pipeline)
        same = same and not again.differing
        print(f'take {number}: {_verdict(again)}')
        if options.out is not None:
            _write(options.out / f'take_{number}', again)
    return 0 if same else _DIFFERS


def _verdict(again: Replayed) -> str:
    text = f'{len(again.results)} windows, identical'
    if again.differing:
        text = (f'{len(again.results)} windows, {len(again.differing)} differ, the first is '
                f'number {again.differing[0]}')
    return f'{text}; then it failed as it did: {again.failure}' if again.failure else text


def _write(folder: Path, again: Replayed) -> None:
    """Write committed motion; rows that were left out hold the last one before."""
    folder.mkdir(parents=True, exist_ok=True)
    joints = [result.joints for result in again.results if result.joints is not None]
    if joints:
        write_table(folder / 'joints.csv', joints[0].joint_names, _placed(
            [(chunk.first_knot, chunk.positions[:chunk.committed]) for chunk in joints]),
            KNOT_RATE_HZ)
    faces = [result.face for result in again.results if result.face is not None]
    if faces:
        write_table(folder / 'face.csv', BLENDSHAPE_NAMES, _placed(
            [(chunk.first_frame, chunk.weights) for chunk in faces]), FACE_RATE_HZ)


def _placed(parts: list[tuple[int, Any]]) -> Any:
    """Return rows (K, N) of parts at their absolute places."""
    rows = np.zeros((parts[-1][0] + len(parts[-1][1]), parts[0][1].shape[1]))
    end = 0
    for first, values in parts:
        rows[end:first] = rows[max(0, end - 1)]
        end = first + len(values)
        rows[first:end] = values
    return rows


if __name__ == '__main__':
    sys.exit(main())
