"""What ``trajectory_player`` writes: one writer for each kind of adapter.

Message classes are looked up by name when they are needed, so a kind whose package is not
installed costs nobody anything but who asks for it. No message class is imported here.
"""
from __future__ import annotations

from array import array
import importlib
from typing import Any, Protocol

import numpy as np

from ..exceptions import RobotError
from ..motion.profile import RobotProfile
from ..motion.profile_interface import Adapter
from ..timeline import NS_PER_S
from ..types import Float64Array
from .player_low_cmd import HandCmdWriter, LowCmdWriter

FIELDS = {
    'float64_multi_array': ('data',),
    'joint_state': ('header', 'name', 'position', 'velocity'),
    'joint_angles_with_speed': ('joint_names', 'joint_angles', 'speed', 'relative'),
    'low_cmd': ('motor_cmd', 'crc'),
    'hand_cmd': ('motor_cmd',),
}
"""Fields that a message must have to be written as a kind."""
_HEADROOM = 1.2
_SLOWEST = 0.02
"""NAOqi takes no speed of 0; a joint at rest stays where it is at any."""


class Writer(Protocol):
    """Turns commands of one adapter into messages."""

    @property
    def is_released(self) -> bool:
        """Whether the joints are no longer this process's to move."""

    def release(self) -> None:
        """Begin to hand the joints back."""

    def write(self, positions: Float64Array, velocities: Float64Array, ros_ns: int,
              steady_ns: int) -> Any:
        """Return the message for positions [rad] and velocities [rad/s], both (n,)."""


def load_message(adapter: Adapter) -> type[Any]:
    """Return the message class of an adapter.

    Raises:
        RobotError: its package is not installed, or the message is not what the kind writes.
    """
    package, _, name = adapter.message.partition('/msg/')
    try:
        found = getattr(importlib.import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError):
        raise RobotError(f'{adapter.kind} on {adapter.topic} needs {adapter.message}, but no '
                         f'package {package} that has it is installed') from None
    present = found.get_fields_and_field_types()
    missing = [field for field in FIELDS[adapter.kind] if field not in present]
    if missing:
        raise RobotError(f'{adapter.message} cannot be written as {adapter.kind}: it has no '
                         f'field {missing[0]!r}')
    return found  # type: ignore[no-any-return]


def make_writer(adapter: Adapter, profile: RobotProfile, weight_ramp_s: float,
                message_class: type[Any]) -> Writer:
    """Return the writer of an adapter.

    Args:
        adapter: what is written.
        profile: the robot.
        weight_ramp_s: time in which the weight of a ``low_cmd`` goes from 0 to 1.
        message_class: see :func:`load_message`.

    Raises:
        RobotError: the adapter cannot be written so that it is safe.
    """
    if adapter.kind == 'low_cmd':
        return LowCmdWriter(adapter, message_class, weight_ramp_s)
    if adapter.kind == 'hand_cmd':
        return HandCmdWriter(adapter, message_class)
    if adapter.kind == 'joint_state':
        return JointStateWriter(adapter, message_class)
    if adapter.kind == 'joint_angles_with_speed':
        return JointAnglesWriter(adapter, message_class, full_speeds(adapter, profile))
    return Float64Writer(adapter, message_class)


def full_speeds(adapter: Adapter, profile: RobotProfile) -> Float64Array:
    """Return the speeds (n,) [rad/s] that the maker calls full: the URDF's, else the profile's."""
    speeds = []
    for name in adapter.joints:
        urdf = profile.urdf.joints[name].velocity
        own = profile.limits.velocity[profile.joint_names.index(name)]
        speeds.append(urdf if np.isfinite(urdf) and urdf > 0.0 else own)
    return np.array(speeds)


class _Plain:
    """A writer with nothing to hand back."""

    is_released = True

    def __init__(self, adapter: Adapter, message_class: type[Any]) -> None:
        self._adapter, self._class = adapter, message_class
        self._scale = float(np.degrees(1.0)) if adapter.unit == 'deg' else 1.0

    def release(self) -> None:
        """Nothing to take back: the robot holds the last position by itself."""

    def _in_unit(self, values: Float64Array) -> array[float]:
        return array('d', (values * self._scale).tobytes())


class Float64Writer(_Plain):
    """Writes ``std_msgs/Float64MultiArray``, positions alone."""

    def write(self, positions: Float64Array, velocities: Float64Array, ros_ns: int,
              steady_ns: int) -> Any:
        """Return the message."""
        return self._class(data=self._in_unit(positions))


class JointStateWriter(_Plain):
    """Writes ``sensor_msgs/JointState``: names, positions and velocities, stamped."""

    def write(self, positions: Float64Array, velocities: Float64Array, ros_ns: int,
              steady_ns: int) -> Any:
        """Return the message."""
        message = self._class(name=list(self._adapter.joints), position=self._in_unit(positions),
                              velocity=self._in_unit(velocities))
        _stamp(message, ros_ns)
        return message


class JointAnglesWriter(_Plain):
    """Writes ``naoqi_bridge_msgs/JointAnglesWithSpeed``.

    The message has no time: NAOqi sends every joint to its angle at one fraction of its own full
    speed. That fraction is what the fastest joint needs for its step, and a fifth more.

    Args:
        adapter: joints, and the largest fraction allowed.
        message_class: the message.
        full_speeds: shape (n,) [rad/s].
    """

    def __init__(self, adapter: Adapter, message_class: type[Any],
                 full_speeds: Float64Array) -> None:
        super().__init__(adapter, message_class)
        self._full_speeds = full_speeds
        self._last: tuple[Float64Array, int] | None = None

    def write(self, positions: Float64Array, velocities: Float64Array, ros_ns: int,
              steady_ns: int) -> Any:
        """Return the message."""
        message = self._class()
        _stamp(message, ros_ns)
        message.joint_names = list(self._adapter.joints)
        message.joint_angles = array('f', self._in_unit(positions))
        message.speed = self._fraction(positions, velocities, steady_ns)
        message.relative = 0
        self._last = positions, steady_ns
        return message

    def _fraction(self, positions: Float64Array, velocities: Float64Array,
                  steady_ns: int) -> float:
        needed = np.abs(velocities)
        if self._last is not None and steady_ns > self._last[1]:
            step_s = (steady_ns - self._last[1]) / NS_PER_S
            needed = np.maximum(needed, np.abs(positions - self._last[0]) / step_s)
        fraction = _HEADROOM * float((needed / self._full_speeds).max(initial=0.0))
        return min(max(fraction, _SLOWEST), self._adapter.speed)


def _stamp(message: Any, time_ns: int) -> None:
    stamp = message.header.stamp
    stamp.sec, stamp.nanosec = divmod(time_ns, NS_PER_S)
