"""Accents of speech: the one definition, for composing training data and for measuring results.

Works on the 50 Hz features of :mod:`gesture_node.audio.features` alone (no transcript, no
language). A *nucleus* is a peak of the energy between 400 and 4000 Hz, at least 2 dB above the
dips around it, 90 ms or more from the next one, within 25 dB of the loud parts, and voiced
(de Jong and Wempe, "Praat script to detect syllable nuclei", Behav. Res. Methods 2009). Its
*vowel onset* is where the energy rises fastest before the peak; gestures are timed to it, for
vowel onsets serve every language. Its *prominence* weighs energy .45, log duration .35 and pitch
excursion .20, each a z-score against the nuclei within 3 s: loudness and duration carry accents
more than pitch does (Kochanski et al., JASA 2005). An *accent* is a nucleus more prominent than
all others within 380 ms and than three in five of those within 3 s, which gives about one accent a
second of speech, in quiet passages as in loud ones.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, median_filter
from scipy.signal import find_peaks

from ..timeline import FEATURE_RATE_HZ, SAMPLE_RATE_HZ
from ..types import Float64Array

ACCENT_SHARE = 0.6
ACCENT_PROMINENCE = -0.1
STRONG_PROMINENCE = 0.8
ACCENT_NEIGHBOURHOOD_S = 0.38
Z_NEIGHBOURHOOD_S = 3.0

_MEL_BANDS, _PITCH, _VOICING = 80, 81, 82
_FRAME_CENTRE_S = 64 / SAMPLE_RATE_HZ
_DIP_DB = 2.0
_RANGE_DB = 25.0
_FLOOR_DB = -52.0
_NUCLEUS_DROP_DB = 5.0
_ONSET_REACH_FRAMES = 9
_MIN_GAP_FRAMES = 5
_VOICED = 0.45
_WEIGHTS = np.array([0.45, 0.35, 0.20])


def _vowel_band() -> NDArray[np.bool_]:
    """Return which of the 80 mel bands lie between 400 and 4000 Hz."""
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in (60.0, 7_600.0))
    centres_mel = np.linspace(low, high, _MEL_BANDS + 2)[1:-1]
    centres_hz = 700.0 * (10.0 ** (centres_mel / 2595.0) - 1.0)
    return np.asarray((centres_hz >= 400.0) & (centres_hz <= 4_000.0))


_BAND = _vowel_band()


@dataclass(frozen=True, slots=True)
class Nuclei:
    """Syllable nuclei, in order of time.

    Attributes:
        onsets_s: shape (N,), vowel onsets [s].
        peaks_s: shape (N,), energy peaks [s].
        prominences: shape (N,), z-scores.
    """

    onsets_s: Float64Array
    peaks_s: Float64Array
    prominences: Float64Array


def vowel_energy_db(features: NDArray[np.floating]) -> Float64Array:
    """Return the smoothed energy between 400 and 4000 Hz, shape (F,) [dB].

    Args:
        features: shape (F, 83).
    """
    power = np.exp(features[:, :_MEL_BANDS][:, _BAND].astype(np.float64)).mean(axis=1)
    smooth = convolve1d(power, np.array([0.25, 0.5, 0.25]), mode='nearest')
    return np.asarray(10.0 * np.log10(smooth))


def frame_times_s(count: int) -> Float64Array:
    """Return where the spectra of ``count`` frames are centred [s]."""
    return np.asarray(np.arange(count) / FEATURE_RATE_HZ + _FRAME_CENTRE_S)


class Loudness:
    """How loud the vowels of a recording are, computed once for all who ask; immutable.

    Args:
        features: shape (F, 83), 50 Hz, of the whole recording.

    Attributes:
        energy_db: shape (F,), see :func:`vowel_energy_db`.
    """

    def __init__(self, features: NDArray[np.floating]) -> None:
        self.energy_db = vowel_energy_db(features) if len(features) else np.zeros(0)

    @cached_property
    def threshold_db(self) -> float:
        """25 dB below the loud parts: quieter is no speech."""
        return max(float(np.percentile(self.energy_db, 98)) - _RANGE_DB, _FLOOR_DB)

    @cached_property
    def speech(self) -> NDArray[np.bool_]:
        """Where somebody speaks, shape (F,), gaps closed."""
        if not len(self.energy_db):
            return np.zeros(0, dtype=bool)
        active = self.energy_db > self.threshold_db
        active = median_filter(active.astype(np.int8), size=5, mode='nearest').astype(bool)
        edges = np.flatnonzero(np.diff(active.astype(np.int8)))
        for stop, start in zip(edges[:-1], edges[1:]):
            if active[stop] and start - stop <= FEATURE_RATE_HZ // 5:
                active[stop:start + 1] = True
        return np.asarray(active, dtype=bool)


def voice_activity(features: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return where somebody speaks, shape (F,): within 25 dB of the loud parts, gaps closed.

    Args:
        features: shape (F, 83).
    """
    return Loudness(features).speech


