"""The table of states: every sequence of events keeps its promises."""
from hypothesis import given, settings
from hypothesis import strategies as st

from gesture_node.dialogue.states import DialogueStates, Event, RESTING, State, UTTERING

EVENTS = st.lists(st.sampled_from(list(Event)), max_size=40)


def after(events):
    states = DialogueStates()
    for event in events:
        states.take(event)
    return states


@given(EVENTS)
@settings(max_examples=400, deadline=None)
def test_promises_hold_after_any_events(events):
    states = after(events)
    before = states.state
    others = [event for event in events if event in (Event.OTHER_SPEAKS, Event.OTHER_SILENT)]
    assert states.other_speaks == bool(others and others[-1] is Event.OTHER_SPEAKS)
    if before in RESTING:
        assert (before is State.LISTENING) == states.other_speaks
    changed = states.take(Event.STOP)
    assert states.state is (State.DISABLED if before is State.DISABLED else State.STOPPED)
    assert changed == (states.state is not before)


@given(EVENTS)
@settings(max_examples=200, deadline=None)
def test_a_stopped_robot_moves_only_after_a_reset(events):
    states = after([*events, Event.ENABLE, Event.STOP])
    for event in Event:
        if event not in (Event.RESET, Event.DISABLE):
            states.take(event)
            assert states.state is State.STOPPED
    states.take(Event.RESET)
    assert states.state in RESTING
    states.take(Event.SPEECH)
    assert states.state is State.SPEAKING


@given(EVENTS)
@settings(max_examples=200, deadline=None)
def test_a_disabled_robot_waits_to_be_enabled(events):
    states = after([*events, Event.DISABLE])
    for event in Event:
        if event is not Event.ENABLE:
            states.take(event)
            assert states.state is State.DISABLED
    states.take(Event.ENABLE)
    assert states.state in RESTING


@given(EVENTS)
@settings(max_examples=300, deadline=None)
def test_rest_is_reached_from_everywhere_and_interrupted_only_from_speech(events):
    states = DialogueStates()
    for event in events:
        before = states.state
        states.take(event)
        if states.state is State.INTERRUPTED and before is not State.INTERRUPTED:
            assert before in UTTERING and event is Event.INTERRUPT
    for event in (Event.ENABLE, Event.RESET, Event.SILENCE, Event.AT_REST):
        states.take(event)
    assert states.state in RESTING


def test_a_conversation_goes_its_way():
    states, seen = DialogueStates(), []
    for event in (Event.OTHER_SPEAKS, Event.OTHER_SILENT, Event.SPEECH, Event.OTHER_SPEAKS,
                  Event.INTERRUPT, Event.AT_REST, Event.OTHER_SILENT, Event.SPEECH,
                  Event.SILENCE, Event.AT_REST):
        states.take(event)
        seen.append(states.state.value)
    assert seen == ['listening', 'idle', 'speaking', 'speaking', 'interrupted', 'listening',
                    'idle', 'speaking', 'settling', 'idle']
