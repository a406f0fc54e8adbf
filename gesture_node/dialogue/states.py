"""What the robot does in a conversation, as one table of states and events.

::

    idle, listening -- SPEECH --> speaking -- SILENCE --> settling -- AT_REST --> (rest)
    speaking, settling -- INTERRUPT --> interrupted -- AT_REST --> (rest)
    settling, interrupted -- SPEECH --> speaking
    speaking, settling, interrupted -- FAIL --> (rest)
    any but disabled -- STOP --> stopped        any but disabled -- RESET --> (rest)
    any -- DISABLE --> disabled -- ENABLE --> (rest)

``(rest)`` is ``listening`` while the other speaks and ``idle`` otherwise; ``OTHER_SPEAKS`` and
``OTHER_SILENT`` lead from one to the other and are remembered in every other state. An event that
means nothing in a state leaves it as it is: events come from several threads, and one may be late.
"""
from __future__ import annotations

from enum import Enum


class State(Enum):
    """What the node is doing; the values are published on ``~/state``."""

    IDLE = 'idle'
    LISTENING = 'listening'
    SPEAKING = 'speaking'
    SETTLING = 'settling'
    INTERRUPTED = 'interrupted'
    STOPPED = 'stopped'
    DISABLED = 'disabled'


class Event(Enum):
    """What may happen to it.

    SPEECH: the robot's own voice begins. SILENCE: it has ended, motion eases to idle. AT_REST: all
    motion of an utterance is over. INTERRUPT: barge-in. FAIL: motion cannot be computed.
    """

    SPEECH = 'speech'
    SILENCE = 'silence'
    AT_REST = 'at rest'
    INTERRUPT = 'interrupt'
    OTHER_SPEAKS = 'other speaks'
    OTHER_SILENT = 'other silent'
    STOP = 'stop'
    RESET = 'reset'
    DISABLE = 'disable'
    ENABLE = 'enable'
    FAIL = 'fail'


RESTING = (State.IDLE, State.LISTENING)
UTTERING = (State.SPEAKING, State.SETTLING)
_MOVING = (*UTTERING, State.INTERRUPTED)

_TO: dict[tuple[State, Event], State] = {
    **{(state, Event.SPEECH): State.SPEAKING for state in (*RESTING, *_MOVING)},
    (State.SPEAKING, Event.SILENCE): State.SETTLING,
    **{(state, Event.INTERRUPT): State.INTERRUPTED for state in UTTERING},
    **{(state, Event.STOP): State.STOPPED for state in State if state is not State.DISABLED},
    **{(state, Event.DISABLE): State.DISABLED for state in State},
}
_TO_REST = {
    (State.SETTLING, Event.AT_REST), (State.INTERRUPTED, Event.AT_REST),
    (State.DISABLED, Event.ENABLE),
    *((state, Event.FAIL) for state in _MOVING),
    *((state, Event.RESET) for state in State if state is not State.DISABLED),
    *((state, event) for state in RESTING for event in (Event.OTHER_SPEAKS, Event.OTHER_SILENT)),
}


class DialogueStates:
    """The state of one robot; not thread-safe."""

    def __init__(self) -> None:
        self._state = State.IDLE
        self._other_speaks = False

    @property
    def state(self) -> State:
        """What it is doing."""
        return self._state

    @property
    def other_speaks(self) -> bool:
        """Whether somebody else is speaking, whatever the robot does."""
        return self._other_speaks

    def take(self, event: Event) -> bool:
        """Let something happen; return whether it changed the state."""
        if event in (Event.OTHER_SPEAKS, Event.OTHER_SILENT):
            self._other_speaks = event is Event.OTHER_SPEAKS
        before = self._state
        if (before, event) in _TO_REST:
            self._state = State.LISTENING if self._other_speaks else State.IDLE
        else:
            self._state = _TO.get((before, event), before)
        return self._state is not before
