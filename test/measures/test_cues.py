"""Cues tell the body when accents are and how lively the voice is, from what was heard alone."""
import numpy as np
import pytest

from gesture_node.audio.features import waveform_features
from gesture_node.measures.accents import find_accents
from gesture_node.measures.alignment import BEAT_LAG_S
from gesture_node.measures.cues import AROUSAL, arousal_now, CUE_DIM, KNOWN, speech_cues

RATE, BODY_RATE = 16_000, 25
STRESSED_S = np.arange(1.1, 7.5, 1.3)


def voice():
    """Return weak syllables with a strong one every 1.3 s."""
    rng = np.random.default_rng(0)
    sound = 1e-4 * rng.standard_normal(8 * RATE)
    for onset in np.arange(0.4, 7.6, 0.325):
        strong = np.abs(STRESSED_S - onset).min() < 0.16
        time = np.arange(int((0.24 if strong else 0.13) * RATE)) / RATE
        pitch = 160.0 if strong else 130.0
        wave = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 25))
        edge = np.clip(np.minimum(time, time[-1] - time) / 0.02, 0.0, 1.0)
        start = int(onset * RATE)
        sound[start:start + len(time)] += (0.16 if strong else 0.05) * wave * edge
    return sound.astype(np.float32)


@pytest.fixture(scope='module')
def features():
    return waveform_features(voice())


def cues_of(features, frames=200, first=None, **more):
    return speech_cues(features, np.ones(len(features)), first or -len(features), frames, **more)


def test_bumps_are_where_beats_belong(features):
    bumps = cues_of(features)[:, 0]
    for onset_s in find_accents(features).onsets_s:
        near = slice(round((onset_s + BEAT_LAG_S - 0.04) * BODY_RATE),
                     round((onset_s + BEAT_LAG_S + 0.04) * BODY_RATE) + 1)
        assert bumps[near].max() > 0.25
    quiet = np.abs(np.arange(200)[:, None] / BODY_RATE
                   - find_accents(features).onsets_s - BEAT_LAG_S).min(axis=1) > 0.2
    assert bumps[quiet].max() < 1e-3


def test_an_apex_that_comes_is_nearer_every_frame(features):
    cues, apex_s = cues_of(features), find_accents(features).onsets_s[1] + BEAT_LAG_S
    before = slice(int(apex_s * BODY_RATE) - 4, int(apex_s * BODY_RATE) + 1)
    assert (np.diff(cues[before, 1]) > 0.0).all()
    assert cues[int(apex_s * BODY_RATE) + 1, 2] > cues[int(apex_s * BODY_RATE) + 4, 2]


def test_a_window_is_a_slice_of_the_whole(features):
    whole = cues_of(features)
    part = cues_of(features, frames=60, first=-len(features) + 2 * 100)
    np.testing.assert_allclose(part, whole[100:160], atol=1e-6)


def test_frames_before_the_stream_count_for_nothing(features):
    padded = np.concatenate([np.full((37, 83), 5.0, np.float32), features])
    heard = np.concatenate([np.zeros(37), np.ones(len(features))])
    np.testing.assert_allclose(speech_cues(padded, heard, -len(features), 200),
                               cues_of(features), atol=1e-6)


def test_arousal_may_be_told(features):
    assert cues_of(features)[0, AROUSAL] == pytest.approx(2.0 * arousal_now(features) - 1.0)
    assert (cues_of(features, arousal=0.75)[:, AROUSAL] == 0.5).all()
    np.testing.assert_array_equal(cues_of(features, arousal=0.75)[:, :AROUSAL],
                                  cues_of(features)[:, :AROUSAL])


@pytest.mark.parametrize('history', [np.zeros((0, 83)), np.zeros((5, 83)), np.zeros((300, 768))])
def test_where_nothing_is_known_nothing_is_told(history):
    cues = speech_cues(history, np.ones(len(history)), -10, 20)
    assert cues.shape == (20, CUE_DIM) and not cues.any()


def test_silence_has_no_accents():
    cues = cues_of(waveform_features(np.zeros(4 * RATE, np.float32)), frames=100)
    assert np.isfinite(cues).all() and not cues[:, :AROUSAL].any() and (cues[:, KNOWN] == 1).all()
