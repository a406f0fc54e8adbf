"""Training windows: random slices of the packed corpus, as the runtime will see them.

A window lies on the clock like this; everything after *heard* is masked ("not heard yet")::

    features   |-- context --|----------------- window ----------------|
    motion                   |-- seed --|------- to be denoised -------|
    heard      |.................................|
    history  |... the last 400 feature frames before the end of heard ...|

Windows may begin before the take does (features not heard, motion held at its first frame, as
at the start of a stream) and may end after it (motion there is not valid and costs nothing).
Every batch follows from (seed, step) alone, so a resumed run draws what an unbroken one would.
"""
from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from gesture_node.audio.features import ENERGY_INDEX, MEL_BANDS, POWER_FLOOR
from gesture_node.guides.cues import (
    ARM_INDEX,
    CONFIRMED_S,
    CUE_DIM,
    guide_cues,
    no_cues,
    STROKE,
    TIME,
)
from gesture_node.measures.alignment import BEAT_LAG_S
from gesture_node.timeline import BODY_RATE_HZ

from .config import TrainingConfig, WindowConfig
from .corpora.pack import Pack, Take, UNKNOWN_PHONE
from .exceptions import TrainingError
from .networks.assembly import STYLES

IntArray = NDArray[np.int64]
_NEAR_FRAMES = 12
_AROUSAL_BLUR = 0.05
"""Standard deviation of what a stream hears of arousal against what was composed."""


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """A batch of windows: B windows of W motion frames and F = context + window features.

    Attributes:
        features: (B, F, D) raw.
        heard: (B, F), 1 where the window hears.
        history: (B, P, D) raw.
        history_heard: (B, P).
        motion: (B, W, D) clean, normalised.
        seed: (B, W, D) given frames, possibly disturbed; 0 where ``mask`` is 0.
        mask: (B, W), 1 for seed frames.
        valid: (B, W), 1 where motion exists.
        drop: (B,), 1 to train without speech.
        style: (B,) int64.
        phones: (B, F) int64, 255 where unknown, not heard or outside of the window.
        accents: (B, F) in [0, 1], NaN where unknown.
        cues: (B, W, 131) of the body, see ``gesture_node.guides.cues``; (B, 0, 131) of the face.
    """

    features: Tensor
    heard: Tensor
    history: Tensor
    history_heard: Tensor
    motion: Tensor
    seed: Tensor
    mask: Tensor
    valid: Tensor
    drop: Tensor
    style: Tensor
    phones: Tensor
    accents: Tensor
    cues: Tensor

    def to(self, device: torch.device) -> WindowBatch:
        """Return the batch on another device."""
        return WindowBatch(*(getattr(self, f.name).to(device, non_blocking=True)
                             for f in fields(self)))


@dataclass(frozen=True, slots=True)
class _Draw:
    """Where B windows lie, all in frames of the take, and what they hear and are given."""

    take: IntArray
    start: IntArray
    prefix: IntArray
    heard_end: IntArray


