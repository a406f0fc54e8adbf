"""Broken inputs, made at random from good ones; the same seed makes the same."""
from __future__ import annotations

from pathlib import Path
import random
import struct

ROOT = Path(__file__).parents[2]
_WORDS = (b'nan', b'-inf', b'1e999', b'null', b'{', b'}', b'[', b']', b'"', b'<a>', b'</', b'&x;',
          b'\x00', b'\xff\xfe', b'0', b'-1', b'99999999999999999999', b': ', b'- ', b'!!python/x',
          b'*a', b'&a ', b'%', b'\n', b'\t', '\u2028'.encode())


def broken(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with a few things replaced, taken out, doubled, moved or cut off."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not made:
            break
        at, length = rng.randrange(len(made)), rng.choice((1, 2, 4, 8, 64, 400))
        way = rng.randrange(7)
        if way == 0:
            made[at] = rng.randrange(256)
        elif way == 1:
            made[at:at + length] = b''
        elif way == 2:
            made[at:at] = made[at:at + length]
        elif way == 3:
            made[at:at + rng.choice((0, 1, length))] = rng.choice(_WORDS)
        elif way == 4:
            other = rng.randrange(len(made))
            made[at:at + length] = made[other:other + length]
        elif way == 5:
            made[at:at + 4] = struct.pack('<I', rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)))
        else:
            del made[at:]
    return bytes(made)


def swapped_lines(data: bytes, rng: random.Random) -> bytes:
    """Return text with lines dropped, doubled or with another value."""
    lines = data.split(b'\n')
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(lines))
        way = rng.randrange(4)
        if way == 0:
            lines[at] = b''
        elif way == 1:
            lines.insert(at, lines[at])
        elif way == 2:
            name, _, _ = lines[at].partition(b':')
            lines[at] = name + b': ' + rng.choice(_WORDS)
        else:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
    return b'\n'.join(lines)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return bytes broken in one way or the other."""
    return broken(data, rng) if rng.random() < 0.6 else swapped_lines(data, rng)


def wave(rng: random.Random) -> bytes:
    """Return a small WAVE file."""
    channels, bits = rng.choice((1, 2)), rng.choice((8, 16, 24, 32))
    samples = rng.randbytes(channels * bits // 8 * rng.randrange(1, 60))
    fmt = struct.pack('<HHIIHH', 1, channels, 16_000, 16_000 * channels * bits // 8,
                      channels * bits // 8, bits)
    body = b'WAVEfmt ' + struct.pack('<I', 16) + fmt + b'data' + struct.pack(
        '<I', len(samples)) + samples
    return b'RIFF' + struct.pack('<I', len(body)) + body


URDF = b"""<robot name="r"><link name="a"/><link name="b"/><link name="c"/>
<joint name="j" type="revolute"><parent link="a"/><child link="b"/><axis xyz="0 0 1"/>
<origin xyz="0 0 0.1" rpy="0 1 0"/><limit lower="-1" upper="1" velocity="2" effort="3"/></joint>
<joint name="k" type="continuous"><parent link="b"/><child link="c"/><axis xyz="0 1 0"/>
<mimic joint="j" multiplier="2"/></joint></robot>"""
