"""Packets become speech in its place, or a counted problem."""
import numpy as np
import pytest

from gesture_node.config import AudioConfig
from gesture_node.ros.audio_decoder import AudioBlock, AudioFormat
from gesture_node.ros.audio_messages import AudioPacket
from gesture_node.ros.inbox import ReceivedAudio
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.speech_intake import is_audible, SpeechIntake

MS = 1_000_000
NOW = 1_000_000 * MS
RATE = 16_000


class Stream:
    def __init__(self):
        self.samples = np.zeros(0, np.float32)

    def accept_waveform(self, samples, sample_rate):
        self.samples = np.concatenate([self.samples, samples])


class Bench:
    def __init__(self, **config):
        self.said = []
        self.problems = ProblemLog(self.said.append)
        self.intake = SpeechIntake(AudioConfig(**config), self.problems)
        self.stream = Stream()

    def hear(self, samples, arrival_ms, stamp_ms=None, lost=0):
        payload = (samples * 32_767).astype('<i2').tobytes()
        stamp_ns = None if stamp_ms is None else NOW + stamp_ms * MS
        heard = self.intake.decode(ReceivedAudio(
            AudioPacket(payload, AudioFormat(), stamp_ns, True), None, NOW + arrival_ms * MS,
            lost))
        if self.intake.clock is None:
            self.intake.begin(heard.timing, heard.timing.arrival_ns, 500 * MS, 50 * MS)
        return self.intake.place(heard)


def tone(count=320):
    return 0.3 * np.sin(2 * np.pi * 200 * np.arange(count) / RATE)


def test_a_gap_reaches_the_stream_as_silence():
    bench = Bench()
    assert bench.hear(tone(), 0, 0) == NOW + 500 * MS
    assert bench.hear(tone(), 100, 100) == NOW + 600 * MS
    bench.intake.feed(bench.stream, NOW + 100 * MS)
    assert len(bench.stream.samples) == 1_920
    assert not bench.stream.samples[320:1_600].any() and bench.stream.samples[1_600:].any()


def test_a_paused_source_is_padded_to_keep_pace():
    bench = Bench()
    bench.hear(tone(), 0, 0)
    bench.intake.feed(bench.stream, NOW + 1_000 * MS)
    assert len(bench.stream.samples) == pytest.approx(950 * 16, abs=1)


def test_an_utterance_at_once_is_fed_as_it_is_heard():
    bench = Bench()
    bench.hear(tone(10 * RATE), 0, 0)
    bench.intake.feed(bench.stream, NOW + 500 * MS)
    assert len(bench.stream.samples) == pytest.approx(1.5 * RATE, abs=2)
    assert bench.intake.waiting_s == pytest.approx(8.5, abs=0.01)


def test_too_much_audio_is_refused_once_and_counted():
    bench = Bench(max_buffer_s=1.0)
    bench.hear(tone(RATE), 0, 0)
    assert bench.hear(tone(RATE), 1) is None and bench.hear(tone(RATE), 2) is None
    assert bench.intake.refused_s == 2.0 and len(bench.said) == 1


def test_old_stamps_are_said_with_what_to_do():
    bench = Bench()
    bench.hear(tone(), 1_000, 0)
    assert 'presentation_delay_s' in bench.said[0] and '950 ms' in bench.said[0]


def test_incredible_stamps_are_said_once():
    bench = Bench()
    for k in range(3):
        bench.hear(tone(), 20 * k, 20 * k - 900_000)
    assert len(bench.said) == 1 and '-900.0 s away from ROS time' in bench.said[0]


def test_packets_out_of_order_are_said_once():
    bench = Bench()
    placed = [bench.hear(tone(), 20 * k, stamp) for k, stamp in enumerate((0, 40, 20, 10))]
    assert placed[2:] == [None, None]
    assert bench.problems.counts() == {'out_of_order': 2} and len(bench.said) == 1


def test_a_source_that_paused_may_come_back_in_another_coding():
    bench = Bench()
    frame = b'\xff\xfb\x90\x00' + bytes(413)
    for arrival, payload, usable in ((0, frame * 3, False), (100, bytes(640), False),
                                     (5_000, bytes(640), True)):
        heard = bench.intake.decode(ReceivedAudio(
            AudioPacket(payload, AudioFormat(), None, True), None, NOW + arrival * MS))
        assert (heard is not None) is usable


@pytest.mark.parametrize('samples,audible', [
    (np.zeros(320), False), (np.full(320, 0.4), False), (tone(), True), (tone(10), True),
    (np.concatenate([np.zeros(16_000), tone()]), True),
    (1e-4 * np.random.default_rng(0).normal(size=3_200), False)])
def test_silence_is_told_from_speech_in_spite_of_an_offset(samples, audible):
    assert is_audible(AudioBlock(samples.astype(np.float32), RATE)) is audible
