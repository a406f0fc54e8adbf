"""50 Hz speech features, identical in training and at run time.

Frame ``k`` is computed from samples that end at ``(k + 1) * 320`` and never from later ones, so a
frame exists as soon as its own audio has arrived and changing the future cannot change it::

    samples  (k-2)*320 .......... k*320 ......... (k+1)*320
    spectrum            |<------- 512 -------->|
    pitch    |<------------- 1024 ------------>|

Each frame has 83 numbers: 80 log-mel bands (60 - 7 600 Hz), log energy, log pitch, voicing.
Frames are computed a few at a time, by operations that treat each row alone, so any packetisation
gives the same bits. Pitch is the peak of the normalised autocorrelation (de Cheveigne and
Kawahara, "YIN", JASA 2002, for the window and the parabolic refinement).
"""
from __future__ import annotations

import numpy as np

from ..timeline import FEATURE_RATE_HZ, SAMPLE_RATE_HZ, samples_per_frame
from ..types import Float32Array, Float64Array

MEL_BANDS = 80
FEATURE_DIM = MEL_BANDS + 3
ENERGY_INDEX, PITCH_INDEX, VOICING_INDEX = MEL_BANDS, MEL_BANDS + 1, MEL_BANDS + 2
HISTORY_SAMPLES = 1024 - samples_per_frame(FEATURE_RATE_HZ)
"""Samples before a frame's own 320 that its pitch window needs (zeros before the start)."""

_HOP = samples_per_frame(FEATURE_RATE_HZ)
_SPECTRUM = 512
_PITCH = 1024
POWER_FLOOR = 1e-6
"""Added to every power before its logarithm."""
_PITCH_REFERENCE_HZ = 120.0
_LAG_MIN, _LAG_MAX = SAMPLE_RATE_HZ // 480, SAMPLE_RATE_HZ // 60
_VOICING_THRESHOLD = 0.45


def _mel(frequency_hz: Float64Array | float) -> Float64Array:
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(frequency_hz) / 700.0))


