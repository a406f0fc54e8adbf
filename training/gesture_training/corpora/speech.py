"""Speech takes: single utterances of one speaker joined with pauses, 16 kHz mono.

A take starts with about 1 s and ends with about 2 s of silence, lasts 20 to 60 s, and has pauses
of 0.3 to 1.5 s between utterances, now and then a long one of 2 to 4 s so that a model also sees
what people do when they wait. Utterances keep their recorded level; the joints are faded over
20 ms and the silence is filled with quiet noise at the level of the recording's own background.
"""
from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gesture_node.timeline import SAMPLE_RATE_HZ
from gesture_node.types import Float32Array

from .readers.audio import read_audio

LEAD_IN_S = (0.8, 1.3)
TAIL_S = (1.9, 2.4)
PAUSE_S = (0.3, 1.5)
LONG_PAUSE_S = (2.0, 4.0)
LONG_PAUSE_SHARE = 0.08
TAKE_S = (25.0, 55.0)
_FADE = SAMPLE_RATE_HZ // 50
_BODY_SAMPLES = SAMPLE_RATE_HZ // 25


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording of the speech corpora."""

    name: str
    path: Path
    source: str
    speaker: str
    licence: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SpeechTake:
    """Joined speech of one speaker: shape (n,) float32 in [-1, 1], n a multiple of 640."""

    name: str
    source: str
    speaker: str
    licence: str
    waveform: Float32Array


def list_utterances(data: Path) -> list[Utterance]:
    """Return all utterances that body motion is composed for, sorted by name."""
    found = []
    folder = data / 'speech_speechocean762'
    with open(folder / 'utterances.csv', encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file):
            found.append(Utterance(row['utterance'], folder / row['audio'], 'speechocean762',
                                   row['speaker'], 'free incl. commercial (speechocean762)',
                                   float(row['seconds'])))
    folder = data / 'speech_a2f_samples'
    with open(folder / 'clips.csv', encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file):
            found.append(Utterance(row['clip'], folder / row['audio'], 'a2f_samples', 'Mark',
                                   'Apache-2.0', float(row['seconds'])))
    return sorted(found, key=lambda utterance: utterance.name)


def plan_takes(utterances: list[Utterance], rng: np.random.Generator) -> list[list[Utterance]]:
    """Return the utterances of each take: every one once, one speaker a take, in random order."""
    takes: list[list[Utterance]] = []
    for speaker in sorted({utterance.speaker for utterance in utterances}):
        own = [utterance for utterance in utterances if utterance.speaker == speaker]
        order = [own[i] for i in rng.permutation(len(own))]
        current: list[Utterance] = []
        target_s, held_s = rng.uniform(*TAKE_S), 0.0
        for utterance in order:
            current.append(utterance)
            held_s += utterance.seconds + float(np.mean(PAUSE_S))
            if held_s > target_s - 4.0:
                takes.append(current)
                current, target_s, held_s = [], rng.uniform(*TAKE_S), 0.0
        if current and held_s < 8.0 and takes and takes[-1][0].speaker == speaker:
            takes[-1] = takes[-1] + current
        elif current:
            takes.append(current)
    return takes


def join_take(utterances: list[Utterance], name: str, rng: np.random.Generator) -> SpeechTake:
    """Return the take made of the given utterances."""
    recordings = [read_audio(utterance.path) for utterance in utterances]
    level = float(np.median([_background(recording) for recording in recordings]))
    parts = [_silence(rng.uniform(*LEAD_IN_S), level, rng)]
    for i, recording in enumerate(recordings):
        parts.append(_faded(recording))
        last = i == len(recordings) - 1
        pause_s = TAIL_S if last else (
            LONG_PAUSE_S if rng.random() < LONG_PAUSE_SHARE else PAUSE_S)
        parts.append(_silence(rng.uniform(*pause_s), level, rng))
    waveform = np.concatenate(parts)
    waveform = waveform[:len(waveform) // _BODY_SAMPLES * _BODY_SAMPLES]
    first = utterances[0]
    return SpeechTake(name, first.source, first.speaker, first.licence, waveform)


def silent_take(name: str, duration_s: float) -> SpeechTake:
    """Return a take in which nobody speaks: digital silence."""
    samples = int(duration_s * SAMPLE_RATE_HZ) // _BODY_SAMPLES * _BODY_SAMPLES
    return SpeechTake(name, 'silence', 'nobody', 'none', np.zeros(samples, np.float32))


def background_noise(samples: int, noises: list[Float32Array],
                     rng: np.random.Generator) -> Float32Array:
    """Return ``samples`` of what a microphone hears of an empty room.

    That is hiss, and half of the time a noise from ``noises`` between -55 and -25 dB.
    """
    noise = rng.standard_normal(samples) * 10.0 ** (rng.uniform(-90.0, -50.0) / 20.0)
    if len(noises) and rng.random() < 0.5:
        clip = noises[int(rng.integers(len(noises)))].astype(np.float64)
        level = 10.0 ** (rng.uniform(-55.0, -25.0) / 20.0)
        clip = clip * level / (np.sqrt(np.mean(clip ** 2)) + 1e-9)
        noise += np.take(clip, np.arange(samples) + int(rng.integers(len(clip))), mode='wrap')
    return np.asarray(noise.clip(-1.0, 1.0), dtype=np.float32)


def _background(recording: Float32Array) -> float:
    """Return the RMS of the quietest tenth of 20 ms blocks, at most -50 dB."""
    blocks = recording[:len(recording) // _FADE * _FADE].reshape(-1, _FADE)
    rms = np.sqrt(np.mean(blocks.astype(np.float64) ** 2, axis=1))
    return float(min(np.percentile(rms, 10), 10 ** (-50 / 20)))


def _silence(duration_s: float, level: float, rng: np.random.Generator) -> Float32Array:
    noise = rng.standard_normal(int(duration_s * SAMPLE_RATE_HZ))
    return np.asarray(level * noise, dtype=np.float32)


def _faded(recording: Float32Array) -> Float32Array:
    ramp = np.linspace(0.0, 1.0, _FADE, dtype=np.float32)
    result = recording.copy()
    result[:_FADE] *= ramp
    result[-_FADE:] *= ramp[::-1]
    return np.asarray(result)
