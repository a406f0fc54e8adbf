"""Unitree's motor messages: gains, blend weight and checksum. Knows no ROS.

``/arm_sdk`` carries waist and arms while the robot's own controller keeps its balance; the
position of a motor that does not exist (29 on a G1) is the weight 0 .. 1 of these commands
against the controller's. Fields and layout are those of ``unitree_hg`` (G1, H1-2) and
``unitree_go`` (H1) in github.com/unitreerobotics/unitree_ros2.
"""
from __future__ import annotations

from collections.abc import Sequence
import importlib
import struct
from typing import Any
import zlib

from ..exceptions import RobotError
from ..motion.courses import smoothstep
from ..motion.profile_interface import Adapter
from ..timeline import NS_PER_S
from ..types import Float64Array

_ENABLED = 1
_HAND_MOTORS = 7
_HAND_STATUS = 1 << 4
"""Motor on, in the mode byte of a Dex3 hand, whose low half is the motor's index."""
_LONGEST_STEP_NS = NS_PER_S // 10
_REVERSED = bytes(int(f'{value:08b}'[::-1], 2) for value in range(256))
_GO_HEAD = (0xFE, 0xEF)
_GO_STRONG, _GO_FIRST_WEAK = 0x0A, 10
"""Mode of an H1's strong motors (legs and trunk); ankles and arms, from 10 on, take 1."""


class BlendWeight:
    """A weight that goes smoothly from 0 to 1 and back.

    Args:
        ramp_s: time from one end to the other.
    """

    def __init__(self, ramp_s: float) -> None:
        self.is_wanted = True
        self._ramp_ns = round(ramp_s * NS_PER_S)
        self._way_ns = 0
        self._last_ns: int | None = None

    @property
    def value(self) -> float:
        """The weight now, a cubic of the way along the ramp: without speed at both ends."""
        return float(smoothstep(self._way_ns / self._ramp_ns))

    def step(self, steady_ns: int) -> float:
        """Move on to a time of the machine's clock and return the weight then."""
        passed_ns = 0 if self._last_ns is None else min(steady_ns - self._last_ns,
                                                        _LONGEST_STEP_NS)
        self._last_ns = steady_ns
        way_ns = self._way_ns + (passed_ns if self.is_wanted else -passed_ns)
        self._way_ns = min(max(way_ns, 0), self._ramp_ns)
        return self.value


def crc32(data: bytes) -> int:
    """Return the CRC-32 with polynomial 0x04C11DB7, not reflected, not inverted at the end.

    The CRC of zlib is the same but for the order of bits and the final inversion.
    """
    mirrored = zlib.crc32(data.translate(_REVERSED)) ^ 0xFFFFFFFF
    return int(f'{mirrored:032b}'[::-1], 2)


def low_cmd_crc(message: Any) -> int:
    """Return the checksum of a ``LowCmd``: over its words before ``crc``, high byte first."""
    packed = _packed_go(message) if hasattr(message, 'level_flag') else _packed_hg(message)
    words = struct.unpack(f'<{len(packed) // 4}I', packed)
    return crc32(struct.pack(f'>{len(words)}I', *words))


def _packed_hg(message: Any) -> bytes:
    """Return a ``unitree_hg/LowCmd`` as it lies in the robot's memory, without its checksum."""
    return b''.join([
        struct.pack('<2B2x', message.mode_pr, message.mode_machine),
        *(struct.pack('<B3x5fI', motor.mode, motor.q, motor.dq, motor.tau, motor.kp, motor.kd,
                      motor.reserve) for motor in message.motor_cmd),
        struct.pack(f'<{len(message.reserve)}I', *message.reserve)])


def _packed_go(message: Any) -> bytes:
    """Return a ``unitree_go/LowCmd`` as it lies in the robot's memory, without its checksum."""
    bms = message.bms_cmd
    return b''.join([
        struct.pack('<4B4IH2x', *message.head, message.level_flag, message.frame_reserve,
                    *message.sn, *message.version, message.bandwidth),
        *(struct.pack('<B3x5f3I', motor.mode, motor.q, motor.dq, motor.tau, motor.kp, motor.kd,
                      *motor.reserve) for motor in message.motor_cmd),
        struct.pack('<4B', bms.off, *bms.reserve),
        struct.pack('<55BxI', *message.wireless_remote, *message.led, *message.fan, message.gpio,
                    message.reserve)])


