"""How lively a voice sounds: arousal, from the last seconds of its features.

*Arousal* goes from 0 (calm: monotone, even, slow) to 1 (lively) and is heard in the last 8 s, so
a network that hears as much can know it. Five measures that no gain changes are weighed: the
spread of pitch in semitones, the spread of the vowel-band energy in dB while somebody speaks and
how abruptly it changes from frame to frame, the syllables a second, and vocal effort, the level
of the upper against that of the lower bands; arousal shows in all of them (Banse and Scherer,
"Acoustic profiles in vocal emotion expression", JPSP 1996), in vocal effort most. Each becomes a
z-score against read English, and their weighted sum goes through a logistic curve: reading aloud
is near 0.1 to 0.3, acted boredom and sadness near 0.4, acted anger and joy near 0.95. Where little
was heard the reader's values stand in.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..timeline import FEATURE_RATE_HZ
from ..types import Float64Array
from .accents import find_nuclei, Loudness, Nuclei

WINDOW_S = 8.0

_READER = {'pitch_st': (2.0, 0.57), 'energy_db': (7.6, 0.69), 'change_db': (2.45, 0.5),
           'syllables_hz': (3.6, 0.48), 'effort_db': (-22.5, 4.0)}
"""Mean and spread over 8 s windows of 45 takes of training speakers (speechocean762)."""
_SHARES = {'pitch_st': 0.2, 'energy_db': 0.25, 'change_db': 0.15, 'syllables_hz': 0.05,
           'effort_db': 0.35}
_MIDDLE, _SLOPE = 0.45, 2.5
_PRIOR_FRAMES, _PRIOR_S = 40.0, 1.5
_OCTAVE_ERROR_ST = 9.0
_VOICED, _PITCH, _VOICING = 0.5, 81, 82
_SPEECH_RANGE_DB = 25.0
_LOW_BANDS, _HIGH_BANDS = slice(0, 25), slice(45, 80)
"""Mel bands below about 0.9 kHz and above about 2.4 kHz."""


def arousal_curve(features: NDArray[np.floating], nuclei: Nuclei | None = None,
                  loudness: Loudness | None = None) -> Float64Array:
    """Return the arousal of a voice ``(F,)`` in [0, 1] at 50 Hz, from features ``(F, 83)``.

    Frame k is heard from the 8 s that end there; which frames are speech is known from the whole
    recording, and so are its syllable nuclei and loudness where the caller has not found them yet.
    """
    measures = style_measures(features, nuclei, loudness)
    scores = [share * (measures[name] - _READER[name][0]) / _READER[name][1]
              for name, share in _SHARES.items()]
    return np.asarray(1.0 / (1.0 + np.exp(-_SLOPE * (sum(scores) - _MIDDLE))))


def style_measures(features: NDArray[np.floating], nuclei: Nuclei | None = None,
                   loudness: Loudness | None = None) -> dict[str, Float64Array]:
    """Return the running measures, each (F,), by the names of ``_READER``."""
    count = len(features)
    loudness = loudness or Loudness(features)
    speech, energy = loudness.speech, loudness.energy_db
    if not speech.any():
        return {name: np.full(count, mean) for name, (mean, _) in _READER.items()}
    pitch = 12.0 * np.asarray(features[:, _PITCH], dtype=np.float64)
    pitched = speech & (features[:, _VOICING] > _VOICED)
    if pitched.any():
        pitched &= np.abs(pitch - np.median(pitch[pitched])) < _OCTAVE_ERROR_ST
    energy = np.maximum(energy, np.percentile(energy, 98) - _SPEECH_RANGE_DB)
    syllables = np.zeros(count)
    frames = ((nuclei or find_nuclei(features, loudness)).peaks_s * FEATURE_RATE_HZ).astype(int)
    np.add.at(syllables, np.clip(frames, 0, count - 1), 1.0)
    speech_s = _recent(speech.astype(np.float64)) / FEATURE_RATE_HZ
    usual_hz = _READER['syllables_hz'][0]
    power = np.exp(np.asarray(features[:, :80], dtype=np.float64))
    effort = 10.0 * np.log10(power[:, _HIGH_BANDS].mean(axis=1)
                             / power[:, _LOW_BANDS].mean(axis=1))
    change = np.abs(np.diff(energy, prepend=energy[0]))
    return {'pitch_st': _recent_spread(pitch, pitched, _READER['pitch_st'][0]),
            'energy_db': _recent_spread(energy, speech, _READER['energy_db'][0]),
            'change_db': _recent_mean(change, speech, _READER['change_db'][0]),
            'effort_db': _recent_mean(effort, pitched, _READER['effort_db'][0]),
            'syllables_hz': (_recent(syllables) + usual_hz * _PRIOR_S) / (speech_s + _PRIOR_S)}


def _recent(values: Float64Array) -> Float64Array:
    """Return the sums of the last 8 s."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    stops = np.arange(1, len(values) + 1)
    starts = np.maximum(stops - int(WINDOW_S * FEATURE_RATE_HZ), 0)
    return np.asarray(total[stops] - total[starts])


def _recent_mean(values: Float64Array, where: NDArray[np.bool_], usual: float) -> Float64Array:
    """Return the mean of the last 8 s, steadied by some frames of ``usual``."""
    count = _recent(where.astype(np.float64))
    total = _recent(np.where(where, values, 0.0))
    return np.asarray((total + _PRIOR_FRAMES * usual) / (count + _PRIOR_FRAMES))


def _recent_spread(values: Float64Array, where: NDArray[np.bool_], usual: float) -> Float64Array:
    """Return the standard deviation of the last 8 s, steadied by some frames of ``usual``."""
    weight = where.astype(np.float64)
    centred = np.where(where, values - (values[where].mean() if where.any() else 0.0), 0.0)
    count = np.maximum(_recent(weight), 1e-9)
    squares = _recent(centred ** 2) - _recent(centred) ** 2 / count
    variance = (np.maximum(squares, 0.0) + _PRIOR_FRAMES * usual ** 2) / (count + _PRIOR_FRAMES)
    return np.asarray(np.sqrt(variance))
