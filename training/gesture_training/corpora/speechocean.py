"""speechocean762 (adult part): English read by Mandarin speakers, strung into aligned takes."""
from __future__ import annotations

from collections.abc import Iterator
import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import soundfile

from gesture_node.timeline import SAMPLE_RATE_HZ

from .acoustic_check import disagreement, snap_closures
from .align import (
    AlignedPhone,
    AlignmentCache,
    AlignmentError,
    hurried_share,
    PhoneAligner,
    to_segments,
)
from .phones import Segment

LICENCE = 'speechocean762: free, commercial use included'
_MAX_HURRIED = 0.5
_FUNCTION_WORDS = frozenset((
    'A', 'AN', 'AND', 'ARE', 'AS', 'AT', 'BE', 'BUT', 'BY', 'CAN', 'COULD', 'DO', 'FOR', 'FROM',
    'HAD', 'HAS', 'HAVE', 'HE', 'HER', 'HIM', 'HIS', 'I', 'IN', 'IS', 'IT', 'ITS', 'MY', 'OF',
    'ON', 'OR', 'SHALL', 'SHE', 'SHOULD', 'SO', 'SOME', 'THAN', 'THAT', 'THE', 'THEM', 'THEY',
    'TO', 'US', 'WAS', 'WE', 'WERE', 'WHO', 'WILL', 'WITH', 'WOULD', 'YOU', 'YOUR'))


@dataclass(frozen=True, slots=True)
class SpokenTake:
    """Speech with phones in time: what the teacher turns into a face.

    Attributes:
        name: unique name.
        source, speaker, licence: where it comes from.
        waveform: shape (n,), float32, 16 kHz.
        segments: phones in time order.
    """

    name: str
    source: str
    speaker: str
    licence: str
    waveform: NDArray[np.float32]
    segments: list[Segment]


def _rows_by_speaker(folder: Path) -> dict[str, list[dict[str, str]]]:
    rows: dict[str, list[dict[str, str]]] = {}
    with open(folder / 'utterances.csv', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            rows.setdefault(row['speaker'], []).append(row)
    return rows


def _align(rows: list[dict[str, str]], folder: Path, aligner: PhoneAligner,
           failures: dict[str, str]) -> dict[str, list[AlignedPhone]]:
    aligned = {}
    for row in rows:
        words = [word.split() for word in row['canonical_phones'].split('|')]
        waveform, _ = soundfile.read(folder / row['audio'], dtype='float32')
        try:
            aligned[row['utterance']] = aligner.align(waveform, words)
        except AlignmentError as error:
            failures[row['utterance']] = str(error)
    return aligned


def stress_words(phones: list[AlignedPhone], text: str, canonical: str) -> list[AlignedPhone]:
    """Return phones with the stress of short content words unmarked instead of absent.

    The corpus marks most words of one syllable as unstressed, ``S P IY0 K``; only function words
    are spoken like that.

    Args:
        phones: of the whole utterance, in order.
        text: its words.
        canonical: their phones, words separated by ``|``.
    """
    labels = [word.split() for word in canonical.split('|')]
    words = text.split()
    if len(words) != len(labels) or sum(map(len, labels)) != len(phones):
        return phones
    marked: list[AlignedPhone] = []
    for word, sounds in zip(words, labels):
        piece = phones[len(marked):len(marked) + len(sounds)]
        stresses = [sound[-1] for sound in sounds if sound[-1].isdigit()]
        if stresses == ['0'] and word.upper() not in _FUNCTION_WORDS:
            piece = [replace(phone, label=phone.label.rstrip('0')) for phone in piece]
        marked += piece
    return marked


def _checked(row: dict[str, str], phones: list[AlignedPhone], folder: Path,
             failures: dict[str, str]) -> tuple[NDArray[np.float32], list[Segment]] | None:
    """Return sound and phones of an utterance, or None, and why, where they do not agree."""
    if hurried_share(phones) > _MAX_HURRIED:
        failures[row['utterance']] = 'alignment implausible'
        return None
    audio, _ = soundfile.read(folder / row['audio'], dtype='float32')
    segments = to_segments(stress_words(phones, row['text'], row['canonical_phones']))
    segments = snap_closures(segments, audio)
    reason = disagreement(segments, audio)
    if reason:
        failures[row['utterance']] = reason
        return None
    return audio, segments


def string_together(pieces: list[tuple[NDArray[np.float32], list[Segment]]],
                    rng: np.random.Generator) -> tuple[NDArray[np.float32], list[Segment]]:
    """Return utterances one after the other, with quiet pauses of 0.2 to 1.5 s around them."""
    quiet = [float(np.percentile(np.abs(audio), 20.0)) for audio, _ in pieces]
    level = float(np.median(quiet)) if rng.random() < 0.7 else 0.0

    def pause() -> NDArray[np.float32]:
        count = int(SAMPLE_RATE_HZ * rng.uniform(0.2, 1.5))
        return (rng.standard_normal(count) * level).astype(np.float32)

    parts, segments = [pause()], []
    length = len(parts[0])
    for audio, phones in pieces:
        shift = length / SAMPLE_RATE_HZ
        segments += [replace(s, start_s=s.start_s + shift, end_s=s.end_s + shift) for s in phones]
        parts += [audio, pause()]
        length += len(audio) + len(parts[-1])
    return np.concatenate(parts), segments


def speechocean_takes(data: Path, cache: Path, rng: np.random.Generator,
                      failures: dict[str, str]) -> Iterator[SpokenTake]:
    """Yield takes of 10 to 30 s, one speaker each.

    Args:
        data: folder that holds ``speech_speechocean762``.
        cache: folder for alignments.
        rng: draws pauses and lengths.
        failures: filled with utterances left out and why.
    """
    folder = data / 'speech_speechocean762'
    aligner, store = PhoneAligner(), AlignmentCache(cache)
    for speaker, rows in sorted(_rows_by_speaker(folder).items()):
        aligned = store.load(speaker)
        if aligned is None:
            aligned = _align(rows, folder, aligner, failures)
            store.save(speaker, aligned)
        pieces: list[tuple[NDArray[np.float32], list[Segment]]] = []
        length_s, number = 0.0, 0
        target_s = rng.uniform(10.0, 25.0)
        for row in rows:
            phones = aligned.get(row['utterance'])
            if phones is None:
                failures.setdefault(row['utterance'], 'not aligned')
            elif piece := _checked(row, phones, folder, failures):
                pieces.append(piece)
                length_s += len(piece[0]) / SAMPLE_RATE_HZ + 0.8
            if pieces and (length_s >= target_s or row is rows[-1]):
                yield SpokenTake(f'speechocean762-{speaker}-{number}', 'speechocean762', speaker,
                                 LICENCE, *string_together(pieces, rng))
                pieces, length_s, number = [], 0.0, number + 1
                target_s = rng.uniform(10.0, 25.0)
