"""Tells an MPEG audio stream (MP3) from raw samples by its frame headers.

A bare sync word proves nothing: in 16-bit audio near silence ``FF FF`` is the sample -1. A payload
counts as MPEG only when it starts with an ID3 tag, or when the length computed from one valid
frame header leads exactly to the next one or to the end. Tables: ISO/IEC 11172-3 and 13818-3.
"""
from __future__ import annotations

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
