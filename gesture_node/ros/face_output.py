"""Holds the face until its frames are to be shown, across all streams. Knows no ROS."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..timeline import FACE_RATE_HZ, frame_to_ns
from ..types import FaceChunk, Float32Array
from .playout import PlayoutQueue

RELEASE_FRAMES = 12
"""Frames in which an interrupted face relaxes to neutral."""
JOIN_FRAMES = 6
"""Frames in which a new stream takes over from what the last one showed."""
MAX_LATE_NS = 60_000_000
"""A face is shown at most so late."""
OVERTAKEN_NS = 25_000_000
"""Of several frames that are due at once, those later than this are left out. The playout takes
them 5 ms early, so that 20 ms are meant."""


class FaceOutput:
    """Face frames on ROS time; filled by the worker, taken by the playout timer."""

    def __init__(self) -> None:
        self._frames: PlayoutQueue[Float32Array] = PlayoutQueue(MAX_LATE_NS)
        self._shown: Float32Array | None = None
        self._join: Float32Array | None = None
        self._taken = self._overtaken = 0

    @property
    def late(self) -> int:
        """Frames dropped because they came after their time."""
        return self._frames.late + self._overtaken

    @property
    def taken(self) -> int:
        """Frames given out."""
        return self._taken

    @property
    def is_moving(self) -> bool:
        """Whether frames wait for their time."""
        return len(self._frames) > 0

    def begin(self, start_ns: int) -> None:
        """Begin a new stream, shown from ``start_ns`` on; it replaces what waits beyond that."""
        last = self._frames.drop_from(start_ns)
        self._join = self._shown if last is None else last

    def extend(self, chunk: FaceChunk, start_ns: int) -> FaceChunk:
        """Append a chunk of the running stream.

        Args:
            chunk: committed frames.
            start_ns: presentation time of stream time 0.

        Returns:
            The chunk as it will be shown: the first frames of a stream are joined to the last.
        """
        chunk = self._joined(chunk)
        for row, weights in enumerate(chunk.weights):
            due_ns = start_ns + frame_to_ns(chunk.first_frame + row, chunk.rate_hz)
            self._frames.put(due_ns, weights)
        return chunk

    def take_due(self, now_ns: int) -> list[tuple[int, Float32Array]]:
        """Return the frames to be shown now: presentation time and weights ``(52,)``.

        After a halt the newest frame is shown and those it has overtaken are dropped: a face that
        made up for lost time would be late for longer, and seem to tremble.
        """
        waiting = self._frames.take_due(now_ns)
        due = [frame for frame in waiting[:-1] if now_ns - frame[0] <= OVERTAKEN_NS]
        due += waiting[-1:]
        self._overtaken += len(waiting) - len(due)
        if due:
            self._shown = due[-1][1]
            self._taken += len(due)
        return due

    def clear(self) -> None:
        """Drop what waits; nothing more is shown."""
        self._frames.clear()
        self._shown = self._join = None

    def release(self, now_ns: int) -> FaceChunk | None:
        """Drop what waits and relax to neutral from what is shown now.

        Returns:
            The relaxing frames, the first at ``now_ns``; ``None`` if nothing was shown.
        """
        self._frames.clear()
        shown, self._join = self._shown, None
        if shown is None or not shown.any():
            return None
        left = 1.0 - np.arange(1, RELEASE_FRAMES + 1, dtype=np.float32) / RELEASE_FRAMES
        weights = (left[:, None] ** 2 * shown).astype(np.float32)
        for row in range(RELEASE_FRAMES):
            self._frames.put(now_ns + frame_to_ns(row, FACE_RATE_HZ), weights[row])
        self._shown = weights[-1]
        return FaceChunk(0, weights, FACE_RATE_HZ)

    def _joined(self, chunk: FaceChunk) -> FaceChunk:
        """Return a chunk whose first frames of the stream are blended with the last stream's.

        A blend of two valid faces is valid: all constraints on weights are linear.
        """
        if self._join is None or chunk.first_frame >= JOIN_FRAMES:
            return chunk
        rows = np.arange(chunk.first_frame, chunk.first_frame + len(chunk.weights))
        share = np.clip((rows + 1) / (JOIN_FRAMES + 1), 0.0, 1.0).astype(np.float32)[:, None]
        return replace(chunk, weights=share * chunk.weights + (1.0 - share) * self._join)
