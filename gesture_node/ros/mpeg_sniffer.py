"""Tells an MPEG audio stream (MP3) from raw samples by its frame headers.

A bare sync word proves nothing: in 16-bit audio near silence ``FF FF`` is the sample -1. A payload
counts as MPEG only when it starts with an ID3 tag, or when the length computed from one valid
frame header leads exactly to the next one or to the end. A stream whose messages cut frames, or
that is heard from its middle, is recognised by a chain of equal headers in its first bytes.
Tables: ISO/IEC 11172-3 and 13818-3.
"""
from __future__ import annotations

import re

_KBPS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_HEADER_BYTES = 4
_HEADER = re.compile(rb'\xff[\xe2-\xff][\x10-\xef]')
CHAIN = 4
"""So many equal headers, each where the one before leads, are no accident."""
SEARCH_BYTES = (2_048, 4_096, 8_192)
"""How many first bytes of a stream are searched, in turn; four frames have at most 5764."""


class MpegStream:
    """Tells whether the messages of one topic are an MPEG stream."""

    def __init__(self) -> None:
        self._found = False
        self._head = bytearray()
        self._searches = 0

    def reset(self) -> None:
        """Forget the stream; the next message begins another."""
        self._found, self._searches = False, 0
        self._head.clear()

    def is_mpeg(self, message: memoryview) -> bool:
        """Return whether the stream is MPEG by this message and those before it."""
        if not self._found:
            self._found = is_mpeg_audio(message) or self._chain_found(message)
        return self._found

    def _chain_found(self, message: memoryview) -> bool:
        if self._searches == len(SEARCH_BYTES):
            return False
        self._head += message[:SEARCH_BYTES[-1] - len(self._head)]
        if len(self._head) < SEARCH_BYTES[self._searches]:
            return False
        while (self._searches < len(SEARCH_BYTES)
               and len(self._head) >= SEARCH_BYTES[self._searches]):
            self._searches += 1
        head = bytes(self._head)
        return any(_is_chain(memoryview(head)[match.start():])
                   for match in _HEADER.finditer(head))


def is_mpeg_audio(payload: memoryview) -> bool:
    """Return whether bytes are MPEG audio frames (or an ID3 tag) rather than raw samples."""
    if len(payload) >= 3 and bytes(payload[:3]) == b'ID3':
        return True
    offset, frames = 0, 0
    while frames < 3:
        length = frame_bytes(payload[offset:])
        if length == 0:
            return False
        frames, offset = frames + 1, offset + length
        if offset == len(payload):
            return True
        if offset + _HEADER_BYTES > len(payload):
            return frames > 1
    return True


def _is_chain(payload: memoryview) -> bool:
    """Return whether frames of one kind follow each other from the first byte on."""
    kind, offset = bytes(payload[1:2]), 0
    rate = payload[2] & 0x0C
    for _ in range(CHAIN - 1):
        length = frame_bytes(payload[offset:])
        offset += length
        if not length or offset + _HEADER_BYTES > len(payload):
            return False
        if bytes(payload[offset + 1:offset + 2]) != kind or payload[offset + 2] & 0x0C != rate:
            return False
    return frame_bytes(payload[offset:]) > 0


def frame_bytes(payload: memoryview) -> int:
    """Return the length [bytes] of the MPEG frame that starts here, 0 if none does."""
    if len(payload) < _HEADER_BYTES or payload[0] != 0xFF or payload[1] < 0xE0:
        return 0
    version, layer = payload[1] >> 3 & 3, 4 - (payload[1] >> 1 & 3)
    bitrate, rate, padding = payload[2] >> 4, payload[2] >> 2 & 3, payload[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return 0
    generation = 1 if version == 3 else 2
    bits_per_s = 1_000 * _KBPS[generation, layer][bitrate - 1]
    rate_hz = _RATES_HZ[version][rate]
    if layer == 1:
        return (12 * bits_per_s // rate_hz + padding) * 4
    samples_over_8 = 72 if layer == 3 and generation == 2 else 144
    return samples_over_8 * bits_per_s // rate_hz + padding
