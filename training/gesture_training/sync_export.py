"""The synchrony network to ONNX, and into a bundle that is already there."""
from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Any
import warnings

import numpy as np
import torch
import yaml

from gesture_node.audio.features import FEATURE_DIM
from gesture_node.bundle import read_bundle, SYNC_NETWORK
from gesture_node.measures.sync_score import INPUTS, OUTPUTS
from gesture_node.measures.sync_score import SyncNetwork as RuntimeNetwork
from gesture_node.motion.face import FACE_DIM

from .exceptions import TrainingError
from .export import OPSET
from .networks.sync import SyncNetwork

PARITY_TOLERANCE = 1e-4
STATEMENT = 'sync.json'
MAX_BYTES = 2_000_000


def example_windows(network: SyncNetwork, sounds: int, faces: int,
                    seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random inputs: features (sounds, W, 83) and face (faces, W, 52)."""
    source, window = torch.Generator().manual_seed(seed), network.config.window_frames
    return (3.0 * torch.randn(sounds, window, FEATURE_DIM, generator=source) - 8.0,
            torch.rand(faces, window, FACE_DIM, generator=source))


def export_sync(network: SyncNetwork, path: Path) -> Path:
    """Write the network as ONNX and compare it with torch; returns the path.

    Raises:
        TrainingError: they differ, or the file is larger than two megabytes.
    """
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    names = dict(zip((*INPUTS, *OUTPUTS), 'AVAV'))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            network.eval(), example_windows(network, 2, 2), str(path), input_names=list(INPUTS),
            output_names=list(OUTPUTS), opset_version=OPSET, dynamo=False,
            dynamic_axes={name: {0: axis} for name, axis in names.items()})
    error = parity_error(network, path)
    if not error <= PARITY_TOLERANCE:
        raise TrainingError(f'{path} differs from torch by {error:.2e}, '
                            f'more than {PARITY_TOLERANCE:.0e}')
    if path.stat().st_size > MAX_BYTES:
        raise TrainingError(f'{path} has {path.stat().st_size} B, more than {MAX_BYTES}')
    return path


def parity_error(network: SyncNetwork, path: Path) -> float:
    """Return the largest difference of embeddings between torch and ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    worst = 0.0
    for number, (sounds, faces) in enumerate([(1, 5), (7, 1), (64, 64)]):
        inputs = example_windows(network, sounds, faces, number)
        with torch.no_grad():
            expected = network.eval()(*inputs)
        found = session.run(list(OUTPUTS), dict(zip(INPUTS, (x.numpy() for x in inputs))))
        worst = max(worst, *(float(np.abs(a.numpy() - b).max())
                             for a, b in zip(expected, found)))
    return worst


def add_to_bundle(run: Path, bundle: Path) -> str:
    """Put the network of a run into a bundle; returns the bundle's new hash.

    ``sync.onnx`` of an earlier run is replaced. The other files stay as they are, the metadata
    too, but for the hash under ``files`` and the statement under ``sync``.

    Raises:
        TrainingError: the run holds no network.
        BundleError: the bundle or the network cannot be used.
    """
    source, statement = run / SYNC_NETWORK, run / STATEMENT
    for path in (source, statement):
        if not path.is_file():
            raise TrainingError(f'run {run} has no {path.name}; train it first')
    RuntimeNetwork(source)
    metadata = bundle / 'bundle.yaml'
    read_bundle(bundle)
    data: dict[str, Any] = yaml.safe_load(metadata.read_text(encoding='utf-8'))
    raw = source.read_bytes()
    data['files'][SYNC_NETWORK] = hashlib.sha256(raw).hexdigest()
    data['sync'] = json.loads(statement.read_text(encoding='utf-8'))
    text = yaml.safe_dump(data, sort_keys=False, width=99, default_flow_style=None)
    _replace(bundle / SYNC_NETWORK, raw)
    _replace(metadata, text.encode())
    return read_bundle(bundle).hash


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f'{path.name}.new')
    fresh.write_bytes(content)
    os.replace(fresh, path)
