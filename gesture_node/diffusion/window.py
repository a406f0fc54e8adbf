"""Where windows lie on the clock, and how one is joined to the last.

Window ``n`` of a channel with hop H commits frames ``[n H, (n + 1) H)``::

    frame    n H - S        n H         (n + 1) H              n H - S + W
    window   |--- seed S ---|--- hop H ---|--- lookahead L -------|
    audio    ...heard.................................|            foresight beyond the hop

A window may run as soon as the audio it may hear has arrived; what it hears is fixed by its
number alone, never by what happened to have arrived, so packets cannot change the output.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..exceptions import ConfigError
from ..timeline import FEATURE_RATE_HZ, s_to_frames
from ..types import Float32Array

BLEND_S = 0.24
STEADY_BLEND_S = 0.04
"""Channels that follow the sound alone agree from window to window; a longer blend smears lips."""
SHORT_HOP_S = 0.4
"""Windows with hops up to this differ so little that one may go on from the plan of the last."""
PLAN_BLEND_S = 0.2
"""Within what time it goes its own way."""
_EASED_FRAMES, _EASED_WEIGHT, _EASED_GROWTH = 6, 5.0, 1.5
"""How many frames after a seam give way for it, what that costs, and how much more further on."""
_SPARE_S = 0.16
"""Frames denoised beyond those that are wanted or heard, so that the window's end is far away."""


@dataclass(frozen=True, slots=True)
class WindowLayout:
    """Sizes of a channel's window.

    Attributes:
        rate_hz: frames per second.
        window_frames: W, frames denoised together.
        seed_frames: S.
        hop_frames: H.
        foresight_frames: frames beyond the hop whose sound the window hears.
    """

    rate_hz: int
    window_frames: int
    seed_frames: int
    hop_frames: int
    foresight_frames: int

    @classmethod
    def from_seconds(cls, channel: str, model: tuple[int, int, int], hop_s: float,
                     foresight_s: float, ahead_s: float | None = None,
                     stretch: int = 1) -> WindowLayout:
        """Return the layout for a hop and foresight [s].

        Frames beyond what is wanted and heard cost time and change next to nothing, so a window
        may be shorter than the bundle's: attention takes any length, and its biases and rotary
        positions know distances alone.

        Args:
            channel: name for the error message.
            model: (rate_hz, window_frames, seed_frames) of the bundle.
            hop_s: frames committed per window, as time.
            foresight_s: sound heard beyond the hop.
            ahead_s: provisional frames wanted beyond the hop, as time; None wants all.
            stretch: how many times as long as the bundle's a window may be.

        Raises:
            ConfigError: hop or foresight are no whole frames or do not fit the window.
        """
        rate_hz, window, seed = model
        longest = stretch * window
        hop, foresight = s_to_frames(hop_s, rate_hz), s_to_frames(foresight_s, rate_hz)
        for name, value_s, frames in (('hop_s', hop_s, hop),
                                      ('foresight_s', foresight_s, foresight)):
            if abs(frames / rate_hz - value_s) > 1e-6:
                raise ConfigError(f'{channel}.{name} must be a multiple of {1 / rate_hz:g} s, '
                                  f'got {value_s:g}')
        if hop < 1 or hop + foresight > longest - seed:
            raise ConfigError(
                f'{channel}.hop_s + {channel}.foresight_s must be at most '
                f'{(longest - seed) / rate_hz:g} s for this bundle, got {hop_s + foresight_s:g}')
        if ahead_s is not None:
            wanted = max(s_to_frames(ahead_s, rate_hz), foresight)
            window = min(longest, seed + hop + wanted + s_to_frames(_SPARE_S, rate_hz))
        return cls(rate_hz, window, seed, hop, foresight)

    @property
    def features_per_frame(self) -> int:
        """Feature frames per motion frame: 2 for the body, 1 for the face."""
        return FEATURE_RATE_HZ // self.rate_hz

    @property
    def latency_s(self) -> float:
        """Algorithmic latency of the first frame of a hop [s]: hop plus foresight."""
        return (self.hop_frames + self.foresight_frames) / self.rate_hz

    def first_frame(self, number: int) -> int:
        """Return the first (seed) frame of a window; negative in the first windows."""
        return number * self.hop_frames - self.seed_frames

    def heard_features(self, number: int) -> int:
        """Return how many feature frames from the stream's start the window hears."""
        frames = (number + 1) * self.hop_frames + self.foresight_frames
        return frames * self.features_per_frame


