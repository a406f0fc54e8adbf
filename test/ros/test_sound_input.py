"""Sound files and the microphone as ``audio_source`` reads them."""
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from gesture_node.exceptions import AudioError
from gesture_node.ros.sound_input import Microphone, SoundFile

SAMPLES = np.stack([np.arange(1_000), -np.arange(1_000)], 1).astype(np.int16)


@pytest.mark.parametrize('suffix', ['wav', 'flac'])
def test_a_file_is_read_block_by_block_and_again(tmp_path, suffix):
    path = tmp_path / f'x.{suffix}'
    soundfile.write(path, SAMPLES, 22_050)
    file = SoundFile(str(path))
    assert (file.sample_rate, file.frames) == (22_050, 1_000)
    blocks = [file.read(300) for _ in range(5)]
    assert [len(block) for block in blocks] == [300, 300, 300, 100, 0]
    assert np.array_equal(np.concatenate(blocks), SAMPLES)
    file.rewind()
    assert np.array_equal(file.read(10), SAMPLES[:10])


def test_what_is_no_sound_file_is_named(tmp_path):
    with pytest.raises(AudioError, match='nowhere.wav. does not exist'):
        SoundFile('/nowhere.wav')
    (tmp_path / 'x.wav').write_text('no sound')
    with pytest.raises(AudioError, match='cannot be read'):
        SoundFile(str(tmp_path / 'x.wav'))


class Input:
    """The part of ``sounddevice.InputStream`` in use."""

    def __init__(self, samplerate, blocksize, dtype, channels, device, callback):
        self.asked = (samplerate, blocksize, dtype, channels, device)
        self.callback = callback
        self.is_open = False

    def start(self):
        self.is_open = True

    def close(self):
        self.is_open = False


def test_the_microphone_stamps_the_first_sample_of_a_block(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sounddevice', SimpleNamespace(InputStream=Input))
    microphone = Microphone('3', 16_000, 320, lambda: 1_000_000_000)
    stream = microphone._stream
    assert stream.asked == (16_000, 320, 'int16', 1, 3) and stream.is_open
    block = np.ones((320, 1), np.int16)
    stream.callback(block, 320, None, None)
    block[:] = 0
    [(stamp_ns, samples)] = microphone.take()
    assert stamp_ns == 980_000_000 and samples.all() and microphone.take() == []
    microphone.close()
    assert not stream.is_open


def test_a_microphone_that_cannot_be_opened_is_one_sentence(monkeypatch):
    def refuse(**asked):
        raise OSError('PortAudio library not found')

    monkeypatch.setitem(sys.modules, 'sounddevice', SimpleNamespace(InputStream=refuse))
    with pytest.raises(AudioError, match='the microphone cannot be opened: PortAudio'):
        Microphone('', 16_000, 320, lambda: 0)
