"""The audio message types the node understands, each read and written by its fields.

Two unrelated packages are called ``audio_common_msgs``; only one can be on the Python path, and
both have an ``AudioData``. They are told apart by their fields, never by their name:

=====================  ==========================================  ==============================
type                   package                                     what it says about itself
=====================  ==========================================  ==============================
``int16, float32``     std_msgs multi-arrays                       what ``layout.dim`` says
``uint8``              std_msgs/UInt8MultiArray                    the same, or a WAVE file
``audio_data``         ros-drivers audio_common_msgs/AudioData     what ``audio_info`` says
``audio_data_stamped`` ros-drivers .../AudioDataStamped            the same, and a stamp
``audio_stamped``      mgonzs13 audio_common_msgs/AudioStamped     everything, and a stamp
=====================  ==========================================  ==============================

Multi-arrays have no header. Where ``layout.dim`` carries entries labelled ``frames``,
``channels``, ``sample_rate``, ``stamp_sec`` and ``stamp_nanosec``, their ``size`` is believed;
``audio_source`` and ``audio_out`` write them.
"""
from __future__ import annotations

from array import array
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exceptions import AudioError
from ..timeline import NS_PER_S
from .audio_decoder import AudioFormat

_RAW_CODINGS = ('', 'wave', 'wav', 'raw', 'pcm')
_PORTAUDIO = {1: ('float32_data', 'F32LE'), 2: ('int32_data', 'S32LE'), 8: ('int16_data', 'S16LE'),
              16: ('int8_data', 'S8'), 32: ('uint8_data', 'U8')}
"""Sample format flags of PortAudio, as in the ``format`` of mgonzs13's ``AudioInfo``."""


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """One audio message, not yet decoded.

    Attributes:
        payload: buffer of samples.
        declared: what the message says about its samples.
        stamp_ns: ROS time of the first sample; ``None`` if the message does not say.
        sniff: whether the payload may be a WAVE file or MP3.
    """

    payload: Any
    declared: AudioFormat
    stamp_ns: int | None
    sniff: bool

    def declared_as(self, form: AudioFormat) -> AudioPacket:
        """Return the packet with its format as declared elsewhere."""
        return replace(self, declared=form)


@dataclass(frozen=True, slots=True)
class AudioType:
    """How one message type is found, read and written.

    Attributes:
        key: value of the parameter ``audio_type``.
        ros_type: name in the ROS graph.
        marker: a field its class must have, which tells namesakes apart.
        read: message to packet.
        write: fills a new message with int16 samples ``(n, channels)``, their rate and stamp.
        restamp: message with another stamp; the message itself is left alone.
    """

    key: str
    ros_type: str
    marker: str
    read: Callable[[Any], AudioPacket]
    write: Callable[[Any, NDArray[np.int16], int, int], None]
    restamp: Callable[[Any, int], Any]

    def load(self) -> type[Any]:
        """Return the message class.

        Raises:
            AudioError: the package is not installed, or it is its namesake.
        """
        package, _, name = self.ros_type.split('/')
        try:
            module = importlib.import_module(f'{package}.msg')
        except ImportError:
            raise AudioError(f'audio type {self.ros_type} needs the package {package}, which is '
                             'not installed') from None
        loaded: type[Any] | None = getattr(module, name, None)
        if loaded is None or self.marker not in loaded.get_fields_and_field_types():
            raise AudioError(f'the installed package {package} is another one of the same name '
                             f'and has no {name} with a field {self.marker!r}')
        return loaded


def _read_array(sample_format: str, sniff: bool) -> Callable[[Any], AudioPacket]:
    def read(message: Any) -> AudioPacket:
        dims = {dim.label: dim.size for dim in message.layout.dim}
        declared = AudioFormat(dims.get('sample_rate', 0), dims.get('channels', 0), sample_format)
        stamp_ns = None
        if 'stamp_sec' in dims:
            stamp_ns = dims['stamp_sec'] * NS_PER_S + dims.get('stamp_nanosec', 0)
        data = message.data
        offset = message.layout.data_offset
        return AudioPacket(data[offset:] if offset else data, declared, stamp_ns, sniff)
    return read


def _write_array(to_elements: Callable[[NDArray[np.int16]], Any]) -> Callable[..., None]:
    def write(message: Any, samples: NDArray[np.int16], sample_rate: int, stamp_ns: int) -> None:
        message.data = to_elements(samples)
        frames, channels = samples.shape
        message.layout.dim = _dims(
            [('frames', frames), ('channels', channels), ('sample_rate', sample_rate)], stamp_ns)
    return write


