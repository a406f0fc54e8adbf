"""At which moments of a clip the gallery looks: closures, accents, rounded vowels, pauses."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..corpora.phones import CLOSURES, PhoneClass, Segment
from .gallery_clips import filled

CLOSURE, ACCENT, ROUND, OPEN, PAUSE, EVEN = 'p b m', 'accent', 'o u', 'a', 'pause', ''
"""What a moment shows; the words under its pictures."""
_TURNS = (CLOSURE, ACCENT, ROUND, PAUSE, CLOSURE, ACCENT, OPEN)
_ROUNDED = frozenset({PhoneClass.OW, PhoneClass.UW, PhoneClass.UH, PhoneClass.YY, PhoneClass.OE,
                      PhoneClass.AO})
_OPENED = frozenset({PhoneClass.AA, PhoneClass.AE})
_PAUSE_S = 0.3
_LEAST_VOWEL_S = 0.06
_APART_SHARE = 0.3
"""Two moments are at least this share of the even spacing apart."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of a clip and what is looked for there.

    Attributes:
        time_s: on the clock of the sound.
        kind: ``p b m``, ``accent``, ``o u``, ``a``, ``pause``, or empty for none of them.
    """

    time_s: float
    kind: str


def choose_moments(segments: Sequence[Segment], accents_s: Sequence[float], duration_s: float,
                   count: int) -> list[Moment]:
    """Return moments in order of time: of every kind some, spread over the clip.

    Kinds take turns; each takes the candidate that is farthest from all moments there are already.
    When no candidate is left that is far enough from them, the widest gaps are halved.

    Args:
        segments: phones.
        accents_s: of the voice [s].
        duration_s: of the clip.
        count: how many moments, at least 1.
    """
    candidates = _candidates(segments, accents_s, duration_s)
    apart_s = _APART_SHARE * duration_s / count
    chosen: list[Moment] = []
    idle, turn = 0, 0
    while len(chosen) < count and idle < len(_TURNS):
        kind = _TURNS[turn % len(_TURNS)]
        turn += 1
        time_s = _farthest(candidates[kind], [one.time_s for one in chosen])
        if time_s is None or _distance(time_s, chosen, duration_s) < apart_s:
            idle += 1
            continue
        idle = 0
        chosen.append(Moment(time_s, kind))
    while len(chosen) < count:
        edges = np.array([0.0, *sorted(one.time_s for one in chosen), duration_s])
        widest = int(np.argmax(np.diff(edges)))
        chosen.append(Moment(float(edges[widest:widest + 2].mean()), EVEN))
    return sorted(chosen, key=lambda one: one.time_s)


def _candidates(segments: Sequence[Segment], accents_s: Sequence[float],
                duration_s: float) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {kind: [] for kind in set(_TURNS)}
    found[ACCENT] = [float(time_s) for time_s in accents_s]
    for phone in filled(list(segments), duration_s):
        middle_s, length_s = 0.5 * (phone.start_s + phone.end_s), phone.end_s - phone.start_s
        if phone.phone in CLOSURES:
            found[CLOSURE].append(middle_s)
        elif phone.phone == PhoneClass.SIL and length_s > _PAUSE_S:
            found[PAUSE].append(middle_s)
        elif phone.phone in _ROUNDED and length_s > _LEAST_VOWEL_S:
            found[ROUND].append(middle_s)
        elif phone.phone in _OPENED and length_s > _LEAST_VOWEL_S:
            found[OPEN].append(middle_s)
    return {kind: [t for t in times if 0.0 <= t < duration_s] for kind, times in found.items()}


def _farthest(times_s: Sequence[float], taken_s: Sequence[float]) -> float | None:
    if not times_s:
        return None
    if not taken_s:
        return times_s[0]
    return max(times_s, key=lambda t: min(abs(t - other) for other in taken_s))


def _distance(time_s: float, chosen: Sequence[Moment], duration_s: float) -> float:
    return min((abs(time_s - one.time_s) for one in chosen), default=duration_s)
