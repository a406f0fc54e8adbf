"""Forced alignments held against the sound: closures are moved to their dip, lost ones are found.

Lips that meet take the energy between 500 and 4000 Hz away, of p and b all of it, of m most of it:
where it falls and rises fastest, they meet and part. A vowel on silence, or a closure without a
dip, says that the aligner was lost, or that something else was said.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.signal import butter, sosfiltfilt

from gesture_node.timeline import SAMPLE_RATE_HZ

from .phones import CLOSURES, PhoneClass, Segment, VOWELS

Array = NDArray[np.float64]
_RATE_HZ = 200
_BAND_HZ = (500.0, 4000.0)
_SEARCH_S, _ASPIRATION_S = 0.03, 0.05
_SHORTEST_S = 0.03
_LEAST_DIP_DB, _NEIGHBOURHOOD_S = 8.0, 0.1
_VOWEL_RANGE_DB = 25.0
_LEAST_SLOPE_DB = 1.0
_WORST_SHARE = 0.15


def vowel_band_level(waveform: NDArray[np.float32]) -> Array:
    """Return the level [dB] between 500 and 4000 Hz at 200 Hz, in windows of 10 ms."""
    sections = butter(2, _BAND_HZ, 'bandpass', fs=SAMPLE_RATE_HZ, output='sos')
    power = sosfiltfilt(sections, waveform.astype(np.float64)) ** 2
    mean = uniform_filter1d(power, SAMPLE_RATE_HZ // 100)[::SAMPLE_RATE_HZ // _RATE_HZ]
    return np.asarray(10.0 * np.log10(mean + 1e-10))


def _steepest(slope: Array, time_s: float, before_s: float, after_s: float) -> float:
    """Return when a slope [dB per step] is largest near a time; the time itself if it is flat."""
    first = max(0, int(round((time_s - before_s) * _RATE_HZ)))
    near = slope[first:max(first, int(round((time_s + after_s) * _RATE_HZ)) + 1)]
    if not len(near) or near.max() < _LEAST_SLOPE_DB:
        return time_s
    return (first + int(near.argmax())) / _RATE_HZ


def snap_closures(segments: list[Segment], waveform: NDArray[np.float32]) -> list[Segment]:
    """Return segments whose closures start where the sound falls and end where it rises.

    A boundary moves by 30 ms at most; the end of a stop may move back by 80 ms, for aligners count
    the breath after the burst as part of it. The neighbours take what is left, nobody becomes
    shorter than 30 ms (or than it was).

    Args:
        segments: phones in time order.
        waveform: shape (n,), float32, 16 kHz.
    """
    slope = np.gradient(gaussian_filter1d(vowel_band_level(waveform), 1.5))
    snapped = list(segments)
    for index, segment in enumerate(snapped):
        if segment.phone not in CLOSURES:
            continue
        start_s = _steepest(-slope, segment.start_s, _SEARCH_S, _SEARCH_S)
        end_s = _steepest(slope, segment.end_s, _SEARCH_S + _ASPIRATION_S, _SEARCH_S)
        before = snapped[index - 1] if index else None
        after = snapped[index + 1] if index + 1 < len(snapped) else None
        if before is not None:
            start_s = max(start_s, min(segment.start_s, before.start_s + _SHORTEST_S))
        if after is not None:
            end_s = min(end_s, max(segment.end_s, after.end_s - _SHORTEST_S))
        if end_s - start_s < _SHORTEST_S:
            continue
        snapped[index] = replace(segment, start_s=start_s, end_s=end_s)
        if before is not None and abs(before.end_s - segment.start_s) < 1e-3:
            snapped[index - 1] = replace(before, end_s=start_s)
        if after is not None and abs(after.start_s - segment.end_s) < 1e-3:
            snapped[index + 1] = replace(after, start_s=end_s)
    return snapped


def disagreement(segments: list[Segment], waveform: NDArray[np.float32]) -> str:
    """Return why an alignment cannot be right, or nothing if the sound agrees with it.

    Args:
        segments: phones in time order.
        waveform: shape (n,), float32, 16 kHz.
    """
    level = vowel_band_level(waveform)
    loud_db = float(np.percentile(level, 95.0))
    reach = int(_NEIGHBOURHOOD_S * _RATE_HZ)
    wrong: dict[PhoneClass, list[bool]] = {PhoneClass.PP: [], PhoneClass.AA: []}
    for segment in segments:
        first = int(segment.start_s * _RATE_HZ)
        end = max(first + 1, int(np.ceil(segment.end_s * _RATE_HZ)))
        inside = level[first:end]
        if not len(inside):
            continue
        if segment.phone in CLOSURES:
            around = level[max(0, first - reach):end + reach].max()
            wrong[PhoneClass.PP].append(bool(around - inside.min() < _LEAST_DIP_DB))
        elif segment.phone in VOWELS:
            wrong[PhoneClass.AA].append(bool(loud_db - inside.max() > _VOWEL_RANGE_DB))
    for phone, sentence in ((PhoneClass.PP, 'closures without a dip in the sound'),
                            (PhoneClass.AA, 'vowels on silence')):
        if wrong[phone] and np.mean(wrong[phone]) > _WORST_SHARE:
            return f'{sum(wrong[phone])} of {len(wrong[phone])} {sentence}'
    return ''
