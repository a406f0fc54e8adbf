"""Means and deviations that features and motion are normalised by."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gesture_node.audio.features import FEATURE_DIM
from gesture_node.motion.face import FACE_DIM
from gesture_node.motion.skeleton import FINGER_COUNT, POSE_DIM, project_pose, rest_pose

from .corpora.pack import Pack

Array = np.ndarray
_BODY_FLOOR, _FINGER_FLOOR, _FACE_FLOOR = 0.02, 0.08, 0.05
_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Statistics:
    """All float32: features (83,), body (84,), face (52,).

    ``body_idle`` is the pose (84,) in which takes begin, where streams begin and end too.
    """

    feature_mean: Array
    feature_std: Array
    body_mean: Array
    body_std: Array
    face_mean: Array
    face_std: Array
    body_idle: Array

    @classmethod
    def neutral(cls) -> Statistics:
        """Return plausible statistics for networks that were not trained."""
        feature_mean = np.concatenate([np.full(FEATURE_DIM - 2, -8.0), [0.0, 0.5]])
        feature_std = np.concatenate([np.full(FEATURE_DIM - 2, 3.0), [0.5, 0.4]])
        return cls(*(np.asarray(v, np.float32) for v in (
            feature_mean, feature_std, rest_pose(), np.full(POSE_DIM, 0.2),
            np.zeros(FACE_DIM), np.full(FACE_DIM, 0.2), rest_pose())))


def measure(body: Pack | None, face: Pack | None) -> Statistics:
    """Return the statistics of either or both channels.

    Channels that hardly move keep a floor under their deviation, so that noise in them is not
    blown up: 0.02 for rotations, 0.08 for fingers, 0.05 for the face.
    """
    neutral = Statistics.neutral()
    features = np.concatenate([_sample(p.features) for p in (body, face) if p is not None])
    body_mean, body_std = neutral.body_mean, neutral.body_std
    face_mean, face_std = neutral.face_mean, neutral.face_std
    body_idle = neutral.body_idle
    if body is not None:
        motion = _sample(body.motion)
        floor = np.full(POSE_DIM, _BODY_FLOOR, np.float32)
        floor[POSE_DIM - FINGER_COUNT:] = _FINGER_FLOOR
        body_mean, body_std = motion.mean(axis=0), np.maximum(motion.std(axis=0), floor)
        first = np.stack([body.motion[take.first_frame] for take in body.takes])
        body_idle = project_pose(np.median(first.astype(np.float32), axis=0))
    if face is not None:
        motion = _sample(face.motion)
        face_mean, face_std = motion.mean(axis=0), np.maximum(motion.std(axis=0), _FACE_FLOOR)
    return Statistics(features.mean(axis=0), np.maximum(features.std(axis=0), 0.1),
                      body_mean, body_std, face_mean, face_std, body_idle)


def _sample(array: Array) -> Array:
    rows = _ROWS * POSE_DIM // max(POSE_DIM, array.shape[1])
    step = max(1, len(array) // rows)
    return np.asarray(array[::step], np.float32)
