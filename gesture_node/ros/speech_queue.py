"""Speech that arrived and waits for its turn, in stream order. Knows no ROS.

A whole utterance may arrive at once. It is not fed to the stream at once: motion would be computed
minutes ahead, and a stop or a change of parameters would come minutes late.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

from ..timeline import NS_PER_S
from ..types import Float32Array
from .audio_decoder import AudioBlock


class WaveformSink(Protocol):
    """What takes the speech: a ``GestureStream``."""

    def accept_waveform(self, samples: Float32Array, sample_rate: int) -> None:
        """Append samples ``(n,)``."""


@dataclass(slots=True)
class _Stretch:
    """Samples of one rate; ``samples is None`` means silence."""

    samples: Float32Array | None
    count: int
    sample_rate: int


class SpeechQueue:
    """Samples and silence in order, taken out up to a stream time."""

    def __init__(self) -> None:
        self._stretches: deque[_Stretch] = deque()
        self._fed_s = Fraction(0)
        self._waiting_s = Fraction(0)

    @property
    def fed_ns(self) -> int:
        """Stream time up to which everything was handed on."""
        return int(self._fed_s * NS_PER_S)

    @property
    def waiting_s(self) -> float:
        """Duration of what still waits [s]."""
        return float(self._waiting_s)

    def append(self, block: AudioBlock) -> None:
        """Append samples."""
        self._append(_Stretch(block.samples, len(block.samples), block.sample_rate))

    def append_silence(self, samples: int, sample_rate: int) -> None:
        """Append silence at the rate of its neighbours, so that their filter goes on."""
        self._append(_Stretch(None, samples, sample_rate))

    def feed(self, sink: WaveformSink, until_ns: int) -> None:
        """Hand on everything before stream time ``until_ns``."""
        until_s = Fraction(until_ns, NS_PER_S)
        while self._stretches and self._fed_s < until_s:
            stretch = self._stretches[0]
            wanted = int((until_s - self._fed_s) * stretch.sample_rate) + 1
            count = min(stretch.count, wanted)
            samples = np.zeros(count, np.float32) if stretch.samples is None else (
                stretch.samples[:count])
            sink.accept_waveform(samples, stretch.sample_rate)
            self._fed_s += Fraction(count, stretch.sample_rate)
            self._waiting_s -= Fraction(count, stretch.sample_rate)
            stretch.count -= count
            if stretch.samples is not None:
                stretch.samples = stretch.samples[count:]
            if not stretch.count:
                self._stretches.popleft()

    def _append(self, stretch: _Stretch) -> None:
        if stretch.count:
            self._stretches.append(stretch)
            self._waiting_s += Fraction(stretch.count, stretch.sample_rate)
