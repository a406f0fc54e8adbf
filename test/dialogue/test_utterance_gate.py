"""After an interruption the rest of the utterance is dropped, and the next one is not."""
from gesture_node.dialogue.utterance_gate import UtteranceGate

MS = 1_000_000


def flow(gate, start_ms, count, step_ms=20, audible=True):
    """Return what becomes of packets that arrive evenly."""
    return [gate.admits(audible, (start_ms + step_ms * i) * MS, step_ms * MS)
            for i in range(count)]


def test_an_open_gate_admits_everything():
    gate = UtteranceGate(0.6)
    assert all(flow(gate, 0, 10)) and gate.refused == 0


def test_a_flow_is_refused_until_it_has_paused():
    gate = UtteranceGate(0.6)
    gate.close(0)
    assert not any(flow(gate, 10, 200))
    assert all(flow(gate, 10 + 4_000 + 640, 50))
    assert gate.refused == 200


def test_silence_sent_along_is_a_pause():
    gate = UtteranceGate(0.6)
    gate.close(0)
    assert not any(flow(gate, 10, 50))
    assert not any(flow(gate, 1_010, 40, audible=False))
    assert all(flow(gate, 1_810, 5))


def test_an_utterance_in_one_message_does_not_hold_the_next_one_up():
    gate = UtteranceGate(0.6)
    gate.close(0)
    assert not gate.admits(True, 100 * MS, 12_000 * MS)
    assert gate.admits(True, 1_800 * MS, 12_000 * MS)


def test_packets_of_a_second_are_a_flow():
    gate = UtteranceGate(0.6)
    gate.close(0)
    assert not any(flow(gate, 10, 10, step_ms=1_000))


def test_opening_admits_at_once():
    gate = UtteranceGate(0.6)
    gate.close(0)
    gate.open()
    assert all(flow(gate, 10, 3)) and not gate.is_closed
