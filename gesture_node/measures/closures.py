"""Lips against phones, clip by clip: seals reached, vowels lost, time lags, shut mouth in silence.

A clip is measured against its own vowels: the *vowel median* of a clip is the median aperture at
the middles of its vowels, so a clip that is spoken quietly with a small mouth is not judged by the
mouths of others. The same against the median of all clips together, as in
:mod:`gesture_node.measures.mouth`, stands beside it.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .mouth import (
    area_under_curve,
    CLOSURE_SHARE,
    CLOSURE_TOLERANCE_S,
    PhoneInterval,
    SILENCE_MARGIN_S,
)

Array = NDArray[np.float64]
LONG_SILENCE_S = 0.3
LAG_REACH_S = 0.12
"""How far from the middle of a closure its lowest aperture is looked for."""
_PLATEAU_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class LipScore:
    """How lips follow phones over all clips given; nan where there is nothing to count.

    Attributes:
        clips: clips that have vowels.
        closures, vowels, silences: intervals measured.
        reached: share of closures whose lowest aperture within 40 ms of their middle is under a
            quarter of the clip's vowel median.
        reached_pooled: the same against the median over the vowels of all clips.
        falsely_closed: share of vowels whose middle is under a quarter of the clip's median.
        auc: probability that a vowel is opener than a closure, over all pairs of all clips.
        closure_lag_s: median time of the lowest aperture after the middle of its closure; of
            closures that stand alone only.
        silence_ratio: mean over silences of the aperture, over the clip's vowel median.
        vowel_median: median of the clips' vowel medians.
    """

    clips: int
    closures: int
    vowels: int
    silences: int
    reached: float
    reached_pooled: float
    falsely_closed: float
    auc: float
    closure_lag_s: float
    silence_ratio: float
    vowel_median: float


@dataclass(frozen=True, slots=True)
class ClipLips:
    """What is read off one clip.

    Attributes:
        vowels: aperture at the middle of each vowel.
        closures: lowest aperture within 40 ms of the middle of each closure.
        silences: mean aperture of each long silence, its ends left out.
        lags_s: lag of each closure that stands alone.
    """

    vowels: Array
    closures: Array
    silences: Array
    lags_s: Array


def read_clip(aperture: Array, phones: Sequence[PhoneInterval], rate_hz: float) -> ClipLips:
    """Read the apertures of a clip off at its phones; phones beyond its end are left out.

    Args:
        aperture: shape (T,).
        phones: intervals on the clock of the frames, in order.
        rate_hz: frames per second.
    """
    end_s = (len(aperture) - 1) / rate_hz
    inside = [phone for phone in phones if _middle(phone) <= end_s]
    vowels, closures, silences, lags = [], [], [], []
    for phone in inside:
        middle = _middle(phone)
        if phone.kind == 'vowel':
            vowels.append(aperture[round(middle * rate_hz)])
        elif phone.kind == 'closure':
            closures.append(_near(aperture, middle, CLOSURE_TOLERANCE_S, rate_hz).min())
            if _alone(phone, inside):
                lags.append(_lowest_s(aperture, middle, rate_hz) - middle)
        elif phone.kind == 'silence' and phone.end_s - phone.start_s > LONG_SILENCE_S:
            first = round((phone.start_s + SILENCE_MARGIN_S) * rate_hz)
            last = round((phone.end_s - SILENCE_MARGIN_S) * rate_hz)
            if aperture[first:last + 1].size:
                silences.append(aperture[first:last + 1].mean())
    return ClipLips(*(np.array(values, dtype=np.float64)
                      for values in (vowels, closures, silences, lags)))


def score_lips(clips: Iterable[tuple[Array, Sequence[PhoneInterval]]],
               rate_hz: float) -> LipScore:
    """Score clips against their phones, each against its own vowels.

    Args:
        clips: per clip the aperture ``(T,)`` and its phones. Clips without vowels are left out.
        rate_hz: frames per second of the apertures.
    """
    read = [clip for clip in (read_clip(np.asarray(aperture), phones, rate_hz)
                              for aperture, phones in clips) if len(clip.vowels)]
    medians = [float(np.median(clip.vowels)) for clip in read]
    vowels, closures = (_joined(getattr(clip, name) for clip in read)
                        for name in ('vowels', 'closures'))
    pooled = CLOSURE_SHARE * float(np.median(vowels)) if len(vowels) else float('nan')
    silences = _joined(clip.silences / max(median, 1e-6)
                       for clip, median in zip(read, medians))
    return LipScore(
        clips=len(read), closures=len(closures), vowels=len(vowels), silences=len(silences),
        reached=_mean(_joined(clip.closures < CLOSURE_SHARE * median
                              for clip, median in zip(read, medians))),
        reached_pooled=_mean(closures < pooled),
        falsely_closed=_mean(_joined(clip.vowels < CLOSURE_SHARE * median
                                     for clip, median in zip(read, medians))),
        auc=area_under_curve(vowels, closures),
        closure_lag_s=_median(_joined(clip.lags_s for clip in read)),
        silence_ratio=_mean(silences), vowel_median=_median(np.array(medians)))


def aperture_lag_s(aperture: Array, reference: Array, rate_hz: float,
                   reach_s: float = 0.2) -> float:
    """Return how much later one aperture moves than another [s], by cross-correlation.

    The peak of the normalised cross-correlation is refined by a parabola, so the result is finer
    than a frame; nan when either stands still.

    Args:
        aperture: shape (T,).
        reference: shape (T',); both are cut to the shorter one.
        rate_hz: frames per second of both.
        reach_s: largest lag looked for.
    """
    count, reach = min(len(aperture), len(reference)), round(reach_s * rate_hz)
    if count <= 2 * reach:
        return float('nan')
    scores = np.array([_correlation(aperture[max(lag, 0):count + min(lag, 0)],
                                    reference[max(-lag, 0):count + min(-lag, 0)])
                       for lag in range(-reach, reach + 1)])
    if not np.isfinite(scores).all():
        return float('nan')
    best = int(np.argmax(scores))
    shift = 0.0
    if 0 < best < len(scores) - 1:
        before, at, after = scores[best - 1:best + 2]
        bend = before - 2.0 * at + after
        shift = 0.5 * float((before - after) / bend) if bend < 0.0 else 0.0
    return float((best - reach + shift) / rate_hz)


def _middle(phone: PhoneInterval) -> float:
    return 0.5 * (phone.start_s + phone.end_s)


def _near(aperture: Array, time_s: float, reach_s: float, rate_hz: float) -> Array:
    """Return the frames within reach of a time; at least the nearest one."""
    first = max(int(np.ceil((time_s - reach_s) * rate_hz - 1e-9)), 0)
    last = int(np.floor((time_s + reach_s) * rate_hz + 1e-9))
    nearest = min(round(time_s * rate_hz), len(aperture) - 1)
    return aperture[min(first, nearest):max(last, nearest) + 1]


def _alone(closure: PhoneInterval, phones: Sequence[PhoneInterval]) -> bool:
    """Return whether no other closure and no silence is within reach of the lag."""
    middle = _middle(closure)
    return not any(
        phone is not closure and phone.kind in ('closure', 'silence')
        and phone.start_s < middle + LAG_REACH_S and phone.end_s > middle - LAG_REACH_S
        for phone in phones)


def _lowest_s(aperture: Array, middle_s: float, rate_hz: float) -> float:
    """Return the time of the lowest aperture near a time; of a plateau, its middle."""
    first = max(int(np.ceil((middle_s - LAG_REACH_S) * rate_hz - 1e-9)), 0)
    window = _near(aperture, middle_s, LAG_REACH_S, rate_hz)
    lowest = int(np.argmin(window))
    limit = window[lowest] + _PLATEAU_SHARE * (window.max() - window[lowest])
    start, stop = lowest, lowest
    while start > 0 and window[start - 1] <= limit:
        start -= 1
    while stop + 1 < len(window) and window[stop + 1] <= limit:
        stop += 1
    return (first + 0.5 * (start + stop)) / rate_hz


def _correlation(one: Array, other: Array) -> float:
    spread = float(one.std() * other.std())
    if spread <= 1e-12:
        return float('nan')
    return float(((one - one.mean()) * (other - other.mean())).mean()) / spread


def _joined(parts: Iterable[NDArray[np.float64] | NDArray[np.bool_]]) -> Array:
    return np.concatenate([np.zeros(0), *parts])


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else float('nan')


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else float('nan')
