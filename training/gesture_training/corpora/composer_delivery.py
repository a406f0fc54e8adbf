"""Other deliveries of a recording: livelier or calmer, other tempo; the words stay.

Read speech varies little, so a share of the takes is changed before anything is heard in it. Pitch
excursions about the speaker's median and the tempo are changed by pitch-synchronous overlap-add
(Moulines and Charpentier, "Pitch-synchronous waveform processing techniques", Speech Communication
1990): grains of two periods, cut at waveform peaks one period apart, are laid at new distances.
Formants stay where they are. Then a slow gain widens or narrows the dynamics.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import butter, sosfiltfilt

from gesture_node.timeline import FEATURE_RATE_HZ, SAMPLE_RATE_HZ
from gesture_node.types import Float32Array, Float64Array

_HOP = SAMPLE_RATE_HZ // FEATURE_RATE_HZ
_VOICED, _PITCH, _VOICING = 0.5, 81, 82
_REFERENCE_HZ = 120.0
_UNVOICED_PERIOD = SAMPLE_RATE_HZ // 100
_PERIODS = (SAMPLE_RATE_HZ // 480, SAMPLE_RATE_HZ // 60)
_OCTAVE_ERROR = 0.75
_PITCH_DELAY_FRAMES = 0.6
"""Frame k's pitch window is centred 32 ms before its end, at (k - 0.6) frames."""
_MAX_GAIN_DB = 12.0
_SLOW_FRAMES = 5.0
_BRIGHT_HZ = 1_800.0
_BLOCK_DB_FLOOR = -70.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """How to say it otherwise; 1 changes nothing.

    Attributes:
        pitch_range: factor on pitch excursions about the median, in octaves.
        dynamics: factor on level excursions about the usual level of speech, in dB.
        tempo: above 1 is faster.
        effort_db: level of what lies above about 2 kHz, changed by this: loud voices are brighter.
    """

    pitch_range: float
    dynamics: float
    tempo: float
    effort_db: float = 0.0


def draw_delivery(rng: np.random.Generator) -> Delivery:
    """Return a livelier or a calmer delivery, each half of the time."""
    strength = rng.uniform(0.3, 1.0)
    if rng.random() < 0.5:
        return Delivery(1.0 + 0.9 * strength, 1.0 + 0.5 * strength * rng.uniform(0.6, 1.2),
                        1.0 + 0.2 * strength * rng.uniform(0.2, 1.0), 6.0 * strength)
    return Delivery(1.0 - 0.75 * strength, 1.0 - 0.55 * strength * rng.uniform(0.6, 1.0),
                    1.0 - 0.15 * strength * rng.uniform(0.2, 1.0), -6.0 * strength)


def deliver(waveform: Float32Array, features: NDArray[np.floating],
            delivery: Delivery) -> Float32Array:
    """Return a recording said otherwise.

    Args:
        waveform: shape (n,), float32, 16 kHz.
        features: shape (n // 320, 83), of the waveform.
        delivery: what to change.

    Returns:
        shape (about n / tempo,), float32 in [-1, 1].
    """
    octaves, voiced = _pitch_course(features)
    said = _overlap_add(waveform, octaves, voiced, delivery)
    return _dynamics(_brighter(said, delivery.effort_db), delivery.dynamics)


def _pitch_course(features: NDArray[np.floating]) -> tuple[Float64Array, NDArray[np.bool_]]:
    """Return the pitch in octaves against its median (F,) and where there is one."""
    pitch = np.asarray(features[:, _PITCH], dtype=np.float64)
    voiced = np.asarray(features[:, _VOICING] > _VOICED) & (pitch != 0.0)
    if not voiced.any():
        return np.zeros((len(features), 2)), voiced
    middle = float(np.median(pitch[voiced]))
    voiced &= np.abs(pitch - middle) < _OCTAVE_ERROR
    frames = np.arange(len(pitch)) - _PITCH_DELAY_FRAMES + 1.0
    smooth = median_filter(np.interp(np.arange(len(pitch)), frames[voiced], pitch[voiced]), 3)
    lagged = np.interp(np.arange(len(pitch)), frames, voiced.astype(float)) > 0.5
    return np.stack([smooth, smooth - middle], axis=-1), lagged


