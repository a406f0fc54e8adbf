"""What the windows of a stream hear: features to tokens, for each window or once for all.

Windows of a live stream hear for themselves, up to the end of their foresight, so that nothing has
to wait. They overlap, and those of the body overlap those of the face, so the same sound is heard
three times or more. A stream one of whose hops is two seconds or longer is in no hurry: there
sound is heard once, in blocks, and the windows of both channels take their tokens from those.
"""
from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Protocol

import numpy as np

from .audio.feature_stream import FeatureSource
from .bundle import EncoderSpec
from .diffusion.window import WindowLayout
from .inference import OnnxEncoder, SpeechTokens

LONG_HOP_S = 2.0
"""Streams with a hop as long as this hear in blocks."""
BLOCK_FRAMES, FORESIGHT_FRAMES = 160, 20
"""Feature frames of a block, 3.2 s, and those that it hears beyond its end, 0.4 s."""


class Hearing(Protocol):
    """Tokens for windows; all arguments in feature frames."""

    @property
    def block_frames(self) -> int:
        """Frames that become known together."""

    def needed(self, first: int, count: int, heard_end: int) -> int:
        """Return up to where features must be there for :meth:`hear`."""

    def oldest(self, first: int, heard_end: int) -> int:
        """Return the oldest feature frame that this or a later window reads."""

    def hear(self, features: FeatureSource, first: int, count: int,
             heard_end: int) -> SpeechTokens:
        """Return the tokens of frames ``[first, first + count)``, of which a window may hear some.

        Args:
            features: of the stream.
            first: first frame of the window; negative before the stream began.
            count: frames of the window.
            heard_end: end of the frames that it may hear.
        """

    def drop_before(self, frame: int) -> None:
        """Forget what no window will need again."""


class WindowHearing:
    """Every window hears for itself."""

    block_frames = 1

    def __init__(self, encoder: OnnxEncoder, spec: EncoderSpec) -> None:
        self._encoder, self._spec = encoder, spec

    def needed(self, first: int, count: int, heard_end: int) -> int:
        """Return up to where features must be there: what the window may hear."""
        return heard_end

    def oldest(self, first: int, heard_end: int) -> int:
        """Return the oldest feature frame that this or a later window reads."""
        return min(first - self._spec.context_frames, heard_end - self._spec.history_frames)

    def hear(self, features: FeatureSource, first: int, count: int,
             heard_end: int) -> SpeechTokens:
        """Return the tokens of a window."""
        return _heard(self._encoder, self._spec, features, first, count, heard_end)

    def drop_before(self, frame: int) -> None:
        """Nothing is kept."""


class BlockHearing:
    """Sound is heard once, in blocks; threads may share it."""

    block_frames = BLOCK_FRAMES

    def __init__(self, encoder: OnnxEncoder, spec: EncoderSpec) -> None:
        self._encoder, self._spec = encoder, spec
        self._blocks: dict[int, SpeechTokens] = {}
        self._lock = Lock()

    def needed(self, first: int, count: int, heard_end: int) -> int:
        """Return up to where features must be there: what the last block hears."""
        return ((first + count - 1) // BLOCK_FRAMES + 1) * BLOCK_FRAMES + FORESIGHT_FRAMES

    def oldest(self, first: int, heard_end: int) -> int:
        """Return the oldest feature frame that this or a later window reads."""
        begin = first // BLOCK_FRAMES * BLOCK_FRAMES
        end = begin + BLOCK_FRAMES + FORESIGHT_FRAMES
        return min(begin - self._spec.context_frames, end - self._spec.history_frames)

    def hear(self, features: FeatureSource, first: int, count: int,
             heard_end: int) -> SpeechTokens:
        """Return the tokens of a window, and the voice as the last of its blocks hears it."""
        numbers = range(first // BLOCK_FRAMES, (first + count - 1) // BLOCK_FRAMES + 1)
        blocks = [self._block(features, number) for number in numbers]
        begin = first - numbers[0] * BLOCK_FRAMES
        local = np.concatenate([block.local for block in blocks])[begin:begin + count]
        return SpeechTokens(local, blocks[-1].persona, blocks[-1].emotion)

    def drop_before(self, frame: int) -> None:
        """Forget the blocks that end there or before."""
        for number in [number for number in self._blocks if (number + 1) * BLOCK_FRAMES <= frame]:
            del self._blocks[number]

    def _block(self, features: FeatureSource, number: int) -> SpeechTokens:
        found = self._blocks.get(number)
        if found is None:
            with self._lock:
                found = self._blocks.get(number)
                if found is None:
                    begin = number * BLOCK_FRAMES
                    count = BLOCK_FRAMES + FORESIGHT_FRAMES
                    found = _heard(self._encoder, self._spec, features, begin, count,
                                   begin + count)
                    self._blocks[number] = found = SpeechTokens(
                        found.local[:BLOCK_FRAMES], found.persona, found.emotion)
        return found


def hearing_for(encoders: Sequence[OnnxEncoder], spec: EncoderSpec,
                  layouts: Sequence[WindowLayout]) -> list[Hearing]:
    """Return how each channel of a stream hears.

    Args:
        encoders: the network that hears, as each channel has it.
        spec: context and history sizes.
        layouts: of each channel.
    """
    if any(layout.hop_frames >= LONG_HOP_S * layout.rate_hz for layout in layouts):
        return [BlockHearing(encoders[0], spec)] * len(layouts)
    return [WindowHearing(encoder, spec) for encoder in encoders]


def _heard(encoder: OnnxEncoder, spec: EncoderSpec, features: FeatureSource, first: int,
           count: int, heard_end: int) -> SpeechTokens:
    """Return the tokens of some frames, of which those before ``heard_end`` may be heard."""
    start = first - spec.context_frames
    count += spec.context_frames
    rows = np.zeros((count, features.dim), np.float32)
    rows[:heard_end - start] = features.get(start, min(heard_end, start + count))
    index = np.arange(start, start + count)
    heard = ((index >= 0) & (index < heard_end)).astype(np.float32)
    past = heard_end - spec.history_frames
    history = features.get(past, heard_end)
    history_heard = (np.arange(past, heard_end) >= 0).astype(np.float32)
    tokens = encoder(rows, heard, history, history_heard)
    return SpeechTokens(tokens.local[spec.context_frames:], tokens.persona, tokens.emotion)
