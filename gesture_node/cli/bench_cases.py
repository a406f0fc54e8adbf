"""What ``gesture_bench`` measures: streams fed as fast as they compute, on real speech.

Wall time and processor time are both given: on a busy machine the first grows and the second
does not.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
import subprocess
import sys
import time
from typing import Any

import numpy as np

from ..config import GestureConfig
from ..motion.robot import RobotProfile
from ..pipeline import GesturePipeline
from ..stream import GestureStream
from ..types import Float32Array
from .audio_file import AudioFile
from .bench_pace import LivePace
from .machine import resident_mb
from .offline import generate, network_threads, offline_config

_PACKET_S = 0.02
_READY_PROGRAM = """
from gesture_node import GesturePipeline
GesturePipeline.from_bundle({bundle!r}).create_stream({robot!r})
"""


@dataclass(frozen=True, slots=True)
class BenchSubject:
    """What is measured: weights, robot and speech.

    Attributes:
        pipeline: weights.
        profile: robot.
        audio: speech, repeated as long as need be.
        config: deployment choices.
    """

    pipeline: GesturePipeline
    profile: RobotProfile
    audio: AudioFile
    config: GestureConfig


@dataclass(slots=True)
class Cost:
    """Time spent in a stream.

    Attributes:
        audio_s: audio fed.
        wall_s: wall time of computation.
        processor_s: processor time, of all threads.
    """

    audio_s: float = 0.0
    wall_s: float = 0.0
    processor_s: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """Return the cost as real-time factors."""
        return {'audio_s': self.audio_s, 'rtf': self.wall_s / self.audio_s,
                'processor_rtf': self.processor_s / self.audio_s}


def packets(audio: AudioFile, seconds: float) -> Iterator[Float32Array]:
    """Yield packets of 20 ms, the recording over and over, for some seconds."""
    size = round(_PACKET_S * audio.sample_rate)
    whole = len(audio.samples) - len(audio.samples) % size
    for index in range(round(seconds / _PACKET_S)):
        first = index * size % whole
        yield audio.samples[first:first + size]


def _feed(stream: GestureStream, audio: AudioFile, seconds: float,
          pace: LivePace | None = None) -> Cost:
    """Feed a stream and return what that cost; ``pace`` is told of every packet and window."""
    cost, pace = Cost(), pace or LivePace()
    wall_s, processor_s = time.perf_counter(), time.process_time()
    for samples in packets(audio, seconds):
        stream.accept_waveform(samples, audio.sample_rate)
        cost.audio_s += len(samples) / audio.sample_rate
        pace.arrive(cost.audio_s)
        while stream.is_ready():
            begun_s = time.perf_counter()
            result = stream.step()
            pace.compute(result, time.perf_counter() - begun_s)
    cost.wall_s = time.perf_counter() - wall_s
    cost.processor_s = time.process_time() - processor_s
    return cost


def with_hops(config: GestureConfig, body_s: float, face_s: float) -> GestureConfig:
    """Return the config with other hops."""
    return replace(config, body=replace(config.body, hop_s=body_s),
                   face=replace(config.face, hop_s=face_s))


def measure_streaming(subject: BenchSubject, config: GestureConfig,
                      seconds: float) -> dict[str, Any]:
    """Return real-time factor, stages and latencies of live streaming."""
    first_s = _first_results(subject, config)
    stream = subject.pipeline.create_stream(subject.profile, config)
    pace = LivePace()
    cost = _feed(stream, subject.audio, seconds, pace)
    latency = stream.latency.percentiles()
    return {
        'hop_s': {'body': config.body.hop_s, 'face': config.face.hop_s},
        'foresight_s': {'body': config.body.foresight_s, 'face': config.face.foresight_s},
        'steps': dict(zip(('body', 'face'), stream.steps)), **cost.as_dict(),
        'latency_s': latency, 'sound_to_published_s': pace.percentiles(),
        'p99_over_hop': {
            'body': latency['body_hop']['p99'] / config.body.hop_s,
            'face': latency['face_hop']['p99'] / config.face.hop_s},
        'first_motion_latency_s': _first(stream.body_latency_s, first_s['body']),
        'first_face_latency_s': _first(stream.face_latency_s, first_s['face'])}


def _first(algorithmic_s: float, compute_s: float) -> dict[str, float]:
    return {'algorithmic': algorithmic_s, 'total': algorithmic_s + compute_s}


def _first_results(subject: BenchSubject, config: GestureConfig) -> dict[str, float]:
    """Return the computation [s] of the first window of each channel of a new stream."""
    stream = subject.pipeline.create_stream(subject.profile, config)
    found: dict[str, float] = {}
    for samples in packets(subject.audio, subject.audio.duration_s):
        stream.accept_waveform(samples, subject.audio.sample_rate)
        begun_s = time.perf_counter()
        while stream.is_ready():
            result = stream.step()
            name = 'face' if result.face is not None else 'body'
            # What waits for another window waits for it too.
            found.setdefault(name, time.perf_counter() - begun_s)
        if len(found) == 2:
            return found
    return {'body': 0.0, 'face': 0.0, **found}


def measure_flatness(subject: BenchSubject, minutes: int) -> dict[str, Any]:
    """Return cost and memory of each minute of one long stream."""
    stream = subject.pipeline.create_stream(subject.profile, subject.config)
    rows = []
    for _ in range(minutes):
        cost = _feed(stream, subject.audio, 60.0)
        rows.append({**cost.as_dict(), 'resident_mb': resident_mb()})
    first, last = rows[0], rows[-1]
    return {'minutes': rows,
            'last_over_first_processor_rtf': last['processor_rtf'] / first['processor_rtf'],
            'growth_mb': last['resident_mb'] - first['resident_mb']}


def measure_offline(subject: BenchSubject, seconds: float,
                    calls: int | None = None) -> dict[str, Any]:
    """Return what a file costs, as ``gesture_from_file`` computes it.

    Args:
        subject: its pipeline must have the threads that :func:`~.offline.network_threads` says
            for its config.
        seconds: length of the file, speech over and over.
        calls: denoiser calls per window, without guidance; None takes what the bundle says.
    """
    config = offline_config(subject.config, subject.pipeline.bundle)
    if calls is not None:
        config = replace(config, body=replace(config.body, steps=calls, guidance=1.0),
                         face=replace(config.face, steps=calls))
    samples = np.concatenate(list(packets(subject.audio, seconds)))
    audio = replace(subject.audio, samples=samples)
    _, side_by_side = network_threads(subject.config.threads)
    processor_s = time.process_time()
    motion = generate(subject.pipeline, audio, subject.profile, config,
                      side_by_side=side_by_side)
    processor_s = time.process_time() - processor_s
    return {'hop_s': {'body': config.body.hop_s, 'face': config.face.hop_s},
            'audio_s': audio.duration_s, 'rtf': motion.compute_s / audio.duration_s,
            'times_real_time': audio.duration_s / motion.compute_s,
            'processor_rtf': processor_s / audio.duration_s, 'latency_s': motion.latency_s}


def measure_ready(subject: BenchSubject) -> float:
    """Return the time a new process takes to import, load, warm up and open a stream [s]."""
    program = _READY_PROGRAM.format(bundle=str(subject.pipeline.bundle.path),
                                    robot=subject.profile.name)
    begun_s = time.perf_counter()
    subprocess.run([sys.executable, '-c', program], check=True)
    return time.perf_counter() - begun_s
