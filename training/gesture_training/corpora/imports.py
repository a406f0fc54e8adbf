"""Recorded speech with body or face motion, read by a catalogue and packed.

The first copy in the pack is the recording as it is; further ones have augmented sound, and a
mirrored body every second time. Speakers that are held out are packed once, as they are.
"""
from __future__ import annotations

from collections.abc import Iterator
import hashlib
import json
from pathlib import Path
import shutil
import sys
import zlib

import numpy as np

from gesture_node.audio.features import waveform_features
from gesture_node.motion.face import LIP_INDEX
from gesture_node.motion.skeleton import mirror_pose
from gesture_node.timeline import SAMPLE_RATE_HZ
from gesture_node.types import Float32Array

from .accent_curve import accent_curve
from .augment import augment
from .catalogue import Corpus
from .coarticulation import frame_classes
from .pack import PackWriter
from .pairing import find_takes, Problems, TakeFiles
from .problems import CatalogueError
from .recordings import RecordedTake, TakeReader
from .splits import held_out_speakers
from .upper_face import join_face, sample_upper_face, speech_cues

PART_S = 7200.0
"""A part of the pack is written after this much sound, so that memory stays small."""


def held_out_of(corpus: Corpus, takes: list[TakeFiles]) -> set[str]:
    """Return the speakers of a corpus that are never trained on.

    Raises:
        CatalogueError: the catalogue names one who does not speak in the corpus.
    """
    prefix = f'{corpus.name}-'
    speakers = sorted({take.speaker.removeprefix(prefix) for take in takes})
    if corpus.held_out is None:
        return {prefix + speaker for speaker in held_out_speakers(speakers)}
    for speaker in corpus.held_out:
        if speaker not in speakers:
            raise CatalogueError(f'corpus {corpus.name!r}: held_out names {speaker!r}; speakers '
                                 f'are {", ".join(speakers)}')
    return {prefix + speaker for speaker in corpus.held_out}


class _Parts:
    """Writes packs of some hours each, so that memory stays small."""

    def __init__(self, folder: Path, keep_waveforms: bool) -> None:
        self._folder, self._keep = folder, keep_waveforms
        self._writers: dict[str, PackWriter] = {}
        self._held_s, self._count = 0.0, 0

    def writer(self, channel: str) -> PackWriter:
        if channel not in self._writers:
            self._writers[channel] = PackWriter(self._folder / f'{self._count:03d}', channel,
                                                self._keep)
        return self._writers[channel]

    def done(self, seconds: float) -> None:
        self._held_s += seconds
        if self._held_s >= PART_S:
            self.close()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.write()
        self._count += bool(self._writers)
        self._writers, self._held_s = {}, 0.0


def import_corpus(corpus: Corpus, folder: Path, noises: list[Float32Array], seed: int,
                  keep_waveforms: bool = False) -> Problems:
    """Read a corpus and write its packs into ``folder/000``, ``folder/001``, ...

    What was written before is kept where neither the files nor the entry changed.

    Args:
        corpus: the catalogue's entry.
        folder: of this corpus' packs, written anew as a whole.
        noises: for the augmentation of sound.
        seed: of every draw.
        keep_waveforms: also keep the sound, for other front ends.

    Returns:
        what was left out, and why.

    Raises:
        CatalogueError: the entry cannot be used.
    """
    problems: Problems = {}
    takes = find_takes(corpus, problems)
    key = _fingerprint(corpus, takes, seed, keep_waveforms, bool(noises))
    record = folder / 'part.json'
    if record.is_file():
        known = json.loads(record.read_text(encoding='utf-8'))
        if known['key'] == key:
            return dict(known['problems'])
    aside = folder.with_name(f'{folder.name}.new')
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    held_out = held_out_of(corpus, takes)
    parts, reader = _Parts(aside, keep_waveforms), TakeReader(corpus, problems)
    for number, files in enumerate(takes):
        sys.stderr.write(f'\r{corpus.name}: {number + 1}/{len(takes)} recordings')
        take = reader.read(files)
        if take is not None:
            split = 'held_out' if files.speaker in held_out else 'train'
            _add(parts, corpus, take, split, noises, seed)
    sys.stderr.write('\n')
    parts.close()
    (aside / 'part.json').write_text(json.dumps({'key': key, 'problems': problems}, indent=1),
                                     encoding='utf-8')
    shutil.rmtree(folder, ignore_errors=True)
    aside.replace(folder)
    return problems


def _fingerprint(corpus: Corpus, takes: list[TakeFiles], seed: int, *settings: bool) -> str:
    """Return a digest of everything that decides what a corpus' packs hold, but its bytes."""
    digest = hashlib.sha256(repr((corpus, seed, settings)).encode())
    for path in _all_files(corpus, takes):
        stat = path.stat()
        digest.update(repr((path.as_posix(), stat.st_size, stat.st_mtime_ns)).encode())
    return digest.hexdigest()


def _all_files(corpus: Corpus, takes: list[TakeFiles]) -> Iterator[Path]:
    for take in takes:
        yield from (p for p in (take.audio, take.body, take.face, take.phones) if p is not None)
    if corpus.face is not None and corpus.face.basis:
        yield from (p for p in [corpus.folder / corpus.face.basis] if p.is_file())


def _add(parts: _Parts, corpus: Corpus, take: RecordedTake, split: str,
         noises: list[Float32Array], seed: int) -> None:
    """Add all copies of a recording."""
    name = f'{corpus.name}-{take.files.key}'
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    clean = waveform_features(take.waveform)
    accents = accent_curve(clean)
    for copy in range(corpus.copies if split == 'train' else 1):
        heard = augment(take.waveform, rng, noises) if copy else take.waveform
        features = waveform_features(heard) if copy else clean
        variant = f'augmented-{copy}' if copy else 'clean'
        common = {'name': f'{name}/{variant}', 'source': corpus.name, 'split': split,
                  'speaker': take.files.speaker, 'licence': corpus.licence, 'variant': variant,
                  'accents': accents, 'waveform': heard}
        if take.poses is not None:
            mirrored = copy % 2 == 1 and corpus.mirror
            parts.writer('body').add(features, mirror_pose(take.poses) if mirrored else take.poses,
                                     style=corpus.style or corpus.name, **common)
        if take.weights is not None:
            face = _whole_face(corpus, take.weights, clean, rng)
            classes = None if take.segments is None else frame_classes(take.segments, len(face))
            parts.writer('face').add(features, face, phones=classes,
                                     style=_face_style(corpus), **common)
    parts.done(len(take.waveform) / SAMPLE_RATE_HZ)


def _face_style(corpus: Corpus) -> str:
    taught = corpus.face is not None and corpus.face.format == 'teacher'
    return 'composed' if taught else corpus.style or corpus.name


def _whole_face(corpus: Corpus, weights: Float32Array, clean: Float32Array,
                rng: np.random.Generator) -> Float32Array:
    """Return lips as recorded, and the upper face as recorded or sampled."""
    rule = corpus.face
    if rule is not None and rule.upper_face == 'recorded' and rule.format != 'teacher':
        return weights
    lips = np.zeros_like(weights)
    lips[:, LIP_INDEX] = weights[:, LIP_INDEX]
    return join_face(lips, sample_upper_face(speech_cues(clean), len(weights), rng))
