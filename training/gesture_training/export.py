"""Networks to a bundle folder: three ONNX files and ``bundle.yaml``, checked against torch.

The tensors of each file are named once, in :data:`SIGNATURES`; see ``docs/architecture.md`` for
what they mean. Opset 17, batch and lengths dynamic, float32.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
import hashlib
import logging
from pathlib import Path
import sys
from typing import Any
import warnings

import numpy as np
from numpy.typing import NDArray
import onnxruntime
import torch
from torch import nn, Tensor
import yaml

from gesture_node.audio.features import FEATURE_DIM
from gesture_node.bundle import FRONT_END_NETWORK
from gesture_node.exceptions import GestureError
from gesture_node.guides.cues import ARM_INDEX, CUE_DIM
from gesture_node.motion.face import BLENDSHAPE_NAMES, FACE_DIM
from gesture_node.motion.skeleton import FINGER_NAMES, JOINT_NAMES, POSE_DIM
from gesture_node.timeline import BODY_RATE_HZ, FACE_RATE_HZ, FEATURE_RATE_HZ

from .checkpoint import load_checkpoint, networks_of
from .config import plain, TrainingConfig
from .corpora.pack import Pack, read_pack
from .exceptions import TrainingError
from .front_end import copy_front_end, front_end_of_run, FrontEndRecord
from .liveliness import CALLS, measure_liveliness, require_alive
from .networks.assembly import GestureNetworks, parameter_counts, STYLES
from .schedule import TRAIN_STEPS
from .statistics import Statistics

FORMAT = 1
FEATURE_VERSION = 1
MEL_FEATURES = {'dim': FEATURE_DIM, 'rate_hz': FEATURE_RATE_HZ, 'version': FEATURE_VERSION}
OPSET = 17
BODY_GUIDANCE = 2.0
"""Two guided calls hear more than four plain ones, at the same cost (docs/decisions/0004); a body
that is told its guides needs none (0006)."""
GUIDE_POSES = 320
"""Apex poses that a bundle ships."""
PARITY_TOLERANCE = 2e-4
"""Largest difference between torch and ONNX Runtime, in normalised units."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Tensor names of one network; ``axes`` names the dynamic axes of each tensor."""

    inputs: dict[str, tuple[str, ...]]
    outputs: dict[str, tuple[str, ...]]

    def dynamic_axes(self) -> dict[str, dict[int, str]]:
        """Return the dynamic axes as the exporter wants them (fixed sizes are empty names)."""
        return {name: {i: axis for i, axis in enumerate(axes) if axis}
                for name, axes in (self.inputs | self.outputs).items()}


_DENOISER: dict[str, tuple[str, ...]] = {
    'x': ('B', 'W', ''), 'level': ('B',), 'seed': ('B', 'W', ''), 'mask': ('B', 'W'),
    'local': ('B', 'L', ''), 'persona': ('B', ''), 'emotion': ('B', ''), 'drop': ('B',)}
SIGNATURES: dict[str, Signature] = {
    'encoder': Signature(
        {'features': ('B', 'F', ''), 'heard': ('B', 'F'), 'history': ('B', 'P', ''),
         'history_heard': ('B', 'P')},
        {'local': ('B', 'F', ''), 'persona': ('B', ''), 'emotion': ('B', '')}),
    'body': Signature(_DENOISER | {'cues': ('B', 'W', '')}, {'x0': ('B', 'W', '')}),
    'face': Signature(_DENOISER | {'style': ('B',)}, {'x0': ('B', 'W', '')}),
}


@dataclass(frozen=True, slots=True)
class Model:
    """What a bundle is made of: sizes, weights, normalisation and where they come from.

    ``calls`` are the denoiser calls per window that each channel is made for, ``body_guidance``
    the strength of the speech conditioning (a distilled body has learnt it). ``front_end`` is
    what made the features, in the folder ``corpus``; None for mel. ``guides`` are the apex poses
    (K, 67) that a stream draws from; None where the corpus has none.
    """

    config: TrainingConfig
    networks: GestureNetworks
    statistics: Statistics
    statement: dict[str, Any]
    calls: dict[str, int] = field(default_factory=lambda: dict(CALLS))
    body_guidance: float = 1.0
    front_end: FrontEndRecord | None = None
    corpus: Path = Path()
    guides: NDArray[np.float64] | None = None


