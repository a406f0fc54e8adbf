"""One pack from several: arrays laid end to end, records moved along, and what came of it.

Composed and recorded takes are built apart, each when it has to be, and merged into the one pack
per channel that training reads. Arrays are copied in blocks through memory maps, and written aside
first: whoever reads the old pack may go on.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pack import Take, UNKNOWN_PHONE
from .problems import UnusableFile

CHANNELS = ('body', 'face')
_FILL: dict[str, Any] = {'accents': np.nan, 'arousal': np.nan, 'phones': UNKNOWN_PHONE}
"""Arrays that not every pack has, and what stands where they are not known."""
_OPTIONAL = {*_FILL, 'guides', 'waveform'}
_BLOCK = 1 << 16


def merge_packs(parts: list[Path], out: Path, channel: str) -> list[Take]:
    """Write a channel of ``out`` from those of ``parts`` that have it; returns its records.

    Args:
        parts: pack folders, in the order wanted.
        out: the pack folder; may not be one of them.
        channel: ``body`` or ``face``.

    Raises:
        UnusableFile: two packs do not fit together, or name a take alike.
    """
    parts = [part for part in parts if (part / f'{channel}_takes.json').is_file()]
    if not parts:
        return []
    arrays = {part: _arrays(part, channel) for part in parts}
    kept = _kept_arrays(arrays)
    aside = out / 'cache' / 'merge'
    aside.mkdir(parents=True, exist_ok=True)
    counts = {part: len(found['features']) for part, found in arrays.items()}
    for key in kept:
        target = aside / f'{channel}_{key}.npy'
        _concatenate(target, key, [(arrays[part].get(key), counts[part]) for part in parts])
    guides = _move_guides(parts, channel)
    if guides is not None:
        np.save(aside / f'{channel}_guides.npy', guides)
        kept = kept | {'guides'}
    takes = _move_records(parts, arrays, channel)
    records = json.dumps([asdict(take) for take in takes], indent=0)
    (aside / f'{channel}_takes.json').write_text(records, encoding='utf-8')
    for path in out.glob(f'{channel}_*.npy'):
        # Arrays of an older pack that this one does not have would no longer fit.
        if path.stem.removeprefix(f'{channel}_') in _OPTIONAL - kept:
            path.unlink()
    for path in sorted(aside.glob(f'{channel}_*')):
        path.replace(out / path.name)
    return takes


def _arrays(part: Path, channel: str) -> dict[str, NDArray[Any]]:
    keys = ('features', 'motion', 'accents', 'arousal', 'phones', 'waveform')
    paths = {key: part / f'{channel}_{key}.npy' for key in keys}
    found = {key: np.load(path, mmap_mode='r') for key, path in paths.items() if path.is_file()}
    for key in ('features', 'motion'):
        if key not in found:
            raise UnusableFile(f'{paths[key]} is missing from its pack')
    return found


def _kept_arrays(arrays: dict[Path, dict[str, NDArray[Any]]]) -> set[str]:
    """Return which arrays the merged pack has; what cannot be filled must be in all of them."""
    everywhere = set.intersection(*(set(found) for found in arrays.values()))
    anywhere = set.union(*(set(found) for found in arrays.values()))
    for key in ('features', 'motion'):
        shapes = {str(part): found[key].shape[1:] for part, found in arrays.items()}
        if len(set(shapes.values())) > 1:
            raise UnusableFile(f'{key} of the packs differ in width: {shapes}')
    return everywhere | (anywhere & set(_FILL))


def _concatenate(target: Path, key: str, pieces: list[tuple[NDArray[Any] | None, int]]) -> None:
    """Write arrays end to end; one that is missing is filled, a row per feature frame."""
    first = next(array for array, _ in pieces if array is not None)
    lengths = [count if array is None else len(array) for array, count in pieces]
    written = np.lib.format.open_memmap(target, mode='w+', dtype=first.dtype,
                                        shape=(sum(lengths), *first.shape[1:]))
    at = 0
    for (array, _), length in zip(pieces, lengths):
        for start in range(0, length, _BLOCK):
            stop = min(start + _BLOCK, length)
            written[at + start:at + stop] = _FILL[key] if array is None else array[start:stop]
        at += length
    written.flush()
    del written


def _move_guides(parts: list[Path], channel: str) -> NDArray[np.float32] | None:
    """Return the guides (G, 10) of all packs with the numbers that their takes have now."""
    found, first = [], 0
    for part in parts:
        path = part / f'{channel}_guides.npy'
        if path.is_file():
            rows = np.load(path)
            rows[:, 0] += first
            found.append(rows)
        first += len(json.loads((part / f'{channel}_takes.json').read_text(encoding='utf-8')))
    return np.concatenate(found) if found else None


def _move_records(parts: list[Path], arrays: dict[Path, dict[str, NDArray[Any]]],
                  channel: str) -> list[Take]:
    takes: list[Take] = []
    feature, frame = 0, 0
    for part in parts:
        text = (part / f'{channel}_takes.json').read_text(encoding='utf-8')
        for record in json.loads(text):
            take = Take(**record)
            takes.append(replace(take, first_feature=take.first_feature + feature,
                                 first_frame=take.first_frame + frame))
        feature += len(arrays[part]['features'])
        frame += len(arrays[part]['motion'])
    seen: set[str] = set()
    for take in takes:
        if take.name in seen:
            raise UnusableFile(f'two takes of the {channel} pack are named {take.name!r}')
        seen.add(take.name)
    return takes


def content_hash(folder: Path) -> str:
    """Return the SHA-256 of a pack: every array (type, shape, values) and every record."""
    digest = hashlib.sha256()
    for channel in CHANNELS:
        for path in sorted(folder.glob(f'{channel}_*.npy')):
            array = np.load(path, mmap_mode='r')
            digest.update(f'{path.name} {array.dtype.str} {array.shape}\n'.encode())
            for block in _blocks(array):
                digest.update(block)
        records = folder / f'{channel}_takes.json'
        if records.is_file():
            loaded = json.loads(records.read_text(encoding='utf-8'))
            digest.update(json.dumps(loaded, sort_keys=True).encode())
    return digest.hexdigest()


def _blocks(array: NDArray[Any]) -> Iterator[bytes]:
    for start in range(0, len(array), _BLOCK):
        yield np.ascontiguousarray(array[start:start + _BLOCK]).tobytes()
