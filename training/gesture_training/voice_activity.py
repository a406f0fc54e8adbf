"""Fits the network that tells speech from noise (``gesture_node.dialogue.speech_likeness``).

::

    python -m gesture_training.voice_activity --data DATA

writes ``gesture_node/dialogue/speech_likeness_weights.py``. Half of the scenes hold one person
who speaks, in noise or not; the rest holds noise alone: environmental sounds, crowds, hums,
beeps, hiss. Speakers and folds of ``splits`` and ``augment`` that are kept for measuring are not
heard, nor is Emo-DB. Some of the voices are synthetic: a source of steady or gliding pitch with
moving formants, in syllables, so that pitch and rhythm count and not one corpus.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import textwrap

import numpy as np
from numpy.typing import NDArray
import soxr
import torch
from torch import nn

from gesture_node.audio.features import waveform_features
from gesture_node.dialogue.speech_likeness import (
    band_levels,
    CELLS,
    follow,
    INPUTS,
    network_inputs,
    pack,
    SHAPES,
)
from gesture_node.resources import share_path
from gesture_node.timeline import SAMPLE_RATE_HZ

from .corpora.augment import augment, babble, TRAINED_FOLDS, Waveform
from .corpora.pitch import change_pitch
from .corpora.readers.audio import read_audio
from .evaluation.voice_scenes import at_level, FRAME, loud_frames, noise_clips, speech_files

SCENE_S = 8.0
_COUNT = round(SCENE_S * SAMPLE_RATE_HZ)
_NOISES = ('esc', 'esc', 'esc', 'esc', 'esc', 'esc', 'crowd', 'crowd', 'hiss', 'hum', 'beeps')
_BATCH = 64
_DECISION_FRAMES = 4
"""The first frames of an utterance are not asked for: nobody can know so soon."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """What scenes are made of."""

    voices: list[Waveform]
    noises: list[list[Waveform]]


def synthetic_voice(seconds: float, rng: np.random.Generator) -> Waveform:
    """Return a voice of harmonics through moving formants, in syllables, at times voiceless."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    glide = rng.choice([0.0, rng.uniform(0.03, 0.25)])
    pitch = rng.uniform(85.0, 290.0) * 2.0 ** (
        glide * np.sin(2 * np.pi * rng.uniform(0.4, 1.6) * t + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    formants = [(middle * (1.0 + swing * np.sin(2 * np.pi * rng.uniform(0.8, 3.0) * t
                                                + rng.uniform(0, 6))), width)
                for middle, swing, width in ((rng.uniform(400, 650), 0.4, 130.0),
                                             (rng.uniform(1_200, 1_800), 0.3, 220.0),
                                             (rng.uniform(2_400, 2_900), 0.1, 300.0))]
    bare = rng.random() < 0.3
    sound = np.zeros(len(t))
    for harmonic in range(1, 1 + int(rng.integers(10, 32))):
        gain = 0.0 if bare else sum(np.exp(-((harmonic * pitch - middle) / width) ** 2)
                                    for middle, width in formants)
        sound += (gain + (1.0 if bare else 0.1) / harmonic) * np.sin(harmonic * phase)
    rhythm = np.sin(2 * np.pi * rng.uniform(2.5, 5.5) * t + rng.uniform(0, 6))
    sound *= np.clip(rhythm + rng.uniform(0.0, 0.5), 0.0, 1.0)
    if rng.random() < 0.5:
        sound += 0.3 * np.clip(-rhythm - 0.6, 0.0, 1.0) * np.diff(
            rng.standard_normal(len(t) + 1))
    return np.asarray(sound, np.float32)


def hum(rng: np.random.Generator) -> Waveform:
    """Return a steady sound of harmonics that begins somewhere."""
    t = np.arange(_COUNT) / SAMPLE_RATE_HZ
    base = rng.uniform(45.0, 900.0)
    sound = sum(rng.uniform(0.1, 1.0) / k * np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6))
                for k in range(1, 1 + int(rng.integers(1, 12))))
    wobble = 1.0 + rng.uniform(0.0, 0.3) * np.sin(2 * np.pi * rng.uniform(0.1, 30.0) * t)
    return np.asarray(sound * wobble, np.float32)


