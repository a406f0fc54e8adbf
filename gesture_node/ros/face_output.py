"""Holds the face of one stream until its frames are to be shown. Knows no ROS."""
from __future__ import annotations

import numpy as np

from ..timeline import FACE_RATE_HZ, frame_to_ns, NS_PER_S
from ..types import FaceChunk, Float32Array
from .playout import PlayoutQueue

RELEASE_FRAMES = 12
"""Frames in which an interrupted face relaxes to neutral."""
MAX_LATE_NS = 60_000_000


class FaceOutput:
    """Face frames on ROS time; filled by the worker, taken by the playout timer."""

    def __init__(self) -> None:
        self._frames: PlayoutQueue[Float32Array] = PlayoutQueue(MAX_LATE_NS)
        self._shown: Float32Array | None = None
        self._taken = 0

    @property
    def late(self) -> int:
        """Frames dropped because they came after their time."""
        return self._frames.late

    @property
    def taken(self) -> int:
        """Frames given out."""
        return self._taken

    @property
    def is_moving(self) -> bool:
        """Whether frames wait for their time."""
        return len(self._frames) > 0

    def extend(self, chunk: FaceChunk, start_ns: int) -> None:
        """Append a chunk of the running stream.

        Args:
            chunk: committed frames.
            start_ns: presentation time of stream time 0.
        """
        for row, weights in enumerate(chunk.weights):
            due_ns = start_ns + frame_to_ns(chunk.first_frame + row, chunk.rate_hz)
            self._frames.put(due_ns, weights)

    def take_due(self, now_ns: int) -> list[tuple[int, Float32Array]]:
        """Return the frames to be shown now: presentation time and weights ``(52,)``."""
        due = self._frames.take_due(now_ns)
        if due:
            self._shown = due[-1][1]
            self._taken += len(due)
        return due

    def clear(self) -> None:
        """Drop what waits; nothing more is shown."""
        self._frames.clear()
        self._shown = None

    def release(self, now_ns: int) -> FaceChunk | None:
        """Drop what waits and relax to neutral from what is shown now.

        Returns:
            The relaxing frames, the first at ``now_ns``; ``None`` if nothing was shown.
        """
        self._frames.clear()
        if self._shown is None or not self._shown.any():
            return None
        left = 1.0 - np.arange(1, RELEASE_FRAMES + 1, dtype=np.float32) / RELEASE_FRAMES
        weights = (left[:, None] ** 2 * self._shown).astype(np.float32)
        for row in range(RELEASE_FRAMES):
            self._frames.put(now_ns + row * NS_PER_S // FACE_RATE_HZ, weights[row])
        self._shown = None
        return FaceChunk(0, weights, FACE_RATE_HZ)
