"""Minutes of speech with pauses, for campaigns: held-out speakers of a corpus, or the example.

``DATA`` names the folder that holds ``speech_speechocean762``. Without it the example that ships
is said again and again. Some pauses are silence that a microphone would hear, some are the end of
an utterance: nothing comes, and the robot goes to rest.
"""
from __future__ import annotations

import csv
from dataclasses import dataclass
import os
from pathlib import Path

import numpy as np
import soxr

from gesture_node.cli.audio_file import read_audio_file

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ, PACKET = 16_000, 320
_HELD_OUT = slice(3, None, 10)
"""Of the sorted speakers, as in training/gesture_training/corpora/splits.py."""
_SHORT_PAUSE_S, _REST_S = (0.3, 1.6), 7.0
_UTTERANCES_TO_REST = 6


@dataclass(frozen=True, slots=True)
class Speech:
    """Audio packets of a live source.

    Attributes:
        name: where the speech is from.
        packets: seconds from the beginning, and 320 samples each, float in [-1, 1].
        spoken_s: speech without pauses [s].
        duration_s: from the first packet to the last [s].
    """

    name: str
    packets: list[tuple[float, np.ndarray]]
    spoken_s: float
    duration_s: float


def speech_of(minutes: float, seed: int = 0) -> Speech:
    """Return so many minutes of speech, pauses included."""
    data = os.environ.get('DATA', '')
    recordings = _held_out(Path(data)) if data else [ROOT / 'examples' / 'hello.wav']
    random = np.random.default_rng(seed)
    packets: list[tuple[float, np.ndarray]] = []
    at_s = spoken_s = 0.0
    count = 0
    while at_s < 60.0 * minutes:
        samples = _samples(recordings[count % len(recordings)])
        count += 1
        rests = count % _UTTERANCES_TO_REST == 0
        pause_s = 0.0 if rests else float(random.uniform(*_SHORT_PAUSE_S))
        whole = np.concatenate([samples, np.zeros(round(pause_s * RATE_HZ), samples.dtype)])
        for row in range(0, len(whole) - PACKET + 1, PACKET):
            packets.append((at_s, whole[row:row + PACKET]))
            at_s += PACKET / RATE_HZ
        spoken_s += len(samples) / RATE_HZ
        at_s += _REST_S if rests else 0.0
    kept = [packet for packet in packets if packet[0] < 60.0 * minutes]
    return Speech('speechocean762, held-out speakers' if data else 'examples/hello.wav', kept,
                  min(spoken_s, 60.0 * minutes), kept[-1][0])


def _held_out(data: Path) -> list[Path]:
    folder = data / 'speech_speechocean762'
    with (folder / 'utterances.csv').open(encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    speakers = sorted({row['speaker'] for row in rows})[_HELD_OUT]
    return [folder / row['audio'] for row in rows if row['speaker'] in speakers]


def _samples(path: Path) -> np.ndarray:
    audio = read_audio_file(path)
    if audio.sample_rate == RATE_HZ:
        return audio.samples
    return np.asarray(soxr.resample(audio.samples, audio.sample_rate, RATE_HZ), np.float32)
