"""Accents are found where a synthetic voice puts them, whatever the level."""
import numpy as np
import pytest

from gesture_node.audio.features import waveform_features
from gesture_node.measures.accents import find_accents, find_nuclei, voice_activity

RATE = 16_000
ONSETS_S = np.arange(0.8, 8.0, 0.35)
STRESSED = slice(2, None, 4)


def voice(onsets_s=ONSETS_S, stressed=STRESSED, pitch_hz=130.0):
    """Return syllables of harmonics over faint noise; every fourth one louder, longer, higher."""
    rng = np.random.default_rng(0)
    sound = 1e-4 * rng.standard_normal(int(9.5 * RATE))
    strong = np.zeros(len(onsets_s), dtype=bool)
    strong[stressed] = True
    for onset, is_strong in zip(onsets_s, strong):
        time = np.arange(int((0.24 if is_strong else 0.14) * RATE)) / RATE
        base = pitch_hz * (1.25 if is_strong else 1.0)
        wave = sum(np.sin(2 * np.pi * base * k * time) / k for k in range(1, 25))
        edge = np.clip(np.minimum(time, time[-1] - time) / 0.02, 0.0, 1.0)
        start = int(onset * RATE)
        sound[start:start + len(time)] += (0.16 if is_strong else 0.05) * wave * edge
    return sound.astype(np.float32)


@pytest.fixture(scope='module')
def features():
    return waveform_features(voice())


def test_every_syllable_is_one_nucleus(features):
    onsets = find_nuclei(features).onsets_s
    assert len(onsets) == len(ONSETS_S)
    assert np.abs(onsets - ONSETS_S).max() < 0.04


def test_accents_are_the_stressed_syllables(features):
    accents = find_accents(features).onsets_s
    assert len(accents) == len(ONSETS_S[STRESSED])
    assert np.abs(accents - ONSETS_S[STRESSED]).max() < 0.04


@pytest.mark.parametrize('gain_db', [-12.0, -6.0, 4.0])
def test_level_does_not_move_accents(features, gain_db):
    other = find_accents(waveform_features(voice() * np.float32(10.0 ** (gain_db / 20.0))))
    assert np.allclose(other.onsets_s, find_accents(features).onsets_s, atol=0.021)


def test_quiet_passages_have_accents_too():
    sound = voice()
    sound[int(4.9 * RATE):] *= np.float32(0.3)
    accents = find_accents(waveform_features(sound)).onsets_s
    assert np.sum(accents > 4.9) >= 2


def test_shift_by_whole_frames_shifts_accents(features):
    lead = np.zeros(RATE // 2, np.float32) + np.float32(1e-6)
    later = find_accents(waveform_features(np.concatenate([lead, voice()]))).onsets_s
    assert np.allclose(later - 0.5, find_accents(features).onsets_s, atol=0.021)


def test_noise_and_silence_have_no_accents():
    rng = np.random.default_rng(1)
    hiss = (0.05 * rng.standard_normal(3 * RATE)).astype(np.float32)
    for sound in (np.zeros(3 * RATE, np.float32), hiss):
        assert len(find_accents(waveform_features(sound)).onsets_s) == 0


def test_voice_activity_brackets_the_voice(features):
    active = voice_activity(features)
    assert active[45:400].mean() > 0.75
    assert not active[:35].any()
    assert not active[440:].any()


@pytest.mark.parametrize('frames', [0, 1, 2, 5])
def test_short_recordings_are_empty(features, frames):
    assert len(find_accents(features[:frames]).onsets_s) == 0
    assert len(voice_activity(features[:frames])) == frames
