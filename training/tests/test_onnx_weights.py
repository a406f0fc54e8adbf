"""A bundle gives its weights back: what was exported is what training goes on from."""
from __future__ import annotations

from pathlib import Path

from gesture_training.config import load_config, plain
from gesture_training.corpora.phones import PhoneClass
from gesture_training.exceptions import TrainingError
from gesture_training.export import export_bundle, Model, parity_error
from gesture_training.networks.assembly import GestureNetworks
from gesture_training.networks.lips import LipHead
from gesture_training.onnx_weights import bundle_checkpoint, bundle_weights, NETWORKS
from gesture_training.statistics import Statistics
import pytest
import torch

CONFIG = load_config(Path(__file__).parents[1] / 'config/tiny.yaml')
TRAINING_ONLY = ('phones', 'lips', 'accents', 'effort', 'manner')


@pytest.fixture(scope='module')
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    networks = GestureNetworks(CONFIG, len(PhoneClass))
    for parameter in networks.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    folder = tmp_path_factory.mktemp('bundle')
    model = Model(CONFIG, networks, Statistics.neutral(), {'config': plain(CONFIG)})
    return export_bundle(model, folder)


def test_networks_filled_from_a_bundle_compute_what_the_bundle_computes(bundle: Path) -> None:
    torch.manual_seed(4)
    networks = GestureNetworks(CONFIG, len(PhoneClass))
    found = networks.load_state_dict(bundle_weights(bundle), strict=False)
    assert not found.unexpected_keys
    assert all(name.split('.')[1] in TRAINING_ONLY for name in found.missing_keys)
    for name in NETWORKS:
        assert parity_error(getattr(networks, name), name, CONFIG, bundle / f'{name}.onnx',
                            [(2, 10, 12)]) < 1e-4


def test_a_bundle_stands_for_a_run_that_has_not_begun(bundle: Path) -> None:
    checkpoint = bundle_checkpoint(bundle)
    assert checkpoint.config == CONFIG and checkpoint.step == 0
    assert checkpoint.statistics.body_idle.shape == (84,)


def test_a_folder_without_networks_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match='encoder.onnx'):
        bundle_weights(tmp_path)


def test_a_face_reads_lips_as_an_encoder_that_learnt_alone() -> None:
    weights = LipHead(12)
    torch.nn.init.normal_(weights.outer.weight)
    rows, mean, std = torch.arange(5, 20), torch.rand(52), torch.rand(52) + 0.5
    face = LipHead(12)
    face.adopt(weights, rows, mean, std)
    local = torch.randn(3, 12)
    wanted = (weights(local) - mean) / std
    assert torch.allclose(face(local)[:, rows], wanted[:, rows], atol=1e-5)
    assert not face(local)[:, :5].any()
