"""Sound files: read as they are, refused in one sentence."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from gesture_node.cli.audio_file import read_audio_file
from gesture_node.exceptions import AudioError


@pytest.mark.parametrize('subtype, tolerance', [
    ('PCM_16', 1e-4), ('PCM_24', 1e-6), ('FLOAT', 0.0)])
def test_channels_are_averaged(tmp_path: Path, subtype: str, tolerance: float) -> None:
    left = np.sin(np.arange(800) / 20).astype(np.float32) * 0.5
    path = tmp_path / 'sound.wav'
    soundfile.write(path, np.stack([left, 0.5 * left], axis=1), 44_100, subtype=subtype)
    audio = read_audio_file(path)
    assert audio.sample_rate == 44_100
    assert audio.duration_s == pytest.approx(800 / 44_100)
    np.testing.assert_allclose(audio.samples, 0.75 * left, atol=tolerance + 1e-7)


def test_what_is_no_sound_is_refused_by_name(tmp_path: Path) -> None:
    words, empty = tmp_path / 'words.wav', tmp_path / 'empty.wav'
    words.write_text('these are words')
    soundfile.write(empty, np.zeros(0, np.float32), 16_000)
    for path in (words, empty, tmp_path, tmp_path / 'missing.wav'):
        with pytest.raises(AudioError, match=path.name) as caught:
            read_audio_file(path)
        assert '\n' not in str(caught.value)
