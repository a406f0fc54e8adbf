"""Features from a network that hears windows of sound (WavLM), on an absolute grid of blocks.

Block ``b`` holds feature frames ``[b H, (b + 1) H)`` and is computed in one run, from a window of
sound that its number alone decides, never what happened to have arrived::

    frame    b H - C              b H        (b + 1) H      (b + 1) H + L
    window   |----- context C -----|-- block H --|-- lookahead L --|
    sound  |.......................................................|
           lead

What the network normalises over time it normalises over a longer past, the *statistics*: the
sound handed over begins there, and features come out of the window alone. At the start of a
stream both are as long as the stream is.

The convolutions at the network's entrance see 400 samples a frame and move on by 320, so the
sound begins 80 samples (*lead*) early and the last sample of frame ``k``'s receptive field is the
last of its own 320: its centre is sample ``320 k + 120``, 40 samples (2.5 ms) before the centre
of the frame.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ..timeline import FEATURE_RATE_HZ, first_sample, frames_before, samples_per_frame
from ..types import Float32Array
from .ring_buffer import RingBuffer

_HOP = samples_per_frame(FEATURE_RATE_HZ)
WaveformNetwork = Callable[[Float32Array], Float32Array]
"""Sound of statistics and window, (n,) float32, to features of the window, (F, D) float32."""


@dataclass(frozen=True, slots=True)
class BlockWindow:
    """The sound for one block: samples ``[start, stop)``, and which of the frames to keep.

    Attributes:
        start, stop: absolute samples; ``start`` is negative at the start of a stream.
        frames: frames that come out: context, block and lookahead.
        skip: how many of them are context before the block's own.
    """

    start: int
    stop: int
    frames: int
    skip: int


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """Sizes of the windows, in feature frames.

    Attributes:
        block_frames: H, frames computed together.
        context_frames: C, frames heard before the block.
        lookahead_frames: L, frames heard after it; they add to the latency.
        statistics_frames: frames before the block over which the network normalises, at least C.
        receptive_samples: samples that one frame sees at the network's entrance.

    Raises:
        ValueError: a size is not possible.
    """

    block_frames: int
    context_frames: int
    lookahead_frames: int = 0
    statistics_frames: int = 0
    receptive_samples: int = 400

    def __post_init__(self) -> None:
        if self.block_frames < 1 or self.context_frames < 0 or self.lookahead_frames < 0:
            raise ValueError(f'block_frames must be at least 1, context_frames and '
                             f'lookahead_frames at least 0, got {self}')
        if self.statistics_frames < 0:
            raise ValueError(f'statistics_frames must be at least 0, got '
                             f'{self.statistics_frames}')
        if not _HOP <= self.receptive_samples <= 10 * _HOP:
            raise ValueError(f'receptive_samples must be in [{_HOP}, {10 * _HOP}], '
                             f'got {self.receptive_samples}')

    @property
    def lead_samples(self) -> int:
        """Samples by which a window begins before its first frame does."""
        return self.receptive_samples - _HOP

    @property
    def window_frames(self) -> int:
        """Frames of a whole window: context, block and lookahead."""
        return self.context_frames + self.block_frames + self.lookahead_frames

    def frames_ready(self, samples: int) -> int:
        """Return how many frames the first ``samples`` samples suffice for."""
        frames = frames_before(samples, FEATURE_RATE_HZ) - self.lookahead_frames
        return max(0, frames) // self.block_frames * self.block_frames

    def samples_for(self, frames: int) -> int:
        """Return how many samples must have arrived for the first ``frames`` frames."""
        if frames <= 0:
            return 0
        blocks = -(-frames // self.block_frames)
        return first_sample(blocks * self.block_frames + self.lookahead_frames, FEATURE_RATE_HZ)

    def window(self, block: int) -> BlockWindow:
        """Return the sound for a block."""
        first = block * self.block_frames
        heard = max(0, first - self.context_frames)
        known = max(0, min(heard, first - self.statistics_frames))
        stop = first + self.block_frames + self.lookahead_frames
        return BlockWindow(known * _HOP - self.lead_samples, stop * _HOP, stop - heard,
                           first - heard)


class BlockFeatureStream:
    """A :class:`~.feature_stream.FeatureSource` whose frames a network computes, block by block.

    Args:
        network: sound of statistics and window to features of the window.
        dim: numbers per frame.
        grid: sizes of the windows.
    """

    def __init__(self, network: WaveformNetwork, dim: int, grid: BlockGrid) -> None:
        self._network, self._dim, self._grid = network, dim, grid
        self._samples = RingBuffer(capacity=_HOP * (grid.statistics_frames
                                                    + 2 * grid.window_frames))
        self._features = RingBuffer((dim,), capacity=1_024)
        self._lock = Lock()

    @property
    def dim(self) -> int:
        """Numbers per feature frame."""
        return self._dim

    @property
    def block_frames(self) -> int:
        """Frames that become available together."""
        return self._grid.block_frames

    @property
    def samples_accepted(self) -> int:
        """Samples appended since the start."""
        return self._samples.head

    @property
    def frames_available(self) -> int:
        """Feature frames that the audio so far suffices for; whole blocks only."""
        return self._grid.frames_ready(self._samples.head)

    def samples_for(self, frames: int) -> int:
        """Return how many samples must have arrived for the first ``frames`` frames."""
        return self._grid.samples_for(frames)

    def append(self, samples: Float32Array) -> None:
        """Append 16 kHz mono samples ``(n,)``."""
        self._samples.append(samples)

    def get(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return frames ``[start, stop)``, shape ``(n, dim)``; zeros before frame 0.

        Raises:
            IndexError: the audio of a frame has not arrived, or a frame was dropped.
            ValueError: the network does not fit the grid.
        """
        with self._lock:
            self._compute(stop)
            return self._features.get(start, stop)

    def _compute(self, stop: int) -> None:
        """Compute what is there of the frames before ``stop``."""
        grid = self._grid
        while self._features.head < min(stop, self.frames_available):
            block = self._features.head // grid.block_frames
            window = grid.window(block)
            rows = self._network(self._samples.get(window.start, window.stop))
            expected = window.frames, self._dim
            if rows.shape != expected:
                raise ValueError(f'the front end gives features of shape {rows.shape} for a '
                                 f'window, not {expected}')
            self._features.append(rows[window.skip:window.skip + grid.block_frames])
            self._samples.drop_before(grid.window(block + 1).start)

    def drop_before(self, frame: int) -> None:
        """Forget frames that no window will need again."""
        self._features.drop_before(frame)


def waveform_block_features(waveform: Float32Array, network: WaveformNetwork, dim: int,
                            grid: BlockGrid) -> Float32Array:
    """Return the features of a whole recording; equal to streaming it, bit for bit.

    Args:
        waveform: shape (n,), float32 mono 16 kHz in [-1, 1]. The last block is heard with
            silence after the end, as a stream that was finished is.
        network: sound of statistics and window to features of the window.
        dim: numbers per frame.
        grid: sizes of the windows.

    Returns:
        shape (n // 320, dim), float32.
    """
    frames = frames_before(len(waveform), FEATURE_RATE_HZ)
    stream = BlockFeatureStream(network, dim, grid)
    stream.append(waveform)
    stream.append(np.zeros(max(0, grid.samples_for(frames) - len(waveform)), np.float32))
    return stream.get(0, frames)
