"""The catalogue: what a user's data folder holds, and how its files belong together.

``DATA/corpora.yaml`` lists corpora under ``corpora``; ``DATA/<folder>/corpus.yaml`` describes that
folder alone. Every key and a worked example: ``docs/corpora.md``.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
import re
from typing import Any

import yaml

from .problems import CatalogueError
from .readers.arkit import HEAD_UNITS_RAD
from .readers.phones import PHONE_SETS
from .readers.smplx import HANDS

BODY_FORMATS = ('bvh', 'smplx')
FACE_FORMATS = ('arkit', 'vertices', 'teacher')
UPPER_FACES = ('recorded', 'sampled')
PAIRINGS = ('stem', 'folder')
MEASURE_ONLY = ('speech_emodb',)
"""Folders whose material is for measuring and never enters a pack."""


@dataclass(frozen=True, slots=True)
class BodyFiles:
    """Body motion of a corpus.

    Attributes:
        files: glob below the folder.
        format: one of ``BODY_FORMATS``.
        skeleton: name or path of the joint map.
        hands: what zero means for SMPL-X hands.
        heading_s: time constant of the pelvis' heading [s].
        offset_s: when the motion starts, after the sound [s]; negative: before.
    """

    files: str
    format: str
    skeleton: str
    hands: str = 'relaxed'
    heading_s: float = 3.0
    offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FaceFiles:
    """Face motion of a corpus.

    Attributes:
        files: glob below the folder; not used by ``teacher``.
        format: one of ``FACE_FORMATS``; ``teacher`` articulates the phones.
        upper_face: whether lids, gaze and brows were recorded or have to be sampled.
        scale: factor on ARKit weights.
        head_unit: unit of head angles.
        fps: frames per second of vertices, which do not say it themselves.
        basis: blendshapes of the mesh, path below the folder.
        neutral: face at rest per speaker, path below the folder with ``{speaker}``; empty takes
            that of the basis.
        offset_s: when the motion starts, after the sound [s]; negative: before.
    """

    files: str
    format: str
    upper_face: str = 'recorded'
    scale: float = 1.0
    head_unit: str = 'half_turn'
    fps: float = 0.0
    basis: str = ''
    neutral: str = ''
    offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PhoneFiles:
    """Phone times of a corpus: glob, phone set, and tier of the TextGrid (None: found)."""

    files: str
    set: str = 'arpabet'
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class SpeakerRule:
    """Where a recording's speaker is written: exactly one of the three ways.

    Attributes:
        pattern: regular expression searched in the path without its suffix, one group.
        name: the same for all.
        table: CSV below the folder, whose column ``key`` holds stems and ``column`` speakers.
    """

    pattern: str = ''
    name: str = ''
    table: str = ''
    key: str = ''
    column: str = ''


@dataclass(frozen=True, slots=True)
class Corpus:
    """One entry of a catalogue; see ``docs/corpora.md``."""

    name: str
    folder: Path
    licence: str
    speaker: SpeakerRule
    audio: str = ''
    body: BodyFiles | None = None
    face: FaceFiles | None = None
    phones: PhoneFiles | None = None
    style: str = ''
    held_out: tuple[str, ...] | None = None
    pair_by: str = 'stem'
    strip: str = ''
    copies: int = 2
    mirror: bool = True
    recognised: bool = field(default=False, compare=False)


_PARTS: dict[str, type] = {'body': BodyFiles, 'face': FaceFiles, 'phones': PhoneFiles,
                           'speaker': SpeakerRule}
_CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ('body', 'format'): BODY_FORMATS, ('body', 'hands'): HANDS,
    ('face', 'format'): FACE_FORMATS, ('face', 'upper_face'): UPPER_FACES,
    ('face', 'head_unit'): tuple(HEAD_UNITS_RAD), ('phones', 'set'): PHONE_SETS,
    ('', 'pair_by'): PAIRINGS}


def load_catalogues(data: Path) -> list[Corpus]:
    """Return every corpus that catalogues in a data folder describe, sorted by name.

    Raises:
        CatalogueError: a catalogue is malformed, or two corpora have one name.
    """
    corpora: list[Corpus] = []
    main = data / 'corpora.yaml'
    if main.is_file():
        entries = _load(main).get('corpora')
        if not isinstance(entries, list):
            raise CatalogueError(f'{main} must hold a list under corpora')
        for entry in entries:
            if not isinstance(entry, dict) or 'folder' not in entry:
                raise CatalogueError(f'{main}: every corpus needs a folder, got {entry!r}')
            corpora.append(parse_corpus(entry, data / str(entry['folder']), main))
    for path in sorted(data.glob('*/corpus.yaml')):
        corpora.append(parse_corpus(_load(path), path.parent, path))
    names = [corpus.name for corpus in corpora]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise CatalogueError(f'two corpora of {data} are named {twice[0]!r}')
    return sorted(corpora, key=lambda corpus: corpus.name)


def _load(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogueError(f'{path} cannot be read: {error}') from None
    if not isinstance(loaded, dict):
        raise CatalogueError(f'{path} must hold a mapping')
    return loaded


def parse_corpus(entry: dict[str, Any], folder: Path, where: Path) -> Corpus:
    """Return the corpus that an entry of a catalogue describes.

    Args:
        entry: the mapping of the entry.
        folder: where its files lie.
        where: the catalogue, for messages.

    Raises:
        CatalogueError: naming the key that is missing, unknown or out of range.
    """
    label = f'{where}: corpus {entry.get("name", folder.name)!r}'
    values = dict(entry)
    values.pop('folder', None)
    for part, kind in _PARTS.items():
        if part in values:
            values[part] = _build(kind, values[part], part, label)
    if 'held_out' in values:
        held_out = values.pop('held_out')
        if isinstance(held_out, list):
            values['held_out'] = tuple(str(speaker) for speaker in held_out)
        elif held_out != 'rule':
            raise CatalogueError(f'{label}: held_out must be rule or a list of speakers, '
                                 f'got {held_out!r}')
    values.setdefault('name', folder.name)
    values['folder'] = folder
    corpus: Corpus = _build(Corpus, values, '', label)
    _check(corpus, label)
    return corpus


def _build(kind: type, values: Any, part: str, label: str) -> Any:
    """Return a dataclass from a mapping, its types, choices and keys checked."""
    inside = f'{label}, {part}' if part else label
    if not isinstance(values, dict):
        raise CatalogueError(f'{inside} must be a mapping, got {values!r}')
    allowed = {f.name: f for f in kind.__dataclass_fields__.values() if f.name != 'recognised'}
    for key, value in values.items():
        if key not in allowed:
            raise CatalogueError(f'{inside}: unknown key {key!r}; allowed are '
                                 f'{", ".join(sorted(allowed))}')
        choices = _CHOICES.get((part, key))
        if choices and value not in choices:
            raise CatalogueError(f'{inside}: {key} must be one of {", ".join(choices)}, '
                                 f'got {value!r}')
        wanted = {'str': str, 'float': (int, float), 'int': int, 'bool': bool}.get(
            str(allowed[key].type))
        if wanted and (not isinstance(value, wanted)
                       or isinstance(value, bool) != (wanted is bool)):
            raise CatalogueError(f'{inside}: {key} must be a {allowed[key].type}, got {value!r}')
    try:
        return kind(**values)
    except TypeError as error:
        missing = str(error).partition(': ')[2] or str(error)
        raise CatalogueError(f'{inside} lacks {missing}') from None


def _check(corpus: Corpus, label: str) -> None:
    speaker, face = corpus.speaker, corpus.face
    if not corpus.folder.is_dir():
        raise CatalogueError(f'{label}: folder {corpus.folder} does not exist')
    if corpus.folder.name in MEASURE_ONLY:
        raise CatalogueError(f'{label}: {corpus.folder.name} is for measuring and must not be '
                             'trained on')
    if not corpus.licence.strip():
        raise CatalogueError(f'{label}: licence must not be empty; say "unknown" where it is')
    if sum(bool(v) for v in (speaker.pattern, speaker.name, speaker.table)) != 1 or (
            speaker.table and not (speaker.key and speaker.column)):
        raise CatalogueError(f'{label}: speaker needs a pattern, or a name, or a table with key '
                             'and column')
    for key, pattern in (('speaker pattern', speaker.pattern), ('strip', corpus.strip)):
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise CatalogueError(f'{label}: {key} {pattern!r} is no regular expression '
                                 f'({error})') from None
        if key != 'strip' and pattern and groups != 1:
            raise CatalogueError(f'{label}: {key} {pattern!r} needs exactly one group')
    if corpus.body is None and face is None:
        raise CatalogueError(f'{label} names neither body nor face')
    if face is not None and face.format == 'vertices' and not (face.basis and face.fps > 0.0):
        raise CatalogueError(f'{label}: vertices need a basis and fps')
    if face is not None and face.format == 'teacher' and corpus.phones is None:
        raise CatalogueError(f'{label}: a face by the teacher needs phones')
    if corpus.copies < 1:
        raise CatalogueError(f'{label}: copies must be at least 1, got {corpus.copies}')
