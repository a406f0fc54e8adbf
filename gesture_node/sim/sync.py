"""How well sound, face and joints kept together in a recorded run.

A face frame is shown at its stamp if it came in time, else when it came; likewise sound is heard.
The *stamp error* is how far apart the two are for what carries the same stamp: for every frame,
how late it was shown less how late the sound of its time was heard. Nothing late, nothing wrong.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..types import Float64Array
from .recording import SimRecording

_GRID_S = 0.02
_LONGEST_LAG_S = 0.2
_LAG_STEP_S = 0.001
_LAG_SAMPLES = 1_500
_MOVING_RAD = 0.02


def lateness(stamps_s: Float64Array, arrivals_s: Float64Array) -> Float64Array:
    """Return how much later than its stamp each message could be used, at least 0 [s]."""
    return np.maximum(arrivals_s - stamps_s, 0.0)


def stamp_errors(recording: SimRecording) -> Float64Array:
    """Return per face frame the offset between face and sound of one stamp [s], signed.

    Frames outside the sound are left out; without sound the face's own lateness is returned.
    """
    late = lateness(recording.face_stamps_s, recording.face_arrivals_s)
    stamps_s = recording.audio_stamps_s
    if not len(stamps_s):
        return late
    packet = np.searchsorted(stamps_s, recording.face_stamps_s, side='right') - 1
    sound_end_s = recording.sound_start_s + len(recording.sound) / recording.sound_rate_hz
    during = (packet >= 0) & (recording.face_stamps_s < sound_end_s)
    late_sound = lateness(stamps_s, recording.audio_arrivals_s)
    return late[during] - late_sound[packet[during]]


def grid_errors(recording: SimRecording) -> Float64Array:
    """Return how far each trajectory stamp is off the 20 ms grid of the sound [s], in +-10 ms.

    Knot 0 and sample 0 are presented at the same time, so every knot falls on that grid.
    """
    stamps_s = recording.trajectory_stamps_s[np.isfinite(recording.trajectory_stamps_s)]
    if not len(recording.sound):
        return np.zeros(0)
    phase = (stamps_s - recording.sound_start_s + 0.5 * _GRID_S) % _GRID_S
    return phase - 0.5 * _GRID_S


def tracking_lag_s(recording: SimRecording) -> float:
    """Return the delay [s] at which the command explains the measured motion best; 0 at rest."""
    moving = np.ptp(recording.commanded, axis=0) > _MOVING_RAD if len(recording.times_s) else []
    if not np.any(moving):
        return 0.0
    times_s, commanded = recording.times_s, recording.commanded[:, moving]
    positions = recording.positions[:, moving]
    inside = np.flatnonzero(times_s > times_s[0] + _LONGEST_LAG_S)
    inside = inside[::max(1, len(inside) // _LAG_SAMPLES)]
    lags_s = np.arange(0.0, _LONGEST_LAG_S, _LAG_STEP_S)
    errors = []
    for lag_s in lags_s:
        at_s = times_s[inside] - lag_s
        delayed = np.stack([np.interp(at_s, times_s, column) for column in commanded.T], axis=-1)
        errors.append(float(np.mean((delayed - positions[inside])**2)))
    return float(lags_s[int(np.argmin(errors))])


def summarise(recording: SimRecording) -> dict[str, Any]:
    """Return the figures of a run: what kept together how well, with p50, p95 and maximum."""
    error = np.abs(stamp_errors(recording))
    tracking = np.abs(recording.commanded - recording.positions)
    return {
        'stamp_error_s': _percentiles(error),
        'face_late_s': _percentiles(lateness(recording.face_stamps_s,
                                             recording.face_arrivals_s)),
        'audio_late_s': _percentiles(lateness(recording.audio_stamps_s,
                                              recording.audio_arrivals_s)),
        'grid_error_s': _percentiles(np.abs(grid_errors(recording))),
        'tracking_lag_s': round(tracking_lag_s(recording), 4),
        'tracking_error_rad': _percentiles(tracking.reshape(-1)),
        'face_frames': len(recording.face_stamps_s),
        'audio_messages': len(recording.audio_stamps_s),
        'trajectories': len(recording.trajectory_arrivals_s),
    }


def _percentiles(values: Float64Array) -> dict[str, float] | None:
    if not len(values):
        return None
    p50, p95 = np.percentile(values, [50, 95])
    return {'p50': round(float(p50), 5), 'p95': round(float(p95), 5),
            'max': round(float(values.max()), 5)}
