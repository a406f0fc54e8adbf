"""Speech leaves the queue in order, up to a time, however it came in."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np

from gesture_node.ros.audio_decoder import AudioBlock
from gesture_node.ros.speech_queue import SpeechQueue

RATE = 16_000


class Listener:
    def __init__(self):
        self.parts = []

    def accept_waveform(self, samples, sample_rate):
        self.parts.append((samples, sample_rate))

    def heard(self):
        return np.concatenate([np.zeros(0), *(part for part, _ in self.parts)])


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5_000)), min_size=1, max_size=20),
       st.lists(st.integers(1, 300), min_size=1, max_size=20))
@settings(max_examples=80, deadline=None)
def test_nothing_is_lost_or_moved(pieces, steps_ms):
    queue, listener, expected = SpeechQueue(), Listener(), []
    for number, (silent, count) in enumerate(pieces):
        wave = np.full(count, 0 if silent else number + 1, np.float32)
        expected.append(wave)
        if silent:
            queue.append_silence(count, RATE)
        else:
            queue.append(AudioBlock(wave, RATE))
    until_ns = 0
    for step_ms in steps_ms:
        until_ns += step_ms * 1_000_000
        queue.feed(listener, until_ns)
        fed = len(listener.heard())
        assert fed == min(sum(map(len, expected)), fed)
        assert queue.fed_ns >= min(until_ns, sum(map(len, expected)) * 62_500) - 62_500
        assert queue.fed_ns <= until_ns + 62_500
    queue.feed(listener, 10 ** 15)
    assert np.array_equal(listener.heard(), np.concatenate(expected))
    assert queue.waiting_s == 0.0


def test_rates_are_handed_on():
    queue, listener = SpeechQueue(), Listener()
    queue.append(AudioBlock(np.ones(480, np.float32), 48_000))
    queue.append_silence(441, 44_100)
    queue.feed(listener, 10 ** 9)
    assert [rate for _, rate in listener.parts] == [48_000, 44_100]
    assert queue.fed_ns == 20_000_000
