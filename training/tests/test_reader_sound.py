"""Sound of any container and rate, phones of any form, and resampling by time."""
from __future__ import annotations

from pathlib import Path

from gesture_training.corpora.phones import PhoneClass
from gesture_training.corpora.problems import UnusableFile
from gesture_training.corpora.readers.audio import read_audio
from gesture_training.corpora.readers.phones import read_phones
from gesture_training.corpora.readers.resample import (
    check_times,
    regular_times,
    resample_poses,
    resample_weights,
    whole_frames,
)
import numpy as np
import pytest
import soundfile

from gesture_node.exceptions import AudioError
from gesture_node.motion.rotations import matrix_from_rotvec, rotvec_from_matrix
from gesture_node.motion.skeleton import JOINT_INDEX, pack_pose, unpack_pose


@pytest.mark.parametrize('name, rate_hz, options', [
    ('a.wav', 44_100, {'subtype': 'PCM_24'}), ('a.flac', 16_000, {}),
    ('a.opus', 48_000, {'format': 'OGG', 'subtype': 'OPUS'})])
def test_any_sound_becomes_16_khz_mono(name: str, rate_hz: int, options: dict[str, str],
                                       tmp_path: Path) -> None:
    time_s = np.arange(2 * rate_hz) / rate_hz
    tone = 0.5 * np.sin(2 * np.pi * 440.0 * time_s)
    soundfile.write(tmp_path / name, np.stack([tone, tone], axis=1), rate_hz, **options)
    heard = read_audio(tmp_path / name)
    assert heard.dtype == np.float32
    assert abs(len(heard) - 32_000) <= 2
    spectrum = np.abs(np.fft.rfft(heard[8_000:24_000]))
    assert np.argmax(spectrum) == 440
    assert np.sqrt(np.mean(heard[8_000:24_000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_unusable_sound_is_named(tmp_path: Path) -> None:
    (tmp_path / 'text.wav').write_text('hello')
    with pytest.raises(AudioError, match='cannot read .*text.wav'):
        read_audio(tmp_path / 'text.wav')
    soundfile.write(tmp_path / 'empty.wav', np.zeros(0), 16_000)
    with pytest.raises(AudioError, match='holds no sound'):
        read_audio(tmp_path / 'empty.wav')
    soundfile.write(tmp_path / 'nan.wav', np.full(100, np.nan), 16_000, subtype='FLOAT')
    with pytest.raises(AudioError, match='not finite'):
        read_audio(tmp_path / 'nan.wav')


SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1
<exists>
2
"IntervalTier"
"words"
0
1
1
0
1
"item [3]: 5"
"IntervalTier"
"phones"
0
1
3
0
0.25
"sil"
0.25
0.5
"{label}"
0.5
1
"EY1"
"""


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-16'])
def test_phones_of_a_short_textgrid(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / 'a.TextGrid'
    path.write_bytes(SHORT.format(label='B').encode(encoding))
    segments = read_phones(path)
    assert [s.phone for s in segments] == [PhoneClass.SIL, PhoneClass.PP, PhoneClass.EH,
                                           PhoneClass.IH]
    assert (segments[1].start_s, segments[1].end_s) == (0.25, 0.5)
    assert segments[2].stress == 1.0
    with pytest.raises(UnusableFile, match="no tier 'syllables'; tiers are words, phones"):
        read_phones(path, tier='syllables')


def test_phones_of_a_csv_and_of_other_sets(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('Begin,End,Label\n0.5,0.7,a\n0,0.5,\n0.7,0.9,ʃ\n', encoding='utf-8')
    segments = read_phones(path, 'ipa')
    assert [s.phone for s in segments] == [PhoneClass.SIL, PhoneClass.AA, PhoneClass.SH]
    with pytest.raises(UnusableFile, match="'ʃ' at 0.70 s is not in the phone set sampa"):
        read_phones(path, 'sampa')


@pytest.mark.parametrize('text, reason', [
    ('start_s,phone\n0,a\n', 'needs columns'),
    ('start_s,end_s,phone\n0,x,A\n', 'not a number'),
    ('start_s,end_s,phone\n1,0.5,AA\n', 'before it starts'),
    ('start_s,end_s,phone\n', 'needs columns')])
def test_broken_phone_tables_say_what_is_wrong(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text(text)
    with pytest.raises(UnusableFile, match=reason):
        read_phones(path)


def test_broken_textgrids_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / 'a.TextGrid'
    path.write_text(SHORT.format(label='QQ'))
    with pytest.raises(UnusableFile, match="'QQ' at 0.25 s is not in the phone set arpabet"):
        read_phones(path)
    path.write_text(SHORT.format(label='B')[:-12])
    with pytest.raises(AudioError, match='ends too early'):
        read_phones(path)


@pytest.mark.parametrize('fps', [30.0, 60.0, 120.0, 29.97])
def test_bodies_are_resampled_by_time(fps: float) -> None:
    times_s = regular_times(int(4 * fps), fps)
    turns = np.zeros((len(times_s), 12, 3))
    turns[:, JOINT_INDEX['left_elbow'], 1] = -0.6 * times_s
    fingers = np.tile(0.2 * times_s[:, None], (1, 12))
    poses = pack_pose(matrix_from_rotvec(turns), fingers)
    frames = whole_frames(times_s, 25)
    result = resample_poses(times_s, poses, frames)
    assert frames == int(times_s[-1] * 25 + 1e-6) + 1
    rotations, curls = unpack_pose(result)
    angles = -rotvec_from_matrix(rotations[:, JOINT_INDEX['left_elbow']])[:, 1]
    np.testing.assert_allclose(angles, 0.6 * np.arange(frames) / 25.0, atol=1e-9)
    np.testing.assert_allclose(curls[:, 0], 0.2 * np.arange(frames) / 25.0, atol=1e-9)


@pytest.mark.parametrize('fps', [30.0, 60.0, 120.0])
def test_an_event_lands_on_its_frame(fps: float) -> None:
    times_s = regular_times(int(3 * fps), fps)
    weights = np.zeros((len(times_s), 52))
    weights[:, 17] = np.exp(-0.5 * ((times_s - 1.5) / 0.05) ** 2)
    result = resample_weights(times_s, weights, 150)
    assert np.argmax(result[:, 17]) == 75
    assert result[75, 17] == pytest.approx(1.0, abs=1e-6)
    expected = np.exp(-0.5 * ((np.arange(150) / 50.0 - 1.5) / 0.05) ** 2)
    np.testing.assert_allclose(result[:148, 17], expected[:148], atol=0.06)


def test_ends_are_held_and_times_checked() -> None:
    poses = np.tile(pack_pose(np.tile(np.eye(3), (12, 1, 1)), np.full(12, 0.3)), (2, 1))
    assert np.allclose(resample_poses(np.array([0.2, 0.3]), poses, 20), poses[0])
    with pytest.raises(UnusableFile, match='frame 2 is not later'):
        check_times(np.array([0.0, 0.1, 0.1]), 'a')
    with pytest.raises(UnusableFile, match='no frames'):
        check_times(np.zeros(0), 'a')
