"""What is heard in the dialogue soak: voices, recorded and made up, and noise; 16 kHz mono."""
from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE_HZ = 16_000
EXAMPLE = Path(__file__).parents[2] / 'examples' / 'hello.wav'
_VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480),
              (570, 840, 2410))
_FILES = 40
_LOUD_RMS = 0.08


def made_up_voice(random: np.random.Generator, seconds: float) -> np.ndarray:
    """Return syllables ``(n,)``: a glottal buzz with a pitch contour, formants, hiss between."""
    pitch_hz = random.uniform(95, 230)
    parts = []
    while sum(map(len, parts)) < seconds * RATE_HZ:
        t = np.arange(int(random.uniform(0.12, 0.3) * RATE_HZ)) / RATE_HZ
        f0 = pitch_hz * (1.0 + 0.15 * np.sin(2 * np.pi * random.uniform(1, 3) * t
                                             + random.uniform(0, 6)))
        phase = 2 * np.pi * np.cumsum(f0) / RATE_HZ
        formants = np.array(_VOWELS_HZ[random.integers(len(_VOWELS_HZ))])
        vowel = sum(np.sin(k * phase) * np.exp(-np.abs(k * pitch_hz - formants).min() / 150)
                    / np.sqrt(k) for k in range(1, int(3_400 / pitch_hz)))
        parts.append(vowel * np.sin(np.pi * np.arange(len(t)) / len(t)))
        parts.append(0.15 * random.normal(0, 1, int(random.uniform(0.02, 0.08) * RATE_HZ)))
    return _level(np.concatenate(parts)[:round(seconds * RATE_HZ)])


def _level(samples: np.ndarray) -> np.ndarray:
    scaled = samples * (_LOUD_RMS / max(float(samples.std()), 1e-6))
    return np.clip(scaled, -0.99, 0.99).astype(np.float32)


def _read(path: Path) -> np.ndarray | None:
    """Return a file at 16 kHz, ``None`` if this machine cannot read it."""
    try:
        samples, rate_hz = soundfile.read(path, dtype='float32', always_2d=True)
    except (OSError, RuntimeError):
        return None
    return _level(soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ))


class Sounds:
    """Voices and noises of one campaign.

    Args:
        random: chooses; the same generator gives the same sounds.
        data: folder with recorded speech (``speech_*``) and noise (``noise_*``); ``None`` takes
            the example that ships, and made-up voices and noises.
    """

    def __init__(self, random: np.random.Generator, data: Path | None) -> None:
        self._random = random
        self._speech = [found for found in (_read(EXAMPLE),) if found is not None]
        self._speech += [made_up_voice(random, 12.0) for _ in range(6)]
        self._noise = [_level(np.cumsum(random.normal(0, 1, 80_000)) % 7.0 - 3.5),
                       _level(random.normal(0, 1, 80_000))]
        if data is not None:
            self._speech += self._some_of(data, 'speech_*')
            self._noise += self._some_of(data, 'noise_*')

    def _some_of(self, data: Path, pattern: str) -> list[np.ndarray]:
        paths = sorted(path for folder in data.glob(pattern)
                       for kind in ('*.wav', '*.flac', '*.opus') for path in folder.rglob(kind))
        chosen = self._random.permutation(len(paths))[:_FILES]
        found = [_read(paths[number]) for number in chosen]
        return [samples for samples in found if samples is not None and len(samples) > RATE_HZ]

    @property
    def counts(self) -> tuple[int, int]:
        """How many voices and noises there are."""
        return len(self._speech), len(self._noise)

    def speech(self, seconds: float, noise_db: float | None = None) -> np.ndarray:
        """Return somebody who talks, ``(n,)`` in [-1, 1], with noise so much below if wanted."""
        parts: list[np.ndarray] = []
        while sum(map(len, parts)) < seconds * RATE_HZ:
            one = self._speech[self._random.integers(len(self._speech))]
            # From somewhere in the file, but not from its silence.
            begin = int(self._random.integers(max(1, len(one) // 2)))
            loud = np.nonzero(np.abs(one[begin:]) > 0.05)[0]
            parts.append(one[begin + (int(loud[0]) if len(loud) else 0):])
        samples = np.concatenate(parts)[:round(seconds * RATE_HZ)]
        if noise_db is not None:
            samples = samples + self.noise(seconds) * 10 ** (-noise_db / 20)
        return np.clip(samples, -0.99, 0.99).astype(np.float32)

    def noise(self, seconds: float) -> np.ndarray:
        """Return noise as loud as speech, ``(n,)``."""
        one = self._noise[self._random.integers(len(self._noise))]
        return np.resize(one, round(seconds * RATE_HZ))


def data_folder() -> Path | None:
    """Return the folder that ``DATA`` names, if it does."""
    named = os.environ.get('DATA')
    return Path(named) if named else None
