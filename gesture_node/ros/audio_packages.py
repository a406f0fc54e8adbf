"""Audio in the messages of packages that need not be installed; see ``audio_messages``."""
from __future__ import annotations

from array import array
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..timeline import NS_PER_S
from .audio_decoder import AudioFormat
from .audio_multiarrays import byte_elements, int16_elements
from .audio_packet import AudioMessageError, AudioPacket, stamp_ns_of

_PORTAUDIO = {1: ('float32_data', 'F32LE'), 2: ('int32_data', 'S32LE'), 8: ('int16_data', 'S16LE'),
              16: ('int8_data', 'S8'), 32: ('uint8_data', 'U8')}
"""Sample format flags of PortAudio, as in the ``format`` of mgonzs13's ``AudioInfo``."""
_RAW_AUDIO_FORMAT = 'pcm-s16'


def read_audio_data(message: Any) -> AudioPacket:
    """Read ros-drivers ``AudioData``."""
    return AudioPacket(message.data, AudioFormat(), None, True)


def write_audio_data(message: Any, samples: NDArray[np.int16], sample_rate: int,
                     stamp_ns: int) -> None:
    """Fill ros-drivers ``AudioData``, which says nothing about itself."""
    message.data = byte_elements(samples)


def read_audio_data_stamped(message: Any) -> AudioPacket:
    """Read ros-drivers ``AudioDataStamped``."""
    return AudioPacket(message.audio.data, AudioFormat(), _stamp_of(message.header.stamp), True)


def write_audio_data_stamped(message: Any, samples: NDArray[np.int16], sample_rate: int,
                             stamp_ns: int) -> None:
    """Fill ros-drivers ``AudioDataStamped``."""
    set_stamp(message.header.stamp, stamp_ns)
    message.audio.data = byte_elements(samples)


def read_audio(message: Any) -> AudioPacket:
    """Read mgonzs13's ``Audio``, which has no stamp."""
    info, data = message.info, message.audio_data
    if info.format not in _PORTAUDIO:
        raise AudioMessageError('portaudio_format', (
            f'an audio message has PortAudio format {info.format}; known are '
            f'{", ".join(f"{flag} ({name[1]})" for flag, name in _PORTAUDIO.items())}'))
    field, sample_format = _PORTAUDIO[info.format]
    payload = getattr(data, field)
    if not len(payload):
        filled = [name for name, _ in _PORTAUDIO.values() if len(getattr(data, name))]
        if filled:
            raise AudioMessageError('audio_fields', (
                f'an audio message has format {info.format}, but its samples are in '
                f'{filled[0]} instead of {field}; it is dropped'))
    return AudioPacket(payload, AudioFormat(info.rate, info.channels, sample_format), None, False)


def write_audio(message: Any, samples: NDArray[np.int16], sample_rate: int,
                stamp_ns: int) -> None:
    """Fill mgonzs13's ``Audio``."""
    info = message.info
    info.format, info.rate = 8, sample_rate
    info.chunk, info.channels = samples.shape
    message.audio_data.int16_data = int16_elements(samples)


def read_audio_stamped(message: Any) -> AudioPacket:
    """Read mgonzs13's ``AudioStamped``."""
    packet = read_audio(message.audio)
    return AudioPacket(packet.payload, packet.declared, _stamp_of(message.header.stamp), False)


def write_audio_stamped(message: Any, samples: NDArray[np.int16], sample_rate: int,
                        stamp_ns: int) -> None:
    """Fill mgonzs13's ``AudioStamped``."""
    set_stamp(message.header.stamp, stamp_ns)
    write_audio(message.audio, samples, sample_rate, stamp_ns)


def read_raw_audio(message: Any) -> AudioPacket:
    """Read Foxglove's ``RawAudio``, whose stamp is a field of its own."""
    if message.format != _RAW_AUDIO_FORMAT:
        raise AudioMessageError('raw_audio_format', (
            f'an audio message has format {message.format!r}; only {_RAW_AUDIO_FORMAT!r} is '
            'defined'))
    declared = AudioFormat(message.sample_rate, message.number_of_channels, 'S16LE')
    return AudioPacket(message.data, declared, _stamp_of(message.timestamp), False)


def write_raw_audio(message: Any, samples: NDArray[np.int16], sample_rate: int,
                    stamp_ns: int) -> None:
    """Fill Foxglove's ``RawAudio``."""
    set_stamp(message.timestamp, stamp_ns)
    message.format, message.sample_rate = _RAW_AUDIO_FORMAT, sample_rate
    message.number_of_channels = samples.shape[1]
    message.data = byte_elements(samples)


def restamp_raw_audio(message: Any, stamp_ns: int) -> Any:
    """Return the message with another timestamp."""
    stamped = copy(message)
    stamped.timestamp = type(message.timestamp)()
    set_stamp(stamped.timestamp, stamp_ns)
    return stamped


def read_audio_buffer(message: Any) -> AudioPacket:
    """Read naoqi's ``AudioBuffer``: the microphones of NAO and Pepper, interleaved."""
    channels = len(message.channel_map)
    if not channels or len(message.data) % channels:
        raise AudioMessageError('audio_buffer', (
            f'an audio message has {len(message.data)} samples for {channels} channels; it is '
            'dropped'))
    declared = AudioFormat(message.frequency, channels, 'S16LE')
    return AudioPacket(message.data, declared, _stamp_of(message.header.stamp), False)


def write_audio_buffer(message: Any, samples: NDArray[np.int16], sample_rate: int,
                       stamp_ns: int) -> None:
    """Fill naoqi's ``AudioBuffer``."""
    set_stamp(message.header.stamp, stamp_ns)
    message.frequency = sample_rate
    message.channel_map = array('B', range(samples.shape[1]))
    message.data = int16_elements(samples)


def restamp_header(message: Any, stamp_ns: int) -> Any:
    """Return the message with another stamp in its header; it shares its samples."""
    stamped = copy(message)
    stamped.header = type(message.header)(frame_id=message.header.frame_id)
    set_stamp(stamped.header.stamp, stamp_ns)
    return stamped


def unchanged(message: Any, stamp_ns: int) -> Any:
    """Return the message itself: its type has no stamp."""
    return message


def _stamp_of(stamp: Any) -> int | None:
    return stamp_ns_of(stamp.sec, stamp.nanosec)


def set_stamp(stamp: Any, stamp_ns: int) -> None:
    """Set a stamp to ROS time [ns]."""
    stamp.sec, stamp.nanosec = stamp_ns // NS_PER_S, stamp_ns % NS_PER_S
