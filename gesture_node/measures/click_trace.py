"""How far the trace that a click leaves in motion is from the click itself.

Sound with a few short bursts in silence is played, and motion is watched that is a known function
of loudness. Where a burst is, and where its trace is, are centres of gravity: they do not depend
on thresholds, and they are finer than the rate of either. A motion that answers with a smooth
bump has its trace later by the centre of that bump, which the caller takes off.
"""
from __future__ import annotations

import numpy as np

from ..types import Float64Array

_LOUD = 0.1
"""Of the loudest sample: louder ones belong to a burst."""


def burst_times(times_s: Float64Array, samples: Float64Array, apart_s: float) -> Float64Array:
    """Return the centre of each burst [s].

    Args:
        times_s: shape (n,), when each sample is heard, increasing.
        samples: shape (n,), the sound.
        apart_s: silence that parts two bursts.
    """
    power = np.square(samples.astype(np.float64))
    loud = np.flatnonzero(power > _LOUD**2 * power.max(initial=0.0))
    if not len(loud):
        return np.zeros(0)
    groups = np.split(loud, np.flatnonzero(np.diff(times_s[loud]) > apart_s) + 1)
    origin_s = float(times_s[loud[0]])
    return np.array([
        origin_s + np.average(times_s[group] - origin_s, weights=power[group])
        for group in groups])


def trace_centres(times_s: Float64Array, values: Float64Array, from_s: Float64Array,
                  long_s: float) -> Float64Array:
    """Return the centre of what a trace does in a window after each of some times [s].

    Args:
        times_s: shape (n,), times of the trace, increasing.
        values: shape (n,), linear between the times.
        from_s: shape (m,), where the windows begin; there and at their ends the trace rests.
        long_s: length of the windows.

    Returns:
        shape (m,); NaN where the trace has no samples or does not move.
    """
    found = []
    for begin_s in from_s:
        inside = (times_s >= begin_s) & (times_s <= begin_s + long_s)
        if np.count_nonzero(inside) < 3:
            found.append(np.nan)
            continue
        at_s, height = times_s[inside] - begin_s, values[inside]
        height = np.abs(height - np.interp(at_s, at_s[[0, -1]], height[[0, -1]]))
        area = np.trapezoid(height, at_s)
        found.append(begin_s + np.trapezoid(height * at_s, at_s) / area if area > 1e-9
                     else np.nan)
    return np.array(found)
