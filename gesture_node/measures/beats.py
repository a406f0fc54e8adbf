"""Beats of motion: when a wrist comes to the end of a stroke.

A beat is an *apex*: the moment after a peak of the wrist's speed at which the speed has fallen to
a fifth of that peak, or rises again. Animators put the emphasis of a gesture there and not at the
speed peak: over the 219 hand-marked co-speech clips of the SmartBody set the nearest apex lies
70 ms before the mark (median; standard deviation 140 ms, 55 % within 100 ms), the nearest speed
peak 240 ms before it (270 ms, 12 %); ``python -m gesture_training.corpora.composer_report``
measures this.

Positions are resampled to 100 Hz and low-passed at 6 Hz (Butterworth, forwards and backwards), so
that the result does not depend on the frame rate and jitter earns nothing.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, find_peaks, sosfiltfilt

from ..types import Float64Array

LOW_PASS_HZ = 6.0
MIN_SPEED = 0.12
"""Least peak speed of a stroke [m/s]; swaying and breathing stay below."""
MERGE_S = 0.12
"""Beats of the two wrists nearer than this are one."""

_RATE_HZ = 100
_MIN_GAP_S = 0.16
_RISE_SHARE = 0.35
_STOP_SHARE = 0.2
_MIN_FRAMES = 8


@dataclass(frozen=True, slots=True)
class Beats:
    """Beats in order of time.

    Attributes:
        times_s: shape (N,), apexes [s] from the first frame.
        speeds: shape (N,), speed of the wrist on the way there, at its peak [m/s].
    """

    times_s: Float64Array
    speeds: Float64Array


def smooth_positions(positions: Float64Array, fps: float) -> tuple[Float64Array, Float64Array]:
    """Return times (N,) [s] and low-passed positions (N, ...) [m] at 100 Hz.

    Args:
        positions: shape (T, ...), [m]; frame k is at ``k / fps`` seconds.
        fps: frames per second.
    """
    if len(positions) < _MIN_FRAMES:
        return np.zeros(0), np.zeros((0, *positions.shape[1:]))
    grid = np.arange(len(positions)) / fps
    times_s = np.arange(0.0, grid[-1], 1.0 / _RATE_HZ)
    dense = CubicSpline(grid, positions)(times_s)
    sections = butter(2, LOW_PASS_HZ, fs=_RATE_HZ, output='sos')
    return times_s, sosfiltfilt(sections, dense, axis=0, padlen=min(60, len(dense) - 1))


def wrist_speeds(positions: Float64Array, fps: float) -> tuple[Float64Array, Float64Array]:
    """Return times (N,) [s] and low-passed speeds (N, 2) [m/s] of both wrists at 100 Hz.

    Args:
        positions: shape (T, 2, 3), [m]; frame k is at ``k / fps`` seconds.
        fps: frames per second.
    """
    times_s, smooth = smooth_positions(positions, fps)
    if len(times_s) == 0:
        return times_s, np.zeros((0, 2))
    velocity = np.gradient(smooth, 1.0 / _RATE_HZ, axis=0)
    return times_s, np.asarray(np.linalg.norm(velocity, axis=-1))


def wrist_beats(positions: Float64Array, fps: float, min_speed: float = MIN_SPEED) -> Beats:
    """Return the beats of two wrists, together.

    Args:
        positions: shape (T, 2, 3), left and right wrist [m].
        fps: frames per second.
        min_speed: least peak speed of a stroke [m/s].
    """
    times_s, speeds = wrist_speeds(positions, fps)
    found: list[tuple[float, float]] = []
    for side in range(speeds.shape[1]):
        found += _apexes(times_s, speeds[:, side], min_speed)
    found.sort()
    merged: list[tuple[float, float]] = []
    for beat in found:
        if merged and beat[0] - merged[-1][0] < MERGE_S:
            merged[-1] = max(merged[-1], beat, key=lambda item: item[1])
        else:
            merged.append(beat)
    return Beats(np.array([time for time, _ in merged]), np.array([speed for _, speed in merged]))


def _apexes(times_s: Float64Array, speed: Float64Array,
            min_speed: float) -> list[tuple[float, float]]:
    """Return ``(apex time [s], peak speed [m/s])`` of each stroke of one wrist."""
    if len(speed) == 0:
        return []
    peaks, shape = find_peaks(speed, height=min_speed, prominence=0.4 * min_speed,
                              distance=int(_MIN_GAP_S * _RATE_HZ))
    result = []
    for peak, rise in zip(peaks, shape['prominences']):
        if rise < _RISE_SHARE * speed[peak]:
            continue
        at = int(peak)
        while at + 1 < len(speed) and speed[at + 1] <= speed[at] > _STOP_SHARE * speed[peak]:
            at += 1
        result.append((float(times_s[at]), float(speed[peak])))
    return result
