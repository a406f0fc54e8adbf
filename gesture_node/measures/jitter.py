"""Jitter: power of the wrist position above 8 Hz, where people hardly move and noise does.

The position of a wrist is cut into stretches of 1.28 s that overlap by half, each without its
straight line, under a Blackman-Harris window, whose side lobes hide a slow stroke 92 dB down. The
power between 8 and 12 Hz, summed over the axes, is taken of the stretches in which the wrist moves
faster than 0.12 m/s on average; the median over them is the figure, so that a few recordings with
noisy sensors do not make the rest of people shaky. 12 Hz is what recordings of 24 frames a second
can hold.
"""
from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import detrend
from scipy.signal.windows import blackmanharris

from .beats import MIN_SPEED

Array = NDArray[np.float64]
BAND_HZ = (8.0, 12.0)
STRETCH_S = 1.28
_ROUNDING_HZ = 0.05
"""Recordings of 24 frames a second state 0.041667 s a frame."""


def stretch_powers(positions: Array, fps: float) -> Array:
    """Return the power in the band of each moving stretch [m^2], shape (N,).

    Args:
        positions: shape (T, P, 3), [m]: P points.
        fps: frames per second, at least 24.

    Raises:
        ValueError: fewer frames per second than the band needs.
    """
    if fps < 2.0 * BAND_HZ[1] - _ROUNDING_HZ:
        raise ValueError(f'jitter needs {2 * BAND_HZ[1]:g} frames per second, got {fps:g}')
    count = round(STRETCH_S * fps)
    starts = range(0, len(positions) - count + 1, count // 2)
    stretches = [positions[start:start + count] for start in starts]
    if not stretches:
        return np.zeros(0)
    cut = np.stack(stretches).transpose(0, 2, 1, 3).reshape(-1, count, 3)
    speed = np.linalg.norm(np.diff(cut, axis=1), axis=-1).mean(axis=1) * fps
    window = blackmanharris(count, sym=False)
    spectrum = np.fft.rfft(detrend(cut, axis=1) * window[:, None], axis=1)
    frequency = np.fft.rfftfreq(count, 1.0 / fps)
    band = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1] + 1e-9)
    # One-sided, so a sine of amplitude a within the band gives a^2 / 2.
    power = 2.0 * (np.abs(spectrum) ** 2).sum(axis=-1) / (count * np.sum(window ** 2))
    return np.asarray(power[:, band].sum(axis=1)[speed > MIN_SPEED])


def jitter_mm(motions: Iterable[tuple[Array, float]]) -> float:
    """Return the root of the median power above 8 Hz of moving wrists [mm]; nan if none moves.

    Args:
        motions: per motion the positions ``(T, 2, 3)`` [m] and frames per second.
    """
    powers = np.concatenate([np.zeros(0), *(stretch_powers(p, fps) for p, fps in motions)])
    return float(1e3 * np.sqrt(np.median(powers))) if len(powers) else float('nan')
