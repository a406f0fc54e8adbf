"""Which sound belongs to which motion in a recording, from the published messages alone.

A stream begins with the first packet that holds speech. Face frame 0 of the stream is for its
first sample, so the stamp of the first face frame is the *presentation time* of stream time 0, and
everything else follows by counting samples.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exceptions import SimulationError
from ..timeline import NS_PER_S
from ..types import Float64Array
from .recording import Arrived, DemoRecording, sample_count, samples, stamp_ns

_FALLBACK_RATE_HZ = 16_000
_AUDIBLE_RMS = 2e-3
"""A packet louder than this (-54 dBFS) holds speech, for the node and so for its measurement."""


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
        SimulationError: no speech was heard, none passed on, or no face frame published.
    """
    heard = recording.topic('/audio')
    passed = recording.topic('/audio_out')
    frames = recording.topic('/face/blendshapes')
    begin = next((index for index, item in enumerate(heard) if _holds_speech(item)), len(heard))
    if begin == len(heard) or not passed or not frames:
        raise SimulationError(
            f'nothing to measure: of {len(heard)} audio packets, {len(heard) - begin} from the '
            f'first speech on, {len(passed)} were passed on and {len(frames)} face frames made')
    first = np.asarray(heard[begin].message.data)
    heard = heard[begin:]
    passed = passed[next((index for index, item in enumerate(passed)
                          if np.array_equal(np.asarray(item.message.data), first)), 0):]
    lengths = np.array([sample_count(item.message) for item in heard], np.float64)
    passed_lengths = np.array([sample_count(item.message) for item in passed], np.float64)
    return StreamAlignment(
        presentation_s=stamp_ns(frames[0].message.header) / NS_PER_S,
        sample_rate=sample_rate or _FALLBACK_RATE_HZ,
        heard_s=np.array([item.at_ns / NS_PER_S for item in heard]),
        heard_end=np.cumsum(lengths),
        passed_s=np.array([item.at_ns / NS_PER_S for item in passed]),
        passed_start=np.cumsum(passed_lengths) - passed_lengths,
        sound=np.concatenate([samples(item.message) for item in passed]))


def _holds_speech(item: Arrived) -> bool:
    return float(samples(item.message).std()) > _AUDIBLE_RMS
