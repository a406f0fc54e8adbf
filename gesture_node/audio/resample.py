"""Any audio to 16 kHz mono float32, streaming and exact: packets do not change the result.

Samples outside what audio can be are repaired and counted, never passed on: NaN and infinity
become silence, values beyond full scale are clipped.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
import soxr

from ..exceptions import AudioError
from ..timeline import SAMPLE_RATE_HZ
from ..types import Float32Array

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 192_000


@dataclass(slots=True)
class AudioFaults:
    """What was wrong with the audio so far, in samples."""

    non_finite: int = 0
    clipped: int = 0


def to_float(samples: NDArray[Any]) -> Float32Array:
    """Return samples as float32, integers scaled to [-1, 1] by their full scale.

    Args:
        samples: any shape; float16/32/64, int8/16/32 or uint8 (offset binary).

    Raises:
        AudioError: the element type is none of these.
    """
    kind = samples.dtype
    if kind == np.uint8:
        return ((samples.astype(np.float32) - 128.0) / 128.0).astype(np.float32)
    if kind in (np.int8, np.int16, np.int32):
        return (samples / float(-np.iinfo(kind).min)).astype(np.float32)
    if np.issubdtype(kind, np.floating):
        # What no float32 can hold becomes infinite, and is counted as not finite by the caller.
        with np.errstate(invalid='ignore', over='ignore'):
            return samples.astype(np.float32)
    raise AudioError(f'audio samples must be float, int8, int16, int32 or uint8, got {kind}')


def to_mono(samples: NDArray[Any], faults: AudioFaults) -> Float32Array:
    """Return finite float32 mono ``(n,)`` in [-1, 1] from ``(n,)`` or ``(n, channels)``.

    Raises:
        AudioError: the array has more than two axes or an unusable element type.
    """
    if samples.ndim not in (1, 2):
        raise AudioError(f'audio must have shape (n,) or (n, channels), got {samples.shape}')
    wave = to_float(samples)
    bad = ~np.isfinite(wave)
    if bad.any():
        faults.non_finite += int(bad.sum())
        wave = np.where(bad, np.float32(0), wave)
    if wave.ndim == 2:
        wave = wave.mean(axis=1, dtype=np.float32) if wave.shape[1] else np.zeros(0, np.float32)
    beyond = np.abs(wave) > 1.0
    if beyond.any():
        faults.clipped += int(beyond.sum())
        wave = np.clip(wave, -1.0, 1.0)
    return np.ascontiguousarray(wave, np.float32)


class StreamResampler:
    """Turns packets of any rate into one 16 kHz mono stream.

    A change of rate ends the old stretch (its filter is flushed) and begins a new one, so no
    sample is lost. Output trails input by the filter's delay, about 30 ms, except at 16 kHz.
    """

    def __init__(self) -> None:
        self.faults = AudioFaults()
        self._rate_hz = SAMPLE_RATE_HZ
        self._filter: Any = None

    def accept(self, samples: NDArray[Any], sample_rate: int) -> Float32Array:
        """Return what becomes available at 16 kHz after this packet, shape ``(m,)``.

        Raises:
            AudioError: the rate or the array cannot be audio; nothing is consumed then.
        """
        rate_hz = _checked_rate(sample_rate)
        wave = to_mono(np.asarray(samples), self.faults)
        flushed = np.zeros(0, np.float32)
        if rate_hz != self._rate_hz:
            flushed = self.flush()
            self._rate_hz = rate_hz
            if rate_hz != SAMPLE_RATE_HZ:
                self._filter = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype='float32')
        if self._filter is None:
            return np.concatenate([flushed, wave])
        return np.concatenate([flushed, _bounded(self._filter.resample_chunk(wave))])

    def flush(self) -> Float32Array:
        """Return what the filter still holds, shape ``(m,)``; the next packet begins anew."""
        rest = np.zeros(0, np.float32)
        if self._filter is not None:
            rest = _bounded(self._filter.resample_chunk(np.zeros(0, np.float32), last=True))
        self._filter, self._rate_hz = None, SAMPLE_RATE_HZ
        return rest


def _bounded(wave: NDArray[Any]) -> Float32Array:
    """Return the wave within [-1, 1]; the filter may ring slightly beyond."""
    bounded: Float32Array = np.clip(wave, -1.0, 1.0).astype(np.float32)
    return bounded


def _checked_rate(sample_rate: int) -> int:
    whole = isinstance(sample_rate, (int, np.integer)) and not isinstance(sample_rate, bool)
    if not whole or not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
        raise AudioError(f'sample rate must be a whole number of Hz in [{MIN_RATE_HZ}, '
                         f'{MAX_RATE_HZ}], got {sample_rate!r}')
    return int(sample_rate)


def resample(samples: NDArray[Any], sample_rate: int) -> Float32Array:
    """Return a whole recording as 16 kHz mono float32.

    Raises:
        AudioError: the rate or the array cannot be audio.
    """
    stream = StreamResampler()
    return np.concatenate([stream.accept(samples, sample_rate), stream.flush()])
