"""Mouth measures: aperture, closures reached, vowels against closures, shut mouth in silence.

One definition of each, used on teachers, models and baselines alike. Aperture is the formula of
``docs/evaluation.md``: how far the lips are apart, from ARKit weights.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..motion.face import BLENDSHAPE_INDEX

Array = NDArray[np.float64]
CLOSURE_TOLERANCE_S = 0.04
CLOSURE_SHARE = 0.25
SILENCE_MIN_S, SILENCE_MARGIN_S = 0.25, 0.1


@dataclass(frozen=True, slots=True)
class PhoneInterval:
    """A labelled stretch of speech.

    Attributes:
        start_s, end_s: interval [s] on the clock of the frames.
        kind: ``closure`` (p b m), ``vowel``, ``silence`` or ``other``.
    """

    start_s: float
    end_s: float
    kind: str


@dataclass(frozen=True, slots=True)
class MouthScore:
    """How a mouth follows its phones.

    Attributes:
        closures: number of closures measured.
        reached: share of closures whose aperture falls under a quarter of the vowel median.
        auc: probability that a vowel is opener than a closure.
        vowel_median: median aperture over the middles of vowels.
        silence_ratio: mean aperture in silences over the vowel median; nan without silences.
    """

    closures: int
    reached: float
    auc: float
    vowel_median: float
    silence_ratio: float


def mouth_aperture(weights: NDArray[np.floating]) -> Array:
    """Return the mouth aperture ``(...)`` of ARKit weights ``(..., 52)``; 0 is shut."""
    def channel(name: str) -> Array:
        return np.asarray(weights[..., BLENDSHAPE_INDEX[name]], dtype=np.float64)

    def pair(name: str) -> Array:
        return 0.5 * (channel(f'{name}Left') + channel(f'{name}Right'))

    roll = 0.5 * (channel('mouthRollUpper') + channel('mouthRollLower'))
    opening = np.maximum(0.0, channel('jawOpen') - channel('mouthClose'))
    aperture = (opening + 0.35 * pair('mouthLowerDown') + 0.25 * pair('mouthUpperUp')
                - 0.3 * pair('mouthPress') - 0.2 * roll)
    return np.asarray(np.maximum(0.0, aperture))


def area_under_curve(positive: Array, negative: Array) -> float:
    """Return the probability that a positive exceeds a negative, ties half; nan if empty."""
    if not len(positive) or not len(negative):
        return float('nan')
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side='left')
    upto = np.searchsorted(ordered, positive, side='right')
    return float((below + upto).mean() / (2.0 * len(ordered)))


def _frames(start_s: float, end_s: float, rate_hz: float, count: int) -> slice:
    """Return the frames whose time lies in an interval; at least one where any exists."""
    first = int(np.ceil(start_s * rate_hz - 1e-9))
    last = int(np.floor(end_s * rate_hz + 1e-9)) + 1
    return slice(min(max(first, 0), count), min(max(last, first + 1, 0), count))


def _middle(phone: PhoneInterval) -> float:
    return 0.5 * (phone.start_s + phone.end_s)


def score_mouth(recordings: Sequence[tuple[Array, Sequence[PhoneInterval]]],
                rate_hz: float) -> MouthScore:
    """Score apertures against phones, pooled over the recordings given.

    A closure counts with its lowest aperture within 40 ms of its middle, a vowel with the one at
    its middle. A closure is reached when it falls under a quarter of the vowel median. Silences
    shorter than 250 ms are skipped and 100 ms at either end of a silence are left out: there the
    mouth may close and open.

    Args:
        recordings: per recording the aperture ``(T,)`` and its phones.
        rate_hz: frames per second of the apertures.
    """
    vowels: list[float] = []
    closures: list[float] = []
    silences: list[Array] = []
    for aperture, phones in recordings:
        for phone in phones:
            middle, count = _middle(phone), len(aperture)
            if middle * rate_hz > count - 1:
                continue
            if phone.kind == 'vowel':
                vowels.append(float(aperture[int(round(middle * rate_hz))]))
            elif phone.kind == 'closure':
                near = _frames(middle - CLOSURE_TOLERANCE_S, middle + CLOSURE_TOLERANCE_S,
                               rate_hz, count)
                closures.append(float(aperture[near].min()))
            elif phone.kind == 'silence' and phone.end_s - phone.start_s >= SILENCE_MIN_S:
                silences.append(aperture[_frames(
                    phone.start_s + SILENCE_MARGIN_S, phone.end_s - SILENCE_MARGIN_S,
                    rate_hz, count)])
    vowel, closure = np.array(vowels), np.array(closures)
    median = float(np.median(vowel)) if vowels else float('nan')
    reached = float((closure < CLOSURE_SHARE * median).mean()) if closures else float('nan')
    silence = float(np.concatenate(silences).mean()) / median if silences else float('nan')
    return MouthScore(len(closures), reached, area_under_curve(vowel, closure), median, silence)
