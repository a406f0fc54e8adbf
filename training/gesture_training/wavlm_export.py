"""A WavLM model as ``frontend.onnx``, checked against torch, and how much context it needs.

``python -m gesture_training.wavlm_export --wavlm PATH --out DIR`` writes the network and its
record; ``--compare speech.wav`` instead prints how far features of short contexts are from those
of the whole recording. ``docs/wavlm.md`` explains the choices.
"""
from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
import hashlib
import logging
from pathlib import Path
import sys
import time
from typing import Any
import warnings

import numpy as np
import onnxruntime
import torch

from gesture_node.audio.block_features import (
    BlockGrid,
    waveform_block_features,
    WaveformNetwork,
)
from gesture_node.bundle import FRONT_END_NETWORK
from gesture_node.exceptions import GestureError
from gesture_node.timeline import FEATURE_RATE_HZ, s_to_frames, samples_per_frame
from gesture_node.types import Float32Array

from .corpora.speech import read_audio
from .exceptions import TrainingError
from .front_end import FrontEndRecord, write_front_end
from .networks.wavlm import load_wavlm, WavLMFrontEnd, WindowedFrontEnd

OPSET = 17
PARITY_TOLERANCE = 1e-3
"""Largest difference between torch and ONNX Runtime, against the deviation of the features."""
_HOP = samples_per_frame(FEATURE_RATE_HZ)


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two features of the same sound are apart, against the deviation of the second."""

    mean: float
    largest: float


def difference(found: Float32Array, reference: Float32Array) -> Difference:
    """Return how far features ``(F, D)`` are from a reference of the same shape.

    A frame's error is the root mean square over its numbers, each against the deviation of that
    number over the reference, so 1 is what a constant would score.
    """
    spread = np.maximum(reference.std(axis=0), 1e-6)
    error = np.sqrt((((found - reference) / spread) ** 2).mean(axis=1))
    return Difference(float(error.mean()), float(error.max()))


def torch_network(front_end: WavLMFrontEnd, grid: BlockGrid) -> WaveformNetwork:
    """Return the front end in torch as the runtime calls it."""
    windowed = WindowedFrontEnd(front_end, grid)

    def network(waveform: Float32Array) -> Float32Array:
        with torch.inference_mode():
            features: Float32Array = windowed(torch.from_numpy(waveform[None]))[0].numpy()
        return features

    return network


def onnx_network(path: Path) -> WaveformNetwork:
    """Return the exported front end as the runtime calls it, on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options,
                                           providers=['CPUExecutionProvider'])

    def network(waveform: Float32Array) -> Float32Array:
        features: Float32Array = session.run(['features'], {'waveform': waveform[None]})[0][0]
        return features

    return network


