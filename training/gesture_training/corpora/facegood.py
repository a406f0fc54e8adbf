"""FACEGOOD clips: Mandarin speech with animated mouth weights, 30 fps resampled to 50 by time."""
from __future__ import annotations

from collections.abc import Iterator
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import soundfile

from gesture_node.exceptions import AudioError
from gesture_node.motion.face import BLENDSHAPE_NAMES
from gesture_node.timeline import FACE_RATE_HZ, frames_before

from .readers.resample import resample_weights

LICENCE = 'FACEGOOD-Audio2Face: MIT'
STYLE = 'facegood'


@dataclass(frozen=True, slots=True)
class RecordedClip:
    """Speech with recorded face weights.

    Attributes:
        name: clip name.
        waveform: shape (n,), float32, 16 kHz.
        weights: shape (n // 320, 52), float32, 50 Hz.
    """

    name: str
    waveform: NDArray[np.float32]
    weights: NDArray[np.float32]


def read_weights(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times [s] ``(T,)`` and ARKit weights ``(T, 52)`` of a csv with named columns.

    Raises:
        AudioError: a column is missing.
    """
    table: Any = np.genfromtxt(path, delimiter=',', names=True, dtype=np.float64)
    found = table.dtype.names or ()
    missing = [name for name in ('time', *BLENDSHAPE_NAMES) if name not in found]
    if missing:
        raise AudioError(f'{path} has no column {missing[0]}')
    return table['time'], np.stack([table[name] for name in BLENDSHAPE_NAMES], axis=1)


def facegood_clips(data: Path) -> Iterator[RecordedClip]:
    """Yield the clips that have weights.

    Args:
        data: folder that holds ``face_facegood``.
    """
    folder = data / 'face_facegood'
    with open(folder / 'clips.csv', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        path = folder / 'arkit_extended' / f"{row['clip']}.csv"
        if not path.exists():
            continue
        waveform, _ = soundfile.read(folder / row['audio'], dtype='float32')
        times_s, weights = read_weights(path)
        frames = min(frames_before(len(waveform), FACE_RATE_HZ),
                     int(times_s[-1] * FACE_RATE_HZ) + 1)
        yield RecordedClip(row['clip'], waveform[:frames * 320],
                           resample_weights(times_s, weights, frames))
