"""Lips made as sharp as phones are: what a network blurs, given back.

A network that minimises an error answers doubt with a mean: short closures come out shallow,
short vowels half shut. Two steps undo the most of it, on the weights of jaw, lips and tongue:

* *Unsharp masking* along time: what differs from its surroundings (a Gaussian of 40 ms) is made
  1.7 times as different, in both directions.
* *Decided seals*: ``mouthClose`` as a share of ``jawOpen`` is pushed away from 85 %, twice as far
  in log odds: lips that are nearly shut shut, lips that may be shut or not stay open, and are
  pressed together and rolled in a little less.

Where a signal does not move, the first does nothing; where the mouth is open or shut, the second
does next to nothing.
"""
from __future__ import annotations

import numpy as np

from ..types import Float32Array
from .face import BLENDSHAPE_INDEX, LIP_INDEX, project_face

WIDTH_S = 0.04
SHARPNESS = 0.7
SEAL_MIDDLE, SEAL_SLOPE = 0.85, 2.0
PRESS_SHARE = 0.03
"""How much of what a seal loses, as a power, the press of the lips loses too."""
_JAW, _CLOSE = BLENDSHAPE_INDEX['jawOpen'], BLENDSHAPE_INDEX['mouthClose']
_PRESS = np.array([BLENDSHAPE_INDEX[name] for name in (
    'mouthPressLeft', 'mouthPressRight', 'mouthRollUpper', 'mouthRollLower')])
_LEAST = 1e-4


def sharp_lips(weights: Float32Array, rate_hz: float) -> Float32Array:
    """Return ARKit weights ``(T, 52)`` with sharper lips; everything else is unchanged.

    Args:
        weights: shape (T, 52), in [0, 1]; both ends are taken to go on as they are.
        rate_hz: frames per second.
    """
    sharp = np.array(weights, np.float32)
    lips = sharp[:, LIP_INDEX]
    sharp[:, LIP_INDEX] = lips + np.float32(SHARPNESS) * (lips - _low_passed(lips, rate_hz))
    sharp[:, LIP_INDEX] = project_face(sharp)[:, LIP_INDEX]
    jaw = sharp[:, _JAW]
    share = np.clip(sharp[:, _CLOSE] / np.maximum(jaw, _LEAST), _LEAST, 1.0 - _LEAST)
    odds = (share / (1.0 - share) * (1.0 - SEAL_MIDDLE) / SEAL_MIDDLE) ** SEAL_SLOPE
    decided = odds / (1.0 + odds)
    sharp[:, _CLOSE] = jaw * decided
    sharp[:, _PRESS] *= np.minimum(decided / share, 1.0)[:, None] ** PRESS_SHARE
    return sharp


def _low_passed(values: Float32Array, rate_hz: float) -> Float32Array:
    sigma_frames = WIDTH_S * rate_hz
    reach = int(np.ceil(3.0 * sigma_frames))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_frames) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode='edge')
    total = sum(tap * padded[i:i + len(values)] for i, tap in enumerate(taps))
    return np.asarray(total / taps.sum(), np.float32)
