"""The network of voice activity is the same where it is fitted and where it runs."""
from __future__ import annotations

from gesture_training.evaluation.voice_scenes import in_noise, loud_frames, Scene, spoken
from gesture_training.voice_activity import (
    beeps,
    fit,
    heard,
    hiss,
    hum,
    Network,
    scene,
    Sounds,
    source,
    synthetic_voice,
)
import numpy as np
import pytest
import torch

from gesture_node.audio.features import waveform_features
from gesture_node.dialogue.speech_likeness import SpeechLikeness, unpack


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def sounds(rng: np.random.Generator) -> Sounds:
    return Sounds([synthetic_voice(3.0, rng) for _ in range(4)], [[hiss(rng)], [beeps(rng)]])


def test_fitting_and_running_are_the_same_network(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    network, samples = Network(), hum(rng)
    with torch.no_grad():
        wanted = network(torch.from_numpy(heard([samples])))[0].numpy()
    found = SpeechLikeness(network.matrices()).accept(waveform_features(samples))
    assert np.allclose(found, wanted, atol=1e-4)


def test_the_written_module_holds_the_weights() -> None:
    torch.manual_seed(0)
    network, namespace = Network(), dict[str, dict[str, str]]()
    exec(source(network.matrices()), namespace)
    for name, values in unpack(namespace['WEIGHTS']).items():
        largest = np.abs(network.matrices()[name]).max()
        assert np.allclose(values, network.matrices()[name].reshape(values.shape),
                           atol=largest / 200.0)


def test_scenes_are_finite_and_marked_where_they_are_loud(
        rng: np.random.Generator, sounds: Sounds) -> None:
    for _ in range(6):
        samples, marks = scene(sounds, rng)
        assert np.isfinite(samples).all() and len(samples) == 320 * len(marks)
    said = spoken(sounds.voices, rng)
    assert len(said.spans) == 4
    for first, end in said.spans:
        assert said.speaks[first] and said.speaks[end - 1] and not said.speaks[first - 1]


def test_noise_is_as_loud_as_asked(rng: np.random.Generator) -> None:
    silence = Scene(np.zeros(32_000, np.float32), [], np.zeros(100, bool))
    noisy = in_noise(silence, hiss(rng), 10.0, rng)
    assert 20.0 * np.log10(noisy.samples.std()) == pytest.approx(-36.0, abs=0.5)


def test_short_pauses_are_speech() -> None:
    t = np.arange(16_000) / 16_000
    tone = np.sin(2 * np.pi * 200 * t) * ((t < 0.4) | (t > 0.55))
    assert loud_frames(tone.astype(np.float32)).all()


def test_fitting_tells_voices_from_noise(rng: np.random.Generator) -> None:
    voices = [synthetic_voice(2.0, rng) for _ in range(8)]
    noises = [hiss(rng)[:32_000] for _ in range(8)]
    inputs = heard([*voices, *noises])
    speaks = np.repeat([True, False], 8)[:, None].repeat(inputs.shape[1], axis=1)
    network = fit(inputs, speaks, epochs=40, seed=0)
    with torch.no_grad():
        odds = network(torch.from_numpy(inputs)).numpy()
    assert np.median(odds[:8]) > 0.0 > np.median(odds[8:])
