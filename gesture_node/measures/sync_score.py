"""Do lips and sound belong together, and at which offset? A score that a small network gives.

Two towers turn a window of sound and a window of lips into unit vectors that are near each other
when the two belong together (``sync.onnx`` of a bundle; trained by
``gesture_training.sync_train``). Lips at frame ``t`` are compared with sound at ``t - lag`` for
every lag up to 300 ms either way, and the distances are averaged over all windows that hold
speech. The *offset* is the lag of the least distance, the *confidence* the median distance minus
the least: near zero when no lag is better than another, as with the sound of somebody else. Both
are the definitions of Chung and Zisserman, "Out of time: automated lip sync in the wild", ACCV
workshop 2016; theirs compares pictures, this one blendshape weights.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..exceptions import BundleError
from ..motion.face import FACE_DIM
from ..timeline import FACE_RATE_HZ
from ..types import Float32Array, Float64Array

MAX_LAG_FRAMES = 15
SPEECH_SHARE = 0.2
"""A window holds speech when this share of its frames is voiced."""
VOICING_COLUMN = -1
"""Where features keep the voicing strength; it does not depend on how loud the sound is."""
VOICED = 0.45
MIN_WINDOWS = 25
"""Windows with speech that a score needs: half a second."""
INPUTS, OUTPUTS = ('features', 'face'), ('audio', 'lips')


@dataclass(frozen=True, slots=True)
class SyncScore:
    """How well lips and sound agree.

    Attributes:
        offset_s: lag of the lips behind the sound [s]; means little without confidence.
        confidence: median distance over the lags minus the least; in [0, 2].
        distances: shape (31,), mean distance at lags of -15 to 15 frames; in [0, 2].
        windows: windows with speech that were compared.
    """

    offset_s: float
    confidence: float
    distances: Float64Array
    windows: int

    def at_lag(self, frames: int) -> float:
        """Return the mean distance with the lips ``frames`` behind the sound."""
        return float(self.distances[MAX_LAG_FRAMES + frames])


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Windows of a clip, one frame apart.

    Attributes:
        audio, lips: shape (N, E), float32, rows of unit length.
        speech: shape (N,), bool, whether the window of sound holds speech.
    """

    audio: Float32Array
    lips: Float32Array
    speech: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.speech)

    def joined(self, later: Embeddings) -> Embeddings:
        """Return these windows and the later ones."""
        return Embeddings(np.concatenate([self.audio, later.audio]),
                          np.concatenate([self.lips, later.lips]),
                          np.concatenate([self.speech, later.speech]))

    def last(self, count: int) -> Embeddings:
        """Return the last windows, at most ``count``."""
        return Embeddings(self.audio[-count:], self.lips[-count:], self.speech[-count:])


class Embedder(Protocol):
    """Turns sound and lips into comparable vectors."""

    @property
    def window_frames(self) -> int:
        """Frames per window."""

    def embed(self, features: Float32Array, weights: Float32Array) -> Embeddings:
        """Return the ``F - window + 1`` windows of a clip: (F, 83) and (F, 52) at 50 Hz."""


