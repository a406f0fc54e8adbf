"""Another voice at the same tempo: pitch and formants move together, times stay.

A recording is played faster or slower and stretched back by overlapping its own pieces where they
match best (WSOLA: Verhelst and Roelands, "An overlap-add technique based on waveform similarity",
ICASSP 1993).
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
import soxr

from gesture_node.timeline import SAMPLE_RATE_HZ

Waveform = NDArray[np.float32]
_PIECE, _SEARCH = 640, 128
_HOP = _PIECE // 2
_NEARNESS = 1e-4


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


def stretch(waveform: Waveform, count: int) -> Waveform:
    """Return speech of another length at the same pitch; no place moves by more than 8 ms.

    Args:
        waveform: shape (n,), float32, 16 kHz.
        count: number of samples wanted.
    """
    pieces = -(-count // _HOP) + 1
    padded = np.zeros(len(waveform) + 3 * _PIECE + 2 * _SEARCH, np.float64)
    padded[_HOP + _SEARCH:_HOP + _SEARCH + len(waveform)] = waveform
    window = np.hanning(_PIECE + 1)[:_PIECE]
    result = np.zeros((pieces + 1) * _HOP)
    place = _SEARCH
    for index in range(pieces):
        nominal = _SEARCH + int(round(index * _HOP * len(waveform) / count))
        if index:
            wanted = padded[place + _HOP:place + _HOP + _PIECE]
            near = padded[nominal - _SEARCH:nominal + _SEARCH + _PIECE]
            match = np.correlate(near, wanted, 'valid')
            # Of places that match equally well, as in a steady vowel, the nearest one.
            match -= _NEARNESS * np.abs(match).max() * np.abs(np.arange(len(match)) - _SEARCH)
            nominal += int(np.argmax(match)) - _SEARCH
        place = nominal
        result[index * _HOP:index * _HOP + _PIECE] += window * padded[place:place + _PIECE]
    return np.asarray(result[_HOP:_HOP + count], dtype=np.float32)


def change_pitch(waveform: Waveform, factor: float) -> Waveform:
    """Return another voice of the same length and tempo.

    Args:
        waveform: shape (n,), float32, 16 kHz.
        factor: above 1 is higher.
    """
    return stretch(change_speed(waveform, factor), len(waveform))
