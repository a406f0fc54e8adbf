"""A small synthetic corpus that every training test can share."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesture_node.motion.face import BLENDSHAPE_INDEX
from gesture_node.motion.skeleton import rest_pose

pytest.importorskip('torch')

from gesture_training.corpora.pack import PackWriter

_FEATURES = 400


@pytest.fixture(scope='session')
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pack whose motion follows the loudness of its speech."""
    folder = tmp_path_factory.mktemp('corpus')
    random = np.random.default_rng(0)
    for channel in ('body', 'face'):
        writer = PackWriter(folder, channel)
        for number in range(6):
            time = np.arange(_FEATURES) / 50.0
            loud = np.clip(np.sin(2 * np.pi * (time + random.random())), 0.0, None)
            features = random.standard_normal((_FEATURES, 83)) * 0.3 - 9.0
            features[:, :81] += 6.0 * loud[:, None]
            features[:, 81:] = 0.5
            if channel == 'body':
                motion = rest_pose() + 0.1 * loud[::2, None]
            else:
                motion = np.zeros((_FEATURES, 52))
                motion[:, BLENDSHAPE_INDEX['jawOpen']] = 0.5 * loud
            writer.add(features, motion, name=f'{channel}{number}', source='synthetic',
                       speaker=f's{number}', split='held_out' if number == 3 else 'train',
                       licence='CC0-1.0',
                       phones=(15 * (loud > 0.3)).astype(np.uint8) if channel == 'face' else None)
        writer.write()
    return folder


@pytest.fixture(scope='session')
def tiny_config() -> Path:
    """Return the path of the config that trains in seconds."""
    return Path(__file__).parents[1] / 'config' / 'tiny.yaml'


@pytest.fixture(scope='session')
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small WavLM with random weights, of the Base kind."""
    from wavlm_models import wavlm_model

    folder = tmp_path_factory.mktemp('tiny-wavlm')
    wavlm_model().save_pretrained(folder)
    return folder


@pytest.fixture(scope='session')
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of one of the Large kind, with its preprocessor."""
    from wavlm_models import transformers, wavlm_model

    folder = tmp_path_factory.mktemp('tiny-wavlm-large')
    wavlm_model(feat_extract_norm='layer', do_stable_layer_norm=True).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder
