"""The speech that is measured on: none of it was heard in training. Loaded once a process."""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gesture_node.audio.features import waveform_features
from gesture_node.measures.accents import find_accents
from gesture_node.measures.mouth import PhoneInterval
from gesture_node.timeline import SAMPLE_RATE_HZ

from ..corpora.augment import add_noise, load_noises
from ..corpora.emodb import LabelledUtterance, load_emodb
from ..corpora.phones import CLOSURES, PhoneClass, Segment, VOWELS
from ..corpora.speech import join_take, list_utterances, plan_takes, SpeechTake
from ..corpora.splits import held_out_speakers

_PAUSE_S = 0.3


@dataclass(frozen=True, slots=True)
class BodyTake:
    """Speech of a held-out speaker and what is measured on it."""

    speech: SpeechTake
    features: NDArray[np.float32]
    accents_s: NDArray[np.float64]

    @property
    def frames(self) -> int:
        """Body frames of the take."""
        return len(self.features) // 2


@dataclass(frozen=True, slots=True)
class LabelledSpeech:
    """Speech with phones for the mouth measures and for the teacher."""

    name: str
    waveform: NDArray[np.float32]
    intervals: list[PhoneInterval]
    segments: list[Segment]


@lru_cache(maxsize=2)
def held_out_takes(data: Path, limit: int, seed: int = 0) -> list[BodyTake]:
    """Return takes of 20 to 60 s of speechocean762 speakers that are never trained on."""
    rng = np.random.default_rng(seed)
    utterances = [u for u in list_utterances(data) if u.source == 'speechocean762']
    speakers = held_out_speakers([u.speaker for u in utterances])
    plans = plan_takes([u for u in utterances if u.speaker in speakers], rng)
    chosen = [plans[i] for i in rng.permutation(len(plans))[:limit]]
    takes = []
    for number, plan in enumerate(chosen):
        speech = join_take(plan, f'held_out_{number}', rng)
        features = waveform_features(speech.waveform)
        takes.append(BodyTake(speech, features, find_accents(features).onsets_s))
    return takes


@lru_cache(maxsize=1)
def emodb(data: Path) -> list[LabelledUtterance]:
    """Return the Emo-DB utterances that have manual phone labels."""
    return load_emodb(data)


@lru_cache(maxsize=1)
def labelled_speech(data: Path) -> list[LabelledSpeech]:
    """Return the Emo-DB utterances as the lip sections want them."""
    return [LabelledSpeech(u.name, u.waveform, u.intervals(), u.segments()) for u in emodb(data)]


def intervals_of(segments: list[Segment]) -> list[PhoneInterval]:
    """Return phones of the teacher as the mouth measures want them."""
    kinds = {PhoneClass.SIL: 'silence', **dict.fromkeys(CLOSURES, 'closure'),
             **dict.fromkeys(VOWELS, 'vowel')}
    return [PhoneInterval(s.start_s, s.end_s, kinds.get(s.phone, 'other')) for s in segments]


def in_noise(speech: list[LabelledSpeech], data: Path, snr_db: float,
             rng: np.random.Generator) -> list[LabelledSpeech]:
    """Return the same speech with environmental sounds of ``noise_esc10`` added."""
    noises = load_noises(data)
    return [LabelledSpeech(s.name, add_noise(s.waveform, noises[int(rng.integers(len(noises)))],
                                             snr_db, rng), s.intervals, s.segments)
            for s in speech]


def joined(speech: list[LabelledSpeech], name: str) -> LabelledSpeech:
    """Return utterances one directly after the other, with the phones of all."""
    intervals: list[PhoneInterval] = []
    segments: list[Segment] = []
    start = 0
    for one in speech:
        shift_s = start / SAMPLE_RATE_HZ
        intervals += [PhoneInterval(i.start_s + shift_s, i.end_s + shift_s, i.kind)
                      for i in one.intervals]
        segments += [Segment(s.start_s + shift_s, s.end_s + shift_s, s.phone, s.stress)
                     for s in one.segments]
        start += len(one.waveform)
    return LabelledSpeech(name, np.concatenate([s.waveform for s in speech]), intervals, segments)


def renditions(utterances: list[LabelledUtterance], emotions: dict[str, tuple[str, ...]],
               least_s: float) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Return, per speaker, the same sentences in the same order in two or more manners.

    Args:
        utterances: of Emo-DB; characters three to five of a name are the sentence.
        emotions: per manner the emotions that count as it.
        least_s: sentences are said again until a rendition is this long.

    Returns:
        ``{speaker: {manner: waveform}}`` of all speakers that have a sentence in every manner.
    """
    found: dict[str, dict[str, NDArray[np.float32]]] = {}
    for speaker in sorted({u.speaker for u in utterances}):
        said = {manner: _by_sentence(utterances, speaker, names)
                for manner, names in emotions.items()}
        common = sorted(set.intersection(*(set(one) for one in said.values())))
        if not common:
            continue
        rounds = max(len(takes) for one in said.values() for takes in one.values())
        order = [(sentence, number) for number in range(rounds * 20) for sentence in common]
        seconds = len(said[next(iter(said))][common[0]][0]) / SAMPLE_RATE_HZ + _PAUSE_S
        wanted = order[:int(np.ceil(least_s / seconds))]
        found[speaker] = {manner: _strung([one[sentence][number % len(one[sentence])]
                                           for sentence, number in wanted])
                          for manner, one in said.items()}
    return found


def _by_sentence(utterances: list[LabelledUtterance], speaker: str,
                 emotions: tuple[str, ...]) -> dict[str, list[NDArray[np.float32]]]:
    said: dict[str, list[NDArray[np.float32]]] = {}
    for one in utterances:
        if one.speaker == speaker and one.emotion in emotions:
            said.setdefault(one.name[2:5], []).append(one.waveform)
    return said


def _strung(waveforms: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    pause = np.zeros(int(_PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    return np.concatenate([part for waveform in waveforms for part in (waveform, pause)])
