"""Message classes with the published fields of the packages that robots' makers ship.

``naoqi_bridge_msgs`` (ros-naoqi/naoqi_bridge_msgs2), ``unitree_hg`` and ``unitree_go``
(unitreerobotics/unitree_ros2). Numbers are checked as rosidl's Python classes check them.
"""
from __future__ import annotations

from array import array
import sys
import types
from typing import Any

from pytest import MonkeyPatch

FLOATS, BYTES = ('q', 'dq', 'tau', 'kp', 'kd', 'speed'), ('mode', 'mode_pr', 'mode_machine')


class Stamp:
    def __init__(self) -> None:
        self.sec = self.nanosec = 0


class Header:
    def __init__(self) -> None:
        self.stamp, self.frame_id = Stamp(), ''


class Message:
    """Base: fields with their defaults; no others can be set, and none to a wrong type."""

    FIELDS: dict[str, Any] = {}

    def __init__(self, **given: Any) -> None:
        for name, make in self.FIELDS.items():
            setattr(self, name, given.pop(name, None) or make())
        assert not given

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in self.FIELDS, name
        if name in FLOATS:
            assert isinstance(value, float), (name, value)
        if name in BYTES:
            assert isinstance(value, int) and 0 <= value < 256, (name, value)
        super().__setattr__(name, value)

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        return dict.fromkeys(cls.FIELDS, 'any')


class JointAnglesWithSpeed(Message):
    FIELDS = {'header': Header, 'joint_names': list, 'joint_angles': lambda: array('f'),
              'speed': float, 'relative': int}


class HgMotorCmd(Message):
    FIELDS = {'mode': int, 'q': float, 'dq': float, 'tau': float, 'kp': float, 'kd': float,
              'reserve': int}


class HgLowCmd(Message):
    FIELDS = {'mode_pr': int, 'mode_machine': int,
              'motor_cmd': lambda: [HgMotorCmd() for _ in range(35)],
              'reserve': lambda: [0, 0, 0, 0], 'crc': int}


class HgHandCmd(Message):
    FIELDS = {'motor_cmd': list, 'reserve': lambda: [0, 0, 0, 0]}


class GoMotorCmd(Message):
    FIELDS = {**HgMotorCmd.FIELDS, 'reserve': lambda: [0, 0, 0]}


class GoBmsCmd(Message):
    FIELDS = {'off': int, 'reserve': lambda: [0, 0, 0]}


class GoLowCmd(Message):
    FIELDS = {'head': lambda: [0, 0], 'level_flag': int, 'frame_reserve': int,
              'sn': lambda: [0, 0], 'version': lambda: [0, 0], 'bandwidth': int,
              'motor_cmd': lambda: [GoMotorCmd() for _ in range(20)], 'bms_cmd': GoBmsCmd,
              'wireless_remote': lambda: [0] * 40, 'led': lambda: [0] * 12,
              'fan': lambda: [0, 0], 'gpio': int, 'reserve': int, 'crc': int}


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
