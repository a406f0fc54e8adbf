"""Packets become speech in its place, or a counted problem."""
from dataclasses import replace
import io

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import soundfile

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


SPEECH = (0.3 * np.sin(2 * np.pi * 200 * np.arange(9_600) / RATE)
          * np.repeat(np.random.default_rng(5).random(30), 320))
PACKETS = [('int16', False), ('float32', True), ('bytes', False), ('bytes', True), ('wave', False)]


def message(kind, samples, stamp_ns):
    """Return samples as the packet of a message type, before its bytes are cut."""
    if kind == 'float32':
        return AudioPacket(samples.astype(np.float32), AudioFormat(RATE, 1, 'F32LE'), stamp_ns,
                           False)
    data = (samples * 32_767).astype('<i2')
    declared = AudioFormat(RATE, 1, 'S16LE') if kind == 'int16' else AudioFormat()
    return AudioPacket(data.tobytes(), declared, stamp_ns, kind != 'int16')


@given(st.lists(st.integers(1, 9_599), max_size=40), st.sampled_from(PACKETS))
@settings(max_examples=80, deadline=None)
def test_any_packets_of_any_type_give_the_stream_the_same_samples(cuts, case):
    kind, is_stamped = case
    edges = [0, *sorted(set(cuts)), len(SPEECH)]
    bench = Bench()
    header = wave_header(len(SPEECH)) if kind == 'wave' else b''
    for first, last in zip(edges, edges[1:]):
        at_ns = NOW + first * 1_000_000_000 // RATE
        packet = message(kind, SPEECH[first:last], at_ns if is_stamped else None)
        if header:
            packet = replace(packet, payload=header + packet.payload)
            header = b''
        heard = bench.intake.decode(ReceivedAudio(packet, None, at_ns))
        if bench.intake.clock is None:
            bench.intake.begin(heard.timing, at_ns, 500 * MS, 400 * MS)
        bench.intake.place(heard)
        bench.intake.feed(bench.stream, at_ns)
    bench.intake.feed(bench.stream, NOW + 600 * MS)
    assert len(bench.stream.samples) == len(SPEECH)
    assert np.abs(bench.stream.samples - SPEECH).max() < 1e-4
    assert not bench.said


def wave_header(samples):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(samples), RATE, format='WAV', subtype='PCM_16')
    return file.getvalue()[:44]


def test_another_source_begins_another_stream_of_bytes():
    bench = Bench()

    def send(payload, source):
        return bench.intake.decode(ReceivedAudio(
            AudioPacket(payload, AudioFormat(), None, True), None, NOW, source=source))

    frame = b'\xff\xfb\x90\x00' + bytes(413)
    assert send(frame * 3, 1) is None and send(bytes(640), 1) is None
    assert len(send(bytes(641), 2).block.samples) == 320
    assert len(send(bytes(640), 2).block.samples) == 320
    assert len(send(bytes(640), 3).block.samples) == 320
    assert [words for words in bench.said if 'MP3' in words] == bench.said[:1]