def beeps(rng: np.random.Generator) -> Waveform:
    """Return tones that come and go: alarms, ringing, games."""
    t = np.arange(_COUNT) / SAMPLE_RATE_HZ
    sound = np.zeros(_COUNT)
    at_s, sharp = rng.uniform(0.0, 1.0), rng.uniform(0.0, 0.5)
    length_s, gap_s = rng.uniform(0.05, 0.8), rng.uniform(0.03, 1.0)
    pitches = rng.uniform(450.0, 3_500.0, int(rng.integers(1, 4)))
    number = 0
    while at_s < SCENE_S:
        inside = (t >= at_s) & (t < at_s + length_s)
        tone = 2 * np.pi * pitches[number % len(pitches)] * t[inside]
        sound[inside] = np.sin(tone) + sharp * np.sin(3 * tone)
        at_s, number = at_s + length_s + gap_s, number + 1
    return np.asarray(sound, np.float32)


def hiss(rng: np.random.Generator) -> Waveform:
    """Return noise of a random tilt that swells, is switched on, or stays."""
    spectrum = np.fft.rfft(rng.standard_normal(_COUNT))
    tilt = np.maximum(np.arange(len(spectrum)), 8.0) ** -rng.uniform(0.0, 1.0)
    sound = np.fft.irfft(spectrum * tilt, _COUNT)
    if rng.random() < 0.3:
        swell_hz = rng.uniform(0.1, 12.0)
        sound *= 1.0 + rng.uniform(0.2, 0.9) * np.sin(
            2 * np.pi * swell_hz * np.arange(_COUNT) / SAMPLE_RATE_HZ)
    return np.asarray(sound, np.float32)


