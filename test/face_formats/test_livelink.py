"""The Live Link packet, parsed back by its published layout."""
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.exceptions import ConfigError
from gesture_node.face_formats.livelink import (
    frame_time,
    FrameTime,
    packet,
    parse_address,
    VALUE_NAMES,
)
from gesture_node.motion.face import BLENDSHAPE_INDEX, BLENDSHAPE_NAMES

NS = 1_000_000_000
NAMES = (
    'EyeBlinkLeft EyeLookDownLeft EyeLookInLeft EyeLookOutLeft EyeLookUpLeft EyeSquintLeft '
    'EyeWideLeft EyeBlinkRight EyeLookDownRight EyeLookInRight EyeLookOutRight EyeLookUpRight '
    'EyeSquintRight EyeWideRight JawForward JawLeft JawRight JawOpen MouthClose MouthFunnel '
    'MouthPucker MouthLeft MouthRight MouthSmileLeft MouthSmileRight MouthFrownLeft '
    'MouthFrownRight MouthDimpleLeft MouthDimpleRight MouthStretchLeft MouthStretchRight '
    'MouthRollLower MouthRollUpper MouthShrugLower MouthShrugUpper MouthPressLeft '
    'MouthPressRight MouthLowerDownLeft MouthLowerDownRight MouthUpperUpLeft MouthUpperUpRight '
    'BrowDownLeft BrowDownRight BrowInnerUp BrowOuterUpLeft BrowOuterUpRight CheekPuff '
    'CheekSquintLeft CheekSquintRight NoseSneerLeft NoseSneerRight TongueOut HeadYaw HeadPitch '
    'HeadRoll LeftEyeYaw LeftEyePitch LeftEyeRoll RightEyeYaw RightEyePitch RightEyeRoll')
UNREAL_ORDER = NAMES.split()


def parse(data):
    """Read a packet by its layout, written down apart from the writer."""
    assert data[0] == 6
    at, texts = 1, []
    for _ in range(2):
        length = int.from_bytes(data[at:at + 4], 'big')
        texts.append(data[at + 4:at + 4 + length].decode())
        at += 4 + length
    number, part, numerator, denominator = struct.unpack_from('>ifii', data, at)
    assert data[at + 16] == 61
    values = struct.unpack_from('>61f', data, at + 17)
    assert at + 17 + 61 * 4 == len(data)
    return (*texts, number, part, numerator, denominator, dict(zip(UNREAL_ORDER, values)))


def test_the_values_are_in_the_order_of_the_engine():
    assert list(VALUE_NAMES) == UNREAL_ORDER and len(set(VALUE_NAMES)) == 61


def test_a_packet_parses_back():
    weights = np.linspace(0, 1, 52)
    data = packet('0f0e', 'robot', FrameTime(1_234, 0.25, 50), weights)
    device, subject, number, part, numerator, denominator, values = parse(data)
    assert (device, subject) == ('0f0e', 'robot')
    assert (number, part, numerator, denominator) == (1_234, 0.25, 50, 1)
    for name in BLENDSHAPE_NAMES:
        assert values[name[0].upper() + name[1:]] == pytest.approx(weights[BLENDSHAPE_INDEX[name]])
    assert all(values[name] == 0.0 for name in UNREAL_ORDER[52:])
    assert 264 <= len(data) <= 774


@given(st.integers(0, 2 ** 62), st.sampled_from([25, 30, 50, 60]))
@settings(max_examples=200, deadline=None)
def test_frame_time_is_the_time_of_day(time_ns, rate_hz):
    time = frame_time(time_ns, rate_hz)
    of_day_ns = time_ns % (86_400 * NS)
    assert 0 <= time.number < 86_400 * rate_hz and 0.0 <= time.part < 1.0
    assert abs((time.number + time.part) / rate_hz - of_day_ns / NS) < 1e-7 / rate_hz + 1e-9
    packed = parse(packet('d', 's', time, np.zeros(52)))
    assert packed[2] == time.number and packed[3] < 1.0


@pytest.mark.parametrize('name', ['', 'x' * 129, '\N{SNOWMAN}' * 43])
def test_names_have_a_length(name):
    with pytest.raises(ConfigError, match='1 to 128 bytes'):
        packet('d', name, FrameTime(0, 0.0, 50), np.zeros(52))


@pytest.mark.parametrize('text, parsed', [
    ('10.0.0.7', ('10.0.0.7', 11_111)), ('avatar.local:5000', ('avatar.local', 5_000)),
    ('[::1]:5000', ('::1', 5_000)), ('[fe80::1]', ('fe80::1', 11_111))])
def test_addresses(text, parsed):
    assert parse_address(text) == parsed


@given(st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_an_address_parses_or_says_what_is_wrong(text):
    try:
        host, port = parse_address(text)
    except ConfigError as error:
        assert 'livelink_address must be' in str(error)
    else:
        assert host and 1 <= port <= 65_535


@pytest.mark.parametrize('text', ['', ':5000', 'host:', 'host:0', 'host:65536', 'host:a', '[::1',
                                  '[::1]x', 'a:1:2'])
def test_wrong_addresses(text):
    with pytest.raises(ConfigError, match='livelink_address must be'):
        parse_address(text)
