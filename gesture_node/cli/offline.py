"""A whole recording at once: the stream of the live node, fed as fast as it can compute."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
import sys
import time

import numpy as np

from ..bundle import Bundle, ChannelSpec
from ..channel import FACE_STRETCH
from ..config import GestureConfig
from ..motion.face import FACE_DIM
from ..motion.robot import RobotProfile
from ..motion.skeleton import POSE_DIM
from ..pipeline import GesturePipeline
from ..robot_output import LEAST_TAIL_FRAMES
from ..stream import GestureStream
from ..timeline import BODY_RATE_HZ, KNOT_RATE_HZ
from ..types import Float32Array, Float64Array, StepResult, StreamReport
from .audio_file import AudioFile
from .offline_gestures import TimedGesture

Progress = Callable[[float], object]

_PACKET_S, _BLOCK_S = 1.0, 30.0
_SWITCH_S = 0.0003
_KNOTS_PER_POSE = KNOT_RATE_HZ // BODY_RATE_HZ
_FORESIGHT_SHARE = 0.25
"""Share of a window that is heard but left to the next window to commit."""
_LONGEST_HOP_S = 3.2
_TAIL_S = 0.3
"""Provisional motion of a file is seen by nobody, so as little as may be is made."""


@dataclass(frozen=True, slots=True)
class OfflineMotion:
    """All that was committed for a recording; row k of each array is at ``k / rate``.

    Attributes:
        joint_names: N robot joints.
        positions: shape (K, N) at 50 Hz, [rad].
        velocities: shape (K, N) at 50 Hz, [rad/s].
        weights: shape (T, 52) at 50 Hz, ARKit blendshape weights.
        poses: shape (P, 84) at 25 Hz, canonical pose vectors.
        report: counters of the stream.
        latency_s: ``{stage: {p50, p95, p99}}``.
        compute_s: time spent in the stream.
        body_latency_s: algorithmic latency of the body with these windows.
        face_latency_s: that of the face.
        first_body_compute_s: computation of the first body window.
        first_face_compute_s: computation of the first face window.
    """

    joint_names: tuple[str, ...]
    positions: Float64Array
    velocities: Float64Array
    weights: Float32Array
    poses: Float32Array
    report: StreamReport
    latency_s: dict[str, dict[str, float]]
    compute_s: float
    body_latency_s: float
    face_latency_s: float
    first_body_compute_s: float
    first_face_compute_s: float


@dataclass(slots=True)
class _Collected:
    """Committed parts of the chunks so far."""

    positions: list[Float64Array] = field(default_factory=list)
    velocities: list[Float64Array] = field(default_factory=list)
    weights: list[Float32Array] = field(default_factory=list)
    poses: list[Float32Array] = field(default_factory=list)
    first_s: dict[str, float] = field(default_factory=dict)

    def add(self, result: StepResult) -> None:
        if result.joints is not None:
            self.positions.append(result.joints.positions[:result.joints.committed])
            self.velocities.append(result.joints.velocities[:result.joints.committed])
        if result.body is not None:
            self.poses.append(result.body.poses[:result.body.committed])
            self.first_s.setdefault('body', result.timings_s.get('body_hop', 0.0))
        if result.face is not None:
            self.weights.append(result.face.weights)
            self.first_s.setdefault('face', result.timings_s.get('face_hop', 0.0))


def offline_config(config: GestureConfig, bundle: Bundle) -> GestureConfig:
    """Return the config with the longest useful windows of a bundle: few windows, fast.

    A recording is known to its end, so windows may hear as far ahead as they were trained to.
    """
    body_hop_s, body_foresight_s = _longest(bundle.body, 1)
    face_hop_s, face_foresight_s = _longest(bundle.face, FACE_STRETCH)
    return replace(
        config,
        body=replace(config.body, hop_s=body_hop_s, foresight_s=body_foresight_s),
        face=replace(config.face, hop_s=face_hop_s, foresight_s=face_foresight_s),
        output=replace(config.output, tail_s=_TAIL_S))


def _longest(channel: ChannelSpec, stretch: int) -> tuple[float, float]:
    """Return (hop, foresight) [s] in whole frames that fill a channel's window."""
    rate_hz, window, seed = channel.model
    foresight = round(_FORESIGHT_SHARE * (window - seed))
    hop = min(stretch * window - seed - foresight, round(_LONGEST_HOP_S * rate_hz))
    return hop / rate_hz, foresight / rate_hz