def example_inputs(config: TrainingConfig, network: str, *, batch: int, frames: int,
                   history: int = 24, seed: int = 0) -> tuple[Tensor, ...]:
    """Return random inputs of a network, in the order of its signature.

    Args:
        config: sizes.
        network: ``encoder``, ``body`` or ``face``.
        batch: windows.
        frames: feature frames for the encoder, motion frames for a denoiser.
        history: history frames of the encoder.
        seed: of the random numbers.
    """
    source = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=source)

    def binary(*shape: int) -> Tensor:
        return (torch.rand(shape, generator=source) > 0.4).float()

    if network == 'encoder':
        width = config.encoder.feature_dim
        return (normal(batch, frames, width) * 3.0, binary(batch, frames),
                normal(batch, history, width) * 3.0, binary(batch, history))
    dim, pairs = (POSE_DIM, 2) if network == 'body' else (FACE_DIM, 1)
    sizes = config.encoder
    inputs: tuple[Tensor, ...] = (
        normal(batch, frames, dim), torch.rand(batch, generator=source) * (TRAIN_STEPS - 1),
        normal(batch, frames, dim), binary(batch, frames),
        normal(batch, pairs * frames, sizes.width), normal(batch, sizes.persona_dim),
        normal(batch, sizes.emotion_dim), binary(batch))
    if network == 'body':
        inputs += (normal(batch, frames, CUE_DIM),)
    if network == 'face':
        inputs += (torch.randint(0, len(STYLES), (batch,), generator=source),)
    return inputs


def export_network(network: nn.Module, name: str, config: TrainingConfig, path: Path) -> None:
    """Write one network as ONNX."""
    signature = SIGNATURES[name]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            network.eval(), example_inputs(config, name, batch=2, frames=12), str(path),
            input_names=list(signature.inputs), output_names=list(signature.outputs),
            dynamic_axes=signature.dynamic_axes(), opset_version=OPSET, dynamo=False)


def parity_error(network: nn.Module, name: str, config: TrainingConfig, path: Path,
                 shapes: Sequence[tuple[int, int, int]]) -> float:
    """Return the largest difference between torch and ONNX Runtime over all outputs.

    Args:
        network: in torch.
        name: which of the three it is.
        config: sizes.
        path: the exported file.
        shapes: (batch, frames, history) to try.
    """
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    worst = 0.0
    for number, (batch, frames, history) in enumerate(shapes):
        inputs = example_inputs(config, name, batch=batch, frames=frames, history=history,
                                seed=number)
        with torch.no_grad():
            expected = network.eval()(*inputs)
        expected = expected if isinstance(expected, tuple) else (expected,)
        feed = {key: value.numpy() for key, value in zip(SIGNATURES[name].inputs, inputs)}
        for want, got in zip(expected, session.run(None, feed)):
            worst = max(worst, float(np.abs(want.numpy() - got).max()))
    return worst


def export_bundle(model: Model, folder: Path, metrics: dict[str, Any] | None = None) -> Path:
    """Write a bundle; returns its folder.

    Raises:
        TrainingError: ONNX Runtime and torch disagree by more than :data:`PARITY_TOLERANCE`, or
            the front end is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    hashes: dict[str, str] = {}
    for name, network in model.networks.named_children():
        path = folder / f'{name}.onnx'
        export_network(network, name, model.config, path)
        error = parity_error(network, name, model.config, path, [(1, 64, 400), (3, 17, 9)])
        if not error <= PARITY_TOLERANCE:
            raise TrainingError(f'{name}.onnx differs from torch by {error:.2e}, '
                                f'more than {PARITY_TOLERANCE:.0e}')
        hashes[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    if model.front_end is not None:
        hashes[FRONT_END_NETWORK] = copy_front_end(model.corpus, folder, model.front_end)
    text = yaml.safe_dump(bundle_metadata(model, hashes, metrics or {}), sort_keys=False,
                          width=99, default_flow_style=None)
    (folder / 'bundle.yaml').write_text(text, encoding='utf-8')
    return folder


def bundle_metadata(model: Model, hashes: dict[str, str],
                    metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the content of ``bundle.yaml``."""
    config, statistics = model.config, model.statistics
    sizes = config.encoder
    return {
        'format': FORMAT,
        'name': str(model.statement.get('name', 'unnamed')),
        'features': MEL_FEATURES if model.front_end is None else model.front_end.metadata(),
        'encoder': {
            'kind': 'mel' if model.front_end is None else model.front_end.kind,
            'context_frames': sizes.context_frames,
            'history_frames': sizes.history_frames, 'local_dim': sizes.width,
            'persona_dim': sizes.persona_dim, 'emotion_dim': sizes.emotion_dim},
        'body': {
            'rate_hz': BODY_RATE_HZ, 'window_frames': config.body.window_frames,
            'seed_frames': config.body.seed_frames, 'steps': model.calls['body'],
            'guidance': model.body_guidance,
            'names': [*JOINT_NAMES, *FINGER_NAMES],
            'mean': _rounded(statistics.body_mean), 'std': _rounded(statistics.body_std),
            'idle_pose': _rounded(statistics.body_idle), **_guide_rows(model.guides)},
        'face': {
            'rate_hz': FACE_RATE_HZ, 'window_frames': config.face.window_frames,
            'seed_frames': config.face.seed_frames, 'steps': model.calls['face'],
            'names': list(BLENDSHAPE_NAMES),
            'mean': _rounded(statistics.face_mean), 'std': _rounded(statistics.face_std),
            'styles': list(STYLES)},
        'schedule': {'kind': 'cosine', 'train_steps': TRAIN_STEPS, 'prediction': 'x0',
                     'shift': model.config.windows.level_shift},
        'files': hashes,
        'training': model.statement,
        'metrics': metrics,
    }