def noise(sounds: Sounds, rng: np.random.Generator) -> Waveform:
    """Return 8 s of noise of a random kind, at -26 dB of full scale."""
    kind = str(rng.choice(_NOISES))
    if kind == 'esc':
        clips = sounds.noises[int(rng.integers(len(sounds.noises)))]
        clip = clips[int(rng.integers(len(clips)))]
        speed = rng.uniform(0.75, 1.35)
        clip = soxr.resample(clip, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ)
        clip = np.concatenate([clip, np.zeros(int(rng.integers(1, _COUNT // 4)), np.float32)])
        sound = np.take(clip, np.arange(_COUNT) + int(rng.integers(len(clip))), mode='wrap')
    elif kind == 'crowd':
        sound = sum((babble(sounds.voices, rng, SCENE_S) for _ in range(int(rng.integers(1, 3)))),
                    np.zeros(_COUNT, np.float32))
    else:
        sound = {'hiss': hiss, 'hum': hum, 'beeps': beeps}[kind](rng)
    sound = at_level(np.asarray(sound, np.float32), -26.0)
    if rng.random() < 0.4:
        sound[:int(rng.integers(_COUNT))] = 0.0
    return sound


def speech(sounds: Sounds, rng: np.random.Generator) -> tuple[Waveform, NDArray[np.bool_]]:
    """Return 8 s in which somebody speaks once or twice, and in which frames."""
    samples, marks = np.zeros(_COUNT, np.float32), np.zeros(_COUNT // FRAME, bool)
    at = int(rng.integers(0, 100))
    while at < len(marks) - 40:
        if rng.random() < 0.12:
            voice = synthetic_voice(rng.uniform(1.0, 4.0), rng)
        else:
            voice = sounds.voices[int(rng.integers(len(sounds.voices)))]
            if rng.random() < 0.5:
                voice = change_pitch(voice, float(rng.uniform(0.8, 1.3)))
        voice = at_level(voice[:(len(marks) - at) * FRAME], -26.0 + rng.uniform(-4.0, 4.0))
        loud = loud_frames(voice)
        samples[at * FRAME:at * FRAME + len(voice)] = voice
        marks[at:at + len(loud)] = loud
        at += len(loud) + int(rng.integers(20, 150))
    return samples, marks


def scene(sounds: Sounds, rng: np.random.Generator) -> tuple[Waveform, NDArray[np.bool_]]:
    """Return a scene and in which frames somebody speaks."""
    if rng.random() < 0.6:
        samples, marks = speech(sounds, rng)
        if rng.random() < 0.75:
            samples = samples + noise(sounds, rng) * np.float32(
                10.0 ** (-rng.uniform(-3.0, 25.0) / 20.0))
    else:
        samples, marks = noise(sounds, rng), np.zeros(_COUNT // FRAME, bool)
    room = 10.0 ** (rng.uniform(-90.0, -55.0) / 20.0) * rng.standard_normal(_COUNT)
    samples = augment(np.asarray(samples + room, np.float32), rng, (), ())
    return np.asarray(samples * 10.0 ** (rng.uniform(-20.0, 0.0) / 20.0), np.float32), marks


def heard(scenes: Sequence[Waveform]) -> NDArray[np.float32]:
    """Return what the network hears of scenes of one length, shape (S, F, 42)."""
    features = np.stack([waveform_features(samples) for samples in scenes])
    levels_db = band_levels(features)
    background_db = levels_db[:, 0].copy()
    found = np.empty((*features.shape[:2], INPUTS), np.float32)
    for frame in range(features.shape[1]):
        background_db = follow(background_db, levels_db[:, frame])
        found[:, frame] = network_inputs(levels_db[:, frame], background_db, features[:, frame])
    return found


class Network(nn.Module):
    """The recurrent network, as PyTorch has it."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.GRU(INPUTS, CELLS, batch_first=True)
        self.output = nn.Linear(CELLS, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return log odds (S, F) of inputs (S, F, 42)."""
        odds: torch.Tensor = self.output(self.memory(inputs)[0])[..., 0]
        return odds

    def matrices(self) -> dict[str, NDArray[np.float64]]:
        """Return the weights as the run time names them."""
        named = {'input': self.memory.weight_ih_l0, 'memory': self.memory.weight_hh_l0,
                 'input_bias': self.memory.bias_ih_l0, 'memory_bias': self.memory.bias_hh_l0,
                 'output': self.output.weight, 'output_bias': self.output.bias}
        return {name: value.detach().numpy().astype(np.float64).reshape(SHAPES[name])
                for name, value in named.items()}


def fit(inputs: NDArray[np.float32], speaks: NDArray[np.bool_], epochs: int,
        seed: int) -> Network:
    """Return the network fitted to scenes."""
    torch.manual_seed(seed)
    network, rng = Network(), np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=1e-4)
    size = min(_BATCH, len(inputs))
    batches = len(inputs) // size
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, epochs * batches)
    begun = speaks.copy()
    for shift in range(1, _DECISION_FRAMES + 1):
        begun[:, shift:] &= speaks[:, :-shift]
    weight = np.where(speaks & ~begun, 0.2, 1.0).astype(np.float32)
    for epoch in range(epochs):
        order, total = rng.permutation(len(inputs)), 0.0
        for batch in range(batches):
            rows = order[size * batch:size * (batch + 1)]
            odds = network(torch.from_numpy(inputs[rows]))
            loss = nn.functional.binary_cross_entropy_with_logits(
                odds, torch.from_numpy(speaks[rows].astype(np.float32)),
                torch.from_numpy(weight[rows]))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        print(f'epoch {epoch + 1}: {total / batches:.4f}', flush=True)
    return network


def source(matrices: dict[str, NDArray[np.float64]]) -> str:
    """Return the module that holds the weights."""
    lines = ['"""Weights of speech_likeness; gesture_training.voice_activity writes this file."""',
             'from __future__ import annotations', '', 'WEIGHTS = {']
    for name, text in pack(matrices).items():
        lines += [f"    '{name}': ("]
        lines += [f"        '{part}'" for part in textwrap.wrap(text, 88)]
        lines[-1] += '),'
    return '\n'.join([*lines, '}', ''])


def main() -> None:
    """Make scenes, fit, write."""
    parser = argparse.ArgumentParser(description='Fits the network of voice activity.')
    parser.add_argument('--data', type=Path, required=True, metavar='DIR')
    parser.add_argument('--scenes', type=int, default=4_096, metavar='N')
    parser.add_argument('--epochs', type=int, default=24, metavar='N')
    parser.add_argument('--seed', type=int, default=0, metavar='N')
    parser.add_argument('--out', type=Path, metavar='FILE',
                        help='module to write (default: the one that ships)')
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    files = speech_files(options.data, 'speechocean762', held_out=False)
    sounds = Sounds([read_audio(path) for path in files],
                    list(noise_clips(options.data, TRAINED_FOLDS).values()))
    inputs, speaks = [], []
    for first in range(0, options.scenes, 64):
        made = [scene(sounds, rng) for _ in range(64)]
        inputs.append(heard([samples for samples, _ in made]))
        speaks += [marks for _, marks in made]
        print(f'{first + 64} scenes', end='\r', flush=True)
    network = fit(np.concatenate(inputs), np.stack(speaks), options.epochs, options.seed)
    out = options.out or share_path('package.xml').parent / (
        'gesture_node/dialogue/speech_likeness_weights.py')
    out.write_text(source(network.matrices()), encoding='utf-8')
    print(f'wrote {out}')


if __name__ == '__main__':
    main()
