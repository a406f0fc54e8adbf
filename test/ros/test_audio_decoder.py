"""Whatever a publisher sends becomes finite mono samples, or one sentence."""
import io

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import soundfile

from gesture_node.ros.audio_decoder import AudioDecoder, AudioFormat
from gesture_node.ros.problems import ProblemLog

DEFAULT = AudioFormat(16_000, 1, 'S16LE')
UNSAID = AudioFormat()


class Bench:
    """A decoder with its problems in view."""

    def __init__(self, default=DEFAULT):
        self.said = []
        self.problems = ProblemLog(self.said.append)
        self.decoder = AudioDecoder(default, self.problems)

    def decode(self, payload, declared=UNSAID, sniff=True):
        return self.decoder.decode(payload, declared, sniff=sniff)

    def all(self, payloads, declared=UNSAID):
        blocks = [self.decode(payload, declared) for payload in payloads]
        return np.concatenate([np.zeros(0, np.float32),
                               *(block.samples for block in blocks if block is not None)])


def tone(count=1_600, rate=16_000, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * 220 * np.arange(count) / rate)).astype(np.float32)


def wave_file(samples, rate, subtype='PCM_16', channels=1):
    file = io.BytesIO()
    soundfile.write(file, np.repeat(samples[:, None], channels, 1), rate, format='WAV',
                    subtype=subtype)
    return file.getvalue()


FULL_SCALE = {'S8': ('i1', 127), 'S16LE': ('<i2', 32_767), 'S16BE': ('>i2', 32_767),
              'S32LE': ('<i4', 2 ** 31 - 1), 'S32BE': ('>i4', 2 ** 31 - 1),
              'F32LE': ('<f4', 1), 'F32BE': ('>f4', 1), 'F64LE': ('<f8', 1), 'F64BE': ('>f8', 1)}


@pytest.mark.parametrize('name', FULL_SCALE)
def test_every_sample_format_gives_the_same_sound(name):
    dtype, scale = FULL_SCALE[name]
    bench = Bench()
    block = bench.decode((tone() * scale).astype(dtype).tobytes(), AudioFormat(0, 0, name))
    assert np.abs(block.samples - tone()).max() < 0.02 and block.sample_rate == 16_000
    assert block.samples.dtype == np.float32 and not bench.said


def test_unsigned_bytes_are_offset_binary():
    block = Bench().decode((128 + 127 * tone()).astype('u1').tobytes(), AudioFormat(0, 0, 'U8'))
    assert np.abs(block.samples - tone()).max() < 0.02


