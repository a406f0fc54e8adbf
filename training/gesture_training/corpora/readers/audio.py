"""Sound files to what everything here works on: 16 kHz mono float32.

Whatever libsndfile reads: WAV, FLAC, Ogg Vorbis and Opus, MP3, at any rate and channel count.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr

from gesture_node.exceptions import AudioError
from gesture_node.timeline import SAMPLE_RATE_HZ
from gesture_node.types import Float32Array

SUFFIXES = ('.wav', '.flac', '.ogg', '.opus', '.mp3')


def read_audio(path: Path) -> Float32Array:
    """Return a recording as 16 kHz mono float32, shape (n,), channels averaged.

    Raises:
        AudioError: the file cannot be decoded, is empty or holds values that are not finite.
    """
    try:
        samples, rate_hz = soundfile.read(path, dtype='float32', always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f'cannot read {path}: {error}') from None
    mono = samples.mean(axis=1)
    if not len(mono):
        raise AudioError(f'{path} holds no sound')
    if not np.isfinite(mono).all():
        raise AudioError(f'{path} holds samples that are not finite')
    if rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ)
    return np.asarray(mono, dtype=np.float32)
