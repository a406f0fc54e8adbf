"""Message classes with the published fields of the packages that robots' makers ship.

Fields, types and their order are those of the ``.msg`` files: ``naoqi_bridge_msgs`` of
ros-naoqi/naoqi_bridge_msgs2 (3a605d1), ``unitree_hg`` and ``unitree_go`` of
unitreerobotics/unitree_ros2 (9f8c812; those of ``unitree_go`` as its ``motor_crc.cpp`` reads
them, 6cc1da3). Values are checked as rosidl's Python classes check them, and kept as they keep
them: arrays of fixed size in NumPy, sequences of numbers in ``array``.
"""
from __future__ import annotations

from array import array
import re
import sys
import types
from typing import Any

import numpy as np
from pytest import MonkeyPatch

_CODES = {'float': 'f', 'uint8': 'B', 'uint16': 'H', 'uint32': 'I'}
_LARGEST_FLOAT = 3.402823466e+38
_CLASSES: dict[str, type[Any]] = {}


class Stamp:
    def __init__(self) -> None:
        self.sec = self.nanosec = 0


class Header:
    def __init__(self) -> None:
        self.stamp, self.frame_id = Stamp(), ''


class Message:
    """Base: fields with their defaults; no others can be set, and none to a wrong value."""

    FIELDS: dict[str, str] = {}

    def __init_subclass__(cls) -> None:
        _CLASSES[cls.__name__] = cls

    def __init__(self, **given: Any) -> None:
        for name, kind in self.FIELDS.items():
            setattr(self, name, given.pop(name) if name in given else _default(kind))
        assert not given

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in self.FIELDS, name
        super().__setattr__(name, _checked(self.FIELDS[name], value, name))

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        return dict(cls.FIELDS)


def _parts(kind: str) -> tuple[str, int | None, bool]:
    """Return the type of the elements, their fixed number, and whether it is a sequence."""
    fixed = re.fullmatch(r'(\w+)\[(\d+)\]', kind)
    if fixed:
        return fixed[1], int(fixed[2]), False
    sequence = re.fullmatch(r'sequence<(\w+)>', kind)
    return (sequence[1], None, True) if sequence else (kind, None, False)


def _default(kind: str) -> Any:
    element, size, is_sequence = _parts(kind)
    if size is not None:
        return [_default(element) for _ in range(size)]
    if is_sequence:
        return []
    if element in _CODES:
        return 0.0 if element == 'float' else 0
    return Header() if element == 'Header' else _CLASSES[element]()


def _checked(kind: str, value: Any, name: str) -> Any:
    element, size, is_sequence = _parts(kind)
    if size is None and not is_sequence:
        return _one(element, value, name)
    assert not isinstance(value, str) and (size is None or len(value) == size), (name, value)
    whole = [_one(element, one.item() if isinstance(one, np.generic) else one, name)
             for one in value]
    if element not in _CODES:
        return whole
    return array(_CODES[element], whole) if is_sequence else np.array(whole, _CODES[element])


def _one(element: str, value: Any, name: str) -> Any:
    if element == 'float':
        assert isinstance(value, float) and not abs(value) > _LARGEST_FLOAT, (name, value)
    elif element in _CODES:
        bits = int(element.removeprefix('uint'))
        assert isinstance(value, int) and 0 <= value < 2 ** bits, (name, value)
    elif element == 'string':
        assert isinstance(value, str), (name, value)
    else:
        assert isinstance(value, Header if element == 'Header' else _CLASSES[element]), name
    return value


class JointAnglesWithSpeed(Message):
    FIELDS = {'header': 'Header', 'joint_names': 'sequence<string>',
              'joint_angles': 'sequence<float>', 'speed': 'float', 'relative': 'uint8'}


class HgMotorCmd(Message):
    FIELDS = {'mode': 'uint8', 'q': 'float', 'dq': 'float', 'tau': 'float', 'kp': 'float',
              'kd': 'float', 'reserve': 'uint32'}


class HgLowCmd(Message):
    FIELDS = {'mode_pr': 'uint8', 'mode_machine': 'uint8', 'motor_cmd': 'HgMotorCmd[35]',
              'reserve': 'uint32[4]', 'crc': 'uint32'}


class HgHandCmd(Message):
    FIELDS = {'motor_cmd': 'sequence<HgMotorCmd>', 'reserve': 'uint32[4]'}


class GoMotorCmd(Message):
    FIELDS = {**HgMotorCmd.FIELDS, 'reserve': 'uint32[3]'}


class GoBmsCmd(Message):
    FIELDS = {'off': 'uint8', 'reserve': 'uint8[3]'}


class GoLowCmd(Message):
    FIELDS = {'head': 'uint8[2]', 'level_flag': 'uint8', 'frame_reserve': 'uint8',
              'sn': 'uint32[2]', 'version': 'uint32[2]', 'bandwidth': 'uint16',
              'motor_cmd': 'GoMotorCmd[20]', 'bms_cmd': 'GoBmsCmd',
              'wireless_remote': 'uint8[40]', 'led': 'uint8[12]', 'fan': 'uint8[2]',
              'gpio': 'uint8', 'reserve': 'uint32', 'crc': 'uint32'}


PACKAGES = {
    'naoqi_bridge_msgs': {'JointAnglesWithSpeed': JointAnglesWithSpeed},
    'unitree_hg': {'LowCmd': HgLowCmd, 'MotorCmd': HgMotorCmd, 'HandCmd': HgHandCmd},
    'unitree_go': {'LowCmd': GoLowCmd, 'MotorCmd': GoMotorCmd},
}


def install(monkeypatch: MonkeyPatch, *packages: str) -> None:
    """Make these packages importable, and the others not."""
    for name, messages in PACKAGES.items():
        present = name in packages
        module = types.SimpleNamespace(**messages) if present else None
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name) if present else None)
        monkeypatch.setitem(sys.modules, f'{name}.msg', module)
