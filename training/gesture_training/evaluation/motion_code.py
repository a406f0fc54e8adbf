"""Codes of body motion: 2.4 s of poses to 16 numbers, by a small encoder that ships beside this.

The encoder is one half of an auto-encoder trained on the recorded human clips only, see
``train_motion_code.py``. It runs in NumPy: three convolutions with stride 2 and a rectifier each,
then one matrix. The Fréchet distance compares clouds of these codes.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from gesture_node.motion.skeleton import POSE_DIM

from ..exceptions import TrainingError

Array = NDArray[np.float64]
WINDOW_FRAMES = 60
CODE_DIM = 16
KERNEL, STRIDE, LAYERS = 5, 2, 3
PATH = Path(__file__).with_name('frechet_encoder.npz')
_BATCH = 256


@dataclass(frozen=True)
class MotionEncoder:
    """The encoder's weights.

    Attributes:
        mean, scale: shape (84,): poses are taken as ``(pose - mean) / scale``.
        kernels: per convolution the weight (out, in, 5) and the bias (out,).
        matrix, offset: last layer, (16, out * frames) and (16,).
    """

    mean: Array
    scale: Array
    kernels: tuple[tuple[Array, Array], ...]
    matrix: Array
    offset: Array

    @classmethod
    @lru_cache(maxsize=2)
    def load(cls, path: Path = PATH) -> MotionEncoder:
        """Return the encoder of a file, by default the one that ships.

        Raises:
            TrainingError: the file is missing or is no encoder.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name].astype(np.float64) for name in stored.files}
            kernels = tuple((arrays[f'kernel_{i}'], arrays[f'bias_{i}']) for i in range(LAYERS))
            return cls(arrays['mean'], arrays['scale'], kernels, arrays['matrix'],
                       arrays['offset'])
        except (OSError, KeyError, ValueError) as error:
            raise TrainingError(f'{path} is no motion encoder: {error}; python -m gesture_training'
                                '.evaluation.train_motion_code makes it') from None

    def __call__(self, windows: NDArray[np.floating]) -> Array:
        """Return codes ``(N, 16)`` of windows ``(N, 60, 84)``."""
        parts = [self._encode(np.asarray(windows[first:first + _BATCH], np.float64))
                 for first in range(0, len(windows), _BATCH)]
        return np.concatenate([np.zeros((0, CODE_DIM)), *parts])

    def _encode(self, windows: Array) -> Array:
        x = (windows - self.mean) / self.scale
        reach = KERNEL // 2
        for weight, bias in self.kernels:
            padded = np.pad(x, ((0, 0), (reach, reach), (0, 0)))
            pieces = sliding_window_view(padded, KERNEL, axis=1)[:, ::STRIDE]
            x = np.maximum(np.einsum('ntik,oik->nto', pieces, weight, optimize=True) + bias, 0.0)
        return np.asarray(x.transpose(0, 2, 1).reshape(len(x), -1) @ self.matrix.T + self.offset)


def cut_windows(poses: Array, stride_frames: int) -> Array:
    """Return windows ``(N, 60, 84)`` of poses ``(T, 84)`` at 25 fps; none when T < 60.

    Args:
        poses: pose vectors.
        stride_frames: frames from the start of one window to the next.
    """
    if len(poses) < WINDOW_FRAMES:
        return np.zeros((0, WINDOW_FRAMES, POSE_DIM))
    view = sliding_window_view(poses, WINDOW_FRAMES, axis=0)[::stride_frames]
    return np.asarray(view.transpose(0, 2, 1))
