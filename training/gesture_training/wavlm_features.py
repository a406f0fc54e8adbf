"""A corpus with WavLM features, made of one that kept its waveforms.

``python -m gesture_training.wavlm_features --corpus corpus --wavlm PATH --out corpus_wavlm``.
Motion, phones and all else are the same; only what is heard changes. The windows are those of the
runtime, so a stream gives what training saw. The corpus must have been packed with
``--keep-waveforms``.
"""
from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
import shutil
import sys

import numpy as np
from numpy.typing import NDArray
import torch
from tqdm import tqdm

from gesture_node.audio.block_features import BlockGrid, BlockWindow
from gesture_node.exceptions import GestureError
from gesture_node.timeline import FEATURE_RATE_HZ, samples_per_frame

from .corpora.pack import Pack, read_pack, Take
from .exceptions import TrainingError
from .networks.wavlm import load_wavlm, WavLMFrontEnd, WindowedFrontEnd
from .train import CHANNELS, device_named
from .wavlm_export import add_model_arguments, export_front_end, grid_of, origin_of

_HOP = samples_per_frame(FEATURE_RATE_HZ)


class Converter:
    """Computes features as a stream would, many windows at a time.

    Args:
        front_end: the model.
        grid: its windows.
        device: where to compute.
        batch: windows computed together.
    """

    def __init__(self, front_end: WavLMFrontEnd, grid: BlockGrid, device: torch.device,
                 batch: int) -> None:
        self._front_end = WindowedFrontEnd(front_end.to(device), grid)
        self._grid, self._dim = grid, front_end.dim
        self._device, self._batch = device, batch

    def features(self, waveform: NDArray[np.int16], frames: int) -> NDArray[np.float32]:
        """Return features ``(frames, dim)`` of samples ``(320 * frames,)``."""
        grid = self._grid
        blocks = -(-frames // grid.block_frames)
        rows = np.zeros((blocks * grid.block_frames, self._dim), np.float32)
        for first, windows in self._batches(blocks):
            sound = np.stack([_cut(waveform, window) for window in windows])
            with torch.inference_mode():
                found = self._front_end(torch.from_numpy(sound).to(self._device)).cpu().numpy()
            skip, size = windows[0].skip, grid.block_frames
            kept = found[:, skip:skip + size].reshape(-1, found.shape[2])
            rows[first * size:first * size + len(kept)] = kept
        return rows[:frames]

    def _batches(self, blocks: int) -> Iterator[tuple[int, list[BlockWindow]]]:
        """Yield the first block and the windows of each batch, whose sounds are equally long."""
        windows = enumerate(self._grid.window(block) for block in range(blocks))
        for _, group in groupby(windows, key=lambda item: item[1].stop - item[1].start):
            alike = list(group)
            for start in range(0, len(alike), self._batch):
                part = alike[start:start + self._batch]
                yield part[0][0], [window for _, window in part]


def _cut(waveform: NDArray[np.int16], window: BlockWindow) -> NDArray[np.float32]:
    """Return the sound for a block, silent where the recording is not there."""
    sound = np.zeros(window.stop - window.start, np.float32)
    real = waveform[max(0, window.start):window.stop]
    sound[max(0, -window.start):][:len(real)] = real / np.float32(32_767.0)
    return sound


def open_waveform(corpus: Path, channel: str) -> NDArray[np.int16]:
    """Return the sound of a channel of a corpus, shape (320 N,), memory-mapped.

    Raises:
        TrainingError: the channel was packed without its waveforms, or with others.
    """
    path = corpus / f'{channel}_waveform.npy'
    if not path.is_file():
        raise TrainingError(f'corpus {corpus} holds no {path.name}; pack it again with '
                            f'--keep-waveforms')
    waveform: NDArray[np.int16] = np.load(path, mmap_mode='r')
    frames = len(read_pack(corpus, channel).features)
    if len(waveform) != _HOP * frames:
        raise TrainingError(f'{path} is of another pack: it holds {len(waveform)} samples for '
                            f'{frames} feature frames')
    return waveform


def convert(corpus: Path, out: Path, channel: str, converter: Converter, dim: int) -> Pack:
    """Write one channel of a corpus with other features; returns it.

    Raises:
        TrainingError: the channel was packed without its waveforms, or with others.
    """
    pack, waveform = read_pack(corpus, channel), open_waveform(corpus, channel)
    out.mkdir(parents=True, exist_ok=True)
    rows = np.lib.format.open_memmap(out / f'{channel}_features.npy', mode='w+',
                                     dtype=np.float16, shape=(len(pack.features), dim))
    for first, frames in tqdm(_slices(pack.takes), desc=channel, unit='take', mininterval=5.0):
        sound = waveform[first * _HOP:(first + frames) * _HOP]
        rows[first:first + frames] = converter.features(sound, frames)
    rows.flush()
    del rows
    for source in sorted(corpus.glob(f'{channel}_*')):
        if source.name not in (f'{channel}_features.npy', f'{channel}_waveform.npy'):
            shutil.copyfile(source, out / source.name)
    return read_pack(out, channel)


def _slices(takes: list[Take]) -> list[tuple[int, int]]:
    """Return first feature and count of every stretch of sound; takes may share one."""
    return sorted({(take.first_feature, take.features) for take in takes})


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert a corpus from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description='Give a corpus the features of a WavLM model.')
    add_model_arguments(parser)
    parser.add_argument('--corpus', type=Path, default=Path('corpus'),
                        help='corpus packed with --keep-waveforms')
    parser.add_argument('--out', type=Path, default=Path('corpus_wavlm'), help='folder to write')
    parser.add_argument('--batch', type=int, default=16, help='windows computed together')
    parser.add_argument('--device', default='auto', choices=('auto', 'cpu', 'cuda'))
    options = parser.parse_args(arguments)
    try:
        found = [channel for channel in CHANNELS
                 if (options.corpus / f'{channel}_takes.json').is_file()]
        if not found or options.out.resolve() == options.corpus.resolve():
            raise TrainingError(f'--corpus {options.corpus} must hold a corpus and --out be '
                                f'another folder')
        for channel in found:
            open_waveform(options.corpus, channel)
        front_end = load_wavlm(options.wavlm, options.layer)
        grid = grid_of(options, front_end)
        record = export_front_end(front_end, grid, options.out, origin_of(options))
        converter = Converter(front_end, grid, device_named(options.device), options.batch)
        for channel in found:
            pack = convert(options.corpus, options.out, channel, converter, record.dim)
            print(f'{channel}: {len(pack.takes)} takes, {len(pack.features) / 50 / 3600:.2f} h')
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
