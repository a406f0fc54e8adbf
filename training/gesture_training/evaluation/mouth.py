"""Lips on real German speech with manual phone times (Emo-DB: measured, never trained on)."""
from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from gesture_node.config import GestureConfig
from gesture_node.measures.mouth import mouth_aperture, score_mouth
from gesture_node.motion.face import BLENDSHAPE_INDEX, LIP_INDEX
from gesture_node.pipeline import GesturePipeline
from gesture_node.timeline import FACE_RATE_HZ

from ..corpora.coarticulation import articulate
from ..corpora.emodb import LabelledUtterance, load_emodb, loudness_aperture
from .generate import generate_face


def evaluate_mouth(pipeline: GesturePipeline, data: Path, config: GestureConfig,
                   every: int = 1) -> dict[str, Any]:
    """Return mouth scores of the bundle, of its teacher and of a jaw that follows loudness.

    Args:
        pipeline: the bundle under test.
        data: folder that holds ``speech_emodb``.
        config: hop, foresight, steps and seed to run with.
        every: use each n-th utterance only.
    """
    utterances = load_emodb(data)[::every]
    faces = [generate_face(pipeline, u.waveform, config) for u in tqdm(utterances, 'mouth')]
    spread = _spread_over_seeds(pipeline, utterances[::max(1, len(utterances) // 8)], config)
    return {
        'utterances': len(utterances),
        'speakers': sorted({u.speaker for u in utterances}),
        'model': _score(utterances, [mouth_aperture(face) for face in faces]),
        'teacher_on_manual_phones': _score(utterances, [
            mouth_aperture(articulate(u.segments(), u.waveform)) for u in utterances]),
        'loudness_as_jaw': _score(utterances, [
            loudness_aperture(u.waveform) for u in utterances]),
        'aperture_std': float(np.std(np.concatenate([mouth_aperture(f) for f in faces]))),
        **spread,
    }


def _score(utterances: list[LabelledUtterance], apertures: list[Any]) -> dict[str, Any]:
    pairs = [(np.asarray(a), u.intervals()) for a, u in zip(apertures, utterances)]
    return asdict(score_mouth(pairs, FACE_RATE_HZ))


def _spread_over_seeds(pipeline: GesturePipeline, utterances: list[LabelledUtterance],
                       config: GestureConfig, seeds: int = 4) -> dict[str, float]:
    """Return how far lips and lids differ between seeds (Z1: lips hardly, lids and gaze do)."""
    gaze = [BLENDSHAPE_INDEX[name] for name in ('eyeBlinkLeft', 'eyeLookInLeft', 'browInnerUp')]
    lips, upper = [], []
    for utterance in utterances:
        faces = np.stack([generate_face(pipeline, utterance.waveform,
                                        GestureConfig(face=config.face, seed=seed))
                          for seed in range(seeds)])
        lips.append(faces[..., LIP_INDEX].std(axis=0).mean())
        upper.append(faces[..., gaze].std(axis=0).mean())
    return {'lip_std_over_seeds': float(np.mean(lips)),
            'upper_std_over_seeds': float(np.mean(upper))}
