"""Audio messages of every package, read and written by their fields."""
from pathlib import Path
import sys

import numpy as np
import pytest

from gesture_node.exceptions import AudioError
from gesture_node.ros.audio_decoder import AudioDecoder, AudioFormat
from gesture_node.ros.audio_messages import (
    audio_type_of,
    AUDIO_TYPES,
    AudioMessageError,
    best_audio_type,
    format_of_info,
    packet_of,
)
from gesture_node.ros.node_config import AUDIO_TYPES as AUDIO_TYPE_CHOICES
from gesture_node.ros.problems import ProblemLog

sys.path.insert(0, str(Path(__file__).parent))
from audio_message_fakes import FOXGLOVE, install, MGONZS13, NAOQI, ROS_DRIVERS

STAMP_NS = 1_700_000_000_123_456_789
SAMPLES = np.stack([np.arange(-400, 400), np.arange(400, -400, -1)], 1).astype(np.int16)


@pytest.fixture(params=['ros_drivers', 'mgonzs13'])
def installed(request, monkeypatch):
    install(monkeypatch, 'audio_common_msgs',
            ROS_DRIVERS if request.param == 'ros_drivers' else MGONZS13)
    return request.param


def kinds_of(installed):
    return {'ros_drivers': ('audio_data', 'audio_data_stamped'),
            'mgonzs13': ('audio', 'audio_stamped')}[installed]


def decoded(kind, message, default):
    packet = kind.read(message)
    decoder = AudioDecoder(default, ProblemLog(print))
    return packet, decoder.decode(packet.payload, packet.declared, sniff=packet.sniff)


def check_round_trip(kind, message):
    kind.write(message, SAMPLES, 22_050, STAMP_NS)
    packet, block = decoded(kind, message, AudioFormat(22_050, 2, 'S16LE'))
    assert np.allclose(block.samples, SAMPLES.mean(axis=1) / 32_768, atol=1e-6)
    assert block.sample_rate == 22_050
    return packet


def test_common_packages_are_told_apart_by_their_fields(installed):
    for key, kind in AUDIO_TYPES.items():
        if not kind.ros_type.startswith('audio_common_msgs'):
            continue
        if key in kinds_of(installed):
            kind.load()
        else:
            with pytest.raises(AudioError, match='another one of the same name'):
                kind.load()
    assert best_audio_type().key == kinds_of(installed)[-1]


def test_common_messages_round_trip_with_stamp(installed):
    for key in kinds_of(installed):
        kind = AUDIO_TYPES[key]
        message = kind.load()()
        packet = check_round_trip(kind, message)
        assert packet.stamp_ns == (None if key in ('audio_data', 'audio') else STAMP_NS)
        later = kind.restamp(message, STAMP_NS + 5)
        assert kind.read(message).stamp_ns == packet.stamp_ns
        if key not in ('audio_data', 'audio'):
            assert kind.read(later).stamp_ns == STAMP_NS + 5
            assert kind.read(later).payload is kind.read(message).payload


@pytest.mark.parametrize('key, package, messages', [
    ('raw_audio', 'foxglove_msgs', FOXGLOVE), ('audio_buffer', 'naoqi_bridge_msgs', NAOQI)])
def test_other_messages_round_trip_with_everything(key, package, messages, monkeypatch):
    install(monkeypatch, package, messages)
    kind = AUDIO_TYPES[key]
    message = kind.load()()
    packet = check_round_trip(kind, message)
    assert packet.stamp_ns == STAMP_NS
    assert packet.declared == AudioFormat(22_050, 2, 'S16LE')
    later = kind.restamp(message, STAMP_NS + 5)
    assert kind.read(message).stamp_ns == STAMP_NS
    assert kind.read(later).stamp_ns == STAMP_NS + 5
    assert kind.read(later).payload is kind.read(message).payload


def test_eight_bits_keep_the_upper_half():
    kind = AUDIO_TYPES['int8']
    message = pytest.importorskip('std_msgs.msg').Int8MultiArray()
    kind.write(message, SAMPLES * 64, 16_000, STAMP_NS)
    _, block = decoded(kind, message, AudioFormat(16_000, 2, 'S16LE'))
    assert np.abs(block.samples - 64 * SAMPLES.mean(axis=1) / 32_768).max() < 1 / 100


@pytest.mark.parametrize('key', ['int16', 'float32', 'uint8', 'int32', 'float64'])
def test_multi_arrays_round_trip_with_rate_channels_and_stamp(key):
    pytest.importorskip('std_msgs.msg')
    kind = AUDIO_TYPES[key]
    message = kind.load()()
    packet = check_round_trip(kind, message)
    assert packet.stamp_ns == STAMP_NS
    assert (packet.declared.sample_rate, packet.declared.channels) == (22_050, 2)
    later = kind.restamp(message, STAMP_NS + 5)
    assert kind.read(later).stamp_ns == STAMP_NS + 5 and kind.read(message).stamp_ns == STAMP_NS
    assert kind.read(later).declared == packet.declared and later.data == message.data


def test_a_multi_array_without_layout_leaves_everything_to_the_parameters():
    kind = AUDIO_TYPES['int16']
    message = pytest.importorskip('std_msgs.msg').Int16MultiArray(data=[1, 2, 3, 4])
    packet, block = decoded(kind, message, AudioFormat(8_000, 2, 'S16LE'))
    assert packet.stamp_ns is None
    assert np.allclose(block.samples * 32_768, [1.5, 3.5]) and block.sample_rate == 8_000


def test_two_dimensions_without_labels_are_frames_and_channels():
    messages = pytest.importorskip('std_msgs.msg')
    message = messages.Int16MultiArray(data=[1, 2, 3, 4])
    message.layout.dim = [messages.MultiArrayDimension(size=2, stride=4),
                          messages.MultiArrayDimension(size=2, stride=2)]
    assert AUDIO_TYPES['int16'].read(message).declared.channels == 2