def _dims(sizes: list[tuple[str, int]], stamp_ns: int) -> list[Any]:
    kind = importlib.import_module('std_msgs.msg').MultiArrayDimension
    stamp = [('stamp_sec', stamp_ns // NS_PER_S), ('stamp_nanosec', stamp_ns % NS_PER_S)]
    return [kind(label=label, size=size) for label, size in sizes + stamp]


def _restamp_array(message: Any, stamp_ns: int) -> Any:
    stamped = type(message)()
    stamped.data = message.data
    stamped.layout.data_offset = message.layout.data_offset
    kept = [(dim.label, dim.size) for dim in message.layout.dim
            if dim.label not in ('stamp_sec', 'stamp_nanosec')]
    stamped.layout.dim = _dims(kept, stamp_ns)
    return stamped


def _read_audio_data(message: Any) -> AudioPacket:
    return AudioPacket(message.data, AudioFormat(), None, True)


def _read_audio_data_stamped(message: Any) -> AudioPacket:
    return AudioPacket(message.audio.data, AudioFormat(), _stamp_of(message), True)


def _write_audio_data(message: Any, samples: NDArray[np.int16], sample_rate: int,
                      stamp_ns: int) -> None:
    message.data = _byte_elements(samples)


def _write_audio_data_stamped(message: Any, samples: NDArray[np.int16], sample_rate: int,
                              stamp_ns: int) -> None:
    _set_stamp(message, stamp_ns)
    message.audio.data = _byte_elements(samples)


def _read_audio_stamped(message: Any) -> AudioPacket:
    info, data = message.audio.info, message.audio.audio_data
    name, sample_format = _PORTAUDIO.get(info.format, ('', f'PortAudio format {info.format}'))
    payload = getattr(data, name) if name else b''
    declared = AudioFormat(max(0, info.rate), max(0, info.channels), sample_format)
    return AudioPacket(payload, declared, _stamp_of(message), False)


def _write_audio_stamped(message: Any, samples: NDArray[np.int16], sample_rate: int,
                         stamp_ns: int) -> None:
    _set_stamp(message, stamp_ns)
    info = message.audio.info
    info.format, info.rate = 8, sample_rate
    info.chunk, info.channels = samples.shape
    message.audio.audio_data.int16_data = _int16_elements(samples)


def _restamp_header(message: Any, stamp_ns: int) -> Any:
    stamped = copy(message)
    stamped.header = type(message.header)(frame_id=message.header.frame_id)
    _set_stamp(stamped, stamp_ns)
    return stamped


def _stamp_of(message: Any) -> int | None:
    stamp = message.header.stamp
    return (stamp.sec * NS_PER_S + stamp.nanosec) or None


def _set_stamp(message: Any, stamp_ns: int) -> None:
    message.header.stamp.sec = stamp_ns // NS_PER_S
    message.header.stamp.nanosec = stamp_ns % NS_PER_S


def _unchanged(message: Any, stamp_ns: int) -> Any:
    """Return the message itself: its type has no stamp."""
    return message


def _int16_elements(samples: NDArray[np.int16]) -> Any:
    return array('h', np.ascontiguousarray(samples, np.int16).tobytes())


def _float32_elements(samples: NDArray[np.int16]) -> Any:
    return array('f', (samples / np.float32(32_768)).astype(np.float32).tobytes())


def _byte_elements(samples: NDArray[np.int16]) -> Any:
    return array('B', samples.astype('<i2').tobytes())


AUDIO_TYPES: dict[str, AudioType] = {kind.key: kind for kind in (
    AudioType('int16', 'std_msgs/msg/Int16MultiArray', 'layout', _read_array('S16LE', False),
              _write_array(_int16_elements), _restamp_array),
    AudioType('float32', 'std_msgs/msg/Float32MultiArray', 'layout', _read_array('F32LE', False),
              _write_array(_float32_elements), _restamp_array),
    AudioType('uint8', 'std_msgs/msg/UInt8MultiArray', 'layout', _read_array('', True),
              _write_array(_byte_elements), _restamp_array),
    AudioType('audio_data', 'audio_common_msgs/msg/AudioData', 'data', _read_audio_data,
              _write_audio_data, _unchanged),
    AudioType('audio_data_stamped', 'audio_common_msgs/msg/AudioDataStamped', 'audio',
              _read_audio_data_stamped, _write_audio_data_stamped, _restamp_header),
    AudioType('audio_stamped', 'audio_common_msgs/msg/AudioStamped', 'audio',
              _read_audio_stamped, _write_audio_stamped, _restamp_header),
)}
"""Every type the node understands, by the value of the parameter ``audio_type``."""


def audio_type_of(ros_type: str) -> AudioType:
    """Return how messages of a ROS type are read.

    Raises:
        AudioError: the type is none of those understood.
    """
    for kind in AUDIO_TYPES.values():
        if kind.ros_type == ros_type:
            return kind
    known = ', '.join(sorted({kind.ros_type for kind in AUDIO_TYPES.values()}))
    raise AudioError(f'audio of type {ros_type} is not understood; use one of {known}')


def best_audio_type() -> AudioType:
    """Return the best type to publish audio with here: with a stamp of its own if installed."""
    for key in ('audio_stamped', 'audio_data_stamped'):
        try:
            AUDIO_TYPES[key].load()
        except AudioError:
            continue
        return AUDIO_TYPES[key]
    return AUDIO_TYPES['int16']


def format_of_info(message: Any) -> AudioFormat:
    """Return what a ros-drivers ``AudioInfo`` says about the bytes that come with it."""
    coding = message.coding_format.strip().lower()
    return AudioFormat(message.sample_rate, message.channels,
                       message.sample_format.strip().upper(),
                       'raw' if coding in _RAW_CODINGS else coding)
