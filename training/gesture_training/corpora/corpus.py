"""Packs everything a data folder holds into one training set.

    python -m gesture_training.corpora.corpus --data DATA --out corpus

Composed takes (``body``, ``face``) and recorded ones (whatever a catalogue names, or a known
layout tells) are built apart under ``corpus/parts``, each again only when its files or settings
changed, and merged into one pack per channel. ``corpus/summary.json`` says what is in it: counts,
hours, licences, speakers, who is held out, what was left out and why, and a hash of the content.
"""
from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
import shutil
import sys
from typing import Any

from gesture_node.exceptions import GestureError
from gesture_node.types import Float32Array

from . import body, face
from .augment import load_noises
from .catalogue import Corpus, load_catalogues
from .corpus_summary import summarise
from .imports import import_corpus
from .layouts import folders_to_read, recognise
from .merge import CHANNELS, content_hash, merge_packs
from .pack import Take
from .problems import CatalogueError

COMPOSED = 'composed'
_BESIDE = ('body_idle_pose.npy', 'body_summary.json', 'face_summary.json')
"""What the builders write next to their packs."""
_NEEDED = {
    'body': ('gestures_smartbody', 'speech_speechocean762', 'speech_a2f_samples', 'noise_esc10'),
    'face': ('face_facegood', 'speech_speechocean762', 'noise_esc10')}


@dataclass(frozen=True, slots=True)
class CorpusOptions:
    """What a user may choose.

    Attributes:
        hours: composed body motion [h].
        seed: of everything drawn.
        keep_waveforms: also keep the sound, for other front ends.
        fresh: build every part again.
    """

    hours: float = body.DEFAULT_HOURS
    seed: int = 0
    keep_waveforms: bool = False
    fresh: bool = False


def build_corpus(data: Path, out: Path, options: CorpusOptions | None = None) -> dict[str, Any]:
    """Build the pack of a data folder and return its summary.

    Args:
        data: the user's data folder.
        out: the pack folder.
        options: None takes the defaults.

    Raises:
        CatalogueError: a catalogue is malformed, or there is nothing to pack.
    """
    options = options or CorpusOptions()
    if not data.is_dir():
        raise CatalogueError(f'data folder {data} does not exist')
    parts = out / 'parts'
    if options.fresh:
        shutil.rmtree(parts, ignore_errors=True)
    corpora, unknown = _corpora(data)
    built, problems = _composed(data, parts / COMPOSED, options)
    noises = load_noises(data) if (data / 'noise_esc10').is_dir() and corpora else []
    for corpus in corpora:
        skipped, packs = _recorded(corpus, parts / corpus.name, noises, options)
        problems |= skipped
        built += packs
    for name, reason in {**problems, **{sentence: '' for sentence in unknown}}.items():
        sys.stderr.write(f'left out: {name}{": " if reason else ""}{reason}\n')
    state = _state(built, [*problems.items(), *unknown])
    known = _known_summary(out, state)
    if known is not None:
        return known
    takes = {channel: merge_packs(built, out, channel) for channel in CHANNELS}
    if not any(takes.values()):
        raise CatalogueError(f'{data} holds nothing that can be packed; docs/corpora.md says how '
                             'a catalogue describes a corpus')
    for path in (part / name for part in built for name in _BESIDE):
        if path.is_file():
            _copy_aside(path, out)
    return _write_summary(out, takes, corpora, problems, unknown, options, state)


def _corpora(data: Path) -> tuple[list[Corpus], list[str]]:
    """Return the recorded corpora of a folder, and what was not recognised."""
    corpora, unknown = load_catalogues(data), []
    for folder in folders_to_read(data, corpora):
        found = recognise(folder)
        if isinstance(found, str):
            unknown.append(found)
        else:
            corpora.append(found)
    names = [corpus.name for corpus in corpora]
    for name in names:
        if names.count(name) > 1 or name == COMPOSED or '/' in name:
            raise CatalogueError(f'corpus name {name!r} is taken or not allowed; names must be '
                                 f'different, without /, and not {COMPOSED!r}')
    return corpora, unknown


