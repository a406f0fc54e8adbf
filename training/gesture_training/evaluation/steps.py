"""How many denoiser calls a window needs: one to eight, by DDIM and by DPM-Solver++."""
from __future__ import annotations

import time
from typing import Any

import numpy as np

from gesture_node.measures.blinks import blink_statistics
from gesture_node.measures.mouth import mouth_aperture
from gesture_node.pipeline import GesturePipeline
from gesture_node.timeline import BODY_RATE_HZ, FACE_RATE_HZ

from .body import beat_figures, takes_of
from .generate import generate_body, generate_face
from .human import human_motion, motion_figures, wrist_positions
from .lips import lip_figures
from .settings import Outcome, Settings, with_steps
from .speech import joined, labelled_speech

STEPS = (1, 2, 4, 6, 8)
SOLVERS = ('ddim', 'dpm')


def cases() -> list[tuple[int, str]]:
    """Return steps and solvers that differ: with one call there is nothing to solve."""
    return [(steps, solver) for steps in STEPS for solver in SOLVERS
            if steps > 1 or solver == 'ddim']


def face_steps(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return lips and blinks by number of calls, ahead."""
    speech = labelled_speech(settings.data)[::settings.some(9, 48)]
    # One long recording, for blinks are rare.
    take, config = joined(speech, 'steps'), settings.config(pipeline, 'ahead')
    figures: dict[str, Any] = {}
    for steps, solver in cases():
        begun_s = time.process_time()
        face = generate_face(pipeline, take.waveform, with_steps(config, steps), solver=solver)
        spent_s = time.process_time() - begun_s
        found = lip_figures([take], [mouth_aperture(face)])
        figures[f'{steps} {solver}'] = {
            **{name: found[name] for name in ('reached', 'falsely_closed', 'auc')},
            'blinks_per_min': blink_statistics(face, FACE_RATE_HZ).rate_per_min,
            'processor_rtf': spent_s * FACE_RATE_HZ / len(face)}
    return Outcome(figures, {})


def body_steps(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return beats and likeness to people by number of calls, ahead."""
    takes = takes_of(settings)[:settings.some(8, 3)]
    config, human = settings.config(pipeline, 'ahead'), human_motion(settings.data)
    figures: dict[str, Any] = {}
    for steps, solver in cases():
        begun_s = time.process_time()
        poses = [generate_body(pipeline, take.speech.waveform, with_steps(config, steps),
                               solver=solver) for take in takes]
        spent_s = time.process_time() - begun_s
        beats = beat_figures(takes, [wrist_positions(p) for p in poses])
        motion = motion_figures(poses, human)
        figures[f'{steps} {solver}'] = {
            **{name: beats[name] for name in ('matched_share', 'alignment')},
            **{name: motion[name] for name in ('hellinger_speed', 'jitter_mm', 'frechet')},
            'processor_rtf': float(spent_s * BODY_RATE_HZ / np.sum([len(p) for p in poses]))}
    return Outcome(figures, {})