@pytest.mark.parametrize('sizes, words', [
    ({'frames': 3, 'channels': 2}, '3 frames of 2 channels, but it has 4 samples'),
    ({'stamp_sec': 1, 'stamp_nanosec': 2_000_000_000}, '2000000000 ns beside')])
def test_a_layout_that_contradicts_the_data_is_refused(sizes, words):
    messages = pytest.importorskip('std_msgs.msg')
    message = messages.Int16MultiArray(data=[1, 2, 3, 4])
    message.layout.dim = [messages.MultiArrayDimension(label=label, size=size)
                          for label, size in sizes.items()]
    assert words in refused(AUDIO_TYPES['int16'], message)


def test_an_offset_beyond_the_data_is_refused():
    message = pytest.importorskip('std_msgs.msg').Int16MultiArray(data=[9, 9])
    message.layout.data_offset = 3
    assert 'begin at element 3, but it has 2' in refused(AUDIO_TYPES['int16'], message)


def test_the_data_offset_of_a_multi_array_is_skipped():
    message = pytest.importorskip('std_msgs.msg').Int16MultiArray(data=[9, 9, 1, 2])
    message.layout.data_offset = 2
    assert list(AUDIO_TYPES['int16'].read(message).payload) == [1, 2]


@pytest.mark.parametrize('flag,field,values,scale', [
    (1, 'float32_data', [0.5, -0.5], 1), (2, 'int32_data', [2 ** 30, -2 ** 30], 1),
    (8, 'int16_data', [16_384, -16_384], 1), (16, 'int8_data', [64, -64], 1),
    (32, 'uint8_data', [192, 64], 1)])
def test_every_portaudio_format(flag, field, values, scale):
    message = MGONZS13.AudioStamped()
    data = getattr(message.audio.audio_data, field)
    data.extend(values)
    info = message.audio.info
    info.format, info.rate, info.channels, info.chunk = flag, 48_000, 1, 2
    _, block = decoded(AUDIO_TYPES['audio_stamped'], message, AudioFormat(16_000, 1, 'S16LE'))
    assert np.allclose(block.samples, [0.5, -0.5]) and block.sample_rate == 48_000


def refused(kind, message):
    with pytest.raises(AudioMessageError) as caught:
        kind.read(message)
    return str(caught.value)


def test_messages_that_contradict_themselves_say_so():
    message = MGONZS13.AudioStamped()
    message.audio.info.format = 4
    assert 'PortAudio format 4' in refused(AUDIO_TYPES['audio_stamped'], message)
    message.audio.info.format = 8
    message.audio.audio_data.float32_data.extend([0.5, 0.5])
    assert 'in float32_data instead of int16_data' in refused(
        AUDIO_TYPES['audio_stamped'], message)
    message.audio.info.format, message.header.stamp.nanosec = 1, 10 ** 9
    assert '1000000000 ns beside its seconds' in refused(AUDIO_TYPES['audio_stamped'], message)
    message = FOXGLOVE.RawAudio()
    message.format = 'opus'
    assert "format 'opus'; only 'pcm-s16'" in refused(AUDIO_TYPES['raw_audio'], message)
    message = NAOQI.AudioBuffer()
    message.channel_map.extend([0, 2])
    message.data.extend([1, 2, 3])
    assert '3 samples for 2 channels' in refused(AUDIO_TYPES['audio_buffer'], message)


def test_a_message_that_cannot_be_read_is_reported_not_raised():
    said = []
    problems = ProblemLog(said.append)
    message = MGONZS13.AudioStamped()
    message.audio.info.format = 4
    kind = AUDIO_TYPES['audio_stamped']
    for _ in range(3):
        assert packet_of(kind, message, problems) is None
    del message.audio.info
    assert packet_of(kind, message, problems) is None
    assert problems.counts() == {'audio_fields': 1, 'portaudio_format': 3}
    assert len(said) == 2 and 'has not the fields it should have' in said[1]


@pytest.mark.parametrize('rate, channels', [(-1, 1), (0x7FFFFFFF, 1), (16_000, -3)])
def test_a_rate_or_channels_that_cannot_be_are_refused_by_the_decoder(rate, channels):
    message = MGONZS13.AudioStamped()
    info = message.audio.info
    info.format, info.rate, info.channels = 8, rate, channels
    message.audio.audio_data.int16_data.extend([1, 2])
    _, block = decoded(AUDIO_TYPES['audio_stamped'], message, AudioFormat(16_000, 1, 'S16LE'))
    assert block is None


@pytest.mark.parametrize('coding,expected', [
    ('wave', 'raw'), ('WAVE', 'raw'), ('', 'raw'), ('mp3', 'mp3'), ('MP3 ', 'mp3')])
def test_audio_info(coding, expected):
    info = ROS_DRIVERS.AudioInfo()
    info.channels, info.sample_rate, info.sample_format = 2, 48_000, 's16le'
    info.coding_format = coding
    assert format_of_info(info) == AudioFormat(48_000, 2, 'S16LE', expected)


def test_unknown_types_are_named():
    with pytest.raises(AudioError, match='foo_msgs/msg/Bar is not understood; use one of'):
        audio_type_of('foo_msgs/msg/Bar')
    assert audio_type_of('std_msgs/msg/Int16MultiArray').key == 'int16'


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(AudioError, match='needs the package audio_common_msgs'):
        AUDIO_TYPES['audio_data'].load()


def test_choices_of_the_parameter_are_the_types():
    assert set(AUDIO_TYPE_CHOICES) == {'auto', *AUDIO_TYPES}