def guide_poses(pack: Pack, statistics: Statistics, seed: int = 0) -> NDArray[np.float64] | None:
    """Return apex poses (K, 67) of training strokes, with the arousal of each; None without."""
    if pack.guides is None or pack.arousal is None:
        return None
    rows = []
    mean, std = statistics.body_mean, statistics.body_std
    for number, apex_s, _, stroke, *wrists in pack.guides.astype(np.float64):
        take = pack.takes[int(number)]
        if stroke > 0.5 and take.split == 'train':
            at = min(int(apex_s * FEATURE_RATE_HZ), take.features - 1)
            frame = take.first_frame + min(round(apex_s * BODY_RATE_HZ), take.frames - 1)
            arms = ((pack.motion[frame] - mean) / std)[ARM_INDEX]
            rows.append([float(pack.arousal[take.first_feature + at]), *wrists, *arms])
    found = np.array([row for row in rows if np.isfinite(row).all()])
    if len(found) == 0:
        return None
    kept = np.random.default_rng(seed).permutation(len(found))[:GUIDE_POSES]
    return np.asarray(found[np.sort(kept)])


def _guide_rows(guides: NDArray[np.float64] | None) -> dict[str, list[list[float]]]:
    if guides is None:
        return {}
    return {'guides': [_rounded(row, 3) for row in guides]}


def _rounded(values: Any, digits: int = 7) -> list[float]:
    return [round(float(v), digits) for v in np.asarray(values)]


def model_of_run(run: Path, name: str) -> Model:
    """Return the averaged weights of a run folder with the statement of what they come from.

    Raises:
        TrainingError: the folder holds no usable checkpoint.
    """
    checkpoint = load_checkpoint(run)
    networks = networks_of(checkpoint).eval()
    statement = {
        'name': name, 'corpus': checkpoint.corpus, 'steps': checkpoint.step,
        'minutes': round(checkpoint.elapsed_s / 60.0, 1), 'machine': checkpoint.machine,
        'seed': checkpoint.config.optimiser.seed, 'parameters': parameter_counts(networks),
        'torch': str(torch.__version__), 'config': plain(checkpoint.config)}
    if checkpoint.distilled:
        statement['distilled'] = checkpoint.distilled
    calls = CALLS | {channel: int(how['calls']) for channel, how in checkpoint.distilled.items()}
    # Students give guided motion as they are; without dropped speech there is nothing to guide by.
    plain_body = 'body' in checkpoint.distilled or checkpoint.config.windows.drop_share == 0.0
    guidance = 1.0 if plain_body or checkpoint.config.body.cues else BODY_GUIDANCE
    return Model(checkpoint.config, networks, checkpoint.statistics, statement, calls, guidance)


def with_front_end(model: Model, corpus: Path) -> Model:
    """Return a model with the front end of its corpus.

    Raises:
        TrainingError: the corpus is of another front end than the run.
    """
    record = front_end_of_run(corpus, model.config.encoder.feature_dim,
                              model.statement.get('corpus', {}))
    guides = None
    if (corpus / 'body_takes.json').is_file():
        guides = guide_poses(read_pack(corpus, 'body'), model.statistics)
    return replace(model, front_end=record, corpus=corpus, guides=guides)


def main(arguments: Sequence[str] | None = None) -> int:
    """Export a run from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description='Write the bundle of a training run.')
    parser.add_argument('--run', type=Path, default=Path('runs/base'))
    parser.add_argument('--bundle', type=Path, default=Path('bundles/base'))
    parser.add_argument('--corpus', type=Path, default=Path('corpus'),
                        help='corpus whose held-out takes must make the bundle move')
    parser.add_argument('--name', default='base')
    options = parser.parse_args(arguments)
    try:
        model = with_front_end(model_of_run(options.run, options.name), options.corpus)
        packs = {channel: read_pack(options.corpus, channel)
                 for channel in model.statement['corpus']}
        found = measure_liveliness(model.config, model.networks, model.statistics, packs,
                                   model.calls)
        require_alive(found)
        export_bundle(model, options.bundle, {'liveliness': found})
    except (GestureError, FileNotFoundError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    print(f'wrote {options.bundle}: {found}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
