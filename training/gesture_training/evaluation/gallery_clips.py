"""Which clips the gallery shows: ten of speech that no bundle was trained on, with phone times.

Four takes of Emo-DB, each of another speaker and emotion (German, manual phone times); four
takes of held-out speakers of speechocean762 (English, aligned phone times); one synthetic take of
each of two languages that are held out (exact phone times).
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
import csv
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import soundfile

from gesture_node.audio.features import waveform_features
from gesture_node.measures.accents import voice_activity
from gesture_node.measures.mouth import PhoneInterval
from gesture_node.timeline import FEATURE_RATE_HZ, SAMPLE_RATE_HZ

from ..corpora.acoustic_check import disagreement, snap_closures
from ..corpora.align import AlignmentError, hurried_share, PhoneAligner, to_segments
from ..corpora.emodb import load_emodb
from ..corpora.phones import CLOSURES, PhoneClass, Segment, VOWELS
from ..corpora.speechocean import SpokenTake, stress_words, string_together
from ..corpora.splits import held_out_speakers
from ..corpora.voices import unseen_language_takes, unseen_languages
from ..exceptions import TrainingError

Wanted = Callable[[str], bool]
"""Whether the clip of a name is to be shown."""
EMOTIONS = ('anger', 'sadness', 'happiness', 'neutral')
"""Of the Emo-DB clips, in this order."""
READERS = 4
READ_S = 9.0
"""Speech in a joined take, pauses not counted."""
UTTERANCES = 3
"""Joined in an Emo-DB take."""
MOST_HURRIED = 0.5
"""Share of phones at the shortest length an alignment can give; beyond, it lost its way."""
MOST_UNLABELLED = 0.12
"""Share of the speech in which an alignment may mark no phone; more, and it slipped."""
_EDGE_S = 0.05
LONGEST_SYNTHETIC_S = 11.0


@dataclass(frozen=True, slots=True)
class GalleryClip:
    """Speech to be shown moving.

    Attributes:
        name: file name without ending.
        title: what it is, in words.
        waveform: shape (n,), float32, 16 kHz.
        segments: phones in time order; what lies between them is silence.
    """

    name: str
    title: str
    waveform: NDArray[np.float32]
    segments: list[Segment]

    @property
    def duration_s(self) -> float:
        """Length [s]."""
        return len(self.waveform) / SAMPLE_RATE_HZ

    def intervals(self) -> list[PhoneInterval]:
        """Return phones as the mouth measures want them."""
        kinds = {PhoneClass.SIL: 'silence', **dict.fromkeys(CLOSURES, 'closure'),
                 **dict.fromkeys(VOWELS, 'vowel')}
        return [PhoneInterval(s.start_s, s.end_s, kinds.get(s.phone, 'other'))
                for s in filled(self.segments, self.duration_s)]


def filled(segments: list[Segment], duration_s: float) -> list[Segment]:
    """Return segments with silence where there was nothing between, before and after them."""
    whole: list[Segment] = []
    at_s = 0.0
    for segment in [*segments, Segment(duration_s, duration_s, PhoneClass.SIL)]:
        if segment.start_s > at_s + 1e-3:
            whole.append(Segment(at_s, segment.start_s, PhoneClass.SIL, 0.0))
        if segment.end_s > segment.start_s:
            whole.append(segment)
        at_s = max(at_s, segment.end_s)
    return whole


def gallery_clips(data: Path, names: Collection[str] = ()) -> Iterator[GalleryClip]:
    """Yield the clips of the gallery; without espeak-ng the synthetic two are left out.

    The same ten each time: pauses and synthetic voices are drawn from a seed of their own.

    Args:
        data: corpora folder.
        names: clips wanted; empty for all. Only these are read.

    Raises:
        TrainingError: a corpus is missing or too small.
    """
    def wanted(name: str) -> bool:
        return not names or name in names

    yield from _acted(data, wanted)
    yield from _read(data, wanted)
    yield from _synthetic(wanted)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise TrainingError(f'the gallery needs {path}, which does not exist')
    with open(path, encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def _acted(data: Path, wanted: Wanted) -> Iterator[GalleryClip]:
    """Yield for every emotion utterances of one Emo-DB speaker, joined; each of another one.

    They are the utterances of most phones, by the speaker who has most in them.
    """
    rows = [row for row in _rows(data / 'speech_emodb' / 'utterances.csv')
            if row['has_phone_labels'] == 'yes']
    shown: set[str] = set()
    for number, emotion in enumerate(EMOTIONS):
        own = [row for row in rows if row['emotion'] == emotion and row['speaker'] not in shown]
        if not own:
            raise TrainingError(f'speech_emodb has no labelled utterance of {emotion} by a '
                                'speaker that the gallery does not show already')
        by_speaker = {row['speaker']: _longest(own, row['speaker']) for row in own}
        speaker = max(sorted(by_speaker),
                      key=lambda name: sum(int(row['phones']) for row in by_speaker[name]))
        shown.add(speaker)
        name = f'emodb_{emotion}_{speaker}'
        if wanted(name):
            utterances = load_emodb(data, [row['utterance'] for row in by_speaker[speaker]])
            yield GalleryClip(
                name, f'Emo-DB: German, acted {emotion}, speaker {speaker}, '
                + ' '.join(u.name for u in utterances), *string_together(
                    [(u.waveform, u.segments()) for u in utterances],
                    np.random.default_rng(number)))


def _longest(rows: list[dict[str, str]], speaker: str) -> list[dict[str, str]]:
    own = [row for row in rows if row['speaker'] == speaker]
    return sorted(own, key=lambda row: -int(row['phones']))[:UTTERANCES]


def _read(data: Path, wanted: Wanted) -> Iterator[GalleryClip]:
    """Yield joined takes of the most fluent of each quarter of the held-out speakers.

    Whoever spells the words out is aligned badly, and its marks would mislead.
    """
    folder = data / 'speech_speechocean762'
    rows = _rows(folder / 'utterances.csv')
    held_out = sorted(held_out_speakers([row['speaker'] for row in rows]))
    if len(held_out) < READERS:
        raise TrainingError(f'speech_speechocean762 has {len(held_out)} held-out speakers; the '
                            f'gallery needs {READERS}')
    for number, group in enumerate(np.array_split(held_out, READERS)):
        speaker = max(group.tolist(), key=lambda name: _phones_per_s(rows, name))
        name = f'reader_{speaker}'
        if not wanted(name):
            continue
        pieces = list(_aligned([row for row in rows if row['speaker'] == speaker], folder))
        if not pieces:
            raise TrainingError(f'no utterance of speechocean762 speaker {speaker} can be aligned')
        yield GalleryClip(name, f'speechocean762 {speaker}: English, read, speaker held out',
                          *string_together(pieces, np.random.default_rng(number)))


def _phones_per_s(rows: list[dict[str, str]], speaker: str) -> float:
    own = [row for row in rows if row['speaker'] == speaker]
    phones = sum(len(row['canonical_phones'].replace('|', ' ').split()) for row in own)
    return phones / sum(float(row['seconds']) for row in own)


def _aligned(rows: list[dict[str, str]], folder: Path
             ) -> Iterator[tuple[NDArray[np.float32], list[Segment]]]:
    """Yield sound and phones of utterances until they last long enough together.

    Those whose sound does not agree with the phones are left out: their closures would be marked
    where none was spoken.
    """
    aligner, held_s = PhoneAligner(), 0.0
    for row in rows:
        if held_s >= READ_S:
            return
        audio, _ = soundfile.read(folder / row['audio'], dtype='float32')
        words = [word.split() for word in row['canonical_phones'].split('|')]
        try:
            phones = aligner.align(audio, words)
        except AlignmentError:
            continue
        phones = stress_words(phones, row['text'], row['canonical_phones'])
        segments = snap_closures(to_segments(phones), audio)
        if (hurried_share(phones) > MOST_HURRIED or disagreement(segments, audio)
                or unlabelled_share(segments, audio) > MOST_UNLABELLED):
            continue
        held_s += len(audio) / SAMPLE_RATE_HZ
        yield audio, segments


def unlabelled_share(segments: list[Segment], audio: NDArray[np.float32]) -> float:
    """Return the share of what sounds like speech in which no phone is marked."""
    speaks = voice_activity(waveform_features(audio))
    times_s = (np.arange(len(speaks)) + 0.5) / FEATURE_RATE_HZ
    marked = np.zeros(len(speaks), dtype=bool)
    for s in segments:
        marked |= (times_s > s.start_s - _EDGE_S) & (times_s < s.end_s + _EDGE_S)
    return float((speaks & ~marked).sum() / max(int(speaks.sum()), 1))


def _synthetic(wanted: Wanted) -> Iterator[GalleryClip]:
    """Yield the first take of each held-out language, cut at a pause."""
    missing = [name for name in unseen_languages() if wanted(f'synthetic_{name}')]
    takes = unseen_language_takes(np.random.default_rng(0)) if missing else iter(())
    for take in takes:
        language = next((name for name in missing if take.speaker.startswith(f'espeak-{name}')),
                        None)
        if language is None:
            continue
        missing.remove(language)
        short = shortened(take, LONGEST_SYNTHETIC_S)
        yield GalleryClip(f'synthetic_{language}',
                          f'espeak-ng {language}: a language never trained on',
                          short.waveform, short.segments)
        if not missing:
            return


def shortened(take: SpokenTake, longest_s: float) -> SpokenTake:
    """Return a take cut in the last pause that begins before a time; whole if it is shorter.

    Args:
        take: what is cut.
        longest_s: where to cut at the latest [s].
    """
    if len(take.waveform) <= longest_s * SAMPLE_RATE_HZ:
        return take
    spoken = [s for s in take.segments if s.phone != PhoneClass.SIL]
    gaps = [(one.end_s, other.start_s) for one, other in zip(spoken, islice(spoken, 1, None))
            if other.start_s - one.end_s > 0.15 and one.end_s < longest_s - 0.1]
    end_s = min(gaps[-1][1], longest_s) if gaps else longest_s
    return replace(take, waveform=take.waveform[:round(end_s * SAMPLE_RATE_HZ)],
                   segments=[s for s in take.segments if s.end_s <= end_s])