def _composed(data: Path, folder: Path,
              options: CorpusOptions) -> tuple[list[Path], dict[str, str]]:
    """Build what this project composes, as far as the folder holds what it is made of."""
    problems: dict[str, str] = {}
    built: list[Path] = []
    for channel, needed in _NEEDED.items():
        missing = [name for name in needed if not (data / name).is_dir()]
        if missing:
            if len(missing) < len(needed):
                problems[f'{COMPOSED} {channel}'] = f'the data folder has no {missing[0]}'
            continue
        part = folder / channel
        record, key = part / 'part.json', _fingerprint(data, needed, options)
        known = json.loads(record.read_text(encoding='utf-8')) if record.is_file() else {}
        if known.get('key') != key:
            sys.stderr.write(f'{COMPOSED} {channel}:\n')
            _BUILDERS[channel](data, part, options)
            sys.stderr.write('\n')
            record.write_text(json.dumps({'key': key}), encoding='utf-8')
        built.append(part)
    return built, problems


def _build_body(data: Path, part: Path, options: CorpusOptions) -> None:
    body.build(data, part, options.hours, options.seed, options.keep_waveforms)


def _build_face(data: Path, part: Path, options: CorpusOptions) -> None:
    face.write_face_pack(data, part, options.seed, options.keep_waveforms)


_BUILDERS: dict[str, Callable[[Path, Path, CorpusOptions], None]] = {
    'body': _build_body, 'face': _build_face}


def _fingerprint(data: Path, folders: tuple[str, ...], options: CorpusOptions) -> str:
    digest = hashlib.sha256(repr((options.hours, options.seed, options.keep_waveforms)).encode())
    for name in folders:
        for path in sorted((data / name).rglob('*')):
            if path.is_file():
                digest.update(f'{path.relative_to(data).as_posix()} {path.stat().st_size}\n'
                              .encode())
    return digest.hexdigest()


def _recorded(corpus: Corpus, folder: Path, noises: list[Float32Array],
              options: CorpusOptions) -> tuple[dict[str, str], list[Path]]:
    """Import a corpus; one that cannot be used as a whole is a problem, not the end."""
    try:
        problems = import_corpus(corpus, folder, noises, options.seed, options.keep_waveforms)
    except GestureError as error:
        return {corpus.folder.name: str(error)}, []
    return problems, sorted(path for path in folder.iterdir() if path.is_dir())


def _state(built: list[Path], left_out: list[Any]) -> str:
    """Return a digest of what a summary follows from: parts, when they were written, problems."""
    digest = hashlib.sha256(repr(left_out).encode())
    for part in built:
        for path in sorted(part.glob('*_takes.json')):
            digest.update(f'{path} {path.stat().st_mtime_ns}\n'.encode() + path.read_bytes())
    return digest.hexdigest()


def _known_summary(out: Path, state: str) -> dict[str, Any] | None:
    """Return the summary of a pack that is already merged from the same parts."""
    path = out / 'summary.json'
    if not path.is_file():
        return None
    summary: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    present = all((out / f'{channel}_takes.json').is_file() for channel in summary['channels'])
    return summary if present and summary.get('parts_sha256') == state else None


def _copy_aside(path: Path, out: Path) -> None:
    """Copy a file into the pack folder in one step."""
    aside = out / 'cache' / path.name
    aside.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, aside)
    aside.replace(out / path.name)


def _write_summary(out: Path, takes: dict[str, list[Take]], corpora: list[Corpus],
                   problems: dict[str, str], unknown: list[str], options: CorpusOptions,
                   state: str) -> dict[str, Any]:
    summary = summarise(takes, corpora, problems)
    summary |= {'not_recognised': unknown, 'seed': options.seed,
                'content_sha256': content_hash(out), 'parts_sha256': state}
    path = out / 'cache' / 'summary.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary, indent=1, ensure_ascii=False), encoding='utf-8')
    path.replace(out / 'summary.json')
    return summary


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description='Pack a data folder for training.')
    parser.add_argument('--data', type=Path, required=True, help='folder of the corpora')
    parser.add_argument('--out', type=Path, default=Path('corpus'), help='pack folder')
    parser.add_argument('--hours', type=float, default=body.DEFAULT_HOURS,
                        help='composed body motion wanted [h]')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--keep-waveforms', action='store_true',
                        help='also keep the sound, for another front end (115 MB an hour)')
    parser.add_argument('--fresh', action='store_true', help='build every part again')
    args = parser.parse_args()
    try:
        summary = build_corpus(args.data, args.out, CorpusOptions(
            args.hours, args.seed, args.keep_waveforms, args.fresh))
    except GestureError as error:
        sys.stderr.write(f'{error}\n')
        raise SystemExit(2) from None
    print(json.dumps(summary, indent=1, ensure_ascii=False))


if __name__ == '__main__':
    main()
