"""Headers of WAVE files that arrive in one message."""
import io
import struct

import numpy as np
import pytest
import soundfile

from gesture_node.exceptions import AudioError
from gesture_node.ros.wave_file import is_wave_file, read_wave_header


def wave_bytes(subtype='PCM_16', channels=1, rate=22_050, samples=100, container='WAV'):
    file = io.BytesIO()
    soundfile.write(file, np.zeros((samples, channels)), rate, format=container, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize('container', ['WAV', 'WAVEX'])
@pytest.mark.parametrize('subtype,name,width', [
    ('PCM_U8', 'U8', 1), ('PCM_16', 'S16LE', 2), ('PCM_24', 'S24LE', 3), ('PCM_32', 'S32LE', 4),
    ('FLOAT', 'F32LE', 4), ('DOUBLE', 'F64LE', 8)])
def test_layout_of_every_plain_coding(container, subtype, name, width):
    payload = memoryview(wave_bytes(subtype, 2, 44_100, container=container))
    header = read_wave_header(payload)
    assert is_wave_file(payload)
    assert (header.sample_rate, header.channels, header.sample_format) == (44_100, 2, name)
    assert header.data_bytes == 100 * 2 * width
    assert header.data_start + header.data_bytes <= len(payload)


def test_sizes_written_to_a_pipe_are_open():
    payload = bytearray(wave_bytes())
    start = payload.index(b'data')
    struct.pack_into('<I', payload, start + 4, 0xFFFFFFFF)
    assert read_wave_header(memoryview(payload)).data_bytes is None


@pytest.mark.parametrize('subtype', ['ALAW', 'MS_ADPCM'])
def test_other_codings_are_named(subtype):
    with pytest.raises(AudioError, match='coding 0x000'):
        read_wave_header(memoryview(wave_bytes(subtype)))


@pytest.mark.parametrize('cut', range(12, 44))
def test_a_cut_header_is_an_error_of_ours(cut):
    payload = wave_bytes()
    with pytest.raises(AudioError):
        read_wave_header(memoryview(payload[:cut]))


def test_what_is_no_wave_file():
    assert not is_wave_file(memoryview(b'RIFF')) and not is_wave_file(memoryview(b'x' * 100))
