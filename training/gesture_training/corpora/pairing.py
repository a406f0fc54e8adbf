"""Which files of a corpus belong together, and who speaks in them."""
from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
import re

from .catalogue import Corpus
from .problems import CatalogueError
from .readers.audio import SUFFIXES

Problems = dict[str, str]
"""What was left out: path below the data folder, and why."""


@dataclass(frozen=True, slots=True)
class TakeFiles:
    """Files of one recording; ``key`` is what their names share.

    A recording has a sound and at least one of body, face and, for the teacher, phones.
    """

    key: str
    speaker: str
    audio: Path
    body: Path | None = None
    face: Path | None = None
    phones: Path | None = None


def find_takes(corpus: Corpus, problems: Problems) -> list[TakeFiles]:
    """Return the recordings of a corpus, sorted by key.

    Args:
        corpus: the catalogue's entry.
        problems: filled with files that stand alone, and why.

    Raises:
        CatalogueError: the table of speakers cannot be read.
    """
    speakers = _speaker_table(corpus)
    sounds = _index(corpus, _audio_files(corpus), problems)
    taught = corpus.face is not None and corpus.face.format == 'teacher'
    parts = {
        'body': _index(corpus, _glob(corpus, corpus.body.files if corpus.body else ''), problems),
        'face': _index(corpus, _glob(corpus, '' if taught or corpus.face is None
                                     else corpus.face.files), problems),
        'phones': _index(corpus, _glob(corpus, corpus.phones.files if corpus.phones else ''),
                         problems)}
    moving = set(parts['body']) | set(parts['face']) | (set(parts['phones']) if taught else set())
    for name, files in parts.items():
        for key in sorted(set(files) - set(sounds)):
            problems[file_label(corpus, files[key])] = f'no sound belongs to this {name}'
    for key in sorted(set(sounds) - moving):
        problems[file_label(corpus, sounds[key])] = 'no motion belongs to this sound'
    takes = []
    for key in sorted(set(sounds) & moving):
        speaker = _speaker(corpus, sounds[key], key, speakers)
        if speaker is None:
            problems[file_label(corpus, sounds[key])] = 'the catalogue does not tell its speaker'
            continue
        takes.append(TakeFiles(key, f'{corpus.name}-{speaker}', sounds[key],
                               **{name: files.get(key) for name, files in parts.items()}))
    return takes


def file_label(corpus: Corpus, path: Path) -> str:
    """Return the path of a file as problems name it: from the corpus' folder on."""
    return f'{corpus.folder.name}/{path.relative_to(corpus.folder).as_posix()}'


def _glob(corpus: Corpus, pattern: str) -> list[Path]:
    if not pattern:
        return []
    return sorted(p for p in corpus.folder.glob(pattern)
                  if p.is_file() and not p.name.startswith('.'))


def _audio_files(corpus: Corpus) -> list[Path]:
    found = _glob(corpus, corpus.audio or '**/*')
    return [path for path in found if corpus.audio or path.suffix.lower() in SUFFIXES]


def _index(corpus: Corpus, files: list[Path], problems: Problems) -> dict[str, Path]:
    """Return files by their key; a second one with the same key is a problem."""
    found: dict[str, Path] = {}
    for path in files:
        stem = re.sub(corpus.strip, '', path.stem) if corpus.strip else path.stem
        key = f'{path.parent.name}/{stem}' if corpus.pair_by == 'folder' else stem
        if key in found:
            problems[file_label(corpus, path)] = (
                f'{file_label(corpus, found[key])} has the same name (pair_by: folder tells them '
                'apart)')
        else:
            found[key] = path
    return found


def _speaker(corpus: Corpus, path: Path, key: str, table: dict[str, str]) -> str | None:
    rule = corpus.speaker
    if rule.name:
        return rule.name
    if rule.table:
        return table.get(key) or table.get(path.stem)
    match = re.search(rule.pattern,
                      path.relative_to(corpus.folder).with_suffix('').as_posix())
    return match[1] if match else None


def _speaker_table(corpus: Corpus) -> dict[str, str]:
    """Return speakers by stem of a corpus whose table names them."""
    rule = corpus.speaker
    if not rule.table:
        return {}
    path = corpus.folder / rule.table
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            rows = list(csv.DictReader(file))
        named = [(row[rule.key].strip(), row[rule.column].strip()) for row in rows]
        return {Path(take).stem: speaker for take, speaker in named} | dict(named)
    except (OSError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CatalogueError(f'corpus {corpus.name!r}: speakers cannot be read from {path} '
                             f'({type(error).__name__}: {error})') from None