def _marks(waveform: Float32Array, octaves: Float64Array,
           voiced: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the centres of the grains [samples] and the period at each."""
    period = np.clip(SAMPLE_RATE_HZ / (_REFERENCE_HZ * 2.0 ** octaves[:, 0]), *_PERIODS)
    centres, periods, at = [], [], _UNVOICED_PERIOD
    last = len(waveform) - _PERIODS[1] - 1
    while at < last:
        frame = min(at // _HOP, len(period) - 1)
        width = int(period[frame]) if voiced[frame] else _UNVOICED_PERIOD
        if voiced[frame] and at > width:
            reach = max(width // 5, 1)
            around = waveform[at - reach:at + reach + 1]
            at += int(np.argmax(around)) - reach
        centres.append(at)
        periods.append(width)
        at += width
    return np.array(centres, dtype=np.int64), np.array(periods, dtype=np.int64)


def _overlap_add(waveform: Float32Array, octaves: Float64Array, voiced: NDArray[np.bool_],
                 delivery: Delivery) -> Float32Array:
    """Return the waveform with pitch range and tempo changed."""
    centres, periods = _marks(waveform, octaves, voiced)
    if len(centres) == 0:
        return waveform
    frames = np.minimum(centres // _HOP, len(voiced) - 1)
    raised = np.where(voiced[frames], 2.0 ** ((delivery.pitch_range - 1.0) * octaves[frames, 1]),
                      1.0)
    # Marks moved to peaks are not quite a period apart; their own distances keep unity exact.
    steps = np.append(np.diff(centres), periods[-1]) / np.clip(raised, 0.5, 2.0)
    length = int(len(waveform) / delivery.tempo)
    result = np.zeros(length + 4 * _PERIODS[1])
    weight = np.zeros_like(result)
    at, nearest = float(centres[0]) / delivery.tempo, 0
    while at < length:
        source = at * delivery.tempo
        while nearest + 1 < len(centres) and (abs(centres[nearest + 1] - source)
                                              <= abs(centres[nearest] - source)):
            nearest += 1
        centre, width = int(centres[nearest]), int(periods[nearest])
        width = min(width, centre, int(at))
        if width > 1:
            window = _window(width)
            start = int(round(at)) - width
            result[start:start + 2 * width] += window * waveform[centre - width:centre + width]
            weight[start:start + 2 * width] += window
        at += float(steps[nearest])
    return np.asarray(result[:length] / np.maximum(weight[:length], 0.5), dtype=np.float32)


def _brighter(waveform: Float32Array, change_db: float) -> Float32Array:
    """Return the waveform with what lies above about 2 kHz louder or softer, without delay."""
    sections = butter(1, _BRIGHT_HZ, 'highpass', fs=SAMPLE_RATE_HZ, output='sos')
    upper = sosfiltfilt(sections, waveform)
    return np.asarray(waveform + (10.0 ** (change_db / 20.0) - 1.0) * upper, dtype=np.float32)


@lru_cache(maxsize=512)
def _window(width: int) -> Float64Array:
    return np.asarray(np.hanning(2 * width + 1)[:-1])


def _dynamics(waveform: Float32Array, factor: float) -> Float32Array:
    """Return the waveform with slow level excursions about its usual level multiplied."""
    count = len(waveform) // _HOP
    if count < 2 or factor == 1.0:
        return waveform
    blocks = waveform[:count * _HOP].reshape(count, _HOP).astype(np.float64)
    power = gaussian_filter1d(np.mean(blocks ** 2, axis=1), _SLOW_FRAMES / 2.0)
    level = np.maximum(10.0 * np.log10(power + 1e-12), _BLOCK_DB_FLOOR)
    speech = level > np.percentile(level, 98) - 25.0
    usual = float(np.mean(level[speech]))
    gain_db = np.clip((factor - 1.0) * (level - usual), -_MAX_GAIN_DB, _MAX_GAIN_DB)
    gain_db = np.where(speech, gain_db, np.minimum(gain_db, 0.0))
    gain = 10.0 ** (gaussian_filter1d(gain_db, _SLOW_FRAMES / 3.0) / 20.0)
    samples = (np.arange(count) + 0.5) * _HOP
    changed = waveform * np.interp(np.arange(len(waveform)), samples, gain)
    return np.asarray(changed / max(1.0, float(np.abs(changed).max())), dtype=np.float32)
