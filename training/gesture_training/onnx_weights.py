"""Weights of a bundle back into networks, so that a published bundle can be trained further.

ONNX keeps the names of biases, norms and convolutions; matrices of linear layers were folded into
the multiplications that use them and are found by the names of those nodes. What only training
uses (heads of the encoder) is not in a bundle and stays as it was.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
import torch
from torch import Tensor
import yaml

from .checkpoint import Checkpoint
from .config import config_from, TrainingConfig
from .exceptions import TrainingError
from .statistics import Statistics

NETWORKS = ('encoder', 'body', 'face')


def bundle_weights(bundle: Path) -> dict[str, Tensor]:
    """Return the parameters of a bundle by their names in ``GestureNetworks``.

    Raises:
        TrainingError: a network file is missing.
    """
    weights: dict[str, Tensor] = {}
    for name in NETWORKS:
        path = bundle / f'{name}.onnx'
        if not path.is_file():
            raise TrainingError(f'bundle {bundle} holds no {path.name}')
        weights |= {f'{name}.{key}': value for key, value in _parameters(path).items()}
    return weights


def _parameters(path: Path) -> dict[str, Tensor]:
    graph = onnx.load(str(path)).graph
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    found = {name: value for name, value in arrays.items()
             if not name.startswith(('onnx::', '/'))}
    for node in graph.node:
        if node.op_type != 'MatMul' or node.input[1] not in arrays:
            continue
        parts = node.name.strip('/').split('/')[:-1]
        found[f'{_module(parts)}.weight'] = arrays[node.input[1]].T
    return {name: torch.from_numpy(np.array(value, np.float32)) for name, value in found.items()}


def _module(parts: list[str]) -> str:
    """Return the dotted module of a node path; ``mlp/mlp.0`` is one step, not two.

    A module that is called more than once has ``_1`` after its name from the second call on.
    """
    path: list[str] = []
    for part in parts:
        if path and part.startswith(f'{path[-1]}.'):
            path[-1] = part
        else:
            path.append(part)
    return '.'.join(path)


def bundle_config(bundle: Path) -> TrainingConfig:
    """Return the training configuration that a bundle's ``bundle.yaml`` states.

    Raises:
        TrainingError: the bundle does not say how it was trained.
    """
    stated = _metadata(bundle).get('training', {}).get('config')
    if not isinstance(stated, dict):
        raise TrainingError(f'{bundle / "bundle.yaml"} does not say how the bundle was trained')
    return config_from(stated)


def bundle_statistics(bundle: Path) -> Statistics:
    """Return the normalisation that a bundle was trained with."""
    metadata, weights = _metadata(bundle), bundle_weights(bundle)
    body, face = metadata['body'], metadata['face']
    return Statistics(
        weights['encoder.feature_mean'].numpy(), weights['encoder.feature_std'].numpy(),
        *(np.asarray(v, np.float32) for v in (body['mean'], body['std'], face['mean'],
                                              face['std'], body['idle_pose'])))


def _metadata(bundle: Path) -> dict[str, dict[str, object]]:
    path = bundle / 'bundle.yaml'
    if not path.is_file():
        raise TrainingError(f'{bundle} is neither a run folder nor a bundle')
    return dict(yaml.safe_load(path.read_text(encoding='utf-8')))


def bundle_checkpoint(bundle: Path) -> Checkpoint:
    """Return a bundle as the checkpoint of a run that has not begun.

    Raises:
        TrainingError: the folder is no bundle, or does not say how it was trained.
    """
    weights, stated = bundle_weights(bundle), dict(_metadata(bundle).get('training', {}))
    return Checkpoint(config=bundle_config(bundle), statistics=bundle_statistics(bundle), step=0,
                      elapsed_s=0.0, weights=weights, average=weights, optimiser={},
                      corpus=stated.get('corpus', {}), machine='',
                      distilled=stated.get('distilled', {}))
