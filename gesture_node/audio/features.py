"""50 Hz speech features, identical in training and at run time.

Frame ``k`` is computed from samples that end at ``(k + 1) * 320`` and never from later ones, so a
frame exists as soon as its own audio has arrived and changing the future cannot change it::

    samples  (k-2)*320 .......... k*320 ......... (k+1)*320
    spectrum            |<------- 512 -------->|
    pitch    |<------------- 1024 ------------>|

Each frame has 83 numbers: 80 log-mel bands (60 - 7 600 Hz), log energy, log pitch, voicing.
Frames are computed one at a time with arrays of one shape, so any packetisation gives the same
bits. Pitch is the peak of the normalised autocorrelation (de Cheveigne and Kawahara, "YIN",
JASA 2002, for the window and the parabolic refinement).
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
_POWER_FLOOR = 1e-6
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
_WINDOW = np.hanning(_SPECTRUM + 1)[:-1]
_PITCH_WINDOW = np.hanning(_PITCH + 1)[:-1]
_WINDOW_CORRELATION = np.fft.irfft(np.abs(np.fft.rfft(_PITCH_WINDOW, 2 * _PITCH)) ** 2)
_WINDOW_CORRELATION = _WINDOW_CORRELATION[:_LAG_MAX + 2] / _WINDOW_CORRELATION[0]


def frame_features(samples: Float32Array) -> Float32Array:
    """Return the features of one frame.

    Args:
        samples: shape (1024,), float32 in [-1, 1]: the frame's 320 samples and the
            ``HISTORY_SAMPLES`` before them.

    Returns:
        shape (83,), float32: 80 natural-log mel powers, natural-log energy, octaves of pitch
        against 120 Hz (0 when unvoiced), voicing in [0, 1].
    """
    wide = samples.astype(np.float64)
    wide = wide - wide.mean()
    spectrum = np.fft.rfft(wide[_PITCH - _SPECTRUM:] * _WINDOW)
    power = (spectrum.real ** 2 + spectrum.imag ** 2) / _SPECTRUM
    log_mel = np.log(power @ _FILTERS + _POWER_FLOOR)
    tail = wide[_PITCH - _SPECTRUM:]
    energy = np.log(np.dot(tail, tail) / _SPECTRUM + _POWER_FLOOR)
    octaves, voicing = _pitch(wide)
    features = np.empty(FEATURE_DIM, dtype=np.float32)
    features[:MEL_BANDS] = log_mel
    features[MEL_BANDS:] = energy, octaves, voicing
    return features


def _pitch(window: Float64Array) -> tuple[float, float]:
    """Return octaves against 120 Hz (0 if unvoiced) and voicing strength in [0, 1]."""
    energy = np.dot(window, window) / _PITCH
    if energy < 1e-7:
        return 0.0, 0.0
    spectrum = np.fft.rfft(window * _PITCH_WINDOW, 2 * _PITCH)
    power = spectrum.real ** 2 + spectrum.imag ** 2
    correlation = np.fft.irfft(power)[:_LAG_MAX + 2]
    normal = correlation / (correlation[0] + 1e-12) / _WINDOW_CORRELATION
    inner = normal[_LAG_MIN:_LAG_MAX + 1]
    peaks = (inner > normal[_LAG_MIN - 1:_LAG_MAX]) & (inner >= normal[_LAG_MIN + 1:_LAG_MAX + 2])
    if not peaks.any():
        return 0.0, 0.0
    # Short lags win ties, against octave errors downwards.
    score = np.where(peaks, inner - 0.05 * np.log2(np.arange(_LAG_MIN, _LAG_MAX + 1) / _LAG_MIN),
                     -1.0)
    best = int(np.argmax(score)) + _LAG_MIN
    strength = float(np.clip(normal[best], 0.0, 1.0))
    if strength < _VOICING_THRESHOLD:
        return 0.0, strength
    left, mid, right = normal[best - 1:best + 2]
    curve = left - 2.0 * mid + right
    shift = 0.5 * (left - right) / curve if abs(curve) > 1e-12 else 0.0
    pitch_hz = SAMPLE_RATE_HZ / (best + float(np.clip(shift, -0.5, 0.5)))
    return float(np.log2(pitch_hz / _PITCH_REFERENCE_HZ)), strength


def waveform_features(waveform: Float32Array) -> Float32Array:
    """Return the features of a whole recording; equal to streaming it, bit for bit.

    Args:
        waveform: shape (n,), float32 mono 16 kHz in [-1, 1].

    Returns:
        shape (n // 320, 83), float32.
    """
    padded = np.concatenate([np.zeros(HISTORY_SAMPLES, np.float32),
                             waveform.astype(np.float32, copy=False)])
    count = len(waveform) // _HOP
    frames = [frame_features(padded[k * _HOP:k * _HOP + _PITCH]) for k in range(count)]
    return np.stack(frames) if frames else np.zeros((0, FEATURE_DIM), np.float32)
