"""Scenes for voice activity: people who speak in noise, and noise in which nobody does.

Speakers and noises are those that are never trained on unless asked otherwise. Everything is drawn
from one seed.
"""
from __future__ import annotations

from collections.abc import Sequence
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing

from gesture_node.timeline import SAMPLE_RATE_HZ

from ..corpora.augment import babble, HELD_OUT_FOLDS, Waveform
from ..corpora.readers.audio import read_audio
from ..corpora.splits import held_out_speakers

FRAME = SAMPLE_RATE_HZ // 50
LEVEL_DB = -26.0
"""RMS of speech against full scale."""
ROOM_DB = -70.0
LEAD_S, GAP_S = 3.0, 2.0
PAUSE_S = 0.3
"""Shorter silence within an utterance counts as speech."""
_LOUD_DB = -30.0
MASKERS = ('white', 'babble', 'rain', 'sea_waves', 'helicopter', 'chainsaw', 'fire_crackling',
           'clock_tick')
"""What people speak in; other kinds of noise are short and would rarely meet a word."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Sound in which somebody speaks now and then.

    Attributes:
        samples: shape (n,), float32, 16 kHz.
        spans: first and last-plus-one feature frame of each utterance.
        speaks: shape (n // 320,), whether somebody speaks in a frame.
    """

    samples: Waveform
    spans: list[tuple[int, int]]
    speaks: NDArray[np.bool_]


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with open(path, encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def speech_files(data: Path, corpus: str, held_out: bool = True) -> list[Path]:
    """Return the recordings of a corpus by people who are never trained on, or by all others."""
    folder = data / f'speech_{corpus}'
    found = rows(folder / 'utterances.csv')
    everybody = {row['speaker'] for row in found}
    # Emo-DB is for measuring only.
    kept = everybody if corpus == 'emodb' else held_out_speakers(sorted(everybody))
    return [folder / row['audio'] for row in found if (row['speaker'] in kept) == held_out]


def noise_clips(data: Path, folds: frozenset[str] = HELD_OUT_FOLDS) -> dict[str, list[Waveform]]:
    """Return the clips of each class of ESC-10 in some folds."""
    clips: dict[str, list[Waveform]] = {}
    for row in rows(data / 'noise_esc10' / 'clips.csv'):
        if row['fold'] in folds:
            clips.setdefault(row['category'], []).append(
                read_audio(data / 'noise_esc10' / row['file']))
    return clips


def loud_frames(samples: Waveform) -> NDArray[np.bool_]:
    """Return for each frame of a clean recording whether somebody speaks, short pauses closed."""
    count = len(samples) // FRAME
    power = np.square(samples[:count * FRAME].astype(np.float64)).reshape(count, FRAME).mean(1)
    loud = power > np.percentile(power, 95) * 10.0 ** (_LOUD_DB / 10.0)
    wide = round(PAUSE_S * 50)
    padded = np.pad(loud, wide)
    return np.asarray(binary_closing(padded, np.ones(wide, bool))[wide:-wide])


def at_level(samples: Waveform, level_db: float) -> Waveform:
    """Return a sound whose loud frames have an RMS level [dB of full scale]."""
    count = len(samples) // FRAME
    power = np.square(samples[:count * FRAME].astype(np.float64)).reshape(count, FRAME).mean(1)
    loud = power[power > power.max(initial=0.0) * 1e-3]
    rms = float(np.sqrt(loud.mean())) if len(loud) else 1.0
    return np.asarray(samples * np.float32(10.0 ** (level_db / 20.0) / (rms + 1e-9)))


def room(count: int, rng: np.random.Generator) -> Waveform:
    """Return the hiss of a quiet room."""
    return np.asarray(10.0 ** (ROOM_DB / 20.0) * rng.standard_normal(count), np.float32)


def spoken(recordings: Sequence[Waveform], rng: np.random.Generator) -> Scene:
    """Return a scene in which recordings follow each other, with silence between."""
    parts = [np.zeros(round(LEAD_S * SAMPLE_RATE_HZ), np.float32)]
    marks = [np.zeros(len(parts[0]) // FRAME, bool)]
    spans, frame = [], len(marks[0])
    for recording in recordings:
        whole = recording[:len(recording) // FRAME * FRAME]
        loud = loud_frames(whole)
        inside = np.flatnonzero(loud)
        spans.append((frame + int(inside[0]), frame + int(inside[-1]) + 1))
        gap = np.zeros(round(GAP_S * SAMPLE_RATE_HZ), np.float32)
        parts += [at_level(whole, LEVEL_DB + rng.uniform(-4.0, 4.0)), gap]
        marks += [loud, np.zeros(len(gap) // FRAME, bool)]
        frame += len(loud) + len(gap) // FRAME
    samples = np.concatenate(parts)
    return Scene(samples + room(len(samples), rng), spans, np.concatenate(marks))


def in_noise(scene: Scene, noise: Waveform, snr_db: float, rng: np.random.Generator) -> Scene:
    """Return a scene with noise throughout, at a ratio to the mean level of the speech."""
    count = len(scene.samples)
    start = int(rng.integers(len(noise)))
    long = np.take(noise, np.arange(start, start + count), mode='wrap').astype(np.float64)
    long *= 10.0 ** ((LEVEL_DB - snr_db) / 20.0) / (np.sqrt(np.mean(long ** 2)) + 1e-9)
    return Scene((scene.samples + long).astype(np.float32), scene.spans, scene.speaks)


def masker(kind: str, clips: dict[str, list[Waveform]], voices: Sequence[Waveform],
           rng: np.random.Generator) -> Waveform:
    """Return some seconds of one kind of noise."""
    if kind == 'white':
        return np.asarray(rng.standard_normal(10 * SAMPLE_RATE_HZ), np.float32)
    if kind == 'babble':
        return babble(voices, rng, seconds=20.0)
    return np.concatenate([at_level(clip, LEVEL_DB) for clip in clips[kind]])


def nobody(clips: Sequence[Waveform], rng: np.random.Generator) -> Waveform:
    """Return clips of noise one after the other, each after 2 s of a quiet room."""
    parts = [room(round(LEAD_S * SAMPLE_RATE_HZ), rng)]
    for clip in clips:
        parts += [at_level(clip, LEVEL_DB), room(round(GAP_S * SAMPLE_RATE_HZ), rng)]
    return np.concatenate(parts)
