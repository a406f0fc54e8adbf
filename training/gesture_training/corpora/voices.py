"""Synthesised speech of many languages with known phone times, strung into takes.

What is read stands in ``training/config/sentences.yaml``, who reads it in ``voices.yaml``. A
synthesiser that is not installed is left out, and named among the failures.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import yaml

from gesture_node.timeline import SAMPLE_RATE_HZ

from .phones import Segment
from .speechocean import SpokenTake, string_together
from .synthesisers import shared_espeak, speak_festival, speak_flite, Spoken, VoiceError

CONFIG = Path(__file__).parents[2] / 'config'
_SENTENCES_PER_TAKE = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """One voice that reads some sentences; ``speak`` draws tempo and pitch."""

    program: str
    voice: str
    sentences: list[str]
    speak: Callable[[str], Spoken]


@lru_cache(maxsize=2)
def _config(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CONFIG / name).read_text(encoding='utf-8'))
    return loaded


def _espeak_reading(voice: str, sentences: list[str], rng: np.random.Generator) -> Reading:
    words_per_minute, pitch = int(rng.integers(120, 200)), int(rng.integers(30, 70))
    pitch_range = int(rng.integers(35, 75))

    def speak(text: str) -> Spoken:
        return shared_espeak().speak(text, voice, words_per_minute, pitch, pitch_range)

    return Reading('espeak', voice, sentences, speak)


def _espeak_readings(rng: np.random.Generator, which: str = 'languages') -> Iterator[Reading]:
    settings, sentences = _config('voices.yaml')['espeak'], _config('sentences.yaml')
    for language, renditions in settings[which].items():
        texts = sentences.get(language, sentences['en-us'])
        for variant in rng.choice(settings['variants'], renditions, replace=False):
            yield _espeak_reading(f'{language}{variant}', list(texts), rng)


def _english_readings(rng: np.random.Generator) -> Iterator[Reading]:
    programs: dict[str, Callable[..., Spoken]] = {
        'flite': speak_flite, 'festival': speak_festival}
    for program, speak in programs.items():
        settings = _config('voices.yaml')[program]
        texts = list(_config('sentences.yaml')[settings['language']])
        for voice in settings['voices']:
            for stretch in (rng.uniform(0.85, 1.0), rng.uniform(1.0, 1.25)):
                yield Reading(program, voice, texts,
                              partial(speak, voice=voice, stretch=float(stretch)))


def correct_times(segments: list[Segment], delay_s: float, duration_s: float) -> list[Segment]:
    """Return segments moved by a constant, cut to the recording; empty ones are dropped."""
    moved = [replace(s, start_s=float(np.clip(s.start_s + delay_s, 0.0, duration_s)),
                     end_s=float(np.clip(s.end_s + delay_s, 0.0, duration_s))) for s in segments]
    return [s for s in moved if s.end_s > s.start_s]


def _speak_all(reading: Reading, texts: Iterable[str], delay_s: float,
               failures: dict[str, str]) -> Iterator[tuple[NDArray[np.float32], list[Segment]]]:
    for text in texts:
        try:
            spoken = reading.speak(str(text))
        except VoiceError as error:
            failures[f'{reading.program} {reading.voice}: {text}'] = str(error)
            continue
        duration_s = len(spoken.waveform) / SAMPLE_RATE_HZ
        yield spoken.waveform, correct_times(spoken.segments, delay_s, duration_s)


def _takes(readings: Iterable[Reading], rng: np.random.Generator,
           failures: dict[str, str]) -> Iterator[SpokenTake]:
    settings, counts = _config('voices.yaml'), dict[str, int]()
    for reading in readings:
        delay_s = settings['delays_s'][reading.program]
        texts = rng.permutation(reading.sentences)
        pieces = list(_speak_all(reading, texts, delay_s, failures))
        for first in range(0, len(pieces), _SENTENCES_PER_TAKE):
            number = counts[reading.voice] = counts.get(reading.voice, -1) + 1
            yield SpokenTake(
                f'{reading.program}-{reading.voice}-{number}', reading.program,
                f'{reading.program}-{reading.voice}', settings['licences'][reading.program],
                *string_together(pieces[first:first + _SENTENCES_PER_TAKE], rng))


def voice_takes(rng: np.random.Generator, failures: dict[str, str]) -> Iterator[SpokenTake]:
    """Yield takes of some six sentences by one synthesised voice, of languages to train on.

    Args:
        rng: draws voices, tempo, pitch, order and pauses.
        failures: filled with what could not be said, and why.
    """
    yield from _takes((*_espeak_readings(rng), *_english_readings(rng)), rng, failures)


def unseen_language_takes(rng: np.random.Generator) -> Iterator[SpokenTake]:
    """Yield takes of languages that no network is trained on, with exact phone times.

    Which languages: ``held_out`` of ``training/config/voices.yaml``. Without espeak-ng there are
    none, and one line says so.

    Args:
        rng: draws voices, tempo, pitch, order and pauses.
    """
    try:
        shared_espeak()
    except VoiceError as error:
        print(f'languages never trained on are left out: {error}')
        return
    failures: dict[str, str] = {}
    yield from _takes(_espeak_readings(rng, 'held_out'), rng, failures)
    for what, why in failures.items():
        print(f'left out: {what}: {why}')


def unseen_languages() -> tuple[str, ...]:
    """Return the espeak-ng names of the languages that no network is trained on."""
    return tuple(_config('voices.yaml')['espeak']['held_out'])