class WindowSampler:
    """Draws batches of one channel.

    Args:
        pack: the channel's corpus.
        channel: ``body`` or ``face``.
        config: sizes and shares.
        mean, std: normalisation of motion, shape (D,).
        split: ``train`` or ``held_out``.

    Raises:
        TrainingError: no take of that split is long enough.
    """

    def __init__(self, pack: Pack, channel: str, config: TrainingConfig,
                 mean: NDArray[np.float32], std: NDArray[np.float32],
                 split: str = 'train') -> None:
        self._pack, self._windows, self._encoder = pack, config.windows, config.encoder
        sizes = config.body if channel == 'body' else config.face
        self.channel, self.batch = channel, sizes.batch
        self._window, self._seed_frames = sizes.window_frames, sizes.seed_frames
        self._ratio = 2 if channel == 'body' else 1
        self._mean, self._std = mean, std
        shortest = self._window // 2
        self._takes: list[Take] = [
            take for take in pack.takes if take.split == split and take.frames >= shortest]
        if not self._takes:
            raise TrainingError(f'the {channel} corpus holds no {split} take of at least '
                                f'{shortest} frames')
        self._frames = np.array([take.frames for take in self._takes])
        self._share = np.cumsum(self._frames / self._frames.sum())
        self._first_frame = np.array([take.first_frame for take in self._takes])
        self._first_feature = np.array([take.first_feature for take in self._takes])
        self._feature_count = np.array([take.features for take in self._takes])
        self._guides = _guides_of(pack, self._takes, mean, std)
        self._style = np.array([STYLES.index(take.style) if take.style in STYLES
                                else len(STYLES) - 1 for take in self._takes])

    @property
    def hours(self) -> float:
        """Length of all takes [h]."""
        return float(self._feature_count.sum()) / 50.0 / 3600.0

    def draw(self, seed: int, step: int) -> WindowBatch:
        """Return the batch of a training step."""
        random = np.random.default_rng([seed, step, self._ratio])
        draw = self._place(random)
        features, heard = self._hear(draw)
        history, history_heard = self._remember(draw)
        colour = _colour(random, self.batch, self._windows)
        motion, valid = self._move(draw)
        mask = (np.arange(self._window) < draw.prefix[:, None]).astype(np.float32)
        given = _disturb(random, motion, self._windows) * mask[..., None]
        style = np.where(random.random(self.batch) < self._windows.mean_style_share,
                         len(STYLES) - 1, self._style[draw.take])
        drop = random.random(self.batch) < self._windows.drop_share
        return WindowBatch(
            features=self._tinted(features, colour), heard=torch.from_numpy(heard),
            history=self._tinted(history, colour), history_heard=torch.from_numpy(history_heard),
            motion=torch.from_numpy(motion), seed=torch.from_numpy(given),
            mask=torch.from_numpy(mask), valid=torch.from_numpy(valid),
            drop=torch.from_numpy(drop.astype(np.float32)), style=torch.from_numpy(style),
            phones=self._phones(draw, heard), accents=self._accents(draw),
            cues=self._cues(draw, random))

    def _tinted(self, features: NDArray[np.float32], colour: Tensor) -> Tensor:
        """Return features of another microphone; of mel features alone is that known."""
        if self._pack.front_end is None:
            return _coloured(features, colour)
        return torch.from_numpy(features)

    def _place(self, random: np.random.Generator) -> _Draw:
        count, window, shares = self.batch, self._window, self._windows
        take = np.searchsorted(self._share, random.random(count) * self._share[-1])
        latest = np.maximum(1, self._frames[take] - window // 2)
        start = (random.random(count) * latest).astype(np.int64)
        early = random.random(count) < shares.before_start_share
        start = np.where(early, -random.integers(0, self._seed_frames + 1, count), start)
        prefix = np.where(random.random(count) < shares.full_seed_share, self._seed_frames,
                          random.integers(0, self._seed_frames + 1, count))
        room = window - prefix - 2
        reach = np.where(random.random(count) < 0.5, np.minimum(_NEAR_FRAMES, room), room)
        heard_end = prefix + 2 + (random.random(count) * (reach + 1)).astype(np.int64)
        heard_end = np.where(random.random(count) < shares.full_heard_share, window, heard_end)
        return _Draw(take, start, prefix, heard_end)

    def _rows(self, draw: _Draw, index: IntArray) -> tuple[NDArray[np.float32],
                                                          NDArray[np.float32]]:
        """Return features at take-relative ``index`` (B, n) and 1 where they exist."""
        count = self._feature_count[draw.take][:, None]
        exists = (index >= 0) & (index < count)
        rows = self._first_feature[draw.take][:, None] + np.clip(index, 0, count - 1)
        return self._pack.features[rows].astype(np.float32), exists.astype(np.float32)

    def _feature_index(self, draw: _Draw) -> IntArray:
        context = self._encoder.context_frames
        index: IntArray = draw.start[:, None] * self._ratio + np.arange(
            -context, self._window * self._ratio)
        return index

    def _hear(self, draw: _Draw) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        index = self._feature_index(draw)
        features, exists = self._rows(draw, index)
        end = (draw.start + draw.heard_end)[:, None] * self._ratio
        return features, exists * (index < end)

    def _remember(self, draw: _Draw) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        end = (draw.start + draw.heard_end)[:, None] * self._ratio
        return self._rows(draw, end + np.arange(-self._encoder.history_frames, 0))

    def _move(self, draw: _Draw) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        index = draw.start[:, None] + np.arange(self._window)
        frames = self._frames[draw.take][:, None]
        rows = self._first_frame[draw.take][:, None] + np.clip(index, 0, frames - 1)
        motion = (self._pack.motion[rows].astype(np.float32) - self._mean) / self._std
        return motion, (index < frames).astype(np.float32)

    def _phones(self, draw: _Draw, heard: NDArray[np.float32]) -> Tensor:
        if self._pack.phones is None:
            return torch.full(heard.shape, UNKNOWN_PHONE, dtype=torch.int64)
        count = self._feature_count[draw.take][:, None]
        index = np.clip(self._feature_index(draw), 0, count - 1)
        phones = self._pack.phones[self._first_feature[draw.take][:, None] + index]
        return torch.from_numpy(np.where(heard > 0, phones, UNKNOWN_PHONE).astype(np.int64))

    def _cues(self, draw: _Draw, random: np.random.Generator) -> Tensor:
        if self.channel != 'body':
            return torch.zeros(len(draw.take), 0, CUE_DIM)
        blur = random.normal(0.0, _AROUSAL_BLUR, len(draw.take))
        return torch.from_numpy(np.stack([
            self._cues_of(int(take), int(start), int(end), float(off))
            for take, start, end, off in zip(draw.take, draw.start, draw.heard_end, blur)]))

    def _cues_of(self, take: int, start: int, heard_end: int, blur: float) -> NDArray[np.float32]:
        """Return the cues of one window: guides whose accent is heard by then, and arousal."""
        if self._guides is None or self._pack.arousal is None:
            return no_cues(self._window)
        row = min(max((start + heard_end) * self._ratio - 1, 0),
                  int(self._feature_count[take]) - 1)
        arousal = float(self._pack.arousal[self._first_feature[take] + row])
        if np.isnan(arousal):
            return no_cues(self._window)
        guides = self._guides[take]
        known_s = (start + heard_end) / BODY_RATE_HZ - CONFIRMED_S + BEAT_LAG_S
        times_s = (start + np.arange(self._window)) / BODY_RATE_HZ
        return guide_cues(guides[guides[:, TIME] <= known_s], times_s,
                          float(np.clip(arousal + blur, 0.0, 1.0)))

    def _accents(self, draw: _Draw) -> Tensor:
        index = self._feature_index(draw)
        if self._pack.accents is None:
            return torch.full(index.shape, torch.nan)
        count = self._feature_count[draw.take][:, None]
        inside = np.clip(index, 0, count - 1)
        curve = self._pack.accents[self._first_feature[draw.take][:, None] + inside]
        return torch.from_numpy(np.where(index == inside, curve, 0.0).astype(np.float32))


def _guides_of(pack: Pack, takes: list[Take], mean: NDArray[np.float32],
               std: NDArray[np.float32]) -> list[NDArray[np.float64]] | None:
    """Return the guides (G, 63) of each take, in order of time; None where the pack has none."""
    if pack.guides is None:
        return None
    numbers = {take.name: number for number, take in enumerate(pack.takes)}
    rows = pack.guides.astype(np.float64)
    found = []
    for take in takes:
        own = rows[rows[:, 0] == numbers[take.name], 1:4]
        own = own[np.argsort(own[:, TIME], kind='stable')]
        at = np.clip(np.round(own[:, TIME] * BODY_RATE_HZ).astype(int), 0, take.frames - 1)
        poses = (pack.motion[take.first_frame + at].astype(np.float64) - mean) / std
        found.append(np.concatenate(
            [own, poses[:, ARM_INDEX] * own[:, STROKE, None]], axis=1))
    return found


def _disturb(random: np.random.Generator, motion: NDArray[np.float32],
             config: WindowConfig) -> NDArray[np.float32]:
    """Return motion as an imperfect past would be: shifted as a whole and a little rough.

    Windows are generated from generated motion; seeds that were only ever clean would let small
    errors grow from window to window.
    """
    count, _, dim = motion.shape
    scale = random.random((count, 1, 1)) * config.seed_noise
    scale *= random.random((count, 1, 1)) < config.seed_noise_share
    offset = random.standard_normal((count, 1, dim))
    rough = random.standard_normal(motion.shape, dtype=np.float32)
    return (motion + scale * (offset + 0.3 * rough)).astype(np.float32)


def _colour(random: np.random.Generator, count: int, config: WindowConfig) -> Tensor:
    """Return log gains ``(B, 1, 80)``: a level and a smooth equaliser per window."""
    band = np.linspace(0.0, np.pi, MEL_BANDS)
    terms = np.stack([np.ones(MEL_BANDS), *(np.cos(k * band) for k in (1, 2, 3))])
    spread_db = np.array([config.gain_db] + [config.tilt_db] * 3)
    gain_db = (random.standard_normal((count, 4)) * spread_db) @ terms
    return torch.from_numpy((gain_db * np.log(10.0) / 10.0).astype(np.float32))[:, None, :]


def _coloured(features: NDArray[np.float32], colour: Tensor) -> Tensor:
    """Return raw features as a louder or duller microphone would have given them."""
    result = torch.from_numpy(features)
    columns = torch.cat([colour, colour.mean(dim=-1, keepdim=True)], dim=-1)
    power = (result[..., :ENERGY_INDEX + 1].exp() - POWER_FLOOR).clamp(min=0.0)
    result[..., :ENERGY_INDEX + 1] = (power * columns.exp() + POWER_FLOOR).log()
    return result
