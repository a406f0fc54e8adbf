"""The summary of motion made from a file."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..config import GestureConfig
from ..measures.limit_audit import audit_motion
from ..motion.collision import SelfCollisionGuard
from ..motion.robot import RobotProfile
from ..pipeline import GesturePipeline
from ..report import RunSummary
from ..timeline import KNOT_RATE_HZ
from .audio_file import AudioFile
from .machine import machine, versions
from .offline import OfflineMotion


def summarise(motion: OfflineMotion, audio: AudioFile, profile: RobotProfile,
              config: GestureConfig, pipeline: GesturePipeline,
              persona_file: str = '') -> RunSummary:
    """Return the summary of a run; latencies are those of a live stream with the same windows."""
    times_s = np.arange(len(motion.positions)) / KNOT_RATE_HZ
    violations = replace(
        audit_motion(times_s, motion.positions, motion.velocities, profile.limits),
        self_collision=SelfCollisionGuard(profile).audit(motion.positions))
    body, face = config.body, config.face
    return RunSummary(
        audio_s=audio.duration_s, frames=len(motion.positions),
        rtf=motion.compute_s / audio.duration_s,
        hop_s=body.hop_s,
        first_motion_latency_s=motion.body_latency_s + motion.first_body_compute_s,
        first_face_latency_s=motion.face_latency_s + motion.first_face_compute_s,
        latency_s=motion.latency_s, underruns=0,
        dropped_audio_s=motion.report.dropped_audio_s, nan_count=motion.report.nan_count,
        limit_violations=violations, limit_interventions=motion.report.limit_interventions,
        robot=profile.name, bundle=pipeline.bundle.name, bundle_hash=pipeline.bundle.hash,
        seed=config.seed, provider=pipeline.provider, machine=machine(), versions=versions(),
        more={'face_hop_s': face.hop_s, 'persona_file': persona_file,
              'input': {'sample_rate': audio.sample_rate,
                        'non_finite_samples': motion.report.non_finite_samples,
                        'clipped_samples': motion.report.clipped_samples}})
