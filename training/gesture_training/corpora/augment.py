"""Acoustic augmentation: rooms, noise, microphones, levels; nothing moves sound in time.

Except ``change_speed``, which is told apart so that labels can follow it.
"""
from __future__ import annotations

from collections.abc import Sequence
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfiltfilt
import soundfile
import soxr

from gesture_node.timeline import SAMPLE_RATE_HZ

Waveform = NDArray[np.float32]


def load_noises(data: Path) -> list[Waveform]:
    """Return the clips of ``noise_esc10`` in ``data``, float32 16 kHz."""
    folder = data / 'noise_esc10'
    noises = []
    with open(folder / 'clips.csv', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            samples, rate_hz = soundfile.read(folder / row['file'], dtype='float32')
            if rate_hz != SAMPLE_RATE_HZ:
                samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)
            noises.append(samples.astype(np.float32))
    return noises


def add_noise(waveform: Waveform, noise: Waveform, snr_db: float,
              rng: np.random.Generator) -> Waveform:
    """Return speech with a noise, repeated from a random place, at a signal-to-noise ratio.

    The level of the speech is that of its louder half, so that pauses do not raise the noise.
    """
    count = len(waveform)
    start = int(rng.integers(len(noise)))
    long = np.take(noise, np.arange(start, start + count), mode='wrap')
    power = waveform.astype(np.float64) ** 2
    blocks = power[:count // 320 * 320].reshape(-1, 320).mean(axis=1)
    speech = float(np.mean(blocks[blocks >= np.median(blocks)])) if len(blocks) else 0.0
    gain = np.sqrt(speech / (float(np.mean(long.astype(np.float64) ** 2)) + 1e-12)
                   / 10.0 ** (snr_db / 10.0))
    return np.asarray(waveform + np.float32(gain) * long)


def reverberate(waveform: Waveform, decay_s: float, direct_db: float,
                rng: np.random.Generator) -> Waveform:
    """Return speech in a synthetic room: decaying noise behind a direct path at lag 0.

    Args:
        waveform: shape (n,), float32.
        decay_s: time in which the tail falls by 60 dB.
        direct_db: level of the direct path against the whole tail.
        rng: draws the tail.
    """
    count = int(decay_s * SAMPLE_RATE_HZ)
    tail = rng.standard_normal(count) * 10.0 ** (-3.0 * np.arange(count) / count)
    tail[:int(0.002 * SAMPLE_RATE_HZ)] = 0.0
    tail *= 10.0 ** (-direct_db / 20.0) / np.sqrt(np.sum(tail ** 2))
    tail[0] = 1.0
    return np.asarray(fftconvolve(waveform, tail)[:len(waveform)].astype(np.float32))


def limit_band(waveform: Waveform, low_hz: float, high_hz: float) -> Waveform:
    """Return speech through a band-pass without delay (telephone, cheap microphone)."""
    sections = butter(2, (low_hz, high_hz), 'bandpass', fs=SAMPLE_RATE_HZ, output='sos')
    return np.asarray(sosfiltfilt(sections, waveform).astype(np.float32))


def quantise(waveform: Waveform, levels: int) -> Waveform:
    """Return speech through mu-law steps (255), as old telephone codecs have."""
    shaped = np.sign(waveform) * np.log1p(255.0 * np.abs(waveform).clip(0.0, 1.0)) / np.log(256.0)
    shaped = np.round(shaped * levels) / levels
    return np.asarray((np.sign(shaped) * np.expm1(np.abs(shaped) * np.log(256.0)) / 255.0)
                      .astype(np.float32))


def change_speed(waveform: Waveform, factor: float) -> Waveform:
    """Return speech played faster: another voice, for pitch and formants move with the tempo.

    The only change here that moves sound in time: times divide by the factor.

    Args:
        waveform: shape (n,), float32, 16 kHz.
        factor: above 1 is faster and higher.

    Returns:
        shape (about n / factor,), float32.
    """
    resampled = soxr.resample(waveform, SAMPLE_RATE_HZ * factor, SAMPLE_RATE_HZ)
    return np.asarray(resampled, dtype=np.float32)


def augment(waveform: Waveform, rng: np.random.Generator, noises: Sequence[Waveform]) -> Waveform:
    """Return one random variant of a recording: same length, no shift in time.

    Args:
        waveform: shape (n,), float32, 16 kHz, [-1, 1].
        rng: draws kind and strength of every change.
        noises: environmental sounds, 16 kHz; may be empty.

    Returns:
        shape (n,), float32, [-1, 1].
    """
    sound = waveform.astype(np.float32)
    if rng.random() < 0.45:
        sound = reverberate(sound, rng.uniform(0.12, 0.7), rng.uniform(0.0, 14.0), rng)
    if rng.random() < 0.8 and len(noises):
        noise = noises[int(rng.integers(len(noises)))]
        sound = add_noise(sound, noise, rng.uniform(0.0, 30.0), rng)
    if rng.random() < 0.5:
        white = rng.standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
        sound = add_noise(sound, white, rng.uniform(15.0, 45.0), rng)
    if rng.random() < 0.3:
        telephone = rng.random() < 0.5
        low, high = (rng.uniform(200, 400), rng.uniform(3000, 3600)) if telephone else (
            rng.uniform(50, 200), rng.uniform(4500, 7500))
        sound = limit_band(sound, low, high)
    if rng.random() < 0.15:
        sound = quantise(sound, int(rng.integers(40, 128)))
    sound = sound * np.float32(10.0 ** (rng.uniform(-15.0, 9.0) / 20.0))
    if rng.random() < 0.1:
        sound = sound + np.float32(rng.uniform(-0.02, 0.02))
    # What is too loud by then clips, as it would at a real converter.
    return np.asarray(sound.clip(-1.0, 1.0))
