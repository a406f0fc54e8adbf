"""A provider that is lost while running: the same motion goes on from the CPU."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gesture_node.pipeline import GesturePipeline
from gesture_node.provider_fallback import CPU, ProviderFallback

BUNDLE = Path(__file__).parents[1] / 'data' / 'tiny_bundle'
PIPELINE = GesturePipeline.from_bundle(BUNDLE, provider='cpu')


class Failing:
    """A network on a device that runs out of memory at a call."""

    def __init__(self, network, calls):
        self.network, self.left = network, calls

    def __call__(self, *args):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError('CUDA failure 2: out of memory\n at some place')
        return self.network(*args)


class Bench:
    def __init__(self, part, calls):
        self.said, self.loads = [], 0
        face = replace(PIPELINE.face, **{part: Failing(getattr(PIPELINE.face, part), calls)})
        device = replace(PIPELINE, provider='CUDAExecutionProvider', face=face)
        self.fallback = ProviderFallback(device, self.load, self.said.append)

    def load(self):
        self.loads += 1
        return PIPELINE


def motion(pipeline):
    stream = pipeline.create_stream(None)
    t = np.arange(32_000) / 16_000
    stream.accept_waveform((0.3 * np.sin(2 * np.pi * 200 * t)).astype(np.float32), 16_000)
    frames = []
    while stream.is_ready():
        result = stream.step()
        frames.append(result.face.weights if result.face else result.body.poses)
    return np.concatenate([frame.ravel() for frame in frames])


@pytest.mark.parametrize('part', ['encoder', 'denoiser'])
@pytest.mark.parametrize('calls', [0, 3])
def test_motion_goes_on_to_the_bit(part, calls):
    bench = Bench(part, calls)
    np.testing.assert_array_equal(motion(bench.fallback.pipeline), motion(PIPELINE))
    assert bench.fallback.is_lost and bench.fallback.provider == CPU and bench.loads == 1
    assert bench.said == ['CUDAExecutionProvider is lost, motion goes on with the CPU: '
                          'RuntimeError: CUDA failure 2: out of memory']
    assert not bench.fallback.lose(RuntimeError('again')) and len(bench.said) == 1


def test_a_healthy_provider_stays():
    bench = Bench('denoiser', 10_000)
    motion(bench.fallback.pipeline)
    assert not bench.fallback.is_lost and not bench.loads and not bench.said
    assert bench.fallback.provider == 'CUDAExecutionProvider'


def test_the_cpu_has_nothing_to_fall_back_to():
    fallback = ProviderFallback(PIPELINE, lambda: pytest.fail('loaded'), pytest.fail)
    assert fallback.pipeline is PIPELINE and not fallback.lose(RuntimeError('x'))


def test_an_error_that_the_cpu_has_too_is_raised():
    bench = Bench('denoiser', 0)
    with pytest.raises(TypeError, match='positional'):
        bench.fallback.pipeline.face.denoiser()
    assert bench.fallback.is_lost
