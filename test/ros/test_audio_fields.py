"""Messages with anything in their fields: read and decoded, or refused in words; never a crash."""
from array import array
from pathlib import Path
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.ros.audio_decoder import AudioDecoder, AudioFormat
from gesture_node.ros.audio_messages import AUDIO_TYPES, AudioMessageError, format_of_info
from gesture_node.ros.problems import ProblemLog

sys.path.insert(0, str(Path(__file__).parent))
from audio_message_fakes import FOXGLOVE, MGONZS13, NAOQI, ROS_DRIVERS

INT32 = st.integers(-2 ** 31, 2 ** 31 - 1)
UINT32 = st.integers(0, 2 ** 32 - 1)
BYTES = st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda b: b'RIFF' + b),
                  st.binary(max_size=200).map(lambda b: b'RIFF\x10\0\0\0WAVEfmt \x10\0\0\0' + b))
WORDS = st.sampled_from(['', 'S16LE', 's16le', 'F32LE', 'wave', 'mp3', 'pcm-s16', '\u2603'])


def elements(code):
    return BYTES.map(lambda data: array(code, data[:len(data) - len(data) % array(code).itemsize]))


def check(kind, messages, info=None):
    """Read and decode messages in a row; each is sound, silence or a sentence."""
    said = []
    problems = ProblemLog(said.append)
    decoder = AudioDecoder(AudioFormat(16_000, 1, 'S16LE'), problems)
    for message in messages:
        try:
            packet = kind.read(message)
        except AudioMessageError as error:
            problems.report(error.cause, str(error))
            continue
        declared = packet.declared if info is None else format_of_info(info)
        block = decoder.decode(packet.payload, declared, sniff=packet.sniff)
        if block is not None:
            assert np.isfinite(block.samples).all() and np.abs(block.samples).max() <= 1.0
            assert 4_000 <= block.sample_rate <= 192_000
        if packet.stamp_ns is not None:
            assert -2 ** 63 <= packet.stamp_ns < 2 ** 63
    assert len(said) == len(problems.counts())
    assert all(words and '\n' not in words for words in said)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_multi_arrays(data):
    messages = pytest.importorskip('std_msgs.msg')
    key, code = data.draw(st.sampled_from([
        ('int8', 'b'), ('uint8', 'B'), ('int16', 'h'), ('int32', 'i'), ('float32', 'f'),
        ('float64', 'd')]))
    kind = AUDIO_TYPES[key]
    made = []
    for values in data.draw(st.lists(elements(code), max_size=3)):
        message = kind.load()()
        message.data = values
        message.layout.data_offset = data.draw(st.one_of(st.just(0), UINT32))
        message.layout.dim = [
            messages.MultiArrayDimension(label=label, size=size) for label, size in data.draw(
                st.lists(st.tuples(st.sampled_from(
                    ['frames', 'channels', 'sample_rate', 'stamp_sec', 'stamp_nanosec', 'x']),
                    st.one_of(st.integers(0, 3), UINT32)), max_size=6))]
        made.append(message)
    check(kind, made)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_ros_drivers(data):
    info = ROS_DRIVERS.AudioInfo()
    info.channels, info.sample_rate = data.draw(st.integers(0, 255)), data.draw(UINT32)
    info.sample_format, info.coding_format = data.draw(WORDS), data.draw(WORDS)
    stamped = data.draw(st.booleans())
    made = []
    for values in data.draw(st.lists(elements('B'), max_size=4)):
        message = ROS_DRIVERS.AudioDataStamped() if stamped else ROS_DRIVERS.AudioData()
        if stamped:
            message.audio.data = values
            message.header.stamp.sec = data.draw(INT32)
            message.header.stamp.nanosec = data.draw(UINT32)
        else:
            message.data = values
        made.append(message)
    check(AUDIO_TYPES['audio_data_stamped' if stamped else 'audio_data'], made,
          data.draw(st.sampled_from([None, info])))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_mgonzs13(data):
    made = []
    for _ in range(data.draw(st.integers(0, 3))):
        message = MGONZS13.AudioStamped()
        for field, code in (('float32_data', 'f'), ('int32_data', 'i'), ('int16_data', 'h'),
                            ('int8_data', 'b'), ('uint8_data', 'B')):
            if data.draw(st.booleans()):
                setattr(message.audio.audio_data, field, data.draw(elements(code)))
        info = message.audio.info
        info.format = data.draw(st.one_of(st.sampled_from([1, 2, 4, 8, 16, 32]), INT32))
        info.rate = data.draw(st.one_of(st.sampled_from([0, 16_000, 48_000]), INT32))
        info.channels = data.draw(st.one_of(st.integers(0, 3), INT32))
        info.chunk = data.draw(INT32)
        message.header.stamp.sec = data.draw(INT32)
        made.append(message)
    check(AUDIO_TYPES['audio_stamped'], made)
    check(AUDIO_TYPES['audio'], [message.audio for message in made])


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_foxglove_and_naoqi(data):
    raw = FOXGLOVE.RawAudio()
    raw.data, raw.format = data.draw(elements('B')), data.draw(WORDS)
    raw.sample_rate, raw.number_of_channels = data.draw(UINT32), data.draw(UINT32)
    raw.timestamp.sec, raw.timestamp.nanosec = data.draw(INT32), data.draw(UINT32)
    check(AUDIO_TYPES['raw_audio'], [raw, raw])
    buffer = NAOQI.AudioBuffer()
    buffer.frequency = data.draw(st.integers(0, 65_535))
    buffer.channel_map, buffer.data = data.draw(elements('B')), data.draw(elements('h'))
    check(AUDIO_TYPES['audio_buffer'], [buffer, buffer])
