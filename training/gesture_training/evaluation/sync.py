"""The synchrony score of generated faces: with their own sound, with moved and with foreign sound.

What must come out of a good network and a good face: the offset of matched pairs within one frame
of zero, a shift found again, and hardly any confidence with the sound of somebody else.
"""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesture_node.bundle import Bundle, read_bundle
from gesture_node.measures.sync_score import (
    Embedder,
    MAX_LAG_FRAMES,
    score_clip,
    SyncNetwork,
    SyncScore,
)
from gesture_node.timeline import FACE_RATE_HZ

from ..exceptions import TrainingError

Clip = tuple[NDArray[np.float32], NDArray[np.float32]]
SHIFT_FRAMES = 10
"""200 ms."""
_NEAR_FRAMES = 2
"""Lags nearer to zero than 40 ms are not called shifted."""


def open_network(model: Bundle | Path | str) -> SyncNetwork:
    """Return the synchrony network of a bundle, or of an ONNX file.

    Raises:
        TrainingError: the bundle has none.
        BundleError: the bundle or the file cannot be used.
    """
    if not isinstance(model, Bundle):
        path = Path(model)
        if path.suffix == '.onnx':
            return SyncNetwork(path)
        model = read_bundle(path)
    if model.sync is None:
        raise TrainingError(f'bundle {model.path} has no sync.onnx; add one with python -m '
                            f'gesture_training.sync_train --export RUN --bundle {model.path}')
    return SyncNetwork(model.sync)


def evaluate_sync(model: Bundle | Path | str, clips: Sequence[Clip]) -> dict[str, Any]:
    """Return the synchrony of faces with the speech they belong to, beside what must be worse.

    Args:
        model: a bundle with ``sync.onnx``, its folder, or an ONNX file.
        clips: per clip the raw features ``(F, 83)`` and blendshape weights ``(T, 52)``, both at
            50 Hz from the same moment on. Clips without half a second of speech are left out.

    Returns:
        ``clips``: number measured; ``windows``: of speech in all.

        ``matched``: ``offset_s`` (median), ``within_one_frame`` (share of clips whose offset is
        at most 20 ms from zero), ``confidence`` (mean) and ``beats_shifted`` (share of clips
        where the distance at lag 0 is below those at every lag of 40 to 300 ms).

        ``shifted``: the same clips with the lips 200 ms late: ``offset_s``, ``within_one_frame``
        (of 200 ms), ``confidence``, and ``confidence_at_zero`` (median distance minus the
        distance at lag 0, what is left where the lips should be).

        ``shuffled``: each face with the sound of the next clip: ``confidence`` and
        ``matched_beats_shuffled`` (share of clips with more confidence in their own sound).

        Shares are in [0, 1]; with no clip measured all of these are nan.

    Raises:
        TrainingError, BundleError: as :func:`open_network`.
    """
    return sync_figures(open_network(model), clips)


def sync_figures(network: Embedder, clips: Sequence[Clip]) -> dict[str, Any]:
    """Return what :func:`evaluate_sync` does, of an opened network."""
    scored = [(clip, score_clip(network, *clip)) for clip in clips]
    kept = [clip for clip, score in scored if score is not None]
    own = [score for _, score in scored if score is not None]
    late = [score_clip(network, features[SHIFT_FRAMES:], face[:-SHIFT_FRAMES])
            for features, face in kept]
    foreign = [score_clip(network, kept[(n + 1) % len(kept)][0], face)
               for n, (_, face) in enumerate(kept)] if len(kept) > 1 else []
    pairs = [(mine.confidence, other.confidence) for mine, other in zip(own, foreign)
             if other is not None]
    moved = [score for score in late if score is not None]
    return {
        'clips': len(own), 'windows': sum(score.windows for score in own),
        'matched': _agreement(own, 0) | {
            'beats_shifted': _mean([_beats_shifted(score) for score in own])},
        'shifted': _agreement(moved, SHIFT_FRAMES) | {
            'confidence_at_zero': _mean([float(np.median(s.distances)) - s.at_lag(0)
                                         for s in moved])},
        'shuffled': {
            'confidence': _mean([other for _, other in pairs]),
            'matched_beats_shuffled': _mean([mine > other for mine, other in pairs])},
    }


def _agreement(scores: Sequence[SyncScore], lag_frames: int) -> dict[str, float]:
    offsets = np.array([score.offset_s for score in scores])
    near = np.abs(offsets * FACE_RATE_HZ - lag_frames) < 1.5
    return {'offset_s': float(np.median(offsets)) if len(offsets) else float('nan'),
            'within_one_frame': _mean(near),
            'confidence': _mean([score.confidence for score in scores])}


def _beats_shifted(score: SyncScore) -> bool:
    lags = np.arange(-MAX_LAG_FRAMES, MAX_LAG_FRAMES + 1)
    return bool((score.at_lag(0) < score.distances[np.abs(lags) >= _NEAR_FRAMES]).all())


def _mean(values: Sequence[float] | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else float('nan')
