"""Emo-DB: German acted speech with manual phone times. For measuring only, never in a pack.

Run as a script it prints the ceiling (the teacher driven by the manual phones) and the floor
(loudness as jaw) of the mouth measures::

    python -m gesture_training.corpora.emodb --data DATA
"""
from __future__ import annotations

import argparse
from collections.abc import Collection
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import soundfile

from gesture_node.measures.mouth import mouth_aperture, PhoneInterval, score_mouth
from gesture_node.timeline import FACE_RATE_HZ

from .coarticulation import articulate
from .phones import CLOSURES, PhoneClass, sampa_classes, Segment, spread, VOWELS
from .textgrid import Interval, read_textgrid


@dataclass(frozen=True, slots=True)
class LabelledUtterance:
    """One recording with manual phone times.

    Attributes:
        name: utterance name; speaker and emotion as in the corpus.
        waveform: shape (n,), float32, 16 kHz.
        phones: manual intervals; an empty label is silence.
    """

    name: str
    speaker: str
    emotion: str
    waveform: NDArray[np.float32]
    phones: list[Interval]

    def segments(self) -> list[Segment]:
        """Return the phones as visual classes (diphthongs as two segments)."""
        return [piece for phone in self.phones for piece in
                spread(phone.start_s, phone.end_s, sampa_classes(phone.label))]

    def intervals(self) -> list[PhoneInterval]:
        """Return the phones as the mouth measures want them."""
        return [PhoneInterval(p.start_s, p.end_s, _kind(p.label)) for p in self.phones]


def _kind(label: str) -> str:
    first = sampa_classes(label)[0]
    if first == PhoneClass.SIL:
        return 'silence'
    if first in CLOSURES:
        return 'closure'
    return 'vowel' if first in VOWELS else 'other'


def load_emodb(data: Path, names: Collection[str] | None = None) -> list[LabelledUtterance]:
    """Return the utterances that have phone labels.

    Args:
        data: folder that holds ``speech_emodb``.
        names: utterances wanted; None for all.
    """
    folder = data / 'speech_emodb'
    utterances = []
    with open(folder / 'utterances.csv', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            wanted = names is None or row['utterance'] in names
            if row['has_phone_labels'] != 'yes' or not wanted:
                continue
            waveform, _ = soundfile.read(folder / row['audio'], dtype='float32')
            phones = read_textgrid(folder / row['textgrid'])['phones']
            utterances.append(LabelledUtterance(row['utterance'], row['speaker'], row['emotion'],
                                                waveform, phones))
    return utterances


def loudness_aperture(waveform: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the baseline that any lip sync must beat: the level of each 50 Hz frame as jaw."""
    frames = waveform[:len(waveform) // 320 * 320].reshape(-1, 320).astype(np.float64)
    return np.asarray(np.sqrt((frames ** 2).mean(axis=1)))


def main() -> None:
    """Print ceiling and floor of the mouth measures on Emo-DB."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--data', type=Path, required=True)
    utterances = load_emodb(parser.parse_args().data)
    teacher = [(mouth_aperture(articulate(u.segments(), u.waveform)), u.intervals())
               for u in utterances]
    floor = [(loudness_aperture(u.waveform), u.intervals()) for u in utterances]
    for name, recordings in (('teacher on manual phones', teacher), ('loudness as jaw', floor)):
        print(name, score_mouth(recordings, FACE_RATE_HZ))


if __name__ == '__main__':
    main()