def find_nuclei(features: NDArray[np.floating], loudness: Loudness | None = None) -> Nuclei:
    """Return the syllable nuclei of a recording.

    Args:
        features: shape (F, 83), 50 Hz, of the whole recording.
        loudness: of it, if it is known.
    """
    empty = np.zeros(0)
    if len(features) < 3:
        return Nuclei(empty, empty, empty)
    loudness = loudness or Loudness(features)
    energy = loudness.energy_db
    voiced = convolve1d((features[:, _VOICING] > _VOICED).astype(np.float64), np.ones(3)) > 0.5
    peaks, _ = find_peaks(energy, height=loudness.threshold_db, prominence=_DIP_DB,
                          distance=_MIN_GAP_FRAMES)
    peaks = peaks[voiced[peaks]]
    if len(peaks) == 0:
        return Nuclei(empty, empty, empty)
    times_s = frame_times_s(len(features))
    onsets = np.array([_vowel_onset_s(energy, peak, times_s) for peak in peaks])
    spans = [_nucleus(energy, peak) for peak in peaks]
    duration = np.log([stop - start for start, stop in spans])
    excursion = _excursions(features, spans)
    scores = np.stack([energy[peaks], duration, excursion], axis=-1)
    return Nuclei(onsets, times_s[peaks], _local_z(scores, times_s[peaks]) @ _WEIGHTS)


def find_accents(features: NDArray[np.floating]) -> Nuclei:
    """Return the accented nuclei of a recording: more prominent than what surrounds them.

    Args:
        features: shape (F, 83), 50 Hz, of the whole recording.
    """
    return accented(find_nuclei(features))


def accented(nuclei: Nuclei) -> Nuclei:
    """Return those nuclei of a recording that are accented."""
    apart = np.abs(nuclei.onsets_s[:, None] - nuclei.onsets_s[None, :])
    higher = nuclei.prominences[None, :] > nuclei.prominences[:, None]
    leads = ~np.any(higher & (apart <= ACCENT_NEIGHBOURHOOD_S), axis=1)
    near = apart <= Z_NEIGHBOURHOOD_S
    share = np.sum(near & ~higher, axis=1) / np.maximum(np.sum(near, axis=1), 1)
    keep = leads & (share > ACCENT_SHARE) & (nuclei.prominences > ACCENT_PROMINENCE)
    return Nuclei(nuclei.onsets_s[keep], nuclei.peaks_s[keep], nuclei.prominences[keep])


def _vowel_onset_s(energy: Float64Array, peak: int, times_s: Float64Array) -> float:
    """Return when the energy rises fastest before a peak, between frames."""
    start = max(peak - _ONSET_REACH_FRAMES, 0)
    before = energy[start:peak + 1]
    dip = int(before.argmin())
    if start + dip >= peak:
        return float(times_s[peak])
    rise = before[dip + 1:] - before[dip:-1]
    steepest = start + dip + int(rise.argmax())
    return float(0.5 * (times_s[steepest] + times_s[steepest + 1]))


def _nucleus(energy: Float64Array, peak: int) -> tuple[int, int]:
    """Return the frames around a peak that are within 5 dB of it."""
    low = (energy < energy[peak] - _NUCLEUS_DROP_DB).tobytes()
    after = low.find(1, peak)
    return low.rfind(1, 0, peak) + 1, after if after >= 0 else len(energy)


def _excursions(features: NDArray[np.floating], spans: list[tuple[int, int]]) -> Float64Array:
    """Return the highest pitch of each nucleus above the median pitch within 3 s [semitones]."""
    pitch = 12.0 * features[:, _PITCH].astype(np.float64)
    voiced = features[:, _VOICING] > _VOICED
    # Among voiced frames alone, stretches of time are stretches of rows.
    pitch, count = pitch[voiced], np.concatenate([[0], np.cumsum(voiced)]).tolist()
    reach = int(Z_NEIGHBOURHOOD_S * FEATURE_RATE_HZ)
    result = np.zeros(len(spans))
    for i, (start, stop) in enumerate(spans):
        first, last = max(start - reach, 0), min(stop + reach, len(voiced))
        inside = pitch[count[start]:count[stop]]
        if len(inside):
            level = _quantile(pitch[count[first]:count[last]], 0.5)
            result[i] = min(max(_quantile(inside, 0.8) - level, -7.0), 7.0)
    return result


def _quantile(values: Float64Array, share: float) -> float:
    """Return a quantile, as NumPy does but in a tenth of its time for a few values."""
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    part = place - below
    if part == 0.5:
        return 0.5 * (low + high)
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1.0 - part)


def _local_z(scores: Float64Array, times_s: Float64Array) -> Float64Array:
    """Return z-scores ``(N, 3)`` against the nuclei within 3 s, steadied by all of them."""
    near = (np.abs(times_s[:, None] - times_s[None, :]) <= Z_NEIGHBOURHOOD_S).astype(np.float64)
    weights = near + 4.0 / len(times_s)
    weights /= weights.sum(axis=1, keepdims=True)
    mean = weights @ scores
    variance = np.maximum(weights @ scores ** 2 - mean ** 2, 0.0)
    floor = np.array([1.0, 0.1, 0.5])
    return np.asarray((scores - mean) / np.sqrt(variance + floor ** 2))
