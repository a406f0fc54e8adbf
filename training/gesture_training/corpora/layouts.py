"""Folders that need no catalogue: known layouts, and what is said about the others.

A layout tells formats and pairing; it cannot tell a licence, so the summary says that none was
stated. Whatever is wanted otherwise goes into a catalogue, which always wins.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
import re

from .catalogue import BodyFiles, Corpus, FaceFiles, MEASURE_ONLY, PhoneFiles, SpeakerRule

BUILDER_FOLDERS = ('face_facegood', 'gestures_smartbody', 'noise_esc10', 'speech_a2f_samples',
                   'speech_speechocean762')
"""What the composed channels are built of."""
UNUSED_FOLDERS = ('gestures_pepper', *MEASURE_ONLY)
"""Known, and not for a pack: motion of a robot, and speech for measuring."""
_NO_LICENCE = 'not stated (recognised as {})'
_SCAN_FILES = 20_000
_BEAT = re.compile(r'\d+_[a-z]+_\d+_\d+_\d+')
_ZEGGS = re.compile(r'\d{3}_[A-Z][a-z]+_\d+_(mirror_)?x_\d+_\d+')
_TRINITY = re.compile(r'(NaturalTalking|Recording|TestSeq)_?\d+')
_MESHES = re.compile(r'FaceTalk_\d+_\d+_TA_sentence\d+|[FM]\d_e?\d+')


def folders_to_read(data: Path, catalogued: Iterable[Corpus]) -> list[Path]:
    """Return the folders of ``data`` that neither a catalogue nor a builder speaks for."""
    taken = {corpus.folder.resolve() for corpus in catalogued}
    return [path for path in sorted(data.iterdir())
            if path.is_dir() and not path.name.startswith('.')
            and path.name not in (*BUILDER_FOLDERS, *UNUSED_FOLDERS)
            and not any(path.resolve() == folder or path.resolve() in folder.parents
                        for folder in taken)]


def recognise(folder: Path) -> Corpus | str:
    """Return the corpus that a folder holds, or a sentence why it is not recognised."""
    files = _scan(folder)
    stems: dict[str, list[str]] = {}
    for path in files:
        stems.setdefault(path.suffix.lower(), []).append(path.stem)
    if any(path.parent.name == 'smplxflame_30' for path in files):
        return _recorded(folder, 'beat2', r'(?:^|/)(\d+_[a-z]+)_\d+_\d+_\d+$',
                         audio='**/wave16k/*.wav',
                         body=BodyFiles('**/smplxflame_30/*.npz', 'smplx', 'smplx'))
    motion = stems.get('.bvh', [])
    if _match(_BEAT, motion):
        return _recorded(folder, 'beat', r'(?:^|/)(\d+_[a-z]+)_\d+_\d+_\d+$',
                         body=BodyFiles('**/*.bvh', 'bvh', 'beat'),
                         face=FaceFiles('**/*.json', 'arkit') if '.json' in stems else None,
                         phones=PhoneFiles('**/*.TextGrid') if '.textgrid' in stems else None)
    for name, pattern in (('zeggs', _ZEGGS), ('trinity', _TRINITY)):
        if _match(pattern, motion):
            return _recorded(folder, name, '', body=BodyFiles('**/*.bvh', 'bvh', name))
    tables = [path for path in files if path.suffix.lower() == '.csv']
    if tables and all(_is_live_link(path) for path in tables[:5]):
        return _recorded(folder, 'live_link', '', face=FaceFiles('**/*.csv', 'arkit'))
    if _match(_MESHES, stems.get('.npy', [])):
        return (f'{folder.name}: face meshes (VOCASET or BIWI) need a catalogue that names a '
                'blendshape basis')
    kinds = Counter(path.suffix.lower() or 'no suffix' for path in files)
    found = ', '.join(f'{count} {kind}' for kind, count in kinds.most_common(4)) or 'nothing'
    return f'{folder.name}: layout not recognised and no corpus.yaml in it ({found})'


def _recorded(folder: Path, layout: str, pattern: str, *, audio: str = '',
              body: BodyFiles | None = None, face: FaceFiles | None = None,
              phones: PhoneFiles | None = None) -> Corpus:
    speaker = SpeakerRule(pattern=pattern) if pattern else SpeakerRule(name=folder.name)
    return Corpus(folder.name, folder, _NO_LICENCE.format(layout), speaker, audio=audio, body=body,
                  face=face, phones=phones, style=layout, recognised=True)


def _scan(folder: Path) -> list[Path]:
    """Return files in it and below, at most some thousands."""
    found = []
    for path in sorted(folder.rglob('*')):
        if path.is_file() and not path.name.startswith('.'):
            found.append(path)
            if len(found) >= _SCAN_FILES:
                break
    return found


def _match(pattern: re.Pattern[str], stems: list[str]) -> bool:
    """Return whether most of the names follow a pattern."""
    return bool(stems) and 2 * sum(bool(pattern.fullmatch(s)) for s in stems) > len(stems)


def _is_live_link(path: Path) -> bool:
    try:
        with open(path, encoding='utf-8-sig') as file:
            return file.readline().lower().startswith('timecode,blendshapecount')
    except (OSError, UnicodeDecodeError):
        return False
