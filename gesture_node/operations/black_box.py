"""The last seconds of a robot in memory: what it heard, computed and planned.

A *take* is one stream from its reset on: every call that changed it, in order, so that the same
calls give the same motion again, bit for bit. Calls are kept from the beginning of the take,
motion and plans for the last seconds only; of older motion a digest is kept. Safe to use from
several threads; nothing is written here (see :mod:`.black_box_file`).
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
import hashlib
from threading import Lock
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..motion.trajectory_message import TrajectoryMessage
from ..timeline import NS_PER_S
from ..types import StepResult

LONGEST_TAKE_S = 600.0
"""Audio of one take; with more, its beginning is given up and it cannot be replayed: 38 MB."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that changed a stream: steady time [ns], dotted name, arguments, named ones."""

    at_ns: int
    name: str
    arguments: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Take:
    """One stream from its reset on.

    Attributes:
        settings: what the stream was made with.
        calls: in order.
        digests: one for each ``step`` among the calls, see :func:`digest_of`.
        results: (steady time [ns], number of the step, its result) of the last seconds.
        why_not: why it cannot be replayed; empty if it can.
        is_closed: whether others have moved the robot since, so that it is over.
    """

    settings: dict[str, Any]
    calls: deque[Call] = field(default_factory=deque)
    digests: list[str] = field(default_factory=list)
    results: deque[tuple[int, int, StepResult]] = field(default_factory=deque)
    why_not: str = ''
    is_closed: bool = False
    audio_s: float = 0.0
    last_ns: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a black box held at one moment: takes, and plans with their steady times [ns]."""

    takes: list[Take]
    plans: list[tuple[int, TrajectoryMessage]]
    steady_ns: int


class BlackBox:
    """Remembers the last seconds.

    Args:
        seconds: how many; 0 remembers nothing.
    """

    def __init__(self, seconds: float) -> None:
        self._keep_ns = round(seconds * NS_PER_S)
        self._lock = Lock()
        self._takes: deque[Take] = deque()
        self._plans: deque[tuple[int, TrajectoryMessage]] = deque()

    @property
    def is_on(self) -> bool:
        """Whether anything is remembered."""
        return self._keep_ns > 0

    def begin(self, settings: dict[str, Any]) -> None:
        """Begin a take."""
        if self.is_on:
            with self._lock:
                self._takes.append(Take(settings, last_ns=time.monotonic_ns()))
                self._forget_old()

    def note(self, name: str, *arguments: Any, **named: Any) -> None:
        """Note a call; arrays are kept as they are and must not change any more."""
        self._note(name, arguments, named, 0.0)

    def note_audio(self, samples: NDArray[Any], sample_rate: int) -> None:
        """Note ``accept_waveform``."""
        self._note('accept_waveform', (np.array(samples), int(sample_rate)), {},
                   len(samples) / max(1, sample_rate))

    def _note(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any],
              audio_s: float) -> None:
        with self._lock:
            take = self._open_take()
            if take is None:
                return
            now_ns = time.monotonic_ns()
            take.calls.append(Call(now_ns, name, arguments, named))
            take.last_ns, take.audio_s = now_ns, take.audio_s + audio_s
            if take.audio_s > LONGEST_TAKE_S:
                take.why_not = f'it lasted for more than {LONGEST_TAKE_S:g} s'
                while take.calls and take.calls[0].at_ns < now_ns - self._keep_ns:
                    take.calls.popleft()

    def note_result(self, result: StepResult) -> None:
        """Note what the step gave that was noted last."""
        with self._lock:
            take = self._open_take()
            if take is not None:
                now_ns = time.monotonic_ns()
                take.results.append((now_ns, len(take.digests), result))
                take.digests.append(digest_of(result))
                self._forget_old()

    def note_plan(self, message: TrajectoryMessage) -> None:
        """Note a plan that was published; copies of it are not kept again."""
        if self.is_on:
            with self._lock:
                if not self._plans or self._plans[-1][1] is not message:
                    self._plans.append((time.monotonic_ns(), message))
                    self._forget_old()

    def spoil(self, why_not: str) -> None:
        """Say that the open take cannot be replayed."""
        with self._lock:
            take = self._open_take()
            if take is not None and not take.why_not:
                take.why_not = why_not

    def close(self) -> None:
        """End the open take: from here on others move the robot."""
        with self._lock:
            take = self._open_take()
            if take is not None:
                take.is_closed = True

    def snapshot(self) -> Snapshot:
        """Return what is remembered, to be written in another thread."""
        with self._lock:
            self._forget_old()
            takes = [replace(take, calls=deque(take.calls), digests=list(take.digests),
                             results=deque(take.results)) for take in self._takes]
            return Snapshot(takes, list(self._plans), time.monotonic_ns())

    def _open_take(self) -> Take | None:
        return self._takes[-1] if self._takes and not self._takes[-1].is_closed else None

    def _forget_old(self) -> None:
        oldest_ns = time.monotonic_ns() - self._keep_ns
        while self._takes and self._takes[0].last_ns < oldest_ns and (
                len(self._takes) > 1 or self._takes[0].is_closed):
            self._takes.popleft()
        for take in self._takes:
            while take.results and take.results[0][0] < oldest_ns:
                take.results.popleft()
        while self._plans and self._plans[0][0] < oldest_ns:
            self._plans.popleft()


def digest_of(result: StepResult) -> str:
    """Return 16 hex digits of the SHA-256 over all motion of a result, bit for bit."""
    digest = hashlib.sha256()
    for name, array in arrays_of(result).items():
        digest.update(f'{name}{array.shape}{array.dtype}'.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def arrays_of(result: StepResult) -> dict[str, Any]:
    """Return the motion of a result by name: ``body``, ``positions``, ``velocities``, ``face``."""
    found: dict[str, Any] = {}
    if result.body is not None:
        found['body'] = result.body.poses[:result.body.committed]
    if result.joints is not None:
        found |= {'positions': result.joints.positions, 'velocities': result.joints.velocities}
    if result.face is not None:
        found['face'] = result.face.weights
    return found


def first_frame(result: StepResult) -> int:
    """Return the frame of a result's first row, of body or face at their own rates."""
    chunk = result.body or result.face
    return 0 if chunk is None else chunk.first_frame
