"""Voices are heard in white noise and in babble at 10 dB, and noise alone is no voice."""
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from gesture_node.audio.feature_stream import FeatureStream
from gesture_node.dialogue.other_voice import Cue, OtherVoice
from gesture_node.dialogue.speech_likeness import (
    band_levels,
    follow,
    pack,
    SHAPES,
    SpeechLikeness,
    unpack,
)
from gesture_node.dialogue.voice_activity import VoiceActivity

RATE = 16_000
HELLO = Path(__file__).parents[2] / 'examples' / 'hello.wav'


def voice(seconds, seed, pitch_hz=120.0):
    """Return speech-like sound: syllables of a voiced source with moving formants."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = pitch_hz * (1.0 + 0.1 * np.sin(2 * np.pi * 0.7 * t + random.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    first = 500 + 250 * np.sin(2 * np.pi * 2.1 * t + random.uniform(0, 6))
    second = 1_500 + 500 * np.sin(2 * np.pi * 1.3 * t + random.uniform(0, 6))
    sound = np.zeros(len(t))
    for harmonic in range(1, 30):
        at = harmonic * pitch
        gain = sum(np.exp(-((at - formant) / width) ** 2) for formant, width in
                   ((first, 150.0), (second, 250.0))) + 0.1 / harmonic
        sound += gain * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * 3.7 * t + random.uniform(0, 6)) + 0.4, 0.0, 1.0)
    sound *= syllables
    return sound / np.sqrt(np.mean(sound[syllables > 0.5] ** 2))


def babble(seconds, seed):
    random = np.random.default_rng(seed)
    crowd = sum(voice(seconds, 100 * seed + k, random.uniform(90.0, 240.0)) for k in range(8))
    return crowd / np.sqrt(np.mean(crowd ** 2))


def white(seconds, seed):
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE))


def features(sound):
    stream = FeatureStream()
    stream.append(sound.astype(np.float32))
    return stream.get(0, stream.frames_available)


def scene(noise, speech, before_s=5.0, after_s=2.0, level=0.05, snr_db=10.0):
    """Return sound: noise throughout, speech after a while."""
    silence = np.zeros(int(before_s * RATE)), np.zeros(int(after_s * RATE))
    clean = np.concatenate([silence[0], speech, silence[1]])
    return level * (clean + noise[:len(clean)] * 10.0 ** (-snr_db / 20.0))


def person(seconds):
    """Return a recorded person who speaks without long pauses."""
    samples, rate = soundfile.read(HELLO, dtype='float32')
    samples = soxr.resample(samples, rate, RATE)[round(0.5 * RATE):round((0.5 + seconds) * RATE)]
    return samples / np.sqrt(np.mean(samples ** 2))


def bark(seed):
    """Return half a second of bursts of a high, harsh, falling tone."""
    random = np.random.default_rng(seed)
    t = np.arange(int(0.16 * RATE)) / RATE
    pitch = random.uniform(600, 900) * (1.2 - 2.0 * t)
    tone = sum(np.sin(k * 2 * np.pi * np.cumsum(pitch) / RATE) for k in range(1, 9))
    burst = np.sin(np.pi * t / t[-1]) ** 0.5 * (tone + 1.5 * random.standard_normal(len(t)))
    return np.concatenate([burst, np.zeros(int(random.uniform(0.2, 0.5) * RATE))])


def siren(seconds, seed):
    """Return a tone that wails."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = 900 + 350 * np.sin(2 * np.pi * random.uniform(0.3, 1.0) * t)
    return np.sin(2 * np.pi * np.cumsum(pitch) / RATE)


@pytest.mark.parametrize('make', [white, babble])
@pytest.mark.parametrize('seed', [1, 2])
def test_speech_is_found_in_noise_at_10_db(make, seed):
    # A made voice in a crowd of made voices is one of the crowd; a person is not.
    said = voice(3.0, seed) if make is white else person(3.0)
    sound = scene(make(10.0, seed), said)
    active = VoiceActivity().accept(features(sound))
    before, during, after = active[100:250], active[250:400], active[450:]
    assert before.mean() < 0.15 and after.mean() < 0.15
    assert during.mean() > 0.6
    assert during[:60].any()