@given(st.lists(st.integers(1, 700), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_cuts_inside_samples_change_nothing(cuts):
    payload = (tone() * 32_767).astype('<i2').tobytes()
    edges = [0, *[edge for edge in np.cumsum(cuts) if edge < len(payload)], len(payload)]
    parts = [payload[a:b] for a, b in zip(edges, edges[1:])]
    bench = Bench()
    assert np.array_equal(bench.all(parts), Bench().all([payload]))
    assert len(bench.said) <= 1


def test_an_odd_byte_is_said_once():
    bench = Bench()
    for _ in range(6):
        bench.decode(bytes(641))
    assert bench.problems.counts() == {'odd_bytes': 3} and len(bench.said) == 1


def test_after_a_loss_the_cut_sample_is_forgotten():
    bench = Bench()
    bench.decode(bytes(641))
    bench.decoder.drop_partial()
    payload = (tone() * 32_767).astype('<i2').tobytes()
    assert np.abs(bench.decode(payload).samples - tone()).max() < 1e-3


def test_stereo_is_averaged():
    left, right = tone(amplitude=0.6), tone(amplitude=0.2)
    payload = np.stack([left, right], 1).astype('<f4').tobytes()
    block = Bench().decode(payload, AudioFormat(48_000, 2, 'F32LE'))
    assert np.allclose(block.samples, tone(amplitude=0.4), atol=1e-6)
    assert block.sample_rate == 48_000


def test_nan_and_infinity_become_silence():
    samples = tone()
    samples[3], samples[7], samples[9] = np.nan, np.inf, -np.inf
    bench = Bench()
    for _ in range(2):
        block = bench.decode(samples.tobytes(), AudioFormat(0, 0, 'F32LE'), sniff=False)
    assert np.isfinite(block.samples).all() and (block.samples[[3, 7, 9]] == 0).all()
    assert bench.problems.counts() == {'non_finite_samples': 6} and len(bench.said) == 1


def test_floats_in_integer_scale_are_clipped_and_said():
    bench = Bench()
    block = bench.decode((32_767 * tone()).tobytes(), AudioFormat(0, 0, 'F32LE'))
    assert np.abs(block.samples).max() <= 1.0
    assert set(bench.problems.counts()) == {'samples_beyond_full_scale', 'clipped_samples'}


def test_clipped_audio_is_said_once():
    bench = Bench()
    for _ in range(3):
        bench.decode((tone(amplitude=5.0).clip(-1, 1) * 32_767).astype('<i2').tobytes())
    assert len(bench.said) == 1 and 'clipped' in bench.said[0]


@pytest.mark.parametrize('subtype', ['PCM_U8', 'PCM_16', 'PCM_24', 'PCM_32', 'FLOAT', 'DOUBLE'])
def test_a_wave_file_in_one_message_speaks_for_itself(subtype):
    bench = Bench()
    block = bench.decode(wave_file(tone(), 22_050, subtype, channels=2))
    assert block.sample_rate == 22_050 and len(block.samples) == len(tone())
    assert np.abs(block.samples - tone()).max() < 0.02 and not bench.said


def test_a_wave_file_may_span_messages_and_raw_audio_may_follow():
    payload = wave_file(tone(), 22_050)
    bench = Bench()
    blocks = [bench.decode(part) for part in (payload[:1_001], payload[1_001:2_000],
                                              payload[2_000:])]
    assert [block.sample_rate for block in blocks] == [22_050] * 3
    joined = np.concatenate([block.samples for block in blocks])
    assert np.abs(joined - tone()).max() < 1e-3
    assert bench.decode(bytes(640)).sample_rate == 16_000


def test_a_broken_wave_file_is_refused_with_its_reason():
    bench = Bench()
    assert bench.decode(wave_file(tone(), 8_000, 'ALAW')) is None
    assert bench.decode(wave_file(tone(), 8_000)[:30]) is None
    assert len(bench.said) == 1 and 'coding 0x0006' in bench.said[0]


def test_mp3_is_refused_once_even_when_frames_are_cut():
    frame = b'\xff\xfb\x90\x00' + bytes(range(256)) + bytes(157)
    stream = frame * 20
    bench = Bench()
    assert all(bench.decode(stream[i:i + 1_000]) is None for i in range(0, 7_000, 1_000))
    assert bench.problems.counts() == {'compressed_audio': 7} and len(bench.said) == 1
    bench.decoder.reset()
    assert bench.decode(bytes(640)) is not None


def test_a_declared_coding_is_refused():
    bench = Bench()
    assert bench.decode(bytes(640), AudioFormat(16_000, 1, 'S16LE', 'mp3')) is None
    assert "'mp3'" in bench.said[0]
    assert bench.decode(bytes(640)) is not None


@pytest.mark.parametrize('form,word', [
    (AudioFormat(3_999), 'sample rate'), (AudioFormat(200_000), 'sample rate'),
    (AudioFormat(16_000, 65), 'channels'), (AudioFormat(16_000, 1, 'S12'), 'sample format')])
def test_a_format_that_cannot_be_is_refused_once(form, word):
    bench = Bench()
    assert all(bench.decode(bytes(640), form) is None for _ in range(3))
    assert len(bench.said) == 1 and word in bench.said[0]


def test_a_change_of_format_is_followed_and_drops_the_cut_sample():
    bench = Bench()
    bench.decode(bytes(641))
    block = bench.decode(tone().tobytes(), AudioFormat(48_000, 1, 'F32LE'))
    assert np.array_equal(block.samples, tone()) and block.sample_rate == 48_000
    assert 'changed from 16000 Hz' in bench.said[-1]


@given(st.binary(max_size=400), st.sampled_from([*FULL_SCALE, 'U8', 'S24LE', '']),
       st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_finite_samples_or_none(payload, name, channels):
    block = Bench().decode(payload, AudioFormat(0, channels, name))
    if block is not None:
        assert np.isfinite(block.samples).all() and np.abs(block.samples).max() <= 1.0
