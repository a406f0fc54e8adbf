"""MP3 is told from raw samples; raw samples are never taken for MP3."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.ros.mpeg_sniffer import frame_bytes, is_mpeg_audio, MpegStream

HEADERS = [  # header, length by the standards' formula
    (b'\xff\xfb\x90\x00', 417),   # MPEG-1 layer 3, 128 kbit/s, 44.1 kHz
    (b'\xff\xfb\x92\x00', 418),   # the same with padding
    (b'\xff\xf3\x88\x00', 288),   # MPEG-2 layer 3, 64 kbit/s, 16 kHz
    (b'\xff\xfd\x84\x00', 384),   # MPEG-1 layer 2, 128 kbit/s, 48 kHz
]


@pytest.mark.parametrize('header,length', HEADERS)
def test_frame_length(header, length):
    assert frame_bytes(memoryview(header)) == length


@pytest.mark.parametrize('header,length', HEADERS)
def test_frames_are_recognised_whole_or_cut_after_the_second(header, length):
    frame = header + bytes(length - 4)
    assert is_mpeg_audio(memoryview(frame))
    assert is_mpeg_audio(memoryview(frame + frame[:100]))
    assert is_mpeg_audio(memoryview(frame * 5))


def test_id3_is_recognised():
    assert is_mpeg_audio(memoryview(b'ID3\x04' + bytes(20)))


@pytest.mark.parametrize('value', [-1, -2, -1025, -1281, 0, 255])
def test_constant_samples_are_raw(value):
    assert not is_mpeg_audio(memoryview(np.full(320, value, '<i2').tobytes()))


@given(st.integers(0, 2 ** 32 - 1), st.sampled_from([160, 320, 512, 1024]),
       st.integers(1, 20_000))
@settings(max_examples=300, deadline=None)
def test_noise_is_raw(seed, count, loudness):
    noise = np.random.default_rng(seed).normal(0, loudness, count).clip(-32_768, 32_767)
    assert not is_mpeg_audio(memoryview(noise.astype('<i2').tobytes()))


def test_short_payloads_are_raw():
    for size in range(5):
        assert not is_mpeg_audio(memoryview(b'\xff\xfb\x90\x00'[:size]))


@pytest.mark.parametrize('cut, first', [(100, 0), (100, 333), (700, 50), (1, 900), (5_000, 100)])
def test_a_stream_cut_anywhere_is_recognised_in_its_first_bytes(cut, first):
    random = np.random.default_rng(3)
    stream = b''.join(b'\xff\xfb\x90\x00' + random.bytes(413) for _ in range(40))[first:]
    sniffer = MpegStream()
    told = [sniffer.is_mpeg(memoryview(stream[at:at + cut])) for at in range(0, len(stream), cut)]
    heard = told.index(True) * cut
    assert heard <= 2 * 2_048 + cut and all(told[told.index(True):])
    sniffer.reset()
    assert not sniffer.is_mpeg(memoryview(bytes(640)))


@pytest.mark.parametrize('amplitude', [0.0, 3e-5, 1e-3, 0.1, 1.0])
def test_no_sound_is_taken_for_a_stream(amplitude):
    random = np.random.default_rng(4)
    time = np.arange(16_000) / 16_000
    for wave in (np.sin(2 * np.pi * 250 * time), np.sign(np.sin(2 * np.pi * 100 * time)),
                 random.standard_normal(16_000), -np.ones(16_000), np.zeros(16_000)):
        samples = np.clip(32_767 * amplitude * wave, -32_768, 32_767).astype('<i2').tobytes()
        sniffer = MpegStream()
        assert not any(sniffer.is_mpeg(memoryview(samples[at:at + 640]))
                       for at in range(0, len(samples), 640))