class LowCmdWriter:
    """Writes ``LowCmd``: the commanded motors with their gains, all others untouched.

    Args:
        adapter: which joint is which motor.
        message_class: ``LowCmd`` of either package.
        ramp_s: time in which the weight goes from 0 to 1.

    Raises:
        RobotError: the profile names no blend motor, or a motor that the message does not have.
    """

    def __init__(self, adapter: Adapter, message_class: type[Any], ramp_s: float) -> None:
        if adapter.blend_motor is None:
            raise RobotError(f'low_cmd on {adapter.topic} needs a blend_motor: without it the '
                             'message would take the legs from what keeps their balance')
        self.weight = BlendWeight(ramp_s)
        self._adapter, self._blend_motor = adapter, adapter.blend_motor
        self._message = message_class()
        _check_motors(adapter, (*adapter.motors, self._blend_motor), self._message.motor_cmd)
        is_go = hasattr(self._message, 'level_flag')
        if is_go:
            self._message.head = list(_GO_HEAD)
            self._message.level_flag = 0xFF
        self._modes = {motor: _GO_STRONG if is_go and motor < _GO_FIRST_WEAK else _ENABLED
                       for motor in adapter.motors}

    @property
    def is_released(self) -> bool:
        """Whether the robot obeys its own controller alone again."""
        return not self.weight.is_wanted and self.weight.value == 0.0

    def release(self) -> None:
        """Begin to take the weight back."""
        self.weight.is_wanted = False

    def write(self, positions: Float64Array, velocities: Float64Array, ros_ns: int,
              steady_ns: int) -> Any:
        """Return the message for positions and velocities (n,) in the adapter's order."""
        motors = self._message.motor_cmd
        _set_motors(motors, self._adapter, positions, velocities)
        for motor, mode in self._modes.items():
            motors[motor].mode = mode
        motors[self._blend_motor].q = self.weight.step(steady_ns)
        self._message.crc = low_cmd_crc(self._message)
        return self._message


class HandCmdWriter:
    """Writes ``unitree_hg/HandCmd``: the motors of a Dex3 hand.

    Args:
        adapter: which joint is which motor.
        message_class: ``HandCmd``.

    Raises:
        RobotError: the profile names a motor that a hand does not have.
    """

    is_released = True

    def __init__(self, adapter: Adapter, message_class: type[Any]) -> None:
        package = importlib.import_module(adapter.message.partition('/')[0] + '.msg')
        self._adapter = adapter
        self._message = message_class()
        self._message.motor_cmd = [package.MotorCmd() for _ in range(_HAND_MOTORS)]
        _check_motors(adapter, adapter.motors, self._message.motor_cmd)

    def release(self) -> None:
        """Nothing to take back: a hand has no weight."""

    def write(self, positions: Float64Array, velocities: Float64Array, ros_ns: int,
              steady_ns: int) -> Any:
        """Return the message for positions and velocities (n,) in the adapter's order."""
        motors = self._message.motor_cmd
        _set_motors(motors, self._adapter, positions, velocities)
        for motor in self._adapter.motors:
            motors[motor].mode = motor | _HAND_STATUS
        return self._message


def _set_motors(motors: Sequence[Any], adapter: Adapter, positions: Float64Array,
                velocities: Float64Array) -> None:
    for motor, position, velocity in zip(adapter.motors, positions, velocities):
        command = motors[motor]
        command.q, command.dq, command.tau = float(position), float(velocity), 0.0
        command.kp, command.kd = adapter.stiffness, adapter.damping


def _check_motors(adapter: Adapter, indices: Sequence[int], motors: Sequence[Any]) -> None:
    for index in indices:
        if index >= len(motors):
            raise RobotError(f'{adapter.message} on {adapter.topic} has {len(motors)} motors; '
                             f'there is no motor {index}')
