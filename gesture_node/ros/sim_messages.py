"""Messages from and to the simulator as plain values."""
from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from ..motion.face import BLENDSHAPE_INDEX, FACE_DIM
from ..sim.controller import TrajectoryMessage, TrajectoryPoint
from ..timeline import NS_PER_S


def trajectory_of(message: JointTrajectory) -> TrajectoryMessage:
    """Return a trajectory message as the controller takes it."""
    points = tuple(TrajectoryPoint(
        point.time_from_start.sec * NS_PER_S + point.time_from_start.nanosec,
        np.array(point.positions), np.array(point.velocities), np.array(point.accelerations))
        for point in message.points)
    stamp = message.header.stamp
    return TrajectoryMessage(tuple(message.joint_names), stamp.sec * NS_PER_S + stamp.nanosec,
                             points)


def face_of(message: JointState) -> NDArray[np.float32]:
    """Return the weights (52,) of a face frame, by name; what it does not name is 0."""
    weights = np.zeros(FACE_DIM, np.float32)
    for name, value in zip(message.name, message.position):
        index = BLENDSHAPE_INDEX.get(name)
        if index is not None:
            weights[index] = value
    return weights


def joint_state_of(joints: dict[str, tuple[float, float]], time_ns: int) -> JointState:
    """Return a message of joint positions [rad] and velocities [rad/s] measured at a time."""
    message = JointState()
    message.header.stamp.sec = time_ns // NS_PER_S
    message.header.stamp.nanosec = time_ns % NS_PER_S
    message.name = list(joints)
    message.position = array('d', (position for position, _ in joints.values()))
    message.velocity = array('d', (velocity for _, velocity in joints.values()))
    return message
