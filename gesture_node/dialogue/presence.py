"""Body and face of a robot that does not speak: idle or listening, one absolute frame clock.

Idle and listening differ in how much moves: a listener keeps nearly still, looks at the speaker
and nods. The mouth is closed in both. What is asked for is a function of the seed, the absolute
frame and the cues taken so far; frames that were given out once are not changed by later cues.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..motion.blinks import BlinkTrack
from ..motion.courses import minimum_jerk
from ..motion.face import BLENDSHAPE_INDEX, FACE_DIM
from ..timeline import BODY_RATE_HZ, FACE_RATE_HZ
from ..types import Float32Array, Float64Array
from .gaze import gaze_weights, GazeTrack
from .idle_motion import IdleMotion, turned
from .nods import Nod, nod_vectors, NodChooser

LISTENING_SHARE = 0.35
"""How much of the idle motion is left while listening."""
LISTENING_GAZE_SHARE = 0.4
_FADE_S = 0.8
_BEGIN_S = 2.0
_BLINKS_PER_MINUTE = 15.0
_BROWS = 0.3
_KEEP_NODS_S = 10.0


@dataclass(slots=True)
class Fade:
    """A number that changes smoothly, by time.

    Attributes:
        value: where it goes.
        before: where it comes from.
        start_s: when it began to change [s].
        span_s: how long that takes [s].
    """

    value: float
    before: float = 0.0
    start_s: float = -np.inf
    span_s: float = _FADE_S

    def at(self, time_s: Float64Array) -> Float64Array:
        """Return the number at some times, shape (T,)."""
        share = minimum_jerk((time_s - self.start_s) / self.span_s)
        return np.asarray(self.before + share * (self.value - self.before))

    def go(self, value: float, start_s: float, span_s: float = _FADE_S) -> None:
        """Change to another value from a time on."""
        if value != self.value:
            self.before = float(self.at(np.array([start_s]))[0])
            self.value, self.start_s, self.span_s = value, start_s, span_s


class Presence:
    """What an idle or listening robot shows.

    Args:
        idle_pose: shape (84,).
        seed: of everything drawn.
        budget_rad: see :class:`IdleMotion`; 0 is perfectly still but for nods.
        nod_rad: how far the head goes down in a nod [rad]; 0 never nods.
    """

    def __init__(self, idle_pose: NDArray[np.floating], seed: int, budget_rad: float,
                 nod_rad: float) -> None:
        self.nods: list[Nod] = []
        self._idle_pose = np.asarray(idle_pose, np.float64)
        self._nod_rad = nod_rad
        self._idle = IdleMotion(seed, budget_rad, BODY_RATE_HZ)
        self._chooser = NodChooser(seed)
        self._blinks = BlinkTrack(seed, FACE_RATE_HZ, _BLINKS_PER_MINUTE)
        self._gaze = GazeTrack(seed)
        self._strength = Fade(1.0)
        self._wander = Fade(1.0)
        self._listens = False

    @property
    def is_listening(self) -> bool:
        """Whether it listens rather than idles."""
        return self._listens

    def begin(self, time_s: float) -> None:
        """Begin a stretch at rest in the idle pose: motion grows from nothing."""
        self._strength = Fade(1.0, 0.0, time_s, _BEGIN_S)
        self.nods.clear()

    def listen(self, listens: bool, time_s: float) -> None:
        """Begin or end to listen at a time that was not given out yet [s]."""
        self._listens = listens
        self._wander.go(0.0 if listens else 1.0, time_s)

    def cue(self, kind: str, time_s: float) -> Nod | None:
        """Take a pause or an accent of the other; return the nod it gets, if any.

        Args:
            kind: ``pause`` or ``accent``.
            time_s: first time that was not given out yet [s].
        """
        if not self._listens or self._nod_rad <= 0.0:
            return None
        nod = self._chooser.answer(kind, time_s)
        if nod is not None:
            self.nods = [old for old in self.nods if old.end_s > time_s - _KEEP_NODS_S] + [nod]
        return nod

    def body(self, first_frame: int, count: int) -> Float32Array:
        """Return poses at 25 Hz, shape (T, 84)."""
        time_s = (first_frame + np.arange(count)) / BODY_RATE_HZ
        wander = self._share(time_s, LISTENING_SHARE)[:, None, None]
        parts = [wander * self._idle.rotation_vectors(first_frame, count),
                 nod_vectors(self.nods, time_s, self._nod_rad)]
        return turned(self._idle_pose, parts).astype(np.float32)

    def face(self, first_frame: int, count: int) -> Float32Array:
        """Return blendshape weights at 50 Hz, shape (T, 52); later calls never go back."""
        time_s = (first_frame + np.arange(count)) / FACE_RATE_HZ
        weights = np.zeros((count, FACE_DIM))
        share = self._share(time_s, LISTENING_GAZE_SHARE)[:, None]
        gaze_weights(weights, share * self._gaze.at(time_s))
        for nod in self.nods:
            brows = _BROWS * nod.brows(time_s)
            weights[:, BLENDSHAPE_INDEX['browInnerUp']] += brows
        shown: Float32Array = np.clip(weights, 0.0, 1.0).astype(np.float32)
        return self._blinks.apply(first_frame, shown)

    def _share(self, time_s: Float64Array, listening: float) -> Float64Array:
        """Return how much of the wandering is shown, shape (T,)."""
        wander = listening + (1.0 - listening) * self._wander.at(time_s)
        return self._strength.at(time_s) * wander
