"""Audio in the multi-arrays of ``std_msgs``, which are everywhere and have no header.

Where ``layout.dim`` carries entries labelled ``frames``, ``channels``, ``sample_rate``,
``stamp_sec`` and ``stamp_nanosec``, their ``size`` is believed. Without any of these labels, two
dimensions are frames and channels in that order.
"""
from __future__ import annotations

from array import array
from collections.abc import Callable
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..timeline import NS_PER_S
from .audio_decoder import AudioFormat
from .audio_packet import AudioMessageError, AudioPacket, stamp_ns_of

LABELS = ('frames', 'channels', 'sample_rate', 'stamp_sec', 'stamp_nanosec')
_FULL_SCALE = 32_768


def read_array(sample_format: str, sniff: bool) -> Callable[[Any], AudioPacket]:
    """Return a reader of multi-arrays whose elements are samples of one format.

    Args:
        sample_format: GStreamer's name; empty leaves it to the parameters.
        sniff: whether the elements are bytes that may be a WAVE file or MP3.
    """
    def read(message: Any) -> AudioPacket:
        data = _after_offset(message)
        sizes = _sizes(message, len(data))
        if not sniff and sizes.get('frames') and sizes.get('channels'):
            _check_size(sizes['frames'], sizes['channels'], len(data))
        declared = AudioFormat(sizes.get('sample_rate', 0), sizes.get('channels', 0),
                               sample_format)
        stamp_ns = stamp_ns_of(sizes.get('stamp_sec', 0), sizes.get('stamp_nanosec', 0))
        return AudioPacket(data, declared, stamp_ns, sniff)
    return read


def write_array(to_elements: Callable[[NDArray[np.int16]], Any]) -> Callable[..., None]:
    """Return a writer of multi-arrays whose elements are made by ``to_elements``."""
    def write(message: Any, samples: NDArray[np.int16], sample_rate: int, stamp_ns: int) -> None:
        message.data = to_elements(samples)
        frames, channels = samples.shape
        message.layout.dim = _dims(
            [('frames', frames), ('channels', channels), ('sample_rate', sample_rate)], stamp_ns)
    return write


def restamp_array(message: Any, stamp_ns: int) -> Any:
    """Return the message with another stamp in its layout."""
    stamped = type(message)()
    stamped.data = message.data
    stamped.layout.data_offset = message.layout.data_offset
    kept = [(dim.label, dim.size) for dim in message.layout.dim
            if dim.label not in ('stamp_sec', 'stamp_nanosec')]
    stamped.layout.dim = _dims(kept, stamp_ns)
    return stamped


def _after_offset(message: Any) -> Any:
    offset, data = message.layout.data_offset, message.data
    if not offset:
        return data
    if offset > len(data):
        raise AudioMessageError('audio_layout', (
            f'an audio message says that its samples begin at element {offset}, but it has '
            f'{len(data)}; it is dropped'))
    return data[offset:]


def _sizes(message: Any, elements: int) -> dict[str, int]:
    dims = message.layout.dim
    sizes = {dim.label: dim.size for dim in dims if dim.label in LABELS}
    if not sizes and len(dims) == 2 and dims[0].size * dims[1].size == elements and elements:
        return {'frames': dims[0].size, 'channels': dims[1].size}
    return sizes


def _check_size(frames: int, channels: int, elements: int) -> None:
    if frames * channels != elements:
        raise AudioMessageError('audio_layout', (
            f'an audio message says that it has {frames} frames of {channels} channels, but it '
            f'has {elements} samples; it is dropped'))


def _dims(sizes: list[tuple[str, int]], stamp_ns: int) -> list[Any]:
    kind = importlib.import_module('std_msgs.msg').MultiArrayDimension
    stamp = [('stamp_sec', stamp_ns // NS_PER_S), ('stamp_nanosec', stamp_ns % NS_PER_S)]
    return [kind(label=label, size=size) for label, size in sizes + stamp]


def int8_elements(samples: NDArray[np.int16]) -> Any:
    """Return the upper halves of samples."""
    return array('b', (samples >> 8).astype(np.int8).tobytes())


def int16_elements(samples: NDArray[np.int16]) -> Any:
    """Return samples as they are."""
    return array('h', np.ascontiguousarray(samples, np.int16).tobytes())


def int32_elements(samples: NDArray[np.int16]) -> Any:
    """Return samples scaled to 32 bits."""
    return array('i', (samples.astype(np.int32) << 16).tobytes())


def float32_elements(samples: NDArray[np.int16]) -> Any:
    """Return samples scaled to [-1, 1)."""
    return array('f', (samples / np.float32(_FULL_SCALE)).astype(np.float32).tobytes())


def float64_elements(samples: NDArray[np.int16]) -> Any:
    """Return samples scaled to [-1, 1)."""
    return array('d', (samples / _FULL_SCALE).astype(np.float64).tobytes())


def byte_elements(samples: NDArray[np.int16]) -> Any:
    """Return samples as little-endian bytes."""
    return array('B', samples.astype('<i2').tobytes())
