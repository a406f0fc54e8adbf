"""A stream that tells a black box every call that changes it, and obeys the quality ladder.

Everything else is the stream's own: it may be used wherever a ``GestureStream`` is. The robot half
is told the same way, since plans that come late change it from outside.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
import time
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..stream import GestureStream
from ..types import StepResult
from .black_box import BlackBox

_OWN = frozenset({'_told', '_stream', '_box', '_settings', '_overseer', 'is_retired', 'robot'})
SILENT = frozenset({'is_ready', 'limiter'})
"""Calls that change nothing that could be heard or seen."""
_HOPS = ('body_hop', 'face_hop')


class Told:
    """Passes everything on to an object, and tells a black box of the calls.

    Args:
        target: the object.
        name: what it is called in the black box.
        box: what is told.
        parts: attributes that are told in the same way.
        ending: calls with which the take is over.
    """

    def __init__(self, target: Any, name: str, box: BlackBox, parts: tuple[str, ...] = (),
                 ending: tuple[str, ...] = ()) -> None:
        self._told = target, name, box, parts, ending

    def __getattr__(self, attribute: str) -> Any:
        target, name, box, parts, ending = self._told
        value = getattr(target, attribute)
        path = f'{name}.{attribute}' if name else attribute
        if attribute in parts:
            return Told(value, path, box)
        if attribute in SILENT or attribute.startswith('_') or not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            if attribute in ending:
                box.close()
            else:
                box.note(path, *(_kept(item) for item in args),
                         **{key: _kept(item) for key, item in kwargs.items()})
            return value(*args, **kwargs)

        return call

    def __setattr__(self, attribute: str, value: Any) -> None:
        if attribute in _OWN:
            object.__setattr__(self, attribute, value)
        else:
            target, name, box, _, _ = self._told
            box.spoil(f'{name or "stream"}.{attribute} was set')
            setattr(target, attribute, value)


class Overseer(Protocol):
    """Decides how much each window may cost, and hears what it did."""

    def wanted_steps(self, stream: GestureStream) -> tuple[int, int]:
        """Return the denoiser calls per window of body and face that there is time for."""

    def stepped(self, stream: GestureStream, result: StepResult, compute_s: float) -> None:
        """Take in what a window gave and how long it took."""

    def skipped(self, frames: int) -> None:
        """Take in that frames were given up because they would have been late."""

    def failed(self, error: Exception) -> None:
        """Take in an error of a window, before it is raised."""


class RecordedStream(Told):
    """One stream under observation; not thread-safe, like the stream.

    Args:
        stream: the stream.
        box: what is told.
        settings: what the stream was made with, for the black box.
        overseer: who is asked and told about windows.

    Attributes:
        is_retired: set when nobody waits for it any more: a late result is then told to nobody.
    """

    def __init__(self, stream: GestureStream, box: BlackBox, settings: dict[str, Any],
                 overseer: Overseer) -> None:
        super().__init__(stream, '', box, parts=('gestures',))
        self._stream, self._box, self._settings = stream, box, settings
        self._overseer, self.is_retired = overseer, False
        self.robot = None if stream.robot is None else Told(
            stream.robot, 'robot', box, parts=('ramp',), ending=('step',))

    def reset(self, positions: Mapping[str, float] | NDArray[np.floating] | None = None) -> None:
        """Begin a new stream at rest, and a new take."""
        self._box.begin(self._settings)
        robot = self._stream.robot
        if robot is not None:
            # What outlives a reset was told to an earlier take.
            self._box.note('robot.retune', replace(
                self._stream.config.limits, hand_speed_m_s=robot.hand_speed_m_s))
            self._box.note('robot.ramp.give', robot.ramp.yielded, robot.ramp.yielded_positions)
        self._box.note('reset', _kept(positions))
        self._box.note('set_steps', *self._stream.steps)
        self._stream.reset(positions)

    def accept_waveform(self, samples: NDArray[Any], sample_rate: int) -> None:
        """Append audio."""
        self._box.note_audio(samples, sample_rate)
        self._stream.accept_waveform(samples, sample_rate)

    def step(self) -> StepResult:
        """Run the window that is due first, with as many denoiser calls as there is time for."""
        steps = self._overseer.wanted_steps(self._stream)
        if steps != self._stream.steps:
            self._stream.set_steps(*steps)
            self._box.note('set_steps', *steps)
        self._box.note('step')
        begun_s = time.perf_counter()
        try:
            result = self._stream.step()
        except Exception as error:
            if not self.is_retired:
                self._box.close()
                self._overseer.failed(error)
            raise
        if not self.is_retired:
            self._box.note_result(result)
            self._overseer.stepped(self._stream, result, time.perf_counter() - begun_s)
        return result

    def skip_overdue(self, shown_s: float) -> int:
        """Give up windows that would be computed for nothing; return the frames skipped."""
        latest = self._stream.latency.latest()
        count = self._stream.skip_overdue(shown_s)
        if count:
            self._box.note('skip_overdue', float(shown_s),
                           *(latest.get(name, 0.0) for name in _HOPS))
            self._overseer.skipped(count)
        return count


def skip_again(stream: GestureStream, shown_s: float, body_hop_s: float,
               face_hop_s: float) -> None:
    """Do to a stream what ``skip_overdue`` once did, when hops took so long."""
    for name, spent_s in zip(_HOPS, (body_hop_s, face_hop_s)):
        stream.latency.add(name, spent_s)
    stream.skip_overdue(shown_s)


def _kept(value: Any) -> Any:
    """Return an argument that nobody changes any more."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return dict(value) if isinstance(value, Mapping) else value
