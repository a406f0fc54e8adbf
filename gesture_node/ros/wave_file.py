"""Reads the header of a RIFF/WAVE file that arrives in one message.

Speech synthesisers on robots commonly publish a whole WAVE file as one message of bytes. Only the
layout is read here; the samples are decoded by :mod:`gesture_node.ros.audio_decoder`. Chunk
layout: Microsoft Multimedia Programming Interface 1.0; ``WAVE_FORMAT_EXTENSIBLE`` included.
"""
from __future__ import annotations

from dataclasses import dataclass
import struct

from ..exceptions import AudioError

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_SAMPLE_FORMATS = {(_PCM, 8): 'U8', (_PCM, 16): 'S16LE', (_PCM, 24): 'S24LE', (_PCM, 32): 'S32LE',
                   (_FLOAT, 32): 'F32LE', (_FLOAT, 64): 'F64LE'}
_FMT_BYTES = 16


class WaveCutShortError(AudioError):
    """The header of a WAVE file goes on beyond the bytes at hand."""


@dataclass(frozen=True, slots=True)
class WaveHeader:
    """Where the samples of a WAVE file are, and how they are written.

    Attributes:
        sample_rate: [Hz].
        channels: interleaved channels.
        sample_format: GStreamer's name of the sample format, such as ``'S16LE'``.
        data_start: offset of the first sample [bytes].
        data_bytes: bytes of samples the header promises; ``None`` if it leaves that open, as
            files do that were written to a pipe.
    """

    sample_rate: int
    channels: int
    sample_format: str
    data_start: int
    data_bytes: int | None


def is_wave_file(payload: memoryview) -> bool:
    """Return whether bytes begin like a RIFF/WAVE file."""
    return len(payload) >= 12 and bytes(payload[:4]) == b'RIFF' and (
        bytes(payload[8:12]) == b'WAVE')


def read_wave_header(payload: memoryview) -> WaveHeader:
    """Return the layout of a WAVE file.

    Args:
        payload: the file from its first byte, at least up to its first sample.

    Raises:
        WaveCutShortError: the bytes end before the first sample.
        AudioError: a chunk is missing or malformed, or the coding is not plain PCM or float.
    """
    coding: tuple[int, int, int, int] | None = None
    offset = 12
    while offset + 8 <= len(payload):
        name, size = struct.unpack_from('<4sI', payload, offset)
        start = offset + 8
        if name == b'fmt ' and start + min(size, _FMT_BYTES) > len(payload):
            break
        if name == b'fmt ':
            coding = _read_coding(payload[start:start + size])
        elif name == b'data':
            if coding is None:
                raise AudioError('the WAVE file has no "fmt " chunk before its samples')
            return _header(coding, start, size)
        # Chunks are padded to even sizes.
        offset = start + size + size % 2
    raise WaveCutShortError('the WAVE file has no "data" chunk')


def _read_coding(chunk: memoryview) -> tuple[int, int, int, int]:
    """Return (coding, channels, rate [Hz], bits per sample) of a ``fmt`` chunk."""
    if len(chunk) < _FMT_BYTES:
        raise AudioError(f'the "fmt " chunk of the WAVE file has {len(chunk)} bytes instead of 16')
    tag, channels, rate_hz, _, _, bits = struct.unpack_from('<HHIIHH', chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = struct.unpack_from('<H', chunk, 24)[0]
    return tag, channels, rate_hz, bits


def _header(coding: tuple[int, int, int, int], start: int, size: int) -> WaveHeader:
    tag, channels, rate_hz, bits = coding
    if (tag, bits) not in _SAMPLE_FORMATS:
        raise AudioError(f'WAVE coding 0x{tag:04x} with {bits} bits is not supported; use PCM of '
                         '8, 16, 24 or 32 bits or float of 32 or 64 bits')
    if channels < 1:
        raise AudioError('the WAVE file declares no channels')
    open_ended = size in (0, 0xFFFFFFFF, 0x7FFFFFFF)
    return WaveHeader(rate_hz, channels, _SAMPLE_FORMATS[tag, bits], start,
                      None if open_ended else size)
