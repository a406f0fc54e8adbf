"""Whether somebody speaks, frame by frame, in whatever noise there is.

A small network (:mod:`.speech_likeness`) says of each 50 Hz frame how much the sound is like
speech. It begins when enough of the last frames are, and ends after a hangover without them, so
that a pause between words ends nothing.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..timeline import FEATURE_RATE_HZ, s_to_frames
from ..types import Float64Array
from .speech_likeness import SpeechLikeness

_BEGIN_ODDS, _STAY_ODDS = 0.0, -1.0
"""Log odds above which a frame counts towards a beginning, and above which speech goes on."""
_MEMORY = 2
"""The frames that count towards a beginning lie within so many times the onset."""


class VoiceActivity:
    """Follows one voice; the same whatever pieces its frames come in.

    Args:
        onset_s: how much of speech is heard before it counts [s]; a cough is shorter.
        hangover_s: how long a gap between words may be [s].
        likeness: tells speech from noise.
    """

    def __init__(self, onset_s: float = 0.14, hangover_s: float = 0.4,
                 likeness: SpeechLikeness | None = None) -> None:
        self._likeness = likeness or SpeechLikeness()
        self._needed = max(1, s_to_frames(onset_s, FEATURE_RATE_HZ))
        self._hangover = s_to_frames(hangover_s, FEATURE_RATE_HZ)
        self._recent = np.zeros(_MEMORY * self._needed, dtype=bool)
        self._frames = self._quiet = 0
        self._is_active = False

    @property
    def is_active(self) -> bool:
        """Whether somebody spoke in the last frame."""
        return self._is_active

    def accept(self, features: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return for each frame whether somebody speaks, shape (F,).

        Args:
            features: shape (F, 83), the frames that follow those before.
        """
        return self.decide(self._likeness.accept(features))

    def decide(self, odds: Float64Array) -> NDArray[np.bool_]:
        """Return for each frame whether somebody speaks, shape (F,), by log odds, shape (F,)."""
        return np.array([self._step(float(value)) for value in odds], dtype=bool)

    def _step(self, odds: float) -> bool:
        self._recent[self._frames % len(self._recent)] = odds > _BEGIN_ODDS
        self._frames += 1
        if not self._is_active:
            self._is_active = int(self._recent.sum()) >= self._needed
            self._quiet = 0
            return self._is_active
        self._quiet = 0 if odds > _STAY_ODDS else self._quiet + 1
        if self._quiet > self._hangover:
            self._is_active = False
            self._recent[:] = False
        return self._is_active
