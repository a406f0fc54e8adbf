"""The networks in ONNX Runtime: guidance means what it says, to the bit (tiny bundle)."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesture_node.bundle import read_bundle
from gesture_node.diffusion.denoiser import Conditioning
from gesture_node.exceptions import ConfigError
from gesture_node.guides.cues import CUE_DIM
from gesture_node.inference import choose_providers, OnnxDenoiser, open_session

BUNDLE = read_bundle(Path(__file__).parent / 'data' / 'tiny_bundle')
LEVEL = 640


class Window:
    """Random inputs of one window of a channel."""

    def __init__(self, channel: str) -> None:
        spec = BUNDLE.body if channel == 'body' else BUNDLE.face
        random, frames = np.random.default_rng(3), spec.window_frames

        def normal(*shape: int) -> np.ndarray:
            return random.standard_normal(shape).astype(np.float32)

        self.x_t = normal(frames, len(spec.mean))
        mask = (np.arange(frames) < spec.seed_frames).astype(np.float32)
        self.conditioning = Conditioning(
            local=normal(frames * 50 // spec.rate_hz, BUNDLE.encoder.local_dim),
            persona=normal(BUNDLE.encoder.persona_dim), emotion=normal(BUNDLE.encoder.emotion_dim),
            seed=self.x_t * mask[:, None], mask=mask, cues=normal(frames, CUE_DIM))


def direct(session: object, window: Window, drop: float) -> np.ndarray:
    """Return what the network itself says, with speech (0) or without (1)."""
    given = window.conditioning
    feed = {'x': window.x_t[None], 'level': np.array([LEVEL], np.float32),
            'seed': given.seed[None], 'mask': given.mask[None], 'local': given.local[None],
            'persona': given.persona[None], 'emotion': given.emotion[None],
            'cues': given.cues[None], 'drop': np.array([drop], np.float32),
            'style': np.zeros(1, np.int64)}
    wanted = {item.name for item in session.get_inputs()}
    return session.run(['x0'], {name: feed[name] for name in wanted})[0][0]


@pytest.mark.parametrize('channel', ['body', 'face'])
def test_guidance_one_is_conditional_and_zero_unconditional_exactly(channel: str) -> None:
    session, window = open_session(BUNDLE, f'{channel}.onnx', 'cpu', 1), Window(channel)
    denoise = OnnxDenoiser(session)
    heard, without = direct(session, window, 0.0), direct(session, window, 1.0)
    assert not np.array_equal(heard, without)
    assert np.array_equal(denoise(window.x_t, LEVEL, window.conditioning, 1.0), heard)
    assert np.array_equal(denoise(window.x_t, LEVEL, window.conditioning, 0.0), without)


@pytest.mark.parametrize('guidance', [0.5, 2.0])
def test_other_guidance_lies_on_the_line_through_both(guidance: float) -> None:
    session, window = open_session(BUNDLE, 'body.onnx', 'cpu', 1), Window('body')
    heard, without = direct(session, window, 0.0), direct(session, window, 1.0)
    found = OnnxDenoiser(session)(window.x_t, LEVEL, window.conditioning, guidance)
    assert found.dtype == np.float32
    assert np.allclose(found, without + guidance * (heard - without), atol=1e-5)


def test_unknown_providers_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="provider must be one of .*, got 'abacus'"):
        choose_providers('abacus')
    assert choose_providers('cpu') == ['CPUExecutionProvider']
