"""What a face does besides speaking: what the seed decides, blinks, and rest without speech."""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gesture_node.measures.blinks import blink_statistics, BLINK_THRESHOLD, find_blinks
from gesture_node.measures.diversity import variance_share
from gesture_node.measures.drift import mean_rotation
from gesture_node.measures.mouth import mouth_aperture
from gesture_node.motion.face import BLENDSHAPE_INDEX, LIP_INDEX
from gesture_node.motion.rotations import rotvec_from_matrix
from gesture_node.motion.skeleton import forward_kinematics, JOINT_INDEX, unpack_pose
from gesture_node.pipeline import GesturePipeline
from gesture_node.timeline import FACE_RATE_HZ, SAMPLE_RATE_HZ

from .generate import generate_body, generate_face
from .settings import OTHER_SEED, Outcome, Settings
from .speech import held_out_takes

_SEED_TAKE_S = 20
_LIDS = [BLENDSHAPE_INDEX['eyeBlinkLeft'], BLENDSHAPE_INDEX['eyeBlinkRight']]
_GAZE_AND_BROWS = [BLENDSHAPE_INDEX[name] for name in (
    'eyeLookInLeft', 'eyeLookOutLeft', 'eyeLookUpLeft', 'eyeLookDownLeft', 'browInnerUp')]


def head_turns(poses: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return rotation vectors ``(S, T, 3)`` [rad] of the head from its mean, of poses (S, T, 84).

    Orientation against the pelvis, so neck and trunk count with it.
    """
    rotations = unpack_pose(poses.astype(np.float64))[0]
    heads = forward_kinematics(rotations)[1][..., JOINT_INDEX['head'], :, :]
    middle = mean_rotation(heads.reshape(-1, 3, 3))
    return np.asarray(rotvec_from_matrix(middle.T @ heads))


def seeds(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return which share of the variance of lips, head, lids and gaze the seed decides."""
    shares: dict[str, list[float]] = {'lips': [], 'head': [], 'lids': [], 'gaze_and_brows': []}
    absolute: dict[str, list[float]] = {'lips': [], 'head_deg': []}
    repeats = []
    for take in held_out_takes(settings.data, settings.some(20, 3), settings.seed)[
            :settings.some(3, 1)]:
        waveform = take.speech.waveform[:_SEED_TAKE_S * SAMPLE_RATE_HZ]
        configs = [settings.config(pipeline, 'live', OTHER_SEED + i) for i in range(4)]
        faces = np.stack([generate_face(pipeline, waveform, config) for config in configs])
        turns = head_turns(np.stack([generate_body(pipeline, waveform, c) for c in configs]))
        shares['lips'].append(variance_share(faces[..., LIP_INDEX]))
        shares['head'].append(variance_share(turns))
        shares['lids'].append(variance_share(faces[..., _LIDS]))
        shares['gaze_and_brows'].append(variance_share(faces[..., _GAZE_AND_BROWS]))
        absolute['lips'].append(float(faces[..., LIP_INDEX].std(axis=0).mean()))
        absolute['head_deg'].append(float(np.degrees(np.linalg.norm(turns.std(axis=0), axis=-1))
                                          .mean()))
        repeats.append(np.array_equal(faces[0], generate_face(pipeline, waveform, configs[0])))
    mean = {name: float(np.mean(values)) for name, values in shares.items()}
    return Outcome({
        'variance_share': mean, 'lips_over_head': mean['lips'] / max(mean['head'], 1e-9),
        'lips_std': float(np.mean(absolute['lips'])),
        'head_std_deg': float(np.mean(absolute['head_deg'])), 'repeats': all(repeats)}, {})


def blinks_and_rest(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return blinks of some minutes of speech, and how mouths move in speech and in silence."""
    takes = held_out_takes(settings.data, settings.some(20, 3), settings.seed)
    config = settings.config(pipeline, 'live')
    faces = [generate_face(pipeline, take.speech.waveform, config)
             for take in takes[:settings.some(8, 2)]]
    weights = np.concatenate(faces)
    found = blink_statistics(weights, FACE_RATE_HZ)
    lids = [weights[start:end, _LIDS].max(axis=0) for start, end, _ in find_blinks(weights)]
    both = [bool((pair >= BLINK_THRESHOLD).all()) for pair in lids]
    durations_s = [(end - start) / FACE_RATE_HZ for start, end, _ in find_blinks(weights)]
    quiet = settings.random(4).standard_normal(20 * SAMPLE_RATE_HZ) * 10.0 ** (-70.0 / 20.0)
    still = mouth_aperture(generate_face(pipeline, quiet.astype(np.float32), config))
    return Outcome({
        'minutes': len(weights) / FACE_RATE_HZ / 60.0, 'count': found.count,
        'rate_per_min': found.rate_per_min, 'median_duration_s': found.median_duration_s,
        'duration_in_range': float(np.mean([0.1 <= d <= 0.4 for d in durations_s]))
        if durations_s else float('nan'),
        'median_depth': found.median_depth, 'interval_variation': found.interval_variation,
        'both_lids': float(np.mean(both)) if both else float('nan'),
        'aperture_std_speech': float(mouth_aperture(weights).std()),
        'aperture_std_silence': float(still.std())}, {})
