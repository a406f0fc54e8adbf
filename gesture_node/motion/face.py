"""The 52 ARKit blendshapes: names in Apple's order, and which of them belong together.

Weights are dimensionless, in [0, 1]. Left and right are the character's own.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rotations import Array

_EYE = ('eyeBlink', 'eyeLookDown', 'eyeLookIn', 'eyeLookOut', 'eyeLookUp', 'eyeSquint', 'eyeWide')
BLENDSHAPE_NAMES: tuple[str, ...] = (
    *(f'{n}Left' for n in _EYE), *(f'{n}Right' for n in _EYE),
    'jawForward', 'jawLeft', 'jawRight', 'jawOpen', 'mouthClose', 'mouthFunnel', 'mouthPucker',
    'mouthLeft', 'mouthRight', 'mouthSmileLeft', 'mouthSmileRight', 'mouthFrownLeft',
    'mouthFrownRight', 'mouthDimpleLeft', 'mouthDimpleRight', 'mouthStretchLeft',
    'mouthStretchRight', 'mouthRollLower', 'mouthRollUpper', 'mouthShrugLower', 'mouthShrugUpper',
    'mouthPressLeft', 'mouthPressRight', 'mouthLowerDownLeft', 'mouthLowerDownRight',
    'mouthUpperUpLeft', 'mouthUpperUpRight', 'browDownLeft', 'browDownRight', 'browInnerUp',
    'browOuterUpLeft', 'browOuterUpRight', 'cheekPuff', 'cheekSquintLeft', 'cheekSquintRight',
    'noseSneerLeft', 'noseSneerRight', 'tongueOut',
)
FACE_DIM = len(BLENDSHAPE_NAMES)
BLENDSHAPE_INDEX: dict[str, int] = {name: i for i, name in enumerate(BLENDSHAPE_NAMES)}
LIP_NAMES: tuple[str, ...] = tuple(
    n for n in BLENDSHAPE_NAMES if n.startswith(('jaw', 'mouth', 'tongue')))
"""What the sound determines: jaw, lips and tongue. Nearly deterministic given the audio."""
UPPER_NAMES: tuple[str, ...] = tuple(n for n in BLENDSHAPE_NAMES if n not in LIP_NAMES)
"""What is sampled and differs by seed: lids, gaze, brows, cheeks, nose."""
LIP_INDEX = np.array([BLENDSHAPE_INDEX[n] for n in LIP_NAMES])
UPPER_INDEX = np.array([BLENDSHAPE_INDEX[n] for n in UPPER_NAMES])


def neutral_face() -> Array:
    """Return the neutral weights ``(52,)``: all zero (mouth shut, eyes open and ahead)."""
    return np.zeros(FACE_DIM)


def seal_is_valid(weights: Array) -> NDArray[np.bool_]:
    """Return per frame whether ``mouthClose`` does not exceed ``jawOpen`` (ARKit's convention)."""
    close = weights[..., BLENDSHAPE_INDEX['mouthClose']]
    return close <= weights[..., BLENDSHAPE_INDEX['jawOpen']] + 1e-6


def project_face(weights: Array) -> Array:
    """Return weights clipped to [0, 1] with ``mouthClose`` at most ``jawOpen``; shape kept."""
    face = np.clip(weights, 0.0, 1.0)
    close, jaw = BLENDSHAPE_INDEX['mouthClose'], BLENDSHAPE_INDEX['jawOpen']
    face[..., close] = np.minimum(face[..., close], face[..., jaw])
    return face
