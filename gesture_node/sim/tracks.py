"""What a picture or a recording is made of: values over time, and sound at its time."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..exceptions import SimulationError
from ..types import Float64Array


@dataclass(frozen=True, slots=True)
class Track:
    """Vectors over time, such as joint positions or blendshape weights.

    Attributes:
        times_s: shape (T,), increasing, [s].
        values: shape (T, N).

    Raises:
        SimulationError: the shapes do not fit, or the times go back.
    """

    times_s: Float64Array
    values: NDArray[np.floating]

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.times_s.shape != (len(self.values),) or (
                not len(self.values)):
            raise SimulationError(f'a track needs times (T,) and values (T, N), T > 0, got '
                                  f'{self.times_s.shape} and {self.values.shape}')
        if np.any(np.diff(self.times_s) < 0.0):
            raise SimulationError('the times of a track must not go back')

    def __len__(self) -> int:
        return len(self.times_s)

    def at(self, time_s: float) -> Float64Array:
        """Return the values (N,) at a time, linear between samples, held before and after."""
        after = int(np.searchsorted(self.times_s, time_s, side='right'))
        before = max(after - 1, 0)
        after = min(after, len(self.times_s) - 1)
        span_s = self.times_s[after] - self.times_s[before]
        share = (time_s - self.times_s[before]) / span_s if span_s > 0.0 else 0.0
        start = self.values[before].astype(np.float64)
        blended: Float64Array = start + share * (self.values[after] - start)
        return blended

    def between(self, start_s: float, end_s: float) -> Track:
        """Return the samples inside a stretch of time; at least the one nearest to it."""
        inside = np.flatnonzero((self.times_s >= start_s) & (self.times_s <= end_s))
        if not len(inside):
            inside = np.array([np.abs(self.times_s - start_s).argmin()])
        return Track(self.times_s[inside], self.values[inside])


@dataclass(frozen=True, slots=True)
class Sound:
    """Mono sound and when it is heard.

    Attributes:
        samples: shape (n,), float32 in [-1, 1].
        sample_rate: [Hz].
        start_s: when the first sample is heard, on the clock of the motion [s].
    """

    samples: NDArray[np.float32]
    sample_rate: int
    start_s: float = 0.0

    @property
    def end_s(self) -> float:
        """When the last sample is over [s]."""
        return self.start_s + len(self.samples) / self.sample_rate

    def from_time(self, time_s: float) -> NDArray[np.float32]:
        """Return the samples from a time on: silence is put before, or sound cut off."""
        offset = round((self.start_s - time_s) * self.sample_rate)
        if offset >= 0:
            return np.concatenate([np.zeros(offset, np.float32), self.samples])
        return self.samples[-offset:]
