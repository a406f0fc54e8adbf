"""The figures of a run, measured on what was published and when it arrived.

``docs/latency.md`` defines them. Stages inside the node come from its diagnostics, everything
else from the recording, so the node does not mark its own work.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
import re

import numpy as np

from ..config import GestureConfig
from ..latency import PERCENTILES
from ..timeline import FACE_RATE_HZ, NS_PER_S
from ..types import Float64Array
from .alignment import StreamAlignment
from .plan_changes import first_change_ns
from .recording import DemoRecording

MOVED_RAD = 0.002
"""Joint motion smaller than this is not seen."""
LIPS_MOVED = 0.02
"""Blendshape weights smaller than this are not seen."""
_ROUNDING = 1e-3
"""Share of a hop by which times in float seconds may be off."""
_STAGE = re.compile(r'(\w+) (p\d+) ms')


@dataclass(frozen=True, slots=True)
class HopLatencies:
    """End-to-end latency of every hop: its last audio in, its motion out.

    Attributes:
        times_s: shape (H,), stream time at which the hop begins [s].
        latency_s: shape (H,), [s].
    """

    times_s: Float64Array
    latency_s: Float64Array


def face_latencies(recording: DemoRecording, stream: StreamAlignment,
                   config: GestureConfig) -> HopLatencies:
    """Return the latency of every face chunk; its stamp says which hop it is."""
    rows = []
    for arrival_ns, chunk in recording.trajectories('/face/trajectory'):
        begin_s = chunk.stamp_ns / NS_PER_S - stream.presentation_s
        end_s = begin_s + len(chunk.points) / FACE_RATE_HZ + config.face.foresight_s
        rows.append((begin_s, arrival_ns / NS_PER_S - stream.available_s(end_s)))
    return _finite(rows)


def body_latencies(recording: DemoRecording, stream: StreamAlignment,
                   config: GestureConfig) -> HopLatencies:
    """Return the latency of every body hop that changed the plan; its new knots say which it is.

    Repetitions change nothing, and hops that a node behind its time leaves out have no latency.
    """
    rows: list[tuple[float, float]] = []
    last, before = -1, None
    for arrival_ns, plan in recording.trajectories('/joint_trajectory'):
        changed_ns, before = first_change_ns(before, plan), plan
        if changed_ns is None or arrival_ns / NS_PER_S < stream.first_heard_s:
            continue
        changed_s = changed_ns / NS_PER_S - stream.presentation_s + config.body.lead_s
        last = _hop_of(changed_s, last, arrival_ns / NS_PER_S, stream, config)
        needed_s = _needed_s(last, config)
        rows.append((last * config.body.hop_s,
                     arrival_ns / NS_PER_S - stream.available_s(needed_s)))
    return _finite(rows)


def _hop_of(changed_s: float, last: int, arrival_s: float, stream: StreamAlignment,
            config: GestureConfig) -> int:
    """Return the hop whose motion changed a plan from a stream time on.

    A hop that is late changes nothing before what is frozen, which may lie in the next; but what
    had not been heard when the plan came did not make it.
    """
    hop = max(last + 1, math.floor(changed_s / config.body.hop_s + _ROUNDING))
    while hop > last + 1 and stream.available_s(_needed_s(hop, config)) > arrival_s:
        hop -= 1
    return hop


def _needed_s(hop: int, config: GestureConfig) -> float:
    """Return the stream time up to which a hop of the body hears."""
    return (hop + 1) * config.body.hop_s + config.body.foresight_s


def _finite(rows: list[tuple[float, float]]) -> HopLatencies:
    array = np.array(rows, np.float64).reshape(-1, 2)
    array = array[np.isfinite(array[:, 1])]
    return HopLatencies(array[:, 0], array[:, 1])


def first_motion_s(recording: DemoRecording, stream: StreamAlignment) -> float:
    """Return the time from the first speech packet to the first plan that moves a joint."""
    for arrival_ns, plan in recording.trajectories('/joint_trajectory'):
        positions = np.stack([point.positions for point in plan.points])
        if np.ptp(positions, axis=0).max() > MOVED_RAD:
            return arrival_ns / NS_PER_S - stream.first_heard_s
    return float('nan')


def first_face_s(recording: DemoRecording, stream: StreamAlignment) -> float:
    """Return the time from the first speech packet to the first chunk that moves the face."""
    for arrival_ns, chunk in recording.trajectories('/face/trajectory'):
        if max(float(point.positions.max()) for point in chunk.points) > LIPS_MOVED:
            return arrival_ns / NS_PER_S - stream.first_heard_s
    return float('nan')


def stamp_errors(recording: DemoRecording, stream: StreamAlignment) -> Float64Array:
    """Return per face frame how far it and the sound of its time were apart [s], at least 0.

    Both are compared with their presentation time, so an error that they share does not count:
    the robot would be late as a whole, but its lips would fit.
    """
    stamps_s, arrivals_s, _ = recording.faces()
    packet = np.searchsorted(stream.passed_due_s(), stamps_s + 1e-6, side='right') - 1
    sound_end_s = stream.presentation_s + len(stream.sound) / stream.sample_rate
    during = (packet >= 0) & (stamps_s < sound_end_s)
    face_late_s = arrivals_s - stamps_s
    sound_late_s = stream.passed_s - stream.passed_due_s()
    return np.abs(face_late_s[during] - sound_late_s[packet[during]])


def lost_audio_s(stream: StreamAlignment) -> float:
    """Return the speech that reached the node but was not passed on [s]."""
    return max(0.0, (float(stream.heard_end[-1]) - len(stream.sound)) / stream.sample_rate)


def not_finite(recording: DemoRecording) -> int:
    """Return how many published numbers of body and face are NaN or infinite."""
    count = int((~np.isfinite(recording.faces()[2])).sum())
    for topic in ('/joint_trajectory', '/face/trajectory'):
        for _, plan in recording.trajectories(topic):
            count += sum(int((~np.isfinite(values)).sum()) for point in plan.points
                         for values in (point.positions, point.velocities))
    return count


def percentiles(values: Float64Array) -> dict[str, float]:
    """Return p50, p95 and p99 of values; nan where there are none."""
    if not len(values):
        return {f'p{q}': float('nan') for q in PERCENTILES}
    return {f'p{q}': float(np.percentile(values, q)) for q in PERCENTILES}


def stages(diagnostics: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Return ``{stage: {p50, p95, p99}}`` [s] from the node's diagnostics."""
    found: dict[str, dict[str, float]] = {}
    for key, value in diagnostics.items():
        match = _STAGE.fullmatch(key)
        if match:
            found.setdefault(match[1], {})[match[2]] = float(value) / 1e3
    return found


def number(diagnostics: Mapping[str, str], key: str) -> float:
    """Return a number of the diagnostics; 0 where it is not given."""
    return float(diagnostics.get(key, 0.0))
