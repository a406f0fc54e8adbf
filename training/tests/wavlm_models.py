"""Small WavLMs with random weights, and a voice for them, that the tests share."""
from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from gesture_node.audio.block_features import BlockGrid  # noqa: E402

GRID = BlockGrid(block_frames=10, context_frames=50, statistics_frames=100)
CONTEXT_TOLERANCE = 0.05
"""Mean error of features with 1 s of context and 2 s of statistics, in deviations."""
_SIZES = {'hidden_size': 24, 'num_hidden_layers': 2, 'num_attention_heads': 2,
          'intermediate_size': 48, 'conv_dim': (12,) * 7, 'num_conv_pos_embeddings': 16,
          'num_conv_pos_embedding_groups': 4, 'num_buckets': 32, 'max_bucket_distance': 80}


def wavlm_model(**more: object) -> transformers.WavLMModel:
    """Return a small model with random weights."""
    torch.manual_seed(3)
    return transformers.WavLMModel(transformers.WavLMConfig(**(_SIZES | more))).eval()


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Return bursts of a buzzing voice with noise, of random loudness."""
    random = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * 16_000)) / 16_000
    pitch_hz = 120 + 40 * np.sin(2.2 * time_s + seed)
    voice = sum(np.sin(k * 2 * np.pi * np.cumsum(pitch_hz) / 16_000) / k for k in range(1, 8))
    loud = np.interp(time_s, np.arange(0, seconds + 0.2, 0.2),
                     random.random(len(np.arange(0, seconds + 0.2, 0.2))) ** 2)
    noise = random.standard_normal(len(time_s))
    return (loud * (0.1 * voice + 0.02 * noise) + 1e-3 * noise).astype(np.float32)
