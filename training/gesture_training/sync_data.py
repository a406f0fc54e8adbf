"""Windows for the synchrony network: lips, their own sound, and sound that is nearly theirs.

A batch is S segments of P windows each, from anywhere in the corpus::

    sound   ...|--w1--|..|--w2--|........|--w3--|...     one segment: windows 40 to 400 ms apart
    lips    ...|--w1--|..|--w2--|........|--w3--|...

Every window of sound is the own of one window of lips and a negative of all others: hard ones
within the segment (the same mouth a little earlier or later), easy ones from other speech. A batch
follows from (seed, step) alone.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from gesture_node.audio.features import ENERGY_INDEX, MEL_BANDS, POWER_FLOOR, VOICING_INDEX
from gesture_node.measures.sync_score import SPEECH_SHARE, VOICED
from gesture_node.motion.face import FACE_DIM

from .corpora.pack import Pack, Take
from .exceptions import TrainingError
from .sync_config import SyncConfig

IntArray = NDArray[np.int64]
Clip = tuple[NDArray[np.float32], NDArray[np.float32]]
REACH_FRAMES = 20
"""Windows of a segment lie within this, 400 ms."""
_GAP_FRAMES = 2
_STREAM = 3
"""Number of this random stream, beside those of the denoisers' windows."""


@dataclass(frozen=True, slots=True)
class SyncBatch:
    """N windows that belong together row by row: features (N, W, 83) and face (N, W, 52)."""

    features: Tensor
    face: Tensor


class SyncSampler:
    """Draws batches where somebody speaks.

    Args:
        pack: face channel of the corpus.
        config: sizes and disturbances.
        split: ``train`` or ``held_out``.

    Raises:
        TrainingError: no take of that split is long enough and holds speech.
    """

    def __init__(self, pack: Pack, config: SyncConfig, split: str = 'train') -> None:
        self._pack, self._config = pack, config
        self.takes = [take for take in pack.takes if take.split == split]
        self._length = config.window_frames + REACH_FRAMES
        starts = [self._starts(take) for take in self.takes]
        self._take = np.repeat(np.arange(len(starts)), [len(start) for start in starts])
        self._start = np.concatenate([np.zeros(0, np.int64), *starts])
        if not len(self._start):
            raise TrainingError(f'the face corpus holds no {split} take of at least '
                                f'{self._length} frames with speech')

    def _starts(self, take: Take) -> IntArray:
        """Return where segments of a take may start: voiced enough on the whole."""
        frames = min(take.features, take.frames)
        rows = slice(take.first_feature, take.first_feature + frames)
        voiced = np.concatenate([[0], np.cumsum(self._pack.features[rows, VOICING_INDEX]
                                                > VOICED)])
        share = (voiced[self._length:] - voiced[:-self._length]) / self._length
        return np.flatnonzero(share >= SPEECH_SHARE)

    @property
    def hours(self) -> float:
        """Length of all takes [h]."""
        return sum(take.frames for take in self.takes) / 50.0 / 3600.0

    def draw(self, step: int) -> SyncBatch:
        """Return the batch of a training step."""
        config = self._config
        random = np.random.default_rng([config.seed, step, _STREAM])
        chosen = random.integers(0, len(self._start), config.segments)
        takes = [self.takes[number] for number in self._take[chosen]]
        within = self._start[chosen][:, None] + np.arange(self._length)
        features = self._pack.features[within + np.array([[t.first_feature] for t in takes])]
        face = self._pack.motion[within + np.array([[t.first_frame] for t in takes])]
        places = spread_places(random, config.segments, config.positions)
        index = places[:, :, None] + np.arange(config.window_frames)
        segment = np.arange(config.segments)[:, None, None]
        sound = coloured(features.astype(np.float32), random, config)[segment, index]
        lips = disturbed(face.astype(np.float32), random, config)[segment, index]
        return SyncBatch(torch.from_numpy(sound.reshape(-1, *sound.shape[2:])),
                         torch.from_numpy(lips.reshape(-1, *lips.shape[2:])))


def spread_places(random: np.random.Generator, segments: int, positions: int) -> IntArray:
    """Return shape (segments, positions): frames in [0, 20], no two of a row closer than two."""
    spare = REACH_FRAMES + 1 - (positions - 1) * (_GAP_FRAMES - 1)
    order = np.argsort(random.random((segments, spare)), axis=1)[:, :positions]
    places: IntArray = np.sort(order, axis=1) + np.arange(positions) * (_GAP_FRAMES - 1)
    return places


def coloured(features: NDArray[np.float32], random: np.random.Generator,
             config: SyncConfig) -> NDArray[np.float32]:
    """Return raw features (S, L, 83) as a louder or duller microphone would have given them."""
    band = np.linspace(0.0, np.pi, MEL_BANDS)
    terms = np.stack([np.ones(MEL_BANDS), *(np.cos(k * band) for k in (1, 2, 3))])
    spread_db = np.array([config.gain_db] + [config.tilt_db] * 3)
    gain = (random.standard_normal((len(features), 4)) * spread_db) @ terms * np.log(10.0) / 10.0
    gain = np.concatenate([gain, gain.mean(axis=1, keepdims=True)], axis=1)[:, None, :]
    result = features.copy()
    power = np.maximum(0.0, np.exp(features[..., :ENERGY_INDEX + 1]) - POWER_FLOOR)
    result[..., :ENERGY_INDEX + 1] = np.log(power * np.exp(gain) + POWER_FLOOR)
    return result


def disturbed(face: NDArray[np.float32], random: np.random.Generator,
              config: SyncConfig) -> NDArray[np.float32]:
    """Return weights (S, L, 52) as a mouth less perfect than the teacher's would show them.

    Larger or smaller, a little rough, some channels missing; half of them rounded off in time, as
    networks and motors do. Nothing is moved in time.
    """
    count = len(face)
    gain = np.exp(config.lip_gain * random.standard_normal((count, 1, 1)))
    kept = random.random((count, 1, FACE_DIM)) >= config.lip_drop_share
    rough = config.lip_noise * random.random((count, 1, 1)) * random.standard_normal(
        face.shape, dtype=np.float32)
    side = 0.3 * random.random((count, 1, 1)) * (random.random((count, 1, 1)) < 0.5)
    wide = np.pad(face, ((0, 0), (1, 1), (0, 0)), mode='edge')
    smooth = (1.0 - 2.0 * side) * face + side * (wide[:, :-2] + wide[:, 2:])
    return np.asarray(np.clip(smooth * gain * kept + rough, 0.0, 1.0), dtype=np.float32)


def clips_of(pack: Pack, split: str, seconds: float | None = None,
             variant: str = 'clean') -> list[Clip]:
    """Return (features, face weights) of takes as they are, whole or cut into equal clips.

    Args:
        pack: face channel of the corpus.
        split: ``train`` or ``held_out``.
        seconds: length of a clip [s]; a shorter rest is left out. None leaves takes whole.
        variant: beginning of the names of the variants to take.
    """
    clips: list[Clip] = []
    for take in pack.takes:
        if take.split != split or not take.variant.startswith(variant):
            continue
        frames = min(take.features, take.frames)
        features = np.asarray(pack.features[take.first_feature:][:frames], dtype=np.float32)
        face = np.asarray(pack.motion[take.first_frame:][:frames], dtype=np.float32)
        size = frames if seconds is None else round(seconds * 50)
        clips += [(features[first:first + size], face[first:first + size])
                  for first in range(0, frames - size + 1, size)]
    return clips
