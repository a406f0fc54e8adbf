"""Speech synthesisers that say when each phone sounds: espeak-ng, flite, festival.

Each returns sound as it comes and phone times as the program reports them, corrected by a
constant measured against the sound; see docs/face_teacher.md.
"""
from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import lru_cache
import os
from pathlib import Path
import re
import subprocess
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray
import soundfile
import soxr

from gesture_node.timeline import SAMPLE_RATE_HZ

from .phones import arpabet_classes, ipa_classes, Segment, spread

Waveform = NDArray[np.float32]


class VoiceError(Exception):
    """A synthesiser is missing or said nothing; the message says which."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A synthesised sentence: ``(n,)`` float32 at 16 kHz, phones in time order."""

    waveform: Waveform
    segments: list[Segment]


class _EventValue(ctypes.Union):
    _fields_ = [('number', ctypes.c_int), ('name', ctypes.c_char_p),
                ('string', ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [('type', ctypes.c_int), ('identifier', ctypes.c_uint),
                ('text_position', ctypes.c_int), ('length', ctypes.c_int),
                ('time_ms', ctypes.c_int), ('sample', ctypes.c_int),
                ('user', ctypes.c_void_p), ('value', _EventValue)]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int,
                             ctypes.POINTER(_Event))
_SYNCHRONOUS, _PHONEME_EVENTS, _PHONEME_IPA, _UTF8 = 2, 1, 2, 1
_EVENT_END, _EVENT_PHONEME = 0, 7
_STOPS = frozenset('pbtdkgcqɖʈɟɢ')
_LONGEST_CLOSURE_S = 0.12
_RATE_PARAMETER, _PITCH_PARAMETER, _RANGE_PARAMETER = 1, 3, 4


class Espeak:
    """espeak-ng through its library; one at a time in a process.

    Raises:
        VoiceError: the library is not installed.
    """

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL('libespeak-ng.so.1')
        except OSError as error:
            raise VoiceError('libespeak-ng.so.1 is not installed') from error
        self._rate_hz = self._library.espeak_Initialize(
            _SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _PHONEME_IPA)
        self._sound: list[NDArray[np.int16]] = []
        self._phones: list[tuple[int, str]] = []
        self._callback = _CALLBACK(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: Any, count: int, events: Any) -> int:
        if count > 0:
            self._sound.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_END:
            if events[index].type == _EVENT_PHONEME:
                label = events[index].value.string.decode('utf-8', 'ignore')
                self._phones.append((events[index].sample, label))
            index += 1
        return 0

    def speak(self, text: str, voice: str, words_per_minute: int, pitch: int,
              pitch_range: int) -> Spoken:
        """Return a sentence.

        Args:
            text: what to say, in the language of the voice.
            voice: language with an optional variant, such as ``de+f2``.
            words_per_minute: 80 to 450.
            pitch: 0 to 100.
            pitch_range: 0 (monotone) to 100.

        Raises:
            VoiceError: there is no such voice, or it said nothing.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise VoiceError(f'espeak-ng has no voice {voice!r}')
        for parameter, value in ((_RATE_PARAMETER, words_per_minute), (_PITCH_PARAMETER, pitch),
                                 (_RANGE_PARAMETER, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._sound, self._phones = [], []
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
        if not self._sound:
            raise VoiceError(f'espeak-ng voice {voice!r} said nothing')
        sound = np.concatenate(self._sound).astype(np.float32) / 32768.0
        return Spoken(_to_16_khz(sound, self._rate_hz), self._segments(sound))

    def _segments(self, sound: Waveform) -> list[Segment]:
        segments: list[Segment] = []
        starts = [sample for sample, _ in self._phones]
        for index, (_, label) in enumerate(self._phones):
            if label.strip('ˈˌ')[:1] in _STOPS:
                earliest = starts[index - 1] if index else 0
                starts[index] = _closure_start(sound, earliest, starts[index], self._rate_hz)
        for (_, label), start, end in zip(self._phones, starts, [*starts[1:], len(sound)]):
            classes = ipa_classes(label)
            if not classes or end <= start:
                continue
            stress = 1.0 if 'ˈ' in label else 0.5
            segments += spread(start / self._rate_hz, end / self._rate_hz, classes, stress)
        return segments


def _closure_start(sound: Waveform, earliest: int, burst: int, rate_hz: int) -> int:
    """Return where the silence before a burst starts: espeak-ng reports stops at their burst."""
    block = rate_hz // 200
    threshold = 0.003 * float(np.abs(sound).max())
    start = max(earliest, burst - int(_LONGEST_CLOSURE_S * rate_hz))
    place = burst
    # The block at the burst itself may already sound.
    while place - block > start and (np.abs(sound[place - block:place]).max() < threshold
                                     or burst - place < 2 * block):
        place -= block
    return place if burst - place > 3 * block else burst


@lru_cache(maxsize=1)
def shared_espeak() -> Espeak:
    """Return the one espeak-ng of this process."""
    return Espeak()


def _to_16_khz(sound: Waveform, rate_hz: int) -> Waveform:
    if rate_hz == SAMPLE_RATE_HZ:
        return sound
    return np.asarray(soxr.resample(sound, rate_hz, SAMPLE_RATE_HZ), dtype=np.float32)


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60,
                              check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise VoiceError(f'{command[0]} cannot be run: {error}') from error
    if done.returncode:
        raise VoiceError(f'{command[0]} failed: {done.stderr.strip()[-120:]}')
    return done.stdout


def _from_ends(pairs: list[tuple[str, float]]) -> list[Segment]:
    segments: list[Segment] = []
    start = 0.0
    for label, end in pairs:
        segments += spread(start, end, arpabet_classes(label))
        start = end
    return segments


def speak_flite(text: str, voice: str, stretch: float) -> Spoken:
    """Return an English sentence by flite.

    Args:
        text: what to say.
        voice: one of ``flite -lv``.
        stretch: of durations; 1 is the voice's own tempo.
    """
    with tempfile.TemporaryDirectory() as folder:
        printed = _run(['flite', '-voice', voice, '-psdur', '--setf',
                        f'duration_stretch={stretch:.3f}', '-t', text, '-o', 'out.wav'],
                       Path(folder))
        sound, rate_hz = soundfile.read(os.path.join(folder, 'out.wav'), dtype='float32')
    pairs = [(label, float(end)) for label, end in re.findall(r'(\S+):([\d.]+)', printed)]
    if not pairs:
        raise VoiceError(f'flite voice {voice!r} named no phones')
    return Spoken(_to_16_khz(sound, rate_hz), _from_ends(pairs))


def speak_festival(text: str, voice: str, stretch: float) -> Spoken:
    """Return an English sentence by festival.

    Args:
        text: what to say.
        voice: festival voice name without ``voice_``.
        stretch: of durations; 1 is the voice's own tempo.
    """
    spoken = re.sub(r'["\\]', '', text)
    script = (f"(voice_{voice})\n(Parameter.set 'Duration_Stretch {stretch:.3f})\n"
              f'(set! said (utt.synth (Utterance Text "{spoken}")))\n'
              '(utt.save.wave said "out.wav" \'riff)\n'
              '(mapcar (lambda (s) (format t "%s:%f\\n" (item.name s) (item.feat s "end")))'
              " (utt.relation.items said 'Segment))\n")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, 'say.scm').write_text(script, encoding='utf-8')
        printed = _run(['festival', '-b', 'say.scm'], Path(folder))
        sound, rate_hz = soundfile.read(os.path.join(folder, 'out.wav'), dtype='float32')
    pairs = [(label, float(end)) for label, end in re.findall(r'(\S+):([\d.]+)', printed)]
    if not pairs:
        raise VoiceError(f'festival voice {voice!r} named no phones')
    return Spoken(_to_16_khz(sound, rate_hz), _from_ends(pairs))
