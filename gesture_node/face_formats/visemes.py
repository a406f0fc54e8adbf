"""Blendshape weights to the 15 visemes of Oculus LipSync, for avatars that only know those.

A viseme is a mouth shape. The face is explained as the mixture of the 15 shapes that comes nearest
to it (least squares, shares not negative, sum 1); silence is the mouth at rest. Sounds made inside
the mouth (``DD``, ``kk``, ``nn``) differ little at the lips, and are told apart as little here.
The shapes are the author's own, from how the sounds are articulated.
"""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ..motion.face import BLENDSHAPE_INDEX, LIP_INDEX, LIP_NAMES
from ..types import Float32Array

VISEME_NAMES: tuple[str, ...] = ('sil', 'PP', 'FF', 'TH', 'DD', 'kk', 'CH', 'SS', 'nn', 'RR',
                                 'aa', 'E', 'ih', 'oh', 'ou')
"""In the order of Oculus LipSync."""
_SUM_WEIGHT = 100.0
"""How much more the sum of the shares counts than any blendshape."""
SHAPES: dict[str, dict[str, float]] = {
    'sil': {},
    'PP': {'jawOpen': 0.1, 'mouthClose': 0.1, 'mouthPress': 0.5, 'mouthRollLower': 0.3,
           'mouthRollUpper': 0.3},
    'FF': {'jawOpen': 0.06, 'mouthRollLower': 0.5, 'mouthUpperUp': 0.3, 'mouthShrugLower': 0.2},
    'TH': {'jawOpen': 0.15, 'tongueOut': 0.4, 'mouthLowerDown': 0.2},
    'DD': {'jawOpen': 0.12, 'mouthUpperUp': 0.2, 'mouthLowerDown': 0.25},
    'kk': {'jawOpen': 0.25, 'mouthLowerDown': 0.15, 'mouthDimple': 0.15},
    'CH': {'jawOpen': 0.08, 'mouthFunnel': 0.6, 'mouthShrugUpper': 0.3},
    'SS': {'jawOpen': 0.04, 'mouthStretch': 0.4, 'mouthLowerDown': 0.35},
    'nn': {'jawOpen': 0.08, 'mouthLowerDown': 0.1, 'mouthShrugLower': 0.15},
    'RR': {'jawOpen': 0.12, 'mouthFunnel': 0.3, 'mouthPucker': 0.25, 'mouthRollLower': 0.1},
    'aa': {'jawOpen': 0.65, 'mouthLowerDown': 0.3},
    'E': {'jawOpen': 0.35, 'mouthSmile': 0.2, 'mouthStretch': 0.25, 'mouthLowerDown': 0.25},
    'ih': {'jawOpen': 0.18, 'mouthSmile': 0.4, 'mouthDimple': 0.2, 'mouthLowerDown': 0.2},
    'oh': {'jawOpen': 0.45, 'mouthFunnel': 0.5, 'mouthPucker': 0.2},
    'ou': {'jawOpen': 0.12, 'mouthPucker': 0.75, 'mouthFunnel': 0.2},
}
"""Weights of a mouth that shows a viseme fully; a name without a side stands for both sides."""


def shape_weights(viseme: str) -> Float32Array:
    """Return the weights ``(52,)`` of a face that shows one viseme fully."""
    weights = np.zeros(len(BLENDSHAPE_INDEX), np.float32)
    for name, value in SHAPES[viseme].items():
        for side in (name,) if name in BLENDSHAPE_INDEX else (f'{name}Left', f'{name}Right'):
            weights[BLENDSHAPE_INDEX[side]] = value
    return weights


def _system() -> NDArray[np.float64]:
    """Return the equations ``(lips + 1, 15)``: the shapes, and the sum of the shares."""
    shapes = np.stack([shape_weights(name)[LIP_INDEX] for name in VISEME_NAMES], 1)
    return np.vstack([shapes, np.full((1, len(VISEME_NAMES)), _SUM_WEIGHT)])


_SYSTEM = _system()


def visemes(weights: NDArray[np.floating[Any]]) -> Float32Array:
    """Return how much of each viseme a face shows.

    Args:
        weights: blendshape weights ``(52,)`` in [0, 1].

    Returns:
        Shares in [0, 1] with sum 1, float32 ``(15,)`` in the order of :data:`VISEME_NAMES`.
    """
    target = np.empty(len(LIP_NAMES) + 1)
    target[:-1], target[-1] = np.asarray(weights)[LIP_INDEX], _SUM_WEIGHT
    shares, _ = nnls(_SYSTEM, target)
    total = shares.sum()
    normalised: Float32Array = (shares / total).astype(np.float32)
    return normalised
