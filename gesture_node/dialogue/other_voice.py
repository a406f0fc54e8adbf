"""Hears somebody else: when they begin and end to speak, pause, and stress a word.

Works on 16 kHz samples in any packets; the same samples give the same events at the same frames.
"""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ..audio.feature_stream import FeatureStream
from ..timeline import FEATURE_RATE_HZ, s_to_frames
from ..types import Float32Array
from .voice_activity import VoiceActivity

TURN_GAP_S = 1.4
"""Silence after which the other is taken to have ended; a pause within a turn is shorter."""
_LEAST_SPEECH_S = 0.7
_PIECE_FRAMES = 10
_ACCENT_SPAN_S, _ACCENT_SETTLED_S, _ACCENT_GAP_S = 4.0, 0.16, 0.25


class Cue(Enum):
    """What was heard: a turn begins or ends, a pause within or after it, a stressed vowel."""

    BEGINS = 'begins'
    ENDS = 'ends'
    PAUSE = 'pause'
    ACCENT = 'accent'


@dataclass(frozen=True, slots=True)
class Heard:
    """A cue and the feature frame at which it is known."""

    cue: Cue
    frame: int


class OtherVoice:
    """One voice that is not the robot's own."""

    def __init__(self) -> None:
        self._features = FeatureStream()
        self._activity = VoiceActivity()
        self._frame = 0
        self._speaks = self._pauses = False
        self._spoken = self._silent = 0
        self._accent_s = -np.inf

    @property
    def speaks(self) -> bool:
        """Whether a turn is under way, pauses included."""
        return self._speaks

    def accept(self, samples: Float32Array) -> list[Heard]:
        """Return what is heard in samples ``(n,)`` that follow those before."""
        self._features.append(samples)
        heard: list[Heard] = []
        while self._frame < self._features.frames_available:
            # Pieces end at the same frames whatever the packets, so that accents are looked for
            # at the same frames.
            end = min(self._frame + _PIECE_FRAMES - self._frame % _PIECE_FRAMES,
                      self._features.frames_available)
            active = self._activity.accept(self._features.get(self._frame, end))
            for speaks in active:
                heard += self._step(bool(speaks))
            if self._frame % _PIECE_FRAMES == 0 and self._speaks and not self._pauses:
                heard += self._accents()
            self._features.drop_before(
                self._frame - s_to_frames(_ACCENT_SPAN_S, FEATURE_RATE_HZ))
        return heard

    def lose(self) -> list[Heard]:
        """Take note that no more sound comes: a turn that was under way has ended."""
        if not self._speaks:
            return []
        self._speaks = self._pauses = False
        return [Heard(Cue.ENDS, self._frame)]

    def _step(self, is_active: bool) -> list[Heard]:
        self._frame += 1
        if is_active:
            return self._go_on()
        self._silent += 1
        if not self._speaks:
            return []
        if not self._pauses:
            self._pauses = True
            long_enough = self._spoken >= s_to_frames(_LEAST_SPEECH_S, FEATURE_RATE_HZ)
            return [Heard(Cue.PAUSE, self._frame)] if long_enough else []
        if self._silent < s_to_frames(TURN_GAP_S, FEATURE_RATE_HZ):
            return []
        self._speaks = self._pauses = False
        return [Heard(Cue.ENDS, self._frame)]

    def _go_on(self) -> list[Heard]:
        if self._pauses or not self._speaks:
            self._spoken = 0
        self._spoken += 1
        self._silent, self._pauses = 0, False
        if self._speaks:
            return []
        self._speaks = True
        return [Heard(Cue.BEGINS, self._frame)]

    def _accents(self) -> list[Heard]:
        """Return the stressed vowels that are known by now and were not yet told."""
        # Loaded when first needed: it brings SciPy with it.
        from ..measures.accents import find_accents, STRONG_PROMINENCE
        first = max(0, self._frame - s_to_frames(_ACCENT_SPAN_S, FEATURE_RATE_HZ))
        found = find_accents(self._features.get(first, self._frame))
        now_s = self._frame / FEATURE_RATE_HZ
        heard = []
        for onset, prominence in zip(found.onsets_s, found.prominences):
            onset_s = onset + first / FEATURE_RATE_HZ
            if prominence >= STRONG_PROMINENCE and onset_s <= now_s - _ACCENT_SETTLED_S and (
                    onset_s >= self._accent_s + _ACCENT_GAP_S) and onset_s > now_s - 1.0:
                self._accent_s = onset_s
                heard.append(Heard(Cue.ACCENT, self._frame))
        return heard