class SyncNetwork:
    """A synchrony network in ONNX Runtime, on one thread of the CPU.

    Args:
        path: ``sync.onnx``; inputs ``features (A, W, 83)`` and ``face (V, W, 52)``, outputs
            ``audio (A, E)`` and ``lips (V, E)``.

    Raises:
        BundleError: the file cannot be loaded, is another network, or returns nonsense.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), options, providers=['CPUExecutionProvider'])
            inputs = {item.name: item.shape for item in self._session.get_inputs()}
            window, self._dim = inputs['features'][1:]
            if set(inputs) != set(INPUTS) or inputs['face'][1:] != [window, FACE_DIM]:
                raise ValueError(f'its inputs are {inputs}')
            self._window = int(window)
            quiet = self.embed(np.zeros((self._window, self._dim), np.float32),
                               np.zeros((self._window, FACE_DIM), np.float32))
            if not (np.isfinite(quiet.audio).all() and quiet.audio.shape == quiet.lips.shape):
                raise ValueError(f'it returns {quiet.audio.shape} and {quiet.lips.shape}')
        except Exception as error:  # onnxruntime raises many private classes
            reason = str(error).splitlines()[0][:200]
            raise BundleError(f'{path} is no synchrony network: {reason}') from error

    @property
    def window_frames(self) -> int:
        """Frames per window."""
        return self._window

    def embed(self, features: Float32Array, weights: Float32Array) -> Embeddings:
        """Return the embeddings of all windows of a clip.

        Args:
            features: shape (F, 83), raw features; F is at least a window.
            weights: shape (F, 52), blendshape weights of the same frames.
        """
        audio, lips = self._session.run(list(OUTPUTS), {
            'features': _windows(features, self._window),
            'face': _windows(weights, self._window)})
        return Embeddings(audio, lips, holds_speech(features, self._window))


def _windows(rows: Float32Array, window: int) -> Float32Array:
    """Return shape (F - window + 1, window, D), float32, of rows (F, D)."""
    view = sliding_window_view(rows, window, axis=0)
    return np.ascontiguousarray(view.transpose(0, 2, 1), np.float32)


def holds_speech(features: Float32Array, window: int) -> NDArray[np.bool_]:
    """Return shape (F - window + 1,): whether each window of features (F, D) holds speech."""
    voiced = np.concatenate([[0], np.cumsum(features[:, VOICING_COLUMN] > VOICED)])
    return cast(NDArray[np.bool_], voiced[window:] - voiced[:-window] >= SPEECH_SHARE * window)


def lag_distances(clip: Embeddings) -> tuple[Float64Array, int]:
    """Return the mean distance per lag, shape (31,), and how many windows it is a mean of.

    Only windows that hold speech and can be compared at every lag count, so that all lags are
    means over the same lips.
    """
    lags = np.arange(-MAX_LAG_FRAMES, MAX_LAG_FRAMES + 1)
    frames = np.arange(MAX_LAG_FRAMES, len(clip) - MAX_LAG_FRAMES)
    frames = frames[clip.speech[frames]]
    if not len(frames):
        return np.full(len(lags), np.nan), 0
    sound = clip.audio[frames[:, None] - lags]
    cosine = np.einsum('nle,ne->nl', sound, clip.lips[frames]).astype(np.float64)
    distances = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * cosine))
    return cast(Float64Array, distances.mean(axis=0)), len(frames)


def score_embeddings(clip: Embeddings) -> SyncScore | None:
    """Return the score of embedded windows; None with too little speech among them."""
    distances, windows = lag_distances(clip)
    if windows < MIN_WINDOWS:
        return None
    best = int(np.argmin(distances))
    return SyncScore((best - MAX_LAG_FRAMES) / FACE_RATE_HZ,
                     float(np.median(distances) - distances[best]), distances, windows)


def score_clip(network: Embedder, features: Float32Array,
               weights: Float32Array) -> SyncScore | None:
    """Return the score of a clip; None when it is too short or holds too little speech.

    Args:
        network: the two towers.
        features: shape (F, 83), raw features at 50 Hz.
        weights: shape (T, 52), weights at 50 Hz from the same moment on; the longer of the two
            is cut.
    """
    frames = min(len(features), len(weights))
    if frames < network.window_frames:
        return None
    return score_embeddings(network.embed(features[:frames], weights[:frames]))


class SyncMeter:
    """The score of the last seconds of a stream, new after each second of motion.

    Not thread-safe, but :attr:`score` may be read by any thread.

    Args:
        network: the two towers.
        span_s: how much of the past is scored [s].
        period_s: motion between two scores [s].
    """

    def __init__(self, network: Embedder, span_s: float = 4.0, period_s: float = 1.0) -> None:
        self._network = network
        self._keep = round(span_s * FACE_RATE_HZ) - network.window_frames + 1
        self._period = round(period_s * FACE_RATE_HZ)
        self.score: SyncScore | None = None
        self.reset()

    def reset(self) -> None:
        """Forget sound and lips, because a new stream begins; the last score stays."""
        self._features: list[Float32Array] = []
        self._weights: list[Float32Array] = []
        self._waiting = 0
        self._clip: Embeddings | None = None

    def add(self, features: Float32Array, weights: Float32Array) -> None:
        """Take the next committed frames, and score when a period is full.

        Args:
            features: shape (n, 83), of the same frames as the weights.
            weights: shape (n, 52).
        """
        self._features.append(features)
        self._weights.append(weights)
        self._waiting += len(weights)
        if self._waiting < max(self._period, self._network.window_frames):
            return
        self._waiting = 0
        sound, lips = np.concatenate(self._features), np.concatenate(self._weights)
        fresh = self._network.embed(sound, lips)
        # The next window begins one frame after the last one did.
        overlap = self._network.window_frames - 1
        self._features, self._weights = [sound[-overlap:]], [lips[-overlap:]]
        whole = fresh if self._clip is None else self._clip.joined(fresh)
        self._clip = whole.last(self._keep)
        # Without speech in the last seconds there is nothing new to say.
        self.score = score_embeddings(self._clip) or self.score
