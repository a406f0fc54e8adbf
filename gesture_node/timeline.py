"""The one clock: conversions between audio samples, frames and seconds.

Audio inside is 16 kHz mono, counted by an absolute sample index from the start of the stream
that never wraps. Every later quantity is named by that index::

    sample   0        320       640       960      1280
             |---------|---------|---------|---------|      16 000 Hz
    feature  0         1         2         3         4       50 Hz   320 samples
    face     0         1         2         3         4       50 Hz   320 samples
    knot     0         1         2         3         4       50 Hz   320 samples
    body     0                   1                   2       25 Hz   640 samples

Frame ``k`` of a rate covers samples ``[k * n, (k + 1) * n)`` and is named by its first sample.
All rates divide 16 000, so every conversion here is exact integer arithmetic: no drift, ever.
This is the only module that converts between these units.
"""
from __future__ import annotations

from fractions import Fraction

SAMPLE_RATE_HZ = 16_000
FEATURE_RATE_HZ = 50
FACE_RATE_HZ = 50
KNOT_RATE_HZ = 50
BODY_RATE_HZ = 25
NS_PER_S = 1_000_000_000


def samples_per_frame(rate_hz: int) -> int:
    """Return how many audio samples one frame at ``rate_hz`` covers.

    Raises:
        ValueError: the rate does not divide 16 000 Hz, so frames would drift.
    """
    if rate_hz <= 0 or SAMPLE_RATE_HZ % rate_hz:
        raise ValueError(f'frame rate must divide {SAMPLE_RATE_HZ} Hz, got {rate_hz}')
    return SAMPLE_RATE_HZ // rate_hz


def frames_before(sample: int, rate_hz: int) -> int:
    """Return how many whole frames lie in the first ``sample`` samples."""
    return sample // samples_per_frame(rate_hz)


def first_sample(frame: int, rate_hz: int) -> int:
    """Return the absolute index of the first sample of a frame."""
    return frame * samples_per_frame(rate_hz)


def frame_to_s(frame: int, rate_hz: int) -> float:
    """Return the stream time [s] at which a frame starts."""
    return frame / rate_hz


def frame_to_ns(frame: int, rate_hz: int) -> int:
    """Return the stream time [ns] at which a frame starts, exactly."""
    return frame * NS_PER_S // rate_hz


def sample_to_ns(sample: int) -> int:
    """Return the stream time [ns] of a sample (rounded down; 62 500 ns a sample, exact)."""
    return sample * (NS_PER_S // SAMPLE_RATE_HZ)


def ns_to_sample(time_ns: int) -> int:
    """Return the index of the sample that starts nearest to a stream time [ns]."""
    step_ns = NS_PER_S // SAMPLE_RATE_HZ
    return (time_ns + step_ns // 2) // step_ns


def s_to_frames(duration_s: float, rate_hz: int) -> int:
    """Return the number of frames nearest to a duration [s] (halves round up)."""
    exact = Fraction(duration_s).limit_denominator(1_000_000) * rate_hz
    return int(exact + Fraction(1, 2)) if exact >= 0 else -int(-exact + Fraction(1, 2))


def convert_frame(frame: int, from_hz: int, to_hz: int) -> int:
    """Return the frame at ``to_hz`` that holds the first sample of ``frame`` at ``from_hz``."""
    return frame * samples_per_frame(from_hz) // samples_per_frame(to_hz)
