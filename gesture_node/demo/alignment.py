"""Which sound belongs to which motion in a recording, from the published messages alone.

A stream begins with the first packet that holds speech; that packet is also the first the node
passes on. Face frame 0 of the stream is for its first sample, so the stamp of the first face frame
is the *presentation time* of stream time 0, and everything else follows by counting samples.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exceptions import SimulationError
from ..timeline import NS_PER_S
from .recording import DemoRecording, Float64Array, sample_count, samples, stamp_ns

_FALLBACK_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class StreamAlignment:
    """Times of one stream; all in seconds of ROS time.

    Attributes:
        presentation_s: when stream time 0 is heard and shown.
        sample_rate: of the audio topic [Hz].
        heard_s: shape (A,), arrival of each audio packet of the stream at the node.
        heard_end: shape (A,), samples of the stream up to the end of each packet.
        passed_s: shape (P,), arrival of each packet the node passed on.
        passed_start: shape (P,), samples of the stream before each of those.
        sound: shape (n,), float32, what the node passed on.
    """

    presentation_s: float
    sample_rate: int
    heard_s: Float64Array
    heard_end: Float64Array
    passed_s: Float64Array
    passed_start: Float64Array
    sound: Float64Array

    @property
    def first_heard_s(self) -> float:
        """Arrival of the first packet of speech."""
        return float(self.heard_s[0])

    def available_s(self, stream_s: float) -> float:
        """Return when the audio up to a stream time had arrived; inf if it never did."""
        packet = int(np.searchsorted(self.heard_end, stream_s * self.sample_rate - 0.5))
        return float(self.heard_s[packet]) if packet < len(self.heard_s) else float('inf')

    def passed_due_s(self) -> Float64Array:
        """Return when each packet that was passed on is to be heard, shape (P,)."""
        return self.presentation_s + self.passed_start / self.sample_rate


def align(recording: DemoRecording, sample_rate: int) -> StreamAlignment:
    """Return the times of the first stream of a recording.

    Args:
        recording: of one run.
        sample_rate: of the audio topic [Hz]; its messages do not say.

    Raises:
        SimulationError: no audio was passed on, or no face frame was published.
    """
    passed = recording.topic('/audio_out')
    frames = recording.topic('/face/blendshapes')
    if not passed or not frames:
        raise SimulationError('nothing to measure: the node published '
                              f'{len(frames)} face frames and {len(passed)} audio packets')
    heard = recording.topic('/audio')
    first = np.asarray(passed[0].message.data)
    begin = next((index for index, item in enumerate(heard)
                  if np.array_equal(np.asarray(item.message.data), first)), 0)
    lengths = np.array([sample_count(item.message) for item in heard[begin:]], np.float64)
    passed_lengths = np.array([sample_count(item.message) for item in passed], np.float64)
    return StreamAlignment(
        presentation_s=stamp_ns(frames[0].message.header) / NS_PER_S,
        sample_rate=sample_rate or _FALLBACK_RATE_HZ,
        heard_s=np.array([item.at_ns / NS_PER_S for item in heard[begin:]]),
        heard_end=np.cumsum(lengths),
        passed_s=np.array([item.at_ns / NS_PER_S for item in passed]),
        passed_start=np.cumsum(passed_lengths) - passed_lengths,
        sound=np.concatenate([samples(item.message) for item in passed]))
