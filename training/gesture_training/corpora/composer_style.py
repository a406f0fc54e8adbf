"""What follows from how lively a voice sounds: the size of gestures and how many there are.

Arousal (``gesture_node.measures.arousal``) sets amplitude and the spacing of strokes: it drives
amount, speed and size of movement (Wallbott 1998; Dael et al. 2013), valence hardly does.
"""
from __future__ import annotations

import numpy as np

from gesture_node.types import Float64Array

AMPLITUDE = (0.58, 2.2)
"""Size of gestures at arousal 0 and 1, against the recorded clips."""
SPACING_S = (3.5, 1.3)
"""Wanted time between strokes at arousal 0 and 1 [s]."""


def amplitude_of(arousal: Float64Array | float) -> Float64Array:
    """Return the size of gestures at an arousal, 0.58 to 2.2."""
    return np.asarray(AMPLITUDE[0] * (AMPLITUDE[1] / AMPLITUDE[0]) ** np.asarray(arousal))


def spacing_of(arousal: Float64Array | float) -> Float64Array:
    """Return the wanted time between strokes at an arousal [s], 3.5 to 1.3."""
    return np.asarray(SPACING_S[0] * (SPACING_S[1] / SPACING_S[0]) ** np.asarray(arousal))
