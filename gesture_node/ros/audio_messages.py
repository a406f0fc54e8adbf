"""The audio message types the node understands, each read and written by its fields.

Two unrelated packages are called ``audio_common_msgs``; only one can be on the Python path, and
both have an ``AudioData``. They are told apart by their fields, never by their name:

=======================  ========================================  ==============================
type                     package                                   what it says about itself
=======================  ========================================  ==============================
``int8`` to ``float64``  std_msgs multi-arrays                     what ``layout.dim`` says
``uint8``                std_msgs/UInt8MultiArray                  the same, or a WAVE file
``audio_data``           ros-drivers audio_common_msgs/AudioData   what ``audio_info`` says
``audio_data_stamped``   ros-drivers .../AudioDataStamped          the same, and a stamp
``audio``                mgonzs13 audio_common_msgs/Audio          everything but a stamp
``audio_stamped``        mgonzs13 .../AudioStamped                 everything, and a stamp
``raw_audio``            foxglove_msgs/RawAudio                    everything, and a stamp
``audio_buffer``         naoqi_bridge_msgs/AudioBuffer             everything, and a stamp
=======================  ========================================  ==============================
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exceptions import AudioError
from . import audio_multiarrays as arrays
from . import audio_packages as packages
from .audio_decoder import AudioFormat
from .audio_packet import AudioMessageError, AudioPacket
from .optional_messages import load_message, MissingMessageError
from .problems import ProblemLog

__all__ = ['AUDIO_TYPES', 'AudioMessageError', 'AudioPacket', 'AudioType', 'audio_type_of',
           'best_audio_type', 'format_of_info', 'packet_of']
_RAW_CODINGS = ('', 'wave', 'wav', 'raw', 'pcm')


@dataclass(frozen=True, slots=True)
class AudioType:
    """How one message type is found, read and written.

    Attributes:
        key: value of the parameter ``audio_type``.
        ros_type: name in the ROS graph.
        marker: a field its class must have, which tells namesakes apart.
        read: message to packet; raises :class:`AudioMessageError` if it contradicts itself.
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
        try:
            return load_message(self.ros_type, self.marker)
        except MissingMessageError as error:
            raise AudioError(f'audio type {error}') from None


def _array(key: str, name: str, sample_format: str, sniff: bool,
           to_elements: Callable[[NDArray[np.int16]], Any]) -> AudioType:
    return AudioType(key, f'std_msgs/msg/{name}MultiArray', 'layout',
                     arrays.read_array(sample_format, sniff), arrays.write_array(to_elements),
                     arrays.restamp_array)


AUDIO_TYPES: dict[str, AudioType] = {kind.key: kind for kind in (
    _array('int16', 'Int16', 'S16LE', False, arrays.int16_elements),
    _array('float32', 'Float32', 'F32LE', False, arrays.float32_elements),
    _array('uint8', 'UInt8', '', True, arrays.byte_elements),
    _array('int8', 'Int8', 'S8', False, arrays.int8_elements),
    _array('int32', 'Int32', 'S32LE', False, arrays.int32_elements),
    _array('float64', 'Float64', 'F64LE', False, arrays.float64_elements),
    AudioType('audio_data', 'audio_common_msgs/msg/AudioData', 'data', packages.read_audio_data,
              packages.write_audio_data, packages.unchanged),
    AudioType('audio_data_stamped', 'audio_common_msgs/msg/AudioDataStamped', 'audio',
              packages.read_audio_data_stamped, packages.write_audio_data_stamped,
              packages.restamp_header),
    AudioType('audio', 'audio_common_msgs/msg/Audio', 'audio_data', packages.read_audio,
              packages.write_audio, packages.unchanged),
    AudioType('audio_stamped', 'audio_common_msgs/msg/AudioStamped', 'audio',
              packages.read_audio_stamped, packages.write_audio_stamped,
              packages.restamp_header),
    AudioType('raw_audio', 'foxglove_msgs/msg/RawAudio', 'number_of_channels',
              packages.read_raw_audio, packages.write_raw_audio, packages.restamp_raw_audio),
    AudioType('audio_buffer', 'naoqi_bridge_msgs/msg/AudioBuffer', 'channel_map',
              packages.read_audio_buffer, packages.write_audio_buffer, packages.restamp_header),
)}
"""Every type the node understands, by the value of the parameter ``audio_type``."""


def packet_of(kind: AudioType, message: Any, problems: ProblemLog) -> AudioPacket | None:
    """Return what a message holds; ``None``, with the reason reported, if it cannot be read."""
    try:
        return kind.read(message)
    except AudioMessageError as error:
        problems.report(error.cause, str(error))
    except AttributeError as error:
        # Another release of the package, whose message has the marker but not the rest.
        problems.report('audio_fields', (
            f'{kind.ros_type} as it is installed here has not the fields it should have '
            f'({error}); its messages are dropped'))
    return None


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