def _mel_filters() -> Float64Array:
    """Return triangular filters ``(257, 80)``, each of unit peak (O'Shaughnessy mel scale)."""
    edges_mel = np.linspace(_mel(60.0), _mel(7_600.0), MEL_BANDS + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins_hz = np.fft.rfftfreq(_SPECTRUM, 1.0 / SAMPLE_RATE_HZ)[:, None]
    rising = (bins_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    falling = (edges_hz[2:] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    narrow = weights.sum(axis=0) < 0.5
    nearest = np.argmin(np.abs(bins_hz - edges_hz[1:-1]), axis=0)
    weights[nearest[narrow], np.flatnonzero(narrow)] = 1.0
    return np.ascontiguousarray(weights)


_FILTERS = _mel_filters()
_BANDS, _BINS = np.nonzero(_FILTERS.T)
_FIRST_BINS = np.searchsorted(_BANDS, np.arange(MEL_BANDS))
_WEIGHTS = _FILTERS.T[_BANDS, _BINS]
_WINDOW = np.hanning(_SPECTRUM + 1)[:-1]
_PITCH_WINDOW = np.hanning(_PITCH + 1)[:-1]
_WINDOW_CORRELATION = np.fft.irfft(np.abs(np.fft.rfft(_PITCH_WINDOW, 2 * _PITCH)) ** 2)
_WINDOW_CORRELATION = _WINDOW_CORRELATION[:_LAG_MAX + 2] / _WINDOW_CORRELATION[0]


_LAGS = np.arange(_LAG_MIN, _LAG_MAX + 1)
_SHORT_LAGS_WIN = 0.05 * np.log2(_LAGS / _LAG_MIN)
"""Handicap of long lags, against octave errors downwards."""
_ROWS = 16  # computed together: few enough for the cache


def frame_features(windows: Float32Array) -> Float32Array:
    """Return the features of T frames; each row is what it would be alone, to the bit.

    Args:
        windows: shape (T, 1024), float32 in [-1, 1]: each frame's 320 samples and the
            ``HISTORY_SAMPLES`` before them.

    Returns:
        shape (T, 83), float32: 80 natural-log mel powers, natural-log energy, octaves of pitch
        against 120 Hz (0 when unvoiced), voicing in [0, 1].
    """
    wide = windows.astype(np.float64)
    wide -= wide.mean(axis=1, keepdims=True)
    tail = wide[:, _PITCH - _SPECTRUM:]
    spectrum = np.fft.rfft(tail * _WINDOW, axis=1)
    power = (spectrum.real ** 2 + spectrum.imag ** 2) / _SPECTRUM
    # A matrix product would round differently for other numbers of rows.
    mel = np.add.reduceat(power[:, _BINS] * _WEIGHTS, _FIRST_BINS, axis=1)
    features = np.empty((len(windows), FEATURE_DIM), dtype=np.float32)
    features[:, :MEL_BANDS] = np.log(mel + POWER_FLOOR)
    features[:, ENERGY_INDEX] = np.log((tail * tail).sum(axis=1) / _SPECTRUM + POWER_FLOOR)
    features[:, PITCH_INDEX], features[:, VOICING_INDEX] = _pitch(wide)
    return features


def _pitch(windows: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return octaves against 120 Hz (0 if unvoiced) and voicing strengths in [0, 1], each (T,)."""
    energy = (windows * windows).sum(axis=1) / _PITCH
    spectrum = np.fft.rfft(windows * _PITCH_WINDOW, 2 * _PITCH, axis=1)
    power = spectrum.real ** 2 + spectrum.imag ** 2
    correlation = np.fft.irfft(power, axis=1)[:, :_LAG_MAX + 2]
    normal = correlation / (correlation[:, :1] + 1e-12) / _WINDOW_CORRELATION
    inner = normal[:, _LAG_MIN:_LAG_MAX + 1]
    peaks = ((inner > normal[:, _LAG_MIN - 1:_LAG_MAX])
             & (inner >= normal[:, _LAG_MIN + 1:_LAG_MAX + 2]))
    best = np.argmax(np.where(peaks, inner - _SHORT_LAGS_WIN, -1.0), axis=1) + _LAG_MIN
    rows = np.arange(len(windows))
    left, mid, right = normal[rows, best - 1], normal[rows, best], normal[rows, best + 1]
    heard = (energy >= 1e-7) & peaks.any(axis=1)
    strength = np.where(heard, np.clip(mid, 0.0, 1.0), 0.0)
    curve = left - 2.0 * mid + right
    bent = np.abs(curve) > 1e-12
    shift = np.where(bent, 0.5 * (left - right) / np.where(bent, curve, 1.0), 0.0)
    pitch_hz = SAMPLE_RATE_HZ / (best + np.clip(shift, -0.5, 0.5))
    octaves = np.log2(pitch_hz / _PITCH_REFERENCE_HZ)
    return np.where(strength < _VOICING_THRESHOLD, 0.0, octaves), strength


def waveform_features(waveform: Float32Array) -> Float32Array:
    """Return the features of a whole recording; equal to streaming it, bit for bit.

    Args:
        waveform: shape (n,), float32 mono 16 kHz in [-1, 1].

    Returns:
        shape (n // 320, 83), float32.
    """
    return features_after(np.concatenate([np.zeros(HISTORY_SAMPLES, np.float32),
                                          waveform.astype(np.float32, copy=False)]))


def features_after(samples: Float32Array) -> Float32Array:
    """Return the features of the whole frames that follow ``HISTORY_SAMPLES`` samples."""
    count = (len(samples) - HISTORY_SAMPLES) // _HOP
    if count <= 0:
        return np.zeros((0, FEATURE_DIM), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, _PITCH)[::_HOP]
    return np.concatenate([frame_features(windows[row:min(row + _ROWS, count)])
                           for row in range(0, count, _ROWS)])
