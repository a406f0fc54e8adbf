"""Motion of a bundle for the evaluation: what the stream would commit, calls that are counted."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import inspect
from pathlib import Path

from gesture_training.evaluation.generate import generate_body, generate_face
from gesture_training.evaluation.settings import Settings, with_steps
import numpy as np
import pytest

from gesture_node.config import BodyConfig, FaceConfig, GestureConfig, walk
from gesture_node.diffusion.denoiser import Conditioning
from gesture_node.pipeline import GesturePipeline

BUNDLE = Path(__file__).parents[2] / 'test' / 'data' / 'tiny_bundle'


@pytest.fixture(scope='module')
def pipeline() -> GesturePipeline:
    return GesturePipeline.from_bundle(BUNDLE, provider='cpu', threads=1)


def noise(seconds: float) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(round(16_000 * seconds))).astype(
        np.float32)


class Counting:
    """A denoiser that counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x_t: np.ndarray, level: int, conditioning: Conditioning,
                 guidance: float) -> np.ndarray:
        self.calls += 1
        return np.zeros_like(x_t)


def streamed(pipeline: GesturePipeline, wave: np.ndarray,
             config: GestureConfig) -> Iterator[tuple[str, np.ndarray]]:
    stream = pipeline.create_stream(None, config)
    stream.accept_waveform(wave, 16_000)
    while stream.is_ready():
        result = stream.step()
        if result.body is not None:
            yield 'body', result.body.poses[:result.body.committed]
        if result.face is not None:
            yield 'face', result.face.weights


def test_the_motion_is_what_a_stream_commits(pipeline: GesturePipeline) -> None:
    wave, config = noise(2.5), GestureConfig(seed=3)
    parts = list(streamed(pipeline, wave, config))
    for name, generate in (('body', generate_body), ('face', generate_face)):
        committed = np.concatenate([frames for kind, frames in parts if kind == name])
        made = generate(pipeline, wave, config)
        assert len(made) == 2.5 * (25 if name == 'body' else 50) // 1
        assert np.array_equal(made[:len(committed)], committed[:len(made)])


@pytest.mark.parametrize('seconds', [2.0, 8.0])
@pytest.mark.parametrize('steps', [1, 3])
def test_calls_grow_with_windows_only(pipeline: GesturePipeline, seconds: float,
                                      steps: int) -> None:
    """D4: so and so many calls a hop, however long anybody has been talking."""
    counting = Counting()
    counted = replace(pipeline, body=replace(pipeline.body, denoiser=counting))
    config = with_steps(GestureConfig(body=BodyConfig(hop_s=0.4, foresight_s=0.0)), steps)
    generate_body(counted, noise(seconds), config)
    assert counting.calls == steps * round(seconds / 0.4)


def test_a_pinned_persona_and_a_solver_reach_the_motion(pipeline: GesturePipeline) -> None:
    wave, config = noise(2.0), with_steps(GestureConfig(), 4)
    plain = generate_body(pipeline, wave, config)
    token = pipeline.persona_of(np.zeros(32_000, np.float32), 16_000) + np.float32(1.0)
    assert not np.array_equal(plain, generate_body(pipeline, wave, config, token))
    assert not np.array_equal(plain, generate_body(pipeline, wave, config, solver='ddim'))


def test_sound_is_all_that_goes_in(pipeline: GesturePipeline) -> None:
    """P1: samples and their rate; speaker, emotion and words have no way in."""
    stream = pipeline.create_stream()
    assert list(inspect.signature(stream.accept_waveform).parameters) == ['samples', 'sample_rate']
    labels = ('speaker', 'emotion', 'text', 'transcript', 'gender', 'language')
    names = [name for name, _, _ in walk(GestureConfig())]
    assert not [name for name in names if any(label in name for label in labels)]
    assert len(generate_body(pipeline, noise(1.0), GestureConfig())) == 25


def test_modes_differ_in_how_far_they_hear(pipeline: GesturePipeline) -> None:
    settings = Settings(Path('none'), seed=5)
    live, ahead = (settings.config(pipeline, mode) for mode in ('live', 'ahead'))
    assert live.seed == ahead.seed == 5 and settings.config(pipeline, 'live', 9).seed == 9
    assert live == GestureConfig(seed=5)
    assert ahead.face.foresight_s >= FaceConfig().foresight_s
    assert ahead.body.hop_s > live.body.hop_s


def test_a_quick_look_takes_small_samples() -> None:
    assert Settings(Path('none')).some(20, 4) == 20
    assert Settings(Path('none'), quick=True).some(20, 4) == 4
    one, other = (Settings(Path('none')).random(number).random() for number in (1, 2))
    assert one != other and one == Settings(Path('none')).random(1).random()
