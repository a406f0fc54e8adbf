"""Forced alignment of read speech whose phones are known, with pocketsphinx.

Every phone is a word of its own in a grammar that allows exactly the canonical sequence, with a
pause between words where there is one. One Viterbi pass then gives the phone times directly, and
no utterance is lost to the two-pass aligner of pocketsphinx, which constrains its second pass to
the word times of its first and fails where those cannot hold all phones.
"""
from __future__ import annotations

from dataclasses import asdict, dataclass
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder

from gesture_node.timeline import SAMPLE_RATE_HZ

from .phones import arpabet_classes, arpabet_stress, Segment, spread

PHONES = (
    'AA', 'AE', 'AH', 'AO', 'AW', 'AY', 'B', 'CH', 'D', 'DH', 'EH', 'ER', 'EY', 'F', 'G', 'HH',
    'IH', 'IY', 'JH', 'K', 'L', 'M', 'N', 'NG', 'OW', 'OY', 'P', 'R', 'S', 'SH', 'T', 'TH', 'UH',
    'UW', 'V', 'W', 'Y', 'Z', 'ZH'
)
_PREFIX, _PAUSE = 'zz', 'zzsil'
_FRAME_S = 0.01
_OFFSET_S = 0.012
"""Added to frame times: a frame is 25.6 ms long and named by its first sample."""
_MIN_FRAMES = 3


@dataclass(frozen=True, slots=True)
class AlignedPhone:
    """One aligned phone: interval [s] and its ARPABET label with stress digit."""

    start_s: float
    end_s: float
    label: str


class AlignmentError(Exception):
    """An utterance could not be aligned; the message says why."""


class PhoneAligner:
    """Aligns canonical ARPABET phones to 16 kHz speech; utterances are independent."""

    def __init__(self) -> None:
        self._decoder = Decoder(
            lm=None, samprate=SAMPLE_RATE_HZ, loglevel='FATAL', fsgusefiller=False,
            fsgusealtpron=False, bestpath=False, beam=1e-100, pbeam=1e-100, wbeam=1e-100)
        for phone in PHONES:
            self._decoder.add_word(_PREFIX + phone.lower(), phone, False)
        self._decoder.add_word(_PAUSE, 'SIL', True)

    def align(self, waveform: NDArray[np.float32], words: list[list[str]]) -> list[AlignedPhone]:
        """Return the phones in time; what lies between them is silence.

        Args:
            waveform: shape (n,), float32, 16 kHz.
            words: per word its ARPABET phones with stress digits.

        Raises:
            AlignmentError: no path holds the whole sequence.
        """
        labels = [label for word in words for label in word]
        pause = f' [{_PAUSE}] '
        spoken = pause.join(' '.join(_PREFIX + label.rstrip('012').lower() for label in word)
                            for word in words)
        self._decoder.add_jsgf_string(
            'take', f'#JSGF V1.0;\ngrammar take;\npublic <take> ={pause}{spoken}{pause};\n')
        self._decoder.activate_search('take')
        scaled = waveform * (0.5 / max(float(np.abs(waveform).max()), 1e-4))
        self._decoder.start_utt()
        self._decoder.process_raw((scaled * 32767).astype(np.int16).tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = [s for s in (self._decoder.seg() or []) if s.word.startswith(_PREFIX)]
        found = [(s.start_frame, s.end_frame + 1) for s in found if s.word != _PAUSE]
        if len(found) != len(labels):
            raise AlignmentError(f'{len(found)} of {len(labels)} phones reached')
        return [AlignedPhone(round(first * _FRAME_S, 4),
                             round(end * _FRAME_S, 4), label)
                for (first, end), label in zip(found, labels)]


def hurried_share(phones: list[AlignedPhone]) -> float:
    """Return the share of phones at the shortest length a model can have: high where lost."""
    shortest = _MIN_FRAMES * _FRAME_S + 1e-3
    return float(np.mean([p.end_s - p.start_s < shortest for p in phones]))


def to_segments(phones: list[AlignedPhone]) -> list[Segment]:
    """Return aligned phones as visual segments (diphthongs as two)."""
    return [piece for p in phones
            for piece in spread(p.start_s + _OFFSET_S, p.end_s + _OFFSET_S,
                                arpabet_classes(p.label), arpabet_stress(p.label))]


class AlignmentCache:
    """Alignments of one corpus, kept as one JSON file per speaker.

    Args:
        folder: created when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def load(self, speaker: str) -> dict[str, list[AlignedPhone]] | None:
        """Return the alignments of a speaker by utterance, or None when not aligned yet."""
        path = self._folder / f'{speaker}.json'
        if not path.exists():
            return None
        stored = json.loads(path.read_text(encoding='utf-8'))
        return {name: [AlignedPhone(**phone) for phone in phones]
                for name, phones in stored.items()}

    def save(self, speaker: str, alignments: dict[str, list[AlignedPhone]]) -> None:
        """Store the alignments of a speaker; failed utterances are simply not in it."""
        stored = {name: [asdict(phone) for phone in phones]
                  for name, phones in alignments.items()}
        path = self._folder / f'{speaker}.json'
        path.write_text(json.dumps(stored), encoding='utf-8')
