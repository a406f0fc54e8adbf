"""Message classes with the published fields of packages that are not installed here."""
from __future__ import annotations

from array import array
import sys
import types

import numpy as np


class Stamp:
    def __init__(self) -> None:
        self.sec = self.nanosec = 0


class Header:
    def __init__(self, frame_id: str = '') -> None:
        self.stamp, self.frame_id = Stamp(), frame_id


class Message:
    """Base: fields with their defaults, as rosidl classes have them."""

    FIELDS: dict = {}

    def __init__(self) -> None:
        for name, make in self.FIELDS.items():
            setattr(self, name, make())

    @classmethod
    def get_fields_and_field_types(cls):
        return dict.fromkeys(cls.FIELDS, 'any')


class RosDriversAudioData(Message):
    FIELDS = {'data': lambda: array('B')}


class RosDriversAudioDataStamped(Message):
    FIELDS = {'header': Header, 'audio': RosDriversAudioData}


class RosDriversAudioInfo(Message):
    FIELDS = {'channels': int, 'sample_rate': int, 'sample_format': str, 'bitrate': int,
              'coding_format': str}


class Mgonzs13AudioData(Message):
    FIELDS = {'float32_data': lambda: array('f'), 'int32_data': lambda: array('i'),
              'int16_data': lambda: array('h'), 'int8_data': lambda: array('b'),
              'uint8_data': lambda: array('B')}


class Mgonzs13AudioInfo(Message):
    FIELDS = {'format': int, 'channels': int, 'rate': int, 'chunk': int}


class Mgonzs13Audio(Message):
    FIELDS = {'audio_data': Mgonzs13AudioData, 'info': Mgonzs13AudioInfo}


class Mgonzs13AudioStamped(Message):
    FIELDS = {'header': Header, 'audio': Mgonzs13Audio}


ROS_DRIVERS = types.SimpleNamespace(
    AudioData=RosDriversAudioData, AudioDataStamped=RosDriversAudioDataStamped,
    AudioInfo=RosDriversAudioInfo)
MGONZS13 = types.SimpleNamespace(
    AudioData=Mgonzs13AudioData, AudioInfo=Mgonzs13AudioInfo, Audio=Mgonzs13Audio,
    AudioStamped=Mgonzs13AudioStamped)


class FoxgloveRawAudio(Message):
    FIELDS = {'timestamp': Stamp, 'data': lambda: array('B'), 'format': str, 'sample_rate': int,
              'number_of_channels': int}


class NaoqiAudioBuffer(Message):
    FIELDS = {'header': Header, 'frequency': int, 'channel_map': lambda: array('B'),
              'data': lambda: array('h')}


class HriFacialActionUnits(Message):
    FIELDS = {'header': Header, 'intensity': lambda: np.zeros(99, np.float32),
              'confidence': lambda: np.zeros(99, np.float32)}


class HriExpression(Message):
    FIELDS = {'header': Header, 'expression': str, 'valence': float, 'arousal': float,
              'confidence': float}


class HriIdsList(Message):
    FIELDS = {'header': Header, 'ids': list}


FOXGLOVE = types.SimpleNamespace(RawAudio=FoxgloveRawAudio)
NAOQI = types.SimpleNamespace(AudioBuffer=NaoqiAudioBuffer)
HRI = types.SimpleNamespace(FacialActionUnits=HriFacialActionUnits, Expression=HriExpression,
                            IdsList=HriIdsList)


def install(monkeypatch, package, messages):
    """Let a package be imported as if it were installed."""
    module = types.ModuleType(f'{package}.msg')
    module.__dict__.update(vars(messages))
    monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    monkeypatch.setitem(sys.modules, f'{package}.msg', module)
