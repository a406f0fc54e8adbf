"""From a recording to the summary, the plots and the table of the demo."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..bundle import read_bundle
from ..cli.machine import machine, versions
from ..config import BodyConfig, GestureConfig
from ..measures.mouth import mouth_aperture
from ..motion.face import BLENDSHAPE_INDEX
from ..motion.robot import load_profile, RobotProfile
from ..report import RunSummary
from ..sim.controller import TrajectoryMessage
from ..sim.model import FOLLOW_LAG_S
from ..timeline import NS_PER_S
from ..types import Float64Array
from . import figures
from .alignment import align, StreamAlignment
from .plots import PlotData
from .published import audit_published, executed, late_plans, PublishedMotion
from .recording import DemoRecording
from .session import DemoPlan
from .wrists import hand_positions, speeds


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """A run, measured.

    Attributes:
        summary: for ``summary.json``.
        plots: for ``plots.png``.
    """

    summary: RunSummary
    plots: PlotData


def measure(plan: DemoPlan, sample_rate: int, ready_s: float) -> DemoOutcome:
    """Return what a run shows.

    Args:
        plan: of the run.
        sample_rate: of the sound that was played [Hz].
        ready_s: from the start of the node's process to its being ready.

    Raises:
        GestureError: the recording is not complete, or bundle or robot cannot be read.
    """
    recording = DemoRecording(plan.recording)
    stream = align(recording, sample_rate)
    profile = load_profile(plan.robot)
    config = GestureConfig(seed=plan.seed, body=BodyConfig(lead_s=FOLLOW_LAG_S))
    motion = executed(_plans(recording), profile.joint_names)
    summary = _summary(plan, recording, stream, profile, config, motion, ready_s)
    return DemoOutcome(summary, _plots(recording, stream, profile, config, motion, summary))


def _summary(plan: DemoPlan, recording: DemoRecording, stream: StreamAlignment,
             profile: RobotProfile, config: GestureConfig, motion: list[PublishedMotion],
             ready_s: float) -> RunSummary:
    diagnostics = recording.diagnostics()
    bundle = read_bundle(plan.bundle or None)
    errors_s = figures.stamp_errors(recording, stream)
    error = figures.percentiles(errors_s)
    face = figures.face_latencies(recording, stream, config).latency_s
    body = figures.body_latencies(recording, stream, config).latency_s
    number = figures.number
    return RunSummary(
        audio_s=plan.audio_s, frames=sum(len(stretch) for stretch in motion),
        rtf=number(diagnostics, 'realtime factor'), hop_s=config.body.hop_s,
        first_motion_latency_s=figures.first_motion_s(recording, stream),
        first_face_latency_s=figures.first_face_s(recording, stream),
        latency_s={**figures.stages(diagnostics),
                   'body_end_to_end': figures.percentiles(body),
                   'face_end_to_end': figures.percentiles(face)},
        underruns=int(number(diagnostics, 'underruns')),
        dropped_audio_s=number(diagnostics, 'dropped audio s') + number(
            diagnostics, 'late audio s') + figures.lost_audio_s(stream),
        nan_count=int(number(diagnostics, 'numbers not finite')) + figures.not_finite(recording),
        limit_violations=audit_published(_plans(recording), profile, motion),
        limit_interventions={key.removeprefix('limit '): float(value)
                             for key, value in diagnostics.items() if key.startswith('limit ')},
        robot=profile.name, bundle=bundle.name, bundle_hash=bundle.hash, seed=plan.seed,
        provider=diagnostics.get('provider', ''), machine=machine(), versions=versions(),
        more={'face_hop_s': config.face.hop_s, 'stamp_error_s': {
            'p50': error['p50'], 'p95': error['p95'],
            'max': float(errors_s.max()) if len(errors_s) else float('nan')},
            'late_plans': late_plans(recording.trajectories('/joint_trajectory'),
                                     config.output.frozen_horizon_s),
            'late_face_frames': int(number(diagnostics, 'late face frames')),
            'presentation_delay_s': config.output.presentation_delay_s,
            'resident_mb': number(diagnostics, 'resident memory MB'), 'ready_s': ready_s,
            'messages': {'trajectories': len(recording.topic('/joint_trajectory')),
                         'face_frames': len(recording.topic('/face/blendshapes')),
                         'audio_out': len(recording.topic('/audio_out'))}})


def _plans(recording: DemoRecording) -> list[TrajectoryMessage]:
    return [message for _, message in recording.trajectories('/joint_trajectory')]


def _plots(recording: DemoRecording, stream: StreamAlignment, profile: RobotProfile,
           config: GestureConfig, motion: list[PublishedMotion], summary: RunSummary) -> PlotData:
    stamps_s, _, weights = recording.faces()
    hands_s, hands = _hand_speeds(recording, profile)
    zero_s = stream.presentation_s
    return PlotData(
        title=f'{summary.robot}, bundle {summary.bundle} {summary.bundle_hash}, '
              f'seed {summary.seed}, {summary.machine["cpu"]}, {summary.machine["cores"]} cores',
        sound=stream.sound, sample_rate=stream.sample_rate, face_s=stamps_s - zero_s,
        jaw_open=weights[:, BLENDSHAPE_INDEX['jawOpen']], aperture=mouth_aperture(weights),
        hands_s=hands_s - zero_s, hands=hands,
        motion=[PublishedMotion(stretch.times_s - zero_s, stretch.positions, stretch.velocities)
                for stretch in motion],
        limits=profile.limits, body=figures.body_latencies(recording, stream, config),
        face=figures.face_latencies(recording, stream, config),
        body_budget_s=config.body.hop_s, face_budget_s=config.face.hop_s)


def _hand_speeds(recording: DemoRecording, profile: RobotProfile,
                 ) -> tuple[Float64Array, dict[str, Float64Array]]:
    """Return times (T,) [s] and the measured speed (T,) [m/s] of each hand."""
    states: list[Any] = recording.topic('/joint_states')[::2]
    if not states:
        return np.empty(0), {}
    times_s = np.array([item.at_ns / NS_PER_S for item in states])
    names = list(states[0].message.name)
    positions = np.array([item.message.position for item in states])
    hands = hand_positions(profile, names, positions)
    return times_s, {side: speeds(times_s, points) for side, points in hands.items()}


def rows(summary: RunSummary) -> list[tuple[str, str]]:
    """Return the lines of the table that the demo prints."""
    violations, more = summary.limit_violations, summary.more
    lines = [
        ('first motion', f'{_ms(summary.first_motion_latency_s)} after the first speech sample'),
        ('first face', f'{_ms(summary.first_face_latency_s)} after the first speech sample'),
        ('stage', '    p50      p95      p99')]
    lines += [(f'  {stage}', ' '.join(_ms(values[q]) for q in ('p50', 'p95', 'p99')))
              for stage, values in summary.latency_s.items()]
    return [*lines,
            ('real-time factor', f'{summary.rtf:.3f} at hops of {summary.hop_s:g} s (body) and '
                                 f'{more["face_hop_s"]:g} s (face)'),
            ('sound-motion error', f'{_ms(more["stamp_error_s"]["p50"])} p50 '
                                   f'{_ms(more["stamp_error_s"]["p95"])} p95'),
            ('underruns', str(summary.underruns)),
            ('limit violations', f'{violations.total} in {summary.frames} knots'),
            ('dropped audio', f'{summary.dropped_audio_s:.3f} s of {summary.audio_s:.1f} s'),
            ('numbers not finite', str(summary.nan_count))]


def _ms(seconds: float) -> str:
    return f'{1e3 * seconds:6.1f} ms'
