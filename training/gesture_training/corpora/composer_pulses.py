"""Pulses: small beats of the forearms between strokes, quick into the accent and slow out of it.

While somebody speaks the forearms are a little lifted. On an accent they drop within 0.2 s, by as
much as the accent is prominent, and rise again no faster than a hand wanders anyway: what is
quick happens on the accents alone. Movement curves are those of minimum jerk (Flash and Hogan,
J. Neurosci. 1985); rises have a steady middle, which keeps their peak speed low.
"""
from __future__ import annotations

import numpy as np

from gesture_node.motion.courses import minimum_jerk
from gesture_node.timeline import BODY_RATE_HZ
from gesture_node.types import Float64Array

from .composer_plan import Plan

DROP_S = 0.2
DROP_LEAD_S = 0.02
"""The drop is over a little before the apex: low-passed motion comes to rest later."""
WRIST_LAG_S = 0.03
RISE_RATE = 0.65
"""Of the lift, per second; about 8 cm/s at the wrist."""
LOWEST = -0.5
"""Arms hang slightly bent, so that they can fall below rest by half a pulse."""
SHORT_PAUSE_S = 2.0
"""The lift outlasts pauses shorter than this."""
_REST_S = 0.05
_EASED = 0.2
_VOICE_S = 0.05
_STOP_S = 0.2


def steady(fraction: Float64Array) -> Float64Array:
    """Return 0 to 1 with eased ends and a steady middle: peak speed 1.25 times the mean."""
    x = np.clip(fraction, 0.0, 1.0)
    peak, eased = 1.0 / (1.0 - _EASED), 0.5 / (_EASED * (1.0 - _EASED))
    low, high = eased * x ** 2, 1.0 - eased * (1.0 - x) ** 2
    middle = peak * (x - 0.5) + 0.5
    return np.asarray(np.where(x < _EASED, low, np.where(x > 1.0 - _EASED, high, middle)))


def pulse_track(times_s: Float64Array, plan: Plan, sizes: Float64Array) -> Float64Array:
    """Return how far the forearms are lifted, (T,), in units of a pulse of size 1.

    Args:
        times_s: shape (T,).
        plan: pulses and speech.
        sizes: shape (T,), size of gestures that the voice asks for: the lift while speaking.
    """
    track = np.zeros(len(times_s))
    level, now_s = 0.0, 0.0
    for event_s, kind, size in _events(plan):
        at = int(np.clip(round(event_s * BODY_RATE_HZ), 0, len(times_s) - 1))
        if kind == 'speak':
            now_s = max(now_s, event_s)
        elif kind == 'drop':
            start_s = max(event_s - DROP_LEAD_S - DROP_S, now_s)
            level = _rise(track, times_s, now_s, level, start_s, float(sizes[at]))
            level = _move(track, times_s, start_s, event_s - DROP_LEAD_S, level,
                          max(level - size, LOWEST))
            now_s = event_s + _REST_S
        else:
            now_s = max(now_s, event_s)
            stop_s = now_s + max(abs(level) / RISE_RATE, 0.3)
            level = _move(track, times_s, now_s, stop_s, level, 0.0, slow=True)
            now_s = stop_s
    return track


def _events(plan: Plan) -> list[tuple[float, str, float]]:
    """Return when the voice starts and stops and when pulses are, in order of time."""
    events = [(pulse.apex_s, 'drop', pulse.size) for pulse in plan.pulses]
    events += [(span.start + _VOICE_S, 'speak', 0.0) for span in plan.speech]
    starts = [span.start for span in plan.speech[1:]] + [np.inf]
    events += [(span.stop + _STOP_S, 'rest', 0.0) for span, next_s in zip(plan.speech, starts)
               if next_s - span.stop > SHORT_PAUSE_S]
    return sorted(events)


def _rise(track: Float64Array, times_s: Float64Array, start_s: float, level: float, stop_s: float,
          wanted: float) -> float:
    """Lift as far as there is time; return the level reached."""
    reach = min(max(wanted - level, 0.0), RISE_RATE * max(stop_s - start_s, 0.0))
    if reach <= 0.0:
        return level
    return _move(track, times_s, start_s, start_s + reach / RISE_RATE, level, level + reach,
                 slow=True)


def _move(track: Float64Array, times_s: Float64Array, start_s: float, stop_s: float, level: float,
          target: float, slow: bool = False) -> float:
    """Go from one level to another from ``start_s`` on, in place; return the new level."""
    after = times_s >= start_s
    fraction = (times_s[after] - start_s) / max(stop_s - start_s, 1e-3)
    course = steady(fraction) if slow else minimum_jerk(fraction)
    track[after] = level + (target - level) * course
    return target
