"""The packet of the Live Link Face app, which Unreal Engine and others receive by UDP.

Big-endian, in this order: version ``6`` (uint8); device and subject (each int32 length, then
UTF-8); frame number (int32), part of a frame (float32), frames per second as a fraction (two
int32); number of values ``61`` (uint8) and the values (float32). The values are the 52 blendshapes
in the order of Unreal's ``EARFaceBlendShape``, which is Apple's, then yaw, pitch and roll [rad] of
the head and of both eyes. (The app's CSV files order ``JawLeft``, ``JawRight`` and ``MouthLeft``,
``MouthRight`` the other way round; the packet does not.)

Gaze is in the ``eyeLook`` weights, so the angles of the eyes are left at 0: a rig that adds both
would look twice as far. The head is the body's business and is left at 0 too.
"""
from __future__ import annotations

from dataclasses import dataclass
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exceptions import ConfigError
from ..motion.face import BLENDSHAPE_NAMES, FACE_DIM
from ..timeline import NS_PER_S

VERSION = 6
DEFAULT_PORT = 11_111
ROTATION_NAMES = tuple(f'{part}{axis}' for part in ('Head', 'LeftEye', 'RightEye')
                       for axis in ('Yaw', 'Pitch', 'Roll'))
VALUE_NAMES: tuple[str, ...] = (
    *(name[0].upper() + name[1:] for name in BLENDSHAPE_NAMES), *ROTATION_NAMES)
"""The 61 values of a packet in their order."""
MAX_NAME_BYTES = 128
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class FrameTime:
    """Time of day in frames: ``number + part`` frames of ``1 / rate_hz`` s since midnight UTC."""

    number: int
    part: float
    rate_hz: int


def frame_time(time_ns: int, rate_hz: int) -> FrameTime:
    """Return the time of day of a presentation time [ns], exact to float32."""
    frames_ns = time_ns % (_DAY_S * NS_PER_S) * rate_hz
    return FrameTime(frames_ns // NS_PER_S, frames_ns % NS_PER_S / NS_PER_S, rate_hz)


def packet(device: str, subject: str, time: FrameTime,
           weights: NDArray[np.floating[Any]]) -> bytes:
    """Return the packet of one face.

    Args:
        device: identity of the sender, usually a UUID.
        subject: name under which the receiver lists the face.
        time: when the face is to be shown.
        weights: blendshape weights ``(52,)`` in [0, 1].

    Raises:
        ConfigError: a name is empty or too long.
    """
    values = np.zeros(len(VALUE_NAMES), '>f4')
    values[:FACE_DIM] = weights
    return b''.join((
        struct.pack('>B', VERSION), _text('device', device), _text('subject', subject),
        # A part of a frame must stay below 1 when rounded to float32.
        struct.pack('>ifii', time.number, min(time.part, 1.0 - 2.0 ** -24), time.rate_hz, 1),
        struct.pack('>B', len(values)), values.tobytes()))


def _text(what: str, text: str) -> bytes:
    encoded = text.encode('utf-8')
    if not 0 < len(encoded) <= MAX_NAME_BYTES:
        raise ConfigError(f'the Live Link {what} name must have 1 to {MAX_NAME_BYTES} bytes, '
                          f'got {text!r}')
    return struct.pack('>i', len(encoded)) + encoded


def parse_address(address: str) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port`` or ``[IPv6]:port``; default port 11111.

    Raises:
        ConfigError: the address has no host or a port that cannot be.
    """
    wrong = ConfigError(f'livelink_address must be host or host:port with a port in [1, 65535], '
                        f'got {address!r}')
    if address.startswith('['):
        host, closed, rest = address[1:].partition(']')
        if not closed or (rest and not rest.startswith(':')):
            raise wrong
        port = rest[1:] if rest else str(DEFAULT_PORT)
    else:
        host, colon, port = address.partition(':')
        port = port if colon else str(DEFAULT_PORT)
    host = host.strip()
    if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise wrong
    return host, int(port)