def smooth_window(estimate: Float32Array, sigma_frames: float) -> Float32Array:
    """Return a window low-passed along time by a Gaussian, without delay.

    A window knows its own future, so the filter is symmetric. It takes away the frame-to-frame
    roughness that a few denoiser calls leave; a joint's limits would otherwise have to.

    Args:
        estimate: shape (W, D).
        sigma_frames: standard deviation; 0 returns the window as it is.
    """
    if sigma_frames <= 0.0:
        return estimate
    reach = int(np.ceil(3.0 * sigma_frames))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_frames) ** 2)
    taps /= taps.sum()
    padded = np.concatenate([np.repeat(estimate[:1], reach, axis=0), estimate,
                             np.repeat(estimate[-1:], reach, axis=0)])
    smooth = sum(tap * padded[i:i + len(estimate)] for i, tap in enumerate(taps))
    return np.asarray(smooth, np.float32)


def join_window(estimate: Float32Array, seed: Float32Array, seed_frames: int,
                rate_hz: int, steady: tuple[int, ...] = (),
                blend_s: float = BLEND_S) -> Float32Array:
    """Return the new frames of a window, joined to the committed ones without a jump.

    The network's own error on the last seed frames, in value and slope, is carried over and
    faded out within ``blend_s`` (the idea of inertialisation, Bollo, GDC 2018).

    Args:
        estimate: shape (W, D), denoised window.
        seed: shape (S, D), committed frames.
        seed_frames: S, at least 2.
        rate_hz: frames per second.
        steady: channels whose error is faded out within ``STEADY_BLEND_S`` and without its slope.
        blend_s: within what time the error of the others is faded out [s].

    Returns:
        shape (W - S, D).
    """
    error = seed[-2:] - estimate[seed_frames - 2:seed_frames]
    slope = np.clip(error[1] - error[0], -0.5 * np.abs(error[1]), 0.5 * np.abs(error[1]))
    fresh = estimate[seed_frames:]
    span = np.full(estimate.shape[1], max(2.0, blend_s * rate_hz), np.float32)
    span[list(steady)] = max(2.0, STEADY_BLEND_S * rate_hz)
    slope[list(steady)] = 0.0
    k = np.arange(1, len(fresh) + 1, dtype=np.float32)[:, None]
    fade = np.clip(1.0 - k / span, 0.0, 1.0)
    weight = fade * fade * (3.0 - 2.0 * fade)
    joined: Float32Array = (fresh + weight * (error[1] + slope * np.minimum(k, 2.0))).astype(
        np.float32)
    return joined


def ease_seam(past: Float32Array, frames: Float32Array) -> Float32Array:
    """Return new frames whose first ones give way so that a seam is as smooth as the motion.

    A filter across the seam would have to move committed frames as well. Here they stay, and the
    frames after them minimise the third differences around the seam plus what they are moved by
    (Whittaker, Proc. Edinburgh Math. Soc. 1923, with one side fixed).

    Args:
        past: shape (3 or more, D), committed frames.
        frames: shape (T, D), the frames that follow; fewer than nine are returned as they are.

    Returns:
        shape (T, D).
    """
    reach = _EASED_FRAMES + 3
    if len(frames) < reach:
        return frames
    eased: Float32Array = frames.copy()
    eased[:_EASED_FRAMES] += _easing_matrix() @ np.concatenate([past[-3:], frames[:reach]])
    return eased


@lru_cache(maxsize=1)
def _easing_matrix() -> Float32Array:
    """Return by what the first frames move, for three frames before the seam and nine after it."""
    third = np.diff(np.eye(_EASED_FRAMES + 6), n=3, axis=0)
    movable = third[:, 3:3 + _EASED_FRAMES]
    cost = np.diag(_EASED_WEIGHT * _EASED_GROWTH ** np.arange(_EASED_FRAMES))
    return np.asarray(-np.linalg.solve(movable.T @ movable + cost, movable.T @ third), np.float32)
