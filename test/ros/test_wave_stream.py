"""WAVE files in a stream of bytes, cut anywhere."""
import io
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import soundfile

from gesture_node.ros.audio_decoder import AudioDecoder, AudioFormat
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.wave_stream import may_begin_wave_file, WaveStream

RATE = 22_050


def tone(count=900, hz=220):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(count) / RATE)


def wave(samples, subtype='PCM_16', rate=RATE, channels=1, chunk=b''):
    file = io.BytesIO()
    soundfile.write(file, np.repeat(samples[:, None], channels, 1), rate, format='WAV',
                    subtype=subtype)
    data = bytearray(file.getvalue())
    if chunk:
        data += b'LIST' + struct.pack('<I', len(chunk)) + chunk
        struct.pack_into('<I', data, 4, len(data) - 8)
    return bytes(data)


def pieces(stream, cuts):
    edges = [0, *sorted({cut % len(stream) for cut in cuts}), len(stream)]
    return [stream[a:b] for a, b in zip(edges, edges[1:]) if b > a]


def heard(messages):
    said = []
    decoder = AudioDecoder(AudioFormat(16_000, 1, 'S16LE'), ProblemLog(said.append))
    blocks = [decoder.decode(message, AudioFormat(), sniff=True) for message in messages]
    blocks = [block for block in blocks if block is not None]
    samples = np.concatenate([np.zeros(0, np.float32), *(block.samples for block in blocks)])
    return samples, {block.sample_rate for block in blocks}, said


CUTS = st.lists(st.integers(0, 1 << 30), max_size=12)


@given(CUTS, st.sampled_from(['PCM_16', 'PCM_24', 'FLOAT']), st.integers(1, 2),
       st.booleans())
@settings(max_examples=80, deadline=None)
def test_two_files_sound_the_same_however_they_are_cut(cuts, subtype, channels, trailer):
    chunk = b'INFOISFT\x04\x00\x00\x00abc\x00' if trailer else b''
    stream = (wave(tone(), subtype, channels=channels, chunk=chunk)
              + wave(tone(700, 330), subtype, channels=channels))
    samples, rates, said = heard(pieces(stream, cuts))
    assert rates == {RATE} and len(samples) == 1_600
    assert np.abs(samples - np.concatenate([tone(), tone(700, 330)])).max() < 1e-3
    assert not [words for words in said if 'inside a sample' not in words]


@given(CUTS)
@settings(max_examples=40, deadline=None)
def test_a_file_of_open_length_goes_on(cuts):
    stream = bytearray(wave(tone(3_000)))
    struct.pack_into('<I', stream, 4, 0xFFFFFFFF)
    struct.pack_into('<I', stream, stream.index(b'data') + 4, 0xFFFFFFFF)
    samples, rates, _ = heard(pieces(bytes(stream), cuts))
    assert rates == {RATE} and np.abs(samples - tone(3_000)).max() < 1e-3


@given(CUTS)
@settings(max_examples=40, deadline=None)
def test_a_refused_file_is_left_out_whole_and_the_next_one_is_heard(cuts):
    stream = wave(tone(), 'ALAW') + wave(tone(700))
    samples, rates, said = heard(pieces(stream, cuts))
    assert rates == {RATE} and len(samples) == 700
    assert len([words for words in said if 'coding 0x0006' in words]) == 1


def test_a_file_given_up_halfway_is_followed_by_the_next():
    samples, _, _ = heard([wave(tone())[:500], wave(tone(700))])
    assert len(samples) == (500 - 44) // 2 + 700


def test_a_trailer_that_was_promised_but_never_sent_costs_no_sound():
    file = wave(tone(), chunk=bytes(2_000))[:44 + 1_800]
    raw = (tone(320) * 32_767).astype('<i2').tobytes()
    samples, rates, said = heard([file, raw, raw])
    assert len(samples) == 900 + 640 and rates == {RATE, 16_000}
    assert [words for words in said if 'changed from' in words] == said


def test_files_of_two_rates_in_one_message():
    samples, rates, said = heard([wave(tone()) + wave(tone(700), rate=16_000)])
    assert rates == {RATE} and len(samples) == 900
    assert any('different sample rates' in words for words in said)


def test_files_of_two_rates_in_two_messages():
    samples, rates, _ = heard([wave(tone()), wave(tone(700), rate=16_000)])
    assert rates == {RATE, 16_000} and len(samples) == 1_600


def test_a_short_message_that_only_looks_like_a_file_is_sound():
    payload = (tone() * 32_767).astype('<i2').tobytes()
    messages = [b'RI', payload[2:]]
    samples, _, _ = heard(messages)
    assert len(samples) == 900


def test_a_header_without_end_is_refused_and_a_file_cut_in_its_header_is_said():
    said = []
    stream = WaveStream(said.append)
    junk = b'RIFF' + struct.pack('<I', 0) + b'WAVE' + (b'junk' + struct.pack('<I', 100)
                                                      + bytes(100)) * 700
    assert stream.feed(memoryview(junk)) == [] and 'no "data" chunk' in said[-1]
    assert stream.feed(memoryview(junk[:200])) == [] and len(said) == 1
    stream.reset()
    assert said[1:] == ['it ends inside its header']


@pytest.mark.parametrize('start, may', [
    (b'', True), (b'R', True), (b'RIFF', True), (b'RIFFabcdWA', True), (b'RIFFabcdWAVEfmt ', True),
    (b'RIFX', False), (b'S', False), (b'RIFFabcdWX', False)])
def test_how_a_file_begins(start, may):
    assert may_begin_wave_file(memoryview(start)) is may
