"""Takes requests for gestures, places them on the running stream, and says what became of them.

Knows no ROS; times are given. Texts come in from any thread; all else happens in the worker's,
under the driver's lock. While nobody speaks, a request begins a stream of silence, so that a
gesture always lies over generated motion and leads back to idle.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
import itertools
from typing import Any, Protocol

from ..exceptions import RequestError
from ..gestures.choice import GestureChooser
from ..gestures.motion import GestureMotion
from ..gestures.request import GestureRequest, parse_request
from ..gestures.track import PlacedGesture
from ..stream import GestureStream
from ..timeline import NS_PER_S
from .utterance import UtteranceTimes

WAIT_NS = 5 * NS_PER_S
"""A request waits for so long for what it needs: an utterance, its length, rest, a frame."""
AHEAD_NS = 1_300_000_000
"""A gesture is placed this long before it would be computed at the latest."""
MOST_WAITING = 32
MOST_TEXTS = 200

Result = dict[str, Any]
FrameLookup = Callable[[str, tuple[float, ...]], 'tuple[float, ...] | None']


class GestureHost(Protocol):
    """What the desk needs of the driver."""

    @property
    def stream(self) -> GestureStream:
        """The stream that gestures are placed on."""

    @property
    def gesture_start_ns(self) -> int | None:
        """ROS time at which stream time 0 is shown; ``None`` while no stream takes gestures."""

    @property
    def gesture_delay_ns(self) -> int:
        """From audio to motion [ns]."""

    def why_no_gesture(self, now_ns: int) -> str:
        """Return why nothing can be shown now, empty if it can."""

    def begin_silence(self, now_ns: int) -> bool:
        """Begin a stream of silence; return false if that must wait."""


@dataclass(slots=True)
class _Asked:
    """A request on its way.

    Attributes:
        request: what was asked.
        asked_ns: when.
        motion: once it was checked.
        placed: once it was placed.
        stroke_ns: ROS time of the stroke, once it is known.
        is_told: whether it was accepted.
    """

    request: GestureRequest
    asked_ns: int
    motion: GestureMotion | None = None
    placed: PlacedGesture | None = None
    stroke_ns: int | None = None
    is_told: bool = False

    def end_ns(self) -> int:
        assert self.placed is not None and self.stroke_ns is not None
        return self.stroke_ns + round(self.placed.motion.rest_s * NS_PER_S)


@dataclass(slots=True)
class _Counts:
    """How many requests came to which end."""

    accepted: int = 0
    rejected: int = 0
    cancelled: int = 0
    done: int = 0

    def add(self, status: str) -> None:
        setattr(self, status, getattr(self, status) + 1)


class GestureDesk:
    """All requests of one robot.

    Args:
        make_chooser: returns what makes motions; called once, when the first request comes.
        tell: takes answers, plain values for JSON.
        lookup: turns a point in another frame into one in the frame of the root link; ``None``
            while the frame is not known yet.
    """

    def __init__(self, make_chooser: Callable[[], GestureChooser] | None = None,
                 tell: Callable[[Result], None] = lambda result: None,
                 lookup: FrameLookup = lambda frame, target: None) -> None:
        self.counts = _Counts()
        self.utterance = UtteranceTimes()
        self._make_chooser, self._tell, self._lookup = make_chooser, tell, lookup
        self._chooser: GestureChooser | None = None
        self._texts: deque[tuple[str, int]] = deque(maxlen=MOST_TEXTS)
        self._waiting: list[_Asked] = []
        self._shown: list[_Asked] = []
        self._numbers = itertools.count(1)

    @property
    def is_busy(self) -> bool:
        """Whether anything waits or is shown."""
        return bool(self._texts or self._waiting or self._shown)

    def ask(self, text: str, now_ns: int) -> None:
        """Take a request; from any thread."""
        self._texts.append((text, now_ns))

    def tick(self, now_ns: int, host: GestureHost) -> None:
        """Do what is due; call before a window is begun."""
        while self._texts:
            text, asked_ns = self._texts.popleft()
            self._take(text, asked_ns)
        for asked in list(self._waiting):
            try:
                if self._serve(asked, now_ns, host):
                    self._waiting.remove(asked)
                    self._shown.append(asked)
            except RequestError as error:
                self._waiting.remove(asked)
                self._answer(asked, 'cancelled' if asked.is_told else 'rejected', str(error))
        for asked in [asked for asked in self._shown if now_ns >= asked.end_ns()]:
            self._shown.remove(asked)
            self._answer(asked, 'done')

    def cancel(self, reason: str) -> None:
        """End everything that waits or is shown; motion is braked by whoever calls this."""
        for asked in self._shown + self._waiting:
            self._answer(asked, 'cancelled', reason)
        self._shown.clear()
        self._waiting.clear()
        self.utterance.forget()

    def begin(self, stream: GestureStream, start_ns: int) -> None:
        """Go on with what is shown on a stream that was just reset."""
        for asked in self._shown:
            assert asked.placed is not None and asked.stroke_ns is not None
            asked.placed = replace(asked.placed,
                                   stroke_s=(asked.stroke_ns - start_ns) / NS_PER_S)
            stream.gestures.restore(asked.placed)

    def holds(self, now_ns: int) -> bool:
        """Return whether a stream must not end yet for what is shown."""
        return any(now_ns < asked.end_ns() for asked in self._shown)

    def _take(self, text: str, asked_ns: int) -> None:
        try:
            request = parse_request(text)
        except RequestError as error:
            asked = _Asked(GestureRequest(gesture='', id=f'request_{next(self._numbers)}'),
                           asked_ns)
            self._answer(asked, 'rejected', str(error))
            return
        if not request.id:
            request = replace(request, id=f'request_{next(self._numbers)}')
        asked = _Asked(request, asked_ns)
        if len(self._waiting) >= MOST_WAITING:
            self._answer(asked, 'rejected', f'{MOST_WAITING} requests wait; ask again later')
            return
        self._waiting.append(asked)

    def _serve(self, asked: _Asked, now_ns: int, host: GestureHost) -> bool:
        """Bring a request on its way; return whether it was placed.

        Raises:
            RequestError: it cannot be done.
        """
        reason = host.why_no_gesture(now_ns)
        if reason:
            raise RequestError(reason)
        if asked.motion is None:
            asked.motion = self._motion(asked.request)
            if asked.motion is None:
                return self._wait(asked, now_ns, f'frame {asked.request.frame!r} is not known')
        if asked.stroke_ns is None and not self._find_stroke(asked, now_ns):
            return False
        begins_ns = now_ns if asked.stroke_ns is None else (
            asked.stroke_ns - round(asked.motion.lead_s * NS_PER_S))
        if begins_ns - now_ns > host.gesture_delay_ns + AHEAD_NS:
            return False
        if host.gesture_start_ns is None and not host.begin_silence(now_ns):
            return self._wait(asked, now_ns, 'the robot does not come to rest')
        self._place(asked, host)
        return True

    def _motion(self, request: GestureRequest) -> GestureMotion | None:
        """Return the motion of a request, ``None`` if its frame is not known yet."""
        if self._chooser is None:
            if self._make_chooser is None:
                raise RequestError('there is no library of gestures')
            self._chooser = self._make_chooser()
        # What is wrong in the request itself is said before its frame is waited for.
        if request.frame and len(request.arguments) == 3:
            target = self._lookup(request.frame, request.arguments)
            if target is None:
                return None
            request = replace(request, arguments=target)
        return self._chooser.choose(request)

    def _find_stroke(self, asked: _Asked, now_ns: int) -> bool:
        """Find out when the stroke is to be; return false while that is not known."""
        request = asked.request
        if request.fraction is not None:
            asked.stroke_ns = self.utterance.at(request.fraction, request.utterance_s, now_ns)
            if asked.stroke_ns is None:
                return self._wait(asked, now_ns, self.utterance.why_unknown(now_ns))
        elif request.stamp_s is not None:
            asked.stroke_ns = round(request.stamp_s * NS_PER_S)
        elif request.in_s is not None:
            asked.stroke_ns = asked.asked_ns + round(request.in_s * NS_PER_S)
        if asked.stroke_ns is not None and asked.stroke_ns - now_ns > 2 * AHEAD_NS:
            if asked.stroke_ns - now_ns > 600 * NS_PER_S:
                raise RequestError('the time asked for is more than 600 s away; '
                                   'stamps are ROS time in seconds')
            self._answer(asked, 'accepted')
        return True

    def _wait(self, asked: _Asked, now_ns: int, reason: str) -> bool:
        if now_ns - asked.asked_ns > WAIT_NS:
            raise RequestError(f'{reason}; it was waited for {WAIT_NS // NS_PER_S} s')
        return False

    def _place(self, asked: _Asked, host: GestureHost) -> None:
        start_ns = host.gesture_start_ns
        assert start_ns is not None and asked.motion is not None
        stroke_s = None if asked.stroke_ns is None else (asked.stroke_ns - start_ns) / NS_PER_S
        asked.placed = host.stream.gestures.place(asked.motion, stroke_s,
                                                  host.stream.next_body_frame)
        asked.stroke_ns = start_ns + round(asked.placed.stroke_s * NS_PER_S)
        if not asked.is_told:
            self._answer(asked, 'accepted')

    def _answer(self, asked: _Asked, status: str, reason: str = '') -> None:
        self.counts.add(status)
        asked.is_told = True
        motion = asked.placed.motion if asked.placed is not None else asked.motion
        result: Result = {'id': asked.request.id, 'gesture': asked.request.gesture,
                          'status': status, 'reason': reason, 'start': None, 'stroke': None,
                          'end': None}
        if asked.stroke_ns is not None and motion is not None:
            result['stroke'] = asked.stroke_ns / NS_PER_S
            result['start'] = asked.stroke_ns / NS_PER_S - motion.lead_s
            result['end'] = asked.stroke_ns / NS_PER_S + motion.rest_s
        self._tell(result)
