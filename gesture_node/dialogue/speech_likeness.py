"""How much a sound is like speech, frame by frame: a small recurrent network in NumPy.

It hears the 50 Hz features of :mod:`gesture_node.audio.features`: how far 20 bands stand out of a
background that follows their lows, the shape of the spectrum, voicing and pitch. All of it is free
of loudness. One gated recurrent unit (Cho et al., EMNLP 2014) of 32 cells remembers the last
tenths of a second: that syllables rise and fall 3 to 8 times a second, that pitch glides, that a
bark or a crow does not. ``gesture_training.voice_activity`` fits the weights, on people and on
noises; they are kept as bytes in ``speech_likeness_weights``.

A frame depends on what was before it alone, and is the same whatever pieces frames come in.
"""
from __future__ import annotations

import base64
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..audio.features import MEL_BANDS, PITCH_INDEX, VOICING_INDEX
from ..types import Float64Array

BANDS, CELLS = 20, 32
INPUTS = 2 * BANDS + 2
"""Of each frame: height above the background, shape of the spectrum, voicing, pitch."""
SHAPES = {'input': (3 * CELLS, INPUTS), 'memory': (3 * CELLS, CELLS),
          'input_bias': (3 * CELLS, 1), 'memory_bias': (3 * CELLS, 1), 'output': (1, CELLS),
          'output_bias': (1, 1)}
"""Matrices of the network by name; gates in the order reset, update, candidate."""
_DB = 10.0 / np.log(10.0)
_LEAST_DB = -57.0
"""Level of a band that counts as background even in digital silence."""
_RISE_DB, _FALL_SHARE = 0.06, 0.1
"""Per frame: 3 dB a second up, a fifth of a second down."""
_HIGHEST_DB, _WIDEST_DB = 30.0, 25.0


def band_levels(features: NDArray[np.floating]) -> Float64Array:
    """Return the level of each band [dB], shape (..., 20), of features (..., 83)."""
    power = np.exp(features[..., :MEL_BANDS].astype(np.float64))
    grouped = power.reshape(*power.shape[:-1], BANDS, -1).mean(axis=-1)
    levels_db: Float64Array = np.maximum(_DB * np.log(grouped), _LEAST_DB)
    return levels_db


def follow(background_db: Float64Array, levels_db: Float64Array) -> Float64Array:
    """Return the background one frame later, shape (..., 20) [dB]: slowly up, quickly down."""
    change_db = levels_db - background_db
    step_db: Float64Array = np.where(change_db > 0.0, np.minimum(change_db, _RISE_DB),
                                     _FALL_SHARE * change_db)
    return background_db + step_db


def network_inputs(levels_db: Float64Array, background_db: Float64Array,
                   features: NDArray[np.floating]) -> Float64Array:
    """Return what the network hears of frames, shape (..., 42), about between -2 and 3."""
    above = np.clip(levels_db - background_db, 0.0, _HIGHEST_DB)
    shape = np.clip(levels_db - levels_db.mean(axis=-1, keepdims=True), -_WIDEST_DB, _WIDEST_DB)
    voice = features[..., (VOICING_INDEX, PITCH_INDEX)].astype(np.float64)
    return np.concatenate([0.1 * above, 0.1 * shape, voice], axis=-1)


def pack(matrices: dict[str, Float64Array]) -> dict[str, str]:
    """Return matrices as text: a scale per row, then one byte per number, in base 64."""
    packed = {}
    for name, shape in SHAPES.items():
        values = np.asarray(matrices[name], np.float64).reshape(shape)
        scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-9) / 127.0
        data = scale.astype('<f4').tobytes() + np.round(values / scale).astype('i1').tobytes()
        packed[name] = base64.b64encode(data).decode('ascii')
    return packed


def unpack(packed: dict[str, str]) -> dict[str, Float64Array]:
    """Return the matrices that :func:`pack` turned into text."""
    matrices = {}
    for name, (rows, columns) in SHAPES.items():
        data = base64.b64decode(packed[name])
        scale = np.frombuffer(data, '<f4', rows).astype(np.float64)[:, None]
        matrices[name] = scale * np.frombuffer(data, 'i1', offset=4 * rows).reshape(rows, columns)
    return matrices


@lru_cache(maxsize=1)
def shipped() -> dict[str, Float64Array]:
    """Return the matrices that ship."""
    from .speech_likeness_weights import WEIGHTS

    return unpack(WEIGHTS)


class SpeechLikeness:
    """Follows one sound.

    Args:
        matrices: of the network; those that ship without it.
    """

    def __init__(self, matrices: dict[str, Float64Array] | None = None) -> None:
        self._matrices = matrices or shipped()
        self._background_db: Float64Array | None = None
        self._state = np.zeros(CELLS)

    def accept(self, features: NDArray[np.floating]) -> Float64Array:
        """Return for each frame the log odds that somebody speaks, shape (F,).

        Args:
            features: shape (F, 83), the frames that follow those before.
        """
        levels_db = band_levels(features)
        return np.array([self._step(level, row) for level, row in zip(levels_db, features)])

    def _step(self, levels_db: Float64Array, features: NDArray[np.floating]) -> float:
        if self._background_db is None:
            self._background_db = levels_db.copy()
        self._background_db = follow(self._background_db, levels_db)
        heard = network_inputs(levels_db, self._background_db, features)
        m = self._matrices
        wanted = m['input'] @ heard + m['input_bias'][:, 0]
        kept = m['memory'] @ self._state + m['memory_bias'][:, 0]
        reset, update = (1.0 / (1.0 + np.exp(-(wanted[part] + kept[part])))
                         for part in (slice(0, CELLS), slice(CELLS, 2 * CELLS)))
        candidate = np.tanh(wanted[2 * CELLS:] + reset * kept[2 * CELLS:])
        self._state = (1.0 - update) * candidate + update * self._state
        return float(m['output'][0] @ self._state + m['output_bias'][0, 0])
