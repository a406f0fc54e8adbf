"""Bytes of an audio message to float32 mono, whatever the publisher sends.

The decoder keeps what only a stream can know: a sample cut by a message boundary, the format that
was last in use, a WAVE file that spans messages, and whether the bytes turned out to be MP3.
Nothing here raises on bad input: it is refused or repaired, reported once per cause and counted
(see :class:`gesture_node.ros.problems.ProblemLog`).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..audio.resample import AudioFaults, MAX_RATE_HZ, MIN_RATE_HZ, to_float, to_mono
from ..types import Float32Array
from .mpeg_sniffer import MpegStream
from .problems import ProblemLog
from .wave_file import WaveHeader
from .wave_stream import Piece, WaveStream

_DTYPES = {'S8': 'i1', 'U8': 'u1', 'S16LE': '<i2', 'S16BE': '>i2', 'S24LE': 'V3', 'S32LE': '<i4',
           'S32BE': '>i4', 'F32LE': '<f4', 'F32BE': '>f4', 'F64LE': '<f8', 'F64BE': '>f8'}
MAX_CHANNELS = 64
FULL_SCALE = 0.999
CLIPPED_SHARE = 0.02
"""A packet is called clipped when more than this share of its samples is at full scale."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How samples are written.

    Attributes:
        sample_rate: [Hz]; 0 when the message does not say.
        channels: interleaved channels; 0 when the message does not say.
        sample_format: GStreamer's name, such as ``'S16LE'``; empty when the message does not say.
        coding: ``'raw'``, or what the publisher declares, such as ``'mp3'``.
    """

    sample_rate: int = 0
    channels: int = 0
    sample_format: str = ''
    coding: str = 'raw'

    def or_default(self, default: AudioFormat) -> AudioFormat:
        """Return the format with everything the message does not say taken from ``default``."""
        return AudioFormat(self.sample_rate or default.sample_rate,
                           self.channels or default.channels,
                           self.sample_format or default.sample_format, self.coding)


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """Decoded audio: ``samples`` float32 mono ``(n,)`` in [-1, 1] at ``sample_rate`` [Hz]."""

    samples: Float32Array
    sample_rate: int


class AudioDecoder:
    """Decodes the messages of one topic in order.

    Args:
        default: what is assumed where a message does not say.
        problems: takes what is wrong with the audio.
    """

    def __init__(self, default: AudioFormat, problems: ProblemLog) -> None:
        self._default = default
        self._problems = problems
        self._faults = AudioFaults()
        self._format: AudioFormat | None = None
        self._rest = b''
        self._waves = WaveStream(self._refuse_wave)
        self._file: WaveHeader | None = None
        self._mpeg = MpegStream()

    def reset(self) -> None:
        """Forget everything about the stream so far; the next message begins a new one."""
        self._format = self._file = None
        self._waves.reset()
        self._mpeg.reset()
        self.drop_partial()

    def drop_partial(self) -> None:
        """Forget a sample that was cut in two, because the message with its rest was lost."""
        self._rest = b''

    def decode(self, payload: Any, declared: AudioFormat, *, sniff: bool) -> AudioBlock | None:
        """Return the samples of one message, or ``None`` if it holds none that can be used.

        Args:
            payload: contiguous buffer (bytes, ``array.array``, numpy array).
            declared: what the message says about itself.
            sniff: whether the bytes may be a WAVE file or MP3, as in messages of plain bytes.
        """
        data = memoryview(payload).cast('B')
        form = declared.or_default(self._default)
        if not sniff:
            return self._decode_raw(data, form)
        if form.coding != 'raw':
            self._refuse_coding(f'coded as {form.coding!r}')
            return None
        return self._joined([self._decode_piece(piece, form) for piece in self._waves.feed(data)])

    def _decode_piece(self, piece: Piece, form: AudioFormat) -> AudioBlock | None:
        header = piece.header
        if header is not self._file:
            self._file = header
            self.drop_partial()
        if header is not None:
            self._mpeg.reset()
            form = AudioFormat(header.sample_rate, header.channels, header.sample_format)
        elif self._mpeg.is_mpeg(piece.data):
            self._refuse_coding('as an MP3 (MPEG) stream')
            return None
        return self._decode_raw(piece.data, form)

    def _joined(self, parts: list[AudioBlock | None]) -> AudioBlock | None:
        """Return all parts of one message as one block."""
        blocks = [part for part in parts if part is not None]
        if not blocks:
            return None
        rate_hz = blocks[0].sample_rate
        if any(block.sample_rate != rate_hz for block in blocks):
            self._problems.report('mixed_rates', (
                'a message holds WAVE files of different sample rates; only those at the rate of '
                f'the first, {rate_hz} Hz, are used'))
            blocks = [block for block in blocks if block.sample_rate == rate_hz]
        if len(blocks) == 1:
            return blocks[0]
        return AudioBlock(np.concatenate([block.samples for block in blocks]), rate_hz)

    def _refuse_coding(self, words: str) -> None:
        self._problems.report('compressed_audio', (
            f'audio arrives {words}, which is not decoded; publish raw samples, with '
            'audio_capture by its parameter format:=wave'))

    def _refuse_wave(self, reason: str) -> None:
        self._problems.report('wave_file', f'a WAVE file in a message is refused: {reason}')

    def _decode_raw(self, data: memoryview, form: AudioFormat) -> AudioBlock | None:
        if not self._accept_format(form):
            return None
        dtype = np.dtype(_DTYPES[form.sample_format])
        frame = dtype.itemsize * form.channels
        if self._rest:
            data = memoryview(self._rest + bytes(data))
        whole = len(data) - len(data) % frame
        self._rest = bytes(data[whole:])
        if self._rest:
            self._problems.report('odd_bytes', (
                f'an audio message ends inside a sample ({len(data)} bytes, {frame} bytes per '
                f'{form.channels}-channel {form.sample_format} sample); the rest is joined with '
                'the next message'))
        if not whole:
            return None
        values = _native(np.frombuffer(data[:whole], dtype)).reshape(-1, form.channels)
        return AudioBlock(self._repair(values), form.sample_rate)

    def _accept_format(self, form: AudioFormat) -> bool:
        """Return whether the format can be read; a change of format begins a new stretch."""
        if form == self._format:
            return True
        wrong = _why_not(form)
        if wrong:
            self._problems.report('audio_format', f'audio is refused: {wrong}')
            return False
        if self._format is not None:
            self._problems.report('format_change', (
                f'audio changed from {_in_words(self._format)} to {_in_words(form)} mid-stream; '
                'it is followed'))
            self.drop_partial()
        self._format = form
        return True

    def _repair(self, values: NDArray[Any]) -> Float32Array:
        before = (self._faults.non_finite, self._faults.clipped)
        with np.errstate(over='ignore'):
            samples = to_mono(to_float(values), self._faults)
        non_finite = self._faults.non_finite - before[0]
        beyond = self._faults.clipped - before[1]
        if non_finite:
            self._problems.report('non_finite_samples', (
                'audio holds samples that are NaN or infinite; they are taken as silence'),
                non_finite)
        if beyond:
            self._problems.report('samples_beyond_full_scale', (
                'audio holds float samples beyond [-1, 1]; they are clipped. Divide by the full '
                'scale before publishing'), beyond)
        full = int(np.count_nonzero(np.abs(samples) >= FULL_SCALE))
        if full > CLIPPED_SHARE * len(samples):
            self._problems.report('clipped_samples', (
                'audio is clipped (many samples at full scale); lower the gain of its source'),
                full)
        return samples


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """Return samples in the machine's byte order; three-byte integers widened to int32."""
    if values.dtype.kind == 'V':
        wide = np.zeros((len(values), 4), np.uint8)
        wide[:, 1:] = values.view(np.uint8).reshape(-1, 3)
        return wide.view('<i4')[:, 0].astype(np.int32)
    return values.astype(values.dtype.newbyteorder('='))


def _why_not(form: AudioFormat) -> str:
    """Return why a format cannot be read, empty if it can."""
    if not MIN_RATE_HZ <= form.sample_rate <= MAX_RATE_HZ:
        return (f'its sample rate must be in [{MIN_RATE_HZ}, {MAX_RATE_HZ}] Hz, '
                f'got {form.sample_rate}')
    if not 1 <= form.channels <= MAX_CHANNELS:
        return f'its channels must be in [1, {MAX_CHANNELS}], got {form.channels}'
    if form.sample_format not in _DTYPES:
        return f'its sample format must be one of {", ".join(_DTYPES)}, got {form.sample_format!r}'
    return ''


def _in_words(form: AudioFormat) -> str:
    return f'{form.sample_rate} Hz, {form.channels} channel(s), {form.sample_format}'