@pytest.mark.parametrize('seed', [1, 2, 3])
def test_barks_and_sirens_are_no_voices(seed):
    barks = np.concatenate([bark(10 * seed + k) for k in range(14)])
    room = 1e-3 * white(6.0, seed)
    for sound in (0.1 * barks[:len(room)], 0.1 * siren(6.0, seed)):
        sound = np.concatenate([room[:RATE], room[:len(sound)] + sound])
        assert VoiceActivity().accept(features(sound)).mean() < 0.05


def test_a_clean_voice_is_found_soon_and_let_go_of():
    sound = scene(np.zeros(10 * RATE), voice(3.0, 3))
    active = VoiceActivity().accept(features(sound))
    assert not active[:250].any() and not active[430:].any()
    assert active[265:400].mean() > 0.95


@pytest.mark.parametrize('level', [0.003, 0.3])
def test_loudness_does_not_matter(level):
    sound = scene(white(10.0, 5), voice(3.0, 5), level=level)
    active = VoiceActivity().accept(features(sound))
    assert active[250:400].mean() > 0.6 and active[:250].mean() < 0.1


def test_noise_that_is_switched_on_is_no_speaker():
    quiet = 1e-4 * white(3.0, 6)
    active = VoiceActivity().accept(features(np.concatenate([quiet, 0.1 * white(8.0, 7)])))
    assert not active[-200:].any() and active.mean() < 0.3


def test_a_steady_tone_is_learnt_as_noise():
    t = np.arange(10 * RATE) / RATE
    hum = 0.1 * sum(np.sin(2 * np.pi * 150 * k * t) / k for k in range(1, 8))
    active = VoiceActivity().accept(features(np.concatenate([np.zeros(RATE), hum])))
    assert not active[-250:].any()


def test_pieces_do_not_matter():
    frames = features(scene(white(10.0, 8), voice(3.0, 8)))
    whole, pieces = VoiceActivity().accept(frames), VoiceActivity()
    cut = [pieces.accept(part) for part in np.array_split(frames, 37)]
    assert np.array_equal(whole, np.concatenate(cut))


def test_a_turn_has_a_beginning_pauses_and_an_end_in_any_packets():
    sound = np.concatenate([np.zeros(RATE), voice(2.0, 9), np.zeros(int(0.8 * RATE)),
                            voice(2.0, 10), np.zeros(2 * RATE)]) * 0.05
    sound = sound.astype(np.float32)
    other = OtherVoice()
    whole = other.accept(sound)
    cues = [heard.cue for heard in whole if heard.cue is not Cue.ACCENT]
    assert cues == [Cue.BEGINS, Cue.PAUSE, Cue.PAUSE, Cue.ENDS]
    assert not other.speaks
    again, pieces = OtherVoice(), []
    for part in np.array_split(sound, 211):
        pieces += again.accept(part)
    assert pieces == whole


def test_a_voice_that_is_lost_has_ended():
    other = OtherVoice()
    sound = np.concatenate([np.zeros(RATE), voice(2.0, 11)]) * 0.05
    other.accept(sound.astype(np.float32))
    assert other.speaks
    assert [heard.cue for heard in other.lose()] == [Cue.ENDS]
    assert not other.speaks and not other.lose()


def test_packing_keeps_the_matrices():
    random = np.random.default_rng(0)
    matrices = {name: random.standard_normal(shape) for name, shape in SHAPES.items()}
    again = unpack(pack(matrices))
    for name, values in matrices.items():
        largest = np.abs(values).max(axis=1, keepdims=True)
        assert np.all(np.abs(again[name] - values) <= 0.51 / 127.0 * largest)


def test_the_background_follows_lows_and_not_speech():
    levels = np.full((1_000, 20), -30.0)
    levels[500:550] = -5.0
    background = levels[0] + 20.0
    for row in levels[:500]:
        background = follow(background, row)
    assert np.allclose(background, -30.0, atol=0.1)
    for row in levels[500:550]:
        background = follow(background, row)
    assert np.all(background < -26.0)


def test_loudness_is_bounded_by_the_floor_alone():
    frames = features(0.3 * np.concatenate([0.01 * white(1.0, 4), person(3.0)]))
    quiet = frames.copy()
    quiet[:, :80] -= np.log(4.0)
    assert np.abs(band_levels(frames) - band_levels(quiet)).max() < 6.1
    odds, less = SpeechLikeness().accept(frames), SpeechLikeness().accept(quiet)
    assert np.mean((odds > 0) == (less > 0)) > 0.9