def network_threads(threads: int) -> tuple[int, bool]:
    """Return threads for each network, and whether to run side by side, for a number of threads.

    Small networks on a thread each do more than one network on two threads.
    """
    return max(1, threads // 2), threads > 1


def generate(pipeline: GesturePipeline, audio: AudioFile, profile: RobotProfile,
             config: GestureConfig, progress: Progress = lambda seconds: None,
             persona: Float32Array | None = None,
             side_by_side: bool = False,
             gestures: Sequence[TimedGesture] = ()) -> OfflineMotion:
    """Return the motion of a recording, with the easing to idle after its end.

    Args:
        pipeline: weights.
        audio: recording.
        profile: robot.
        config: deployment choices.
        progress: called with every stretch of audio [s] that is done.
        persona: style token to pin; None infers it from the voice.
        side_by_side: whether body, face and robot have a thread each; see
            :func:`network_threads`. The motion is the same.
        gestures: laid over the generated motion.

    Raises:
        GestureError: a setting does not fit the bundle or the robot.
    """
    stream = pipeline.create_stream(profile, config, persona)
    assert stream.robot is not None
    stream.robot.tail_frames = LEAST_TAIL_FRAMES
    for motion, stroke_s in gestures:
        stream.gestures.place(motion, stroke_s, 0)
    collected = _Collected()
    packet = max(1, round((_BLOCK_S if side_by_side else _PACKET_S) * audio.sample_rate))
    drain = _drain_side_by_side if side_by_side else _drain
    start_s = time.perf_counter()
    for first in range(0, len(audio.samples), packet):
        samples = audio.samples[first:first + packet]
        stream.accept_waveform(samples, audio.sample_rate)
        drain(stream, collected)
        progress(len(samples) / audio.sample_rate)
    stream.finish()
    drain(stream, collected)
    compute_s = time.perf_counter() - start_s
    joints = len(profile.joint_names)
    positions = np.concatenate([np.empty((0, joints)), *collected.positions])
    velocities = np.concatenate([np.empty((0, joints)), *collected.velocities])
    weights = np.concatenate([np.empty((0, FACE_DIM), np.float32), *collected.weights])
    poses = np.concatenate([np.empty((0, POSE_DIM), np.float32), *collected.poses])
    # Windows of body and face end apart; both are at idle by then and are cut to one length.
    count = min(len(positions), len(weights))
    return OfflineMotion(
        joint_names=profile.joint_names,
        positions=positions[:count], velocities=velocities[:count], weights=weights[:count],
        poses=poses[:-(-count // _KNOTS_PER_POSE)],
        report=stream.report, latency_s=stream.latency.percentiles(), compute_s=compute_s,
        body_latency_s=stream.body_latency_s, face_latency_s=stream.face_latency_s,
        first_body_compute_s=collected.first_s.get('body', 0.0),
        first_face_compute_s=collected.first_s.get('face', 0.0))


def _drain(stream: GestureStream, collected: _Collected) -> None:
    while stream.is_ready():
        collected.add(stream.step())


def _drain_side_by_side(stream: GestureStream, collected: _Collected) -> None:
    usual_s = sys.getswitchinterval()
    # A thread that comes back from a network waits so long for the one that runs Python.
    sys.setswitchinterval(_SWITCH_S)
    try:
        for result in stream.run_ready():
            collected.add(result)
    finally:
        sys.setswitchinterval(usual_s)
