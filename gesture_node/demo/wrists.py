"""How fast a robot's hands move, by Pinocchio's forward kinematics."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pinocchio

from ..motion.robot import RobotProfile
from ..types import Float64Array


def hand_positions(profile: RobotProfile, joint_names: Sequence[str],
                   positions: Float64Array) -> dict[str, Float64Array]:
    """Return the position (T, 3) [m] of each hand link in the frame of the URDF's root, by side.

    Args:
        profile: the robot.
        joint_names: joints of the columns; joints not among them stay at 0.
        positions: shape (T, N), [rad].
    """
    model = pinocchio.buildModelFromXML(profile.urdf.kinematic_xml)
    data = model.createData()
    known = [(column, model.joints[model.getJointId(name)])
             for column, name in enumerate(joint_names) if model.existJointName(name)]
    frames = {arm.side: model.getFrameId(arm.hand_link) for arm in profile.arms}
    hands = {side: np.empty((len(positions), 3)) for side in frames}
    configuration = pinocchio.neutral(model)
    for row, values in enumerate(positions):
        for column, joint in known:
            if joint.nq == 1:
                configuration[joint.idx_q] = values[column]
            else:  # a continuous joint is stored as cosine and sine
                configuration[joint.idx_q:joint.idx_q + 2] = (np.cos(values[column]),
                                                              np.sin(values[column]))
        pinocchio.framesForwardKinematics(model, data, configuration)
        for side, frame in frames.items():
            hands[side][row] = data.oMf[frame].translation
    return hands


def speeds(times_s: Float64Array, positions: Float64Array) -> Float64Array:
    """Return the speed (T,) [m/s] of a point (T, 3), by central differences over 60 ms."""
    if len(times_s) < 8:
        return np.zeros(len(times_s))
    grid_s = np.arange(times_s[0], times_s[-1], 0.02)
    even = np.stack([np.interp(grid_s, times_s, axis) for axis in positions.T], axis=-1)
    smooth = np.stack([np.convolve(axis, np.full(3, 1 / 3), mode='same') for axis in even.T],
                      axis=-1)
    speed = np.linalg.norm(np.gradient(smooth, 0.02, axis=0), axis=-1)
    speed[:2] = speed[-2:] = 0.0
    return np.asarray(np.interp(times_s, grid_s, speed))
