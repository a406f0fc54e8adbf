"""Plain values to ROS messages: trajectories and faces."""
from __future__ import annotations

from array import array
from typing import Any

from builtin_interfaces.msg import Duration, Time
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from ..motion.face import BLENDSHAPE_NAMES
from ..motion.trajectory import TrajectoryMessage
from ..timeline import frame_to_ns, NS_PER_S
from ..types import FaceChunk

_FACE_NAMES = list(BLENDSHAPE_NAMES)


def to_time(time_ns: int) -> Time:
    """Return ROS time [ns] as a stamp."""
    return Time(sec=time_ns // NS_PER_S, nanosec=time_ns % NS_PER_S)


def from_time(stamp: Time) -> int:
    """Return a stamp as ROS time [ns]."""
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)


def to_duration(duration_ns: int) -> Duration:
    """Return a duration [ns] that is not negative as a message."""
    return Duration(sec=duration_ns // NS_PER_S, nanosec=duration_ns % NS_PER_S)


def joint_trajectory(message: TrajectoryMessage) -> JointTrajectory:
    """Return the message with what it has of every joint at every point."""
    trajectory = JointTrajectory(joint_names=list(message.joint_names))
    trajectory.header.stamp = to_time(message.stamp_ns)
    trajectory.points = [
        JointTrajectoryPoint(positions=_doubles(positions), velocities=_doubles(velocities),
                             time_from_start=to_duration(int(after_ns)))
        for after_ns, positions, velocities in zip(
            message.times_from_start_ns, message.positions, message.velocities)]
    if message.accelerations is not None:
        for point, accelerations in zip(trajectory.points, message.accelerations):
            point.accelerations = _doubles(accelerations)
    return trajectory


def face_trajectory(chunk: FaceChunk, first_ns: int) -> JointTrajectory:
    """Return a chunk of blendshape weights; its stamp is the presentation time of row 0."""
    trajectory = JointTrajectory(joint_names=_FACE_NAMES)
    trajectory.header.stamp = to_time(first_ns)
    trajectory.points = [
        JointTrajectoryPoint(positions=_doubles(weights),
                             time_from_start=to_duration(frame_to_ns(row, chunk.rate_hz)))
        for row, weights in enumerate(chunk.weights)]
    return trajectory


def face_state(weights: NDArray[np.floating[Any]], shown_ns: int) -> JointState:
    """Return one frame of blendshape weights; its stamp is its presentation time."""
    state = JointState(name=_FACE_NAMES, position=_doubles(weights))
    state.header.stamp = to_time(shown_ns)
    return state


def measured_positions(state: JointState) -> dict[str, float]:
    """Return the finite positions [rad] of a joint state by name."""
    return {name: position for name, position in zip(state.name, state.position)
            if np.isfinite(position)}


def _doubles(values: NDArray[np.floating[Any]]) -> array[float]:
    return array('d', np.ascontiguousarray(values, np.float64).tobytes())