def export_front_end(front_end: WavLMFrontEnd, grid: BlockGrid, folder: Path,
                     origin: dict[str, Any]) -> FrontEndRecord:
    """Write ``frontend.onnx`` and ``frontend.yaml``; returns the record.

    Args:
        front_end: the model.
        grid: windows in which it is to hear.
        folder: where to write, made if need be.
        origin: where the weights come from.

    Raises:
        TrainingError: ONNX Runtime and torch disagree by more than :data:`PARITY_TOLERANCE`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    path = folder / FRONT_END_NETWORK
    example = torch.randn(2, 12 * _HOP + grid.lead_samples,
                          generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            WindowedFrontEnd(front_end, grid).eval(), (example,), str(path),
            input_names=['waveform'], output_names=['features'], opset_version=OPSET, dynamo=False,
            dynamic_axes={'waveform': {0: 'B', 1: 'N'}, 'features': {0: 'B', 1: 'F'}})
    error = parity_error(front_end, path, grid)
    if not error <= PARITY_TOLERANCE:
        raise TrainingError(f'{FRONT_END_NETWORK} differs from torch by {error:.2e} deviations, '
                            f'more than {PARITY_TOLERANCE:.0e}')
    silent = np.zeros(_HOP * grid.window_frames + grid.lead_samples, np.float32)
    record = FrontEndRecord(
        'wavlm', front_end.dim, grid, hashlib.sha256(path.read_bytes()).hexdigest(),
        origin | {'layer': front_end.layer, 'normalised_waveform': front_end.normalise},
        torch_network(front_end, grid)(silent)[grid.context_frames + grid.block_frames - 1])
    write_front_end(folder, record)
    return record


def parity_error(front_end: WavLMFrontEnd, path: Path, grid: BlockGrid) -> float:
    """Return the largest difference of torch and ONNX Runtime, in deviations of the features.

    Tried are the first window of a stream, a whole one, and one with all of its statistics.
    """
    random, worst = np.random.default_rng(0), 0.0
    one, other = torch_network(front_end, grid), onnx_network(path)
    for frames in {grid.block_frames, grid.window_frames,
                   grid.window_frames + max(0, grid.statistics_frames - grid.context_frames)}:
        count = _HOP * frames + grid.lead_samples
        waveform = (0.1 * random.standard_normal(count)).astype(np.float32)
        want, got = one(waveform), other(waveform)
        worst = max(worst, float(np.abs(want - got).max() / max(float(want.std()), 1e-6)))
    return worst


def block_time_s(path: Path, grid: BlockGrid) -> float:
    """Return the CPU time [s] of one block on one thread: the median of three, once warm."""
    network, window, taken_s = onnx_network(path), grid.window(10_000), []
    waveform = np.zeros(window.stop - window.start, np.float32)
    for _ in range(4):
        start_s = time.process_time()
        network(waveform)
        taken_s.append(time.process_time() - start_s)
    return float(np.median(taken_s[1:]))


def compare_contexts(front_end: WavLMFrontEnd, waveform: Float32Array, grid: BlockGrid,
                     contexts: Iterable[int]) -> dict[int, tuple[Difference, Difference]]:
    """Return by context [frames] how far features are from those of longer hearing.

    The first difference is against all of the past (nothing of the future), the second against
    the whole recording at once, future included. Only frames after the longest context count.

    Args:
        front_end: the model.
        waveform: shape (n,), 16 kHz.
        grid: block, lookahead and statistics; its context is replaced.
        contexts: contexts to try, in frames.

    Raises:
        TrainingError: the recording is not longer than the longest context.
    """
    tried = sorted(contexts)
    frames = len(waveform) // _HOP // grid.block_frames * grid.block_frames
    first = tried[-1] + grid.block_frames
    if frames < first + grid.block_frames:
        raise TrainingError(f'a recording of {frames / FEATURE_RATE_HZ:g} s is too short to try a '
                            f'context of {tried[-1] / FEATURE_RATE_HZ:g} s')
    sound = waveform[:frames * _HOP]
    everything = replace(grid, context_frames=frames, statistics_frames=frames)
    whole = torch_network(front_end, everything)(
        np.concatenate([np.zeros(grid.lead_samples, np.float32), sound]))

    def features(tried: BlockGrid) -> Float32Array:
        return waveform_block_features(sound, torch_network(front_end, tried), front_end.dim,
                                       tried)[first:]

    past = features(everything)
    return {context: (difference(found, past), difference(found, whole[first:]))
            for context in tried for found in (features(replace(grid, context_frames=context)),)}


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose model and windows."""
    parser.add_argument('--wavlm', required=True,
                        help='folder of a saved WavLM model, or its name on the hub')
    parser.add_argument('--licence', default='see the model card of the weights',
                        help='of the weights, for the bundle to state')
    parser.add_argument('--layer', type=int, help='transformer layers to hear (default: all)')
    parser.add_argument('--context', type=float, default=1.8, metavar='S',
                        help='sound heard before a block [s] (default: %(default)s)')
    parser.add_argument('--block', type=float, default=0.2, metavar='S',
                        help='features computed together [s] (default: %(default)s)')
    parser.add_argument('--statistics', type=float, default=8.0, metavar='S',
                        help='sound before a block that levels are measured over [s] '
                             '(default: %(default)s)')
    parser.add_argument('--lookahead', type=float, default=0.0, metavar='S',
                        help='sound heard after a block; adds latency [s] (default: %(default)s)')


def grid_of(options: argparse.Namespace, front_end: WavLMFrontEnd) -> BlockGrid:
    """Return the windows that the command line asks for.

    Raises:
        TrainingError: a size is not possible.
    """
    sizes = (s_to_frames(value, FEATURE_RATE_HZ) for value in (
        options.block, options.context, options.lookahead, options.statistics))
    try:
        return BlockGrid(*sizes, receptive_samples=front_end.receptive_samples)
    except ValueError as error:
        raise TrainingError(f'--block, --context, --lookahead and --statistics: '
                            f'{error}') from None


def origin_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return where the weights come from: a name on the hub, or a folder's last name."""
    source = Path(options.wavlm).name if Path(options.wavlm).is_dir() else options.wavlm
    return {'source': source, 'licence': options.licence}


def _print_comparison(front_end: WavLMFrontEnd, options: argparse.Namespace) -> None:
    grid = grid_of(options, front_end)
    contexts = [s_to_frames(value, FEATURE_RATE_HZ) for value in (0.4, 0.8, 1.6, 3.2)]
    found = compare_contexts(front_end, read_audio(options.compare), grid, contexts)
    print('context  against all of the past  against the whole recording   (mean, largest)')
    for context, (past, whole) in found.items():
        print(f'{context / FEATURE_RATE_HZ:5.1f} s  {past.mean:12.4f} {past.largest:9.4f}  '
              f'{whole.mean:17.4f} {whole.largest:9.4f}')


def main(arguments: Sequence[str] | None = None) -> int:
    """Export or compare from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description='Write a WavLM model as frontend.onnx.')
    add_model_arguments(parser)
    parser.add_argument('--out', type=Path, default=Path('frontend'), help='folder to write')
    parser.add_argument('--compare', type=Path, metavar='WAV',
                        help='write nothing; compare contexts on this recording')
    options = parser.parse_args(arguments)
    try:
        front_end = load_wavlm(options.wavlm, options.layer)
        if options.compare:
            _print_comparison(front_end, options)
            return 0
        grid = grid_of(options, front_end)
        record = export_front_end(front_end, grid, options.out, origin_of(options))
        taken_s = block_time_s(options.out / FRONT_END_NETWORK, grid)
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    print(f'wrote {options.out}: {record.dim} numbers per frame, SHA-256 {record.sha256[:12]}; '
          f'a block of {grid.block_frames / FEATURE_RATE_HZ:g} s takes {taken_s:.3f} s of a core')
    return 0


if __name__ == '__main__':
    sys.exit(main())
