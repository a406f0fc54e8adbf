"""Finds WAVE files in the bytes of a topic, however messages cut them. Knows no ROS.

A speech synthesiser may publish a whole file in one message, a file in many, or one file behind
the other. A file begins with a message or right behind another file, and its header may be cut
anywhere; a file of open length goes on until the next one begins. Everything else is raw samples,
which begin with a message.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import struct

from ..exceptions import AudioError
from .wave_file import is_wave_file, read_wave_header, WaveCutShortError, WaveHeader

MAX_HEADER_BYTES = 65_536
"""Chunks before the samples (names, pictures) may take so much."""
MAX_TRAILER_BYTES = 1_048_576
_OPEN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)
_RIFF_START = 12


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one kind.

    Attributes:
        data: samples.
        header: layout of the file they belong to; ``None`` for raw samples.
    """

    data: memoryview
    header: WaveHeader | None


class WaveStream:
    """Takes messages in order, gives their samples with the file they belong to.

    Args:
        refuse: takes why a file cannot be used; its samples are left out.
    """

    def __init__(self, refuse: Callable[[str], None]) -> None:
        self._refuse = refuse
        self._held = b''
        self._header: WaveHeader | None = None
        self._left: int | None = None
        self._trailer = self._skip = self._pad = 0
        self._is_trailer_start = False

    def reset(self) -> None:
        """Forget a file that is under way."""
        if len(self._held) >= _RIFF_START:
            self._refuse('it ends inside its header')
        self._held = b''
        self._end_file(0)

    def feed(self, message: memoryview) -> list[Piece]:
        """Return the samples of a message, in order."""
        if self._held:
            message, self._held = memoryview(self._held + bytes(message)), b''
        elif is_wave_file(message):
            # The publisher gave up the file before.
            self._end_file(0)
        pieces: list[Piece] = []
        while len(message):
            if self._skip:
                message = self._skipped(message)
            elif self._header is not None:
                size = len(message) if self._left is None else min(self._left, len(message))
                pieces.append(Piece(message[:size], self._header))
                message = message[size:]
                self._count(size)
            elif may_begin_wave_file(message):
                message = self._after_header(message)
            else:
                # What follows a file in its last message is neither sound nor a file.
                if not pieces or pieces[-1].header is None:
                    pieces.append(Piece(message, None))
                break
        return pieces

    def _after_header(self, message: memoryview) -> memoryview:
        """Open the file that begins here; return what is left of the message."""
        try:
            header = read_wave_header(message)
        except WaveCutShortError as error:
            if len(message) <= MAX_HEADER_BYTES:
                self._held = bytes(message)
            else:
                self._refuse(f'{error} in its first {MAX_HEADER_BYTES} bytes')
            return message[:0]
        except AudioError as error:
            self._refuse(str(error))
            size = _riff_bytes(message)
            self._skip = len(message) if size is None else size
            return message
        self._header, self._left, self._trailer = header, header.data_bytes, 0
        size = _riff_bytes(message)
        if header.data_bytes is not None and size is not None:
            rest = size - header.data_start - header.data_bytes
            self._trailer = rest if 0 < rest <= MAX_TRAILER_BYTES else 0
            self._pad = header.data_bytes % 2
        return message[header.data_start:]

    def _count(self, size: int) -> None:
        if self._left is not None:
            self._left -= size
            if self._left == 0:
                self._end_file(self._trailer)

    def _skipped(self, message: memoryview) -> memoryview:
        if self._is_trailer_start:
            self._is_trailer_start = False
            if not _may_be_chunk(message[self._pad:]):
                # The file promised more than was sent; sound must not be taken for it.
                self._skip = 0
                return message
        size = min(self._skip, len(message))
        self._skip -= size
        return message[size:]

    def _end_file(self, skip: int) -> None:
        self._header, self._left, self._trailer, self._skip = None, None, 0, skip
        self._is_trailer_start = skip > 0


def may_begin_wave_file(message: memoryview) -> bool:
    """Return whether bytes begin like a WAVE file as far as they go."""
    start = bytes(message[:_RIFF_START])
    return b'RIFF'.startswith(start[:4]) and b'WAVE'.startswith(start[8:])


def _may_be_chunk(message: memoryview) -> bool:
    """Return whether bytes begin with the name of a chunk as far as they go."""
    return all(0x20 <= value < 0x7F for value in message[:4])


def _riff_bytes(message: memoryview) -> int | None:
    """Return the length of the file that begins here [bytes], ``None`` if it is open."""
    size: int = struct.unpack_from('<I', message, 4)[0]
    return None if size in _OPEN_SIZES else size + 8
