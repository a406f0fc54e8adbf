"""Acoustic augmentation: rooms, noise, babble, microphones, codecs, levels.

Nothing here moves sound in time; ``pitch`` holds what changes the voice.
"""
from __future__ import annotations

from collections.abc import Sequence
import csv
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfiltfilt
import soundfile
import soxr

from gesture_node.timeline import SAMPLE_RATE_HZ

from .pitch import change_pitch

Waveform = NDArray[np.float32]
TRAINED_FOLDS, HELD_OUT_FOLDS = frozenset('123'), frozenset('4')
"""Folds of ESC-10: clips of one recording are in one fold. The last one is for measuring only."""
PITCHES = (0.8, 1.25)
CODECS: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    'gsm': ('WAV', 'GSM610', 8000, {}),
    'adpcm': ('WAV', 'NMS_ADPCM_16', 8000, {}),
    'mp3': ('MP3', 'MPEG_LAYER_III', SAMPLE_RATE_HZ, {'compression_level': 0.99}),
    'opus': ('OGG', 'OPUS', SAMPLE_RATE_HZ, {'compression_level': 0.97}),
}
"""Container, subtype, sampling rate and options of each codec; all without delay."""
_CODEC_SHARES = {'gsm': 0.35, 'adpcm': 0.25, 'mp3': 0.3, 'opus': 0.1}


def load_noises(data: Path, folds: frozenset[str] = TRAINED_FOLDS) -> list[Waveform]:
    """Return the clips of some folds of ``noise_esc10`` in ``data``, float32 16 kHz."""
    folder = data / 'noise_esc10'
    noises = []
    with open(folder / 'clips.csv', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            if row['fold'] not in folds:
                continue
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


def colour(waveform: Waveform, rng: np.random.Generator, range_db: float = 8.0) -> Waveform:
    """Return speech through a smooth random frequency response without delay: another microphone.

    Args:
        waveform: shape (n,), float32, 16 kHz.
        rng: draws the response at eight places between 60 Hz and 8 kHz.
        range_db: largest gain and loss.
    """
    spectrum = np.fft.rfft(waveform)
    octaves = np.log2(np.linspace(0.0, SAMPLE_RATE_HZ / 2, len(spectrum)).clip(60.0))
    places = np.linspace(octaves[0], octaves[-1], 8)
    gain_db = np.interp(octaves, places, rng.uniform(-range_db, range_db, 8))
    shaped = np.fft.irfft(spectrum * 10.0 ** (gain_db / 20.0), len(waveform))
    return np.asarray(shaped, dtype=np.float32)


def encode(waveform: Waveform, codec: str) -> Waveform:
    """Return speech that went through a lossy codec at its lowest rate, same length, no delay.

    Args:
        waveform: shape (n,), float32, 16 kHz, [-1, 1].
        codec: one of :data:`CODECS`.
    """
    container, subtype, rate_hz, options = CODECS[codec]
    sound = waveform.clip(-0.99, 0.99)
    if rate_hz != SAMPLE_RATE_HZ:
        sound = soxr.resample(sound, SAMPLE_RATE_HZ, rate_hz)
    with BytesIO() as memory:
        soundfile.write(memory, sound, rate_hz, format=container, subtype=subtype, **options)
        memory.seek(0)
        decoded, _ = soundfile.read(memory, dtype='float32')
    if rate_hz != SAMPLE_RATE_HZ:
        decoded = soxr.resample(decoded, rate_hz, SAMPLE_RATE_HZ)
    result = np.zeros(len(waveform), np.float32)
    count = min(len(result), len(decoded))
    result[:count] = decoded[:count]
    return result


def babble(voices: Sequence[Waveform], rng: np.random.Generator,
           seconds: float = 8.0) -> Waveform:
    """Return three to seven people talking at once, equally loud, from random places.

    Args:
        voices: recordings of speech, 16 kHz, at least one.
        rng: draws who talks, and from where.
        seconds: length of the result.
    """
    count = int(seconds * SAMPLE_RATE_HZ)
    mixed = np.zeros(count, np.float32)
    for index in rng.integers(len(voices), size=int(rng.integers(3, 8))):
        start = int(rng.integers(len(voices[index])))
        part = np.take(voices[index], np.arange(start, start + count), mode='wrap')
        mixed += part / (float(np.sqrt(np.mean(part.astype(np.float64) ** 2))) + 1e-6)
    return mixed


def _disturb(sound: Waveform, rng: np.random.Generator, noises: Sequence[Waveform],
             voices: Sequence[Waveform]) -> Waveform:
    """Return speech with an environmental sound, with babble, or with neither."""
    snr_db = rng.uniform(0.0, 15.0) if rng.random() < 0.6 else rng.uniform(15.0, 30.0)
    kind = rng.random()
    if kind < 0.55 and len(noises):
        return add_noise(sound, noises[int(rng.integers(len(noises)))], snr_db, rng)
    if kind < 0.8 and len(voices):
        return add_noise(sound, babble(voices, rng), snr_db, rng)
    return sound


def disguise(waveform: Waveform, rng: np.random.Generator) -> Waveform:
    """Return a quiet recording by another voice over another microphone: no shift in time.

    Args:
        waveform: shape (n,), float32, 16 kHz, [-1, 1].
        rng: draws pitch, frequency response, hiss and gain.
    """
    factor = float(np.exp(rng.uniform(*np.log(PITCHES))))
    sound = colour(change_pitch(waveform, factor), rng)
    white = rng.standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    sound = add_noise(sound, white, rng.uniform(25.0, 50.0), rng)
    gain = np.float32(10.0 ** (rng.uniform(-15.0, 6.0) / 20.0))
    return np.asarray((sound * gain).clip(-1.0, 1.0))


def augment(waveform: Waveform, rng: np.random.Generator, noises: Sequence[Waveform],
            voices: Sequence[Waveform] = ()) -> Waveform:
    """Return one random variant of a recording: same length, no shift in time.

    Args:
        waveform: shape (n,), float32, 16 kHz, [-1, 1].
        rng: draws kind and strength of every change.
        noises: environmental sounds, 16 kHz; may be empty.
        voices: speech of others for babble, 16 kHz; may be empty.

    Returns:
        shape (n,), float32, [-1, 1].
    """
    sound = waveform.astype(np.float32)
    if rng.random() < 0.45:
        sound = reverberate(sound, rng.uniform(0.12, 0.7), rng.uniform(0.0, 14.0), rng)
    sound = _disturb(sound, rng, noises, voices)
    if rng.random() < 0.5:
        sound = colour(sound, rng)
    if rng.random() < 0.5:
        white = rng.standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
        sound = add_noise(sound, white, rng.uniform(15.0, 45.0), rng)
    if rng.random() < 0.3:
        telephone = rng.random() < 0.5
        low, high = (rng.uniform(200, 400), rng.uniform(3000, 3600)) if telephone else (
            rng.uniform(50, 200), rng.uniform(4500, 7500))
        sound = limit_band(sound, low, high)
    if rng.random() < 0.1:
        sound = quantise(sound, int(rng.integers(40, 128)))
    if rng.random() < 0.2:
        shares = list(_CODEC_SHARES.values())
        sound = encode(sound, str(rng.choice(list(_CODEC_SHARES), p=shares)))
    sound = sound * np.float32(10.0 ** (rng.uniform(-15.0, 9.0) / 20.0))
    if rng.random() < 0.1:
        sound = sound + np.float32(rng.uniform(-0.02, 0.02))
    # What is too loud by then clips, as it would at a real converter.
    return np.asarray(sound.clip(-1.0, 1.0))
