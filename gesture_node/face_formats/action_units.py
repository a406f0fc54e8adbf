"""Blendshape weights to FACS action units.

An action unit is the mean of the blendshapes that show it; left and right are collapsed, since the
codes of ``hri_msgs/FacialActionUnits`` have no side. The table is the usual one of practitioners,
it is not normative. Codes: Ekman, Friesen and Hager, Facial Action Coding System, 2002.
"""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..motion.face import BLENDSHAPE_INDEX, FACE_DIM
from ..types import Float32Array

AU_COUNT = 99
"""Length of the arrays of ``hri_msgs/FacialActionUnits``; the index is the code."""


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f'{name}{side}' for name in names for side in ('Left', 'Right'))


SHOWN_BY: dict[int, tuple[str, ...]] = {
    1: ('browInnerUp',), 2: _both('browOuterUp'), 4: _both('browDown'), 5: _both('eyeWide'),
    6: _both('cheekSquint'), 7: _both('eyeSquint'), 9: _both('noseSneer'),
    10: _both('mouthUpperUp'), 12: _both('mouthSmile'), 14: _both('mouthDimple'),
    15: _both('mouthFrown'), 16: _both('mouthLowerDown'), 17: ('mouthShrugLower',),
    18: ('mouthPucker',), 19: ('tongueOut',), 20: _both('mouthStretch'), 22: ('mouthFunnel',),
    24: _both('mouthPress'), 26: ('jawOpen',), 28: ('mouthRollLower', 'mouthRollUpper'),
    29: ('jawForward',), 30: ('jawLeft', 'jawRight'), 34: ('cheekPuff',), 45: _both('eyeBlink'),
    61: ('eyeLookOutLeft', 'eyeLookInRight'), 62: ('eyeLookInLeft', 'eyeLookOutRight'),
    63: _both('eyeLookUp'), 64: _both('eyeLookDown'),
}
"""Code to the blendshapes whose mean it is. 61 and 62 are gaze to the character's left, right."""
LIPS_PART, MOUTH_STRETCH = 25, 27
STRETCH_FROM = 0.6
"""A jaw that is open further than this also stretches the mouth (27)."""


def _mean_matrix() -> Float32Array:
    matrix = np.zeros((AU_COUNT, FACE_DIM), np.float32)
    for code, names in SHOWN_BY.items():
        for name in names:
            matrix[code, BLENDSHAPE_INDEX[name]] = 1.0 / len(names)
    return matrix


_MEAN = _mean_matrix()
KNOWN_CODES: tuple[int, ...] = tuple(sorted({*SHOWN_BY, LIPS_PART, MOUTH_STRETCH}))
"""Codes that blendshapes can show; of all others nothing is known."""


def action_units(weights: NDArray[np.floating[Any]]) -> Float32Array:
    """Return the intensity of every action unit.

    Args:
        weights: blendshape weights in [0, 1], shape ``(..., 52)``.

    Returns:
        Intensities in [0, 1] by code, float32 ``(..., 99)``; 0 where :data:`KNOWN_CODES` has no
        entry.
    """
    face = np.asarray(weights, np.float32)
    units: Float32Array = face @ _MEAN.T
    jaw = face[..., BLENDSHAPE_INDEX['jawOpen']]
    units[..., LIPS_PART] = jaw - face[..., BLENDSHAPE_INDEX['mouthClose']]
    units[..., MOUTH_STRETCH] = (jaw - STRETCH_FROM) / (1.0 - STRETCH_FROM)
    bounded: Float32Array = np.clip(units, 0.0, 1.0)
    return bounded
