"""Poses, motions and measurements that the tests of retargeting share."""
from __future__ import annotations

import numpy as np
import pinocchio

from gesture_node.motion.profile import Arm, RobotProfile
from gesture_node.motion.retarget import Retargeter
from gesture_node.motion.rotations import matrix_from_rotvec, rotvec_from_matrix, slerp
from gesture_node.motion.skeleton import (
    FINGER_DIRECTION,
    FINGER_NAMES,
    forward_kinematics,
    JOINT_INDEX,
    JOINT_NAMES,
    pack_pose,
    PALM_NORMAL,
    rest_pose,
    unpack_pose,
)

ROBOTS = ('humanoid', 'unitree_g1', 'nao')
DOWN = np.array([0.0, 0.0, -1.0])


def turn(axis: str, degrees: float) -> np.ndarray:
    """Return the turn about one axis; about -y the arm goes forward, about +x to the left."""
    return matrix_from_rotvec(np.radians(degrees) * np.eye(3)['xyz'.index(axis)])


def pose(curl: float = 0.2, **turns: np.ndarray) -> np.ndarray:
    rotations = np.broadcast_to(np.eye(3), (len(JOINT_NAMES), 3, 3)).copy()
    for joint, rotation in turns.items():
        rotations[JOINT_INDEX[joint]] = rotation
    return pack_pose(rotations, np.full(len(FINGER_NAMES), curl))


FORWARD = turn('y', -90)
POSES = {
    'rest': rest_pose(),
    't_pose': pose(left_shoulder=turn('x', 90), right_shoulder=turn('x', -90)),
    'arms_forward': pose(left_shoulder=FORWARD, right_shoulder=FORWARD),
    'hands_up': pose(left_shoulder=turn('y', -165), right_shoulder=turn('y', -165)),
    'elbows_bent': pose(left_elbow=FORWARD, right_elbow=FORWARD),
    'palms_up': pose(left_elbow=turn('y', -80) @ turn('z', 80),
                     right_elbow=turn('y', -80) @ turn('z', -80)),
    'hands_on_chest': pose(left_shoulder=turn('y', -25) @ turn('z', -60),
                           right_shoulder=turn('y', -25) @ turn('z', 60),
                           left_elbow=turn('y', -115), right_elbow=turn('y', -115)),
    'point_left': pose(left_shoulder=turn('z', 50) @ turn('y', -80), head=turn('z', 30)),
    'point_right': pose(right_shoulder=turn('z', -50) @ turn('y', -80), head=turn('z', -30)),
    'wave': pose(right_shoulder=turn('x', -75) @ turn('z', -90), right_elbow=turn('y', -85)),
    'nod': pose(head=turn('y', 20)),
    'shake': pose(head=turn('z', 35)),
    'tilt': pose(head=turn('x', 12)),
    'lean': pose(spine=turn('y', 8), chest=turn('y', 8), head=turn('y', -16)),
    'sway': pose(spine=turn('x', 6), chest=turn('z', 20)),
}


def glide(start: np.ndarray, end: np.ndarray, frames: int = 20, hold: int = 15) -> np.ndarray:
    """Return a motion of ``frames`` at 25 fps between two poses that then holds the last."""
    (from_turns, from_fingers), (to_turns, to_fingers) = unpack_pose(start), unpack_pose(end)
    rows = [pack_pose(slerp(from_turns, to_turns, u), (1 - u) * from_fingers + u * to_fingers)
            for u in np.linspace(0.0, 1.0, frames)]
    return np.stack([*rows, *[end] * hold])


def settled(retargeter: Retargeter, target: np.ndarray) -> np.ndarray:
    positions, _ = retargeter.retarget(glide(rest_pose(), target), retargeter.initial_state())
    return positions[-1]


class Measured:
    """Link orientations of a robot in a configuration, by Pinocchio from the URDF file."""

    def __init__(self, profile: RobotProfile, positions: np.ndarray) -> None:
        self._model = pinocchio.buildModelFromUrdf(str(profile.urdf_path))
        self._data = self._model.createData()
        coordinates = pinocchio.neutral(self._model)
        for name, position in zip(profile.joint_names, positions):
            coordinates[self._model.joints[self._model.getJointId(name)].idx_q] = position
        pinocchio.framesForwardKinematics(self._model, self._data, coordinates)

    def rotation(self, link: str) -> np.ndarray:
        return self._data.oMf[self._model.getFrameId(link)].rotation

    def point(self, link: str) -> np.ndarray:
        return self._data.oMf[self._model.getFrameId(link)].translation


def degrees_between(one: np.ndarray, other: np.ndarray) -> float:
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def errors_deg(profile: RobotProfile, target: np.ndarray,
               positions: np.ndarray) -> dict[str, float]:
    """Return the angles between what a pose shows and what the robot shows, largest of a kind."""
    _, frames = forward_kinematics(unpack_pose(target)[0])
    robot = Measured(profile, positions)
    chest = robot.rotation(profile.torso.link) @ profile.torso.frame
    person_chest = frames[JOINT_INDEX['chest']]
    errors = {'arm': 0.0, 'hand': 0.0}
    for arm in profile.arms:
        for kind, link, inside, joint, axis in _arm_rows(arm):
            shown = chest.T @ robot.rotation(link) @ inside
            wanted = person_chest.T @ frames[JOINT_INDEX[f'{arm.side}_{joint}']] @ axis
            errors[kind] = max(errors[kind], degrees_between(shown, wanted))
    if profile.torso.joints:
        errors['torso'] = np.degrees(np.linalg.norm(rotvec_from_matrix(chest.T @ person_chest)))
    if profile.head is not None:
        head = robot.rotation(profile.head.link) @ profile.head.frame
        wanted = frames[JOINT_INDEX['head']]
        errors['head forward'] = degrees_between(head[:, 0], wanted[:, 0])
        errors['head up'] = degrees_between(head[:, 2], wanted[:, 2])
    return errors


def _arm_rows(arm: Arm) -> list[tuple[str, str, np.ndarray, str, np.ndarray]]:
    return [('arm', arm.upper_arm_link, arm.upper_arm, 'shoulder', DOWN),
            ('arm', arm.forearm_link, arm.forearm, 'elbow', DOWN),
            ('hand', arm.hand_link, arm.fingers, 'wrist', FINGER_DIRECTION),
            ('hand', arm.hand_link, arm.palm, 'wrist', PALM_NORMAL[arm.side])]


def smooth_motion(seed: int, frames: int = 60, size_rad: float = 0.6) -> np.ndarray:
    """Return a random smooth motion ``(frames, 84)`` of all joints, up to about two turns/s.

    Elbows bend forwards and the forearms turn, as those of people do.
    """
    random = np.random.default_rng(seed)
    times = np.arange(frames)[:, None, None] / 25.0
    frequency = random.uniform(0.1, 1.0, (3, len(JOINT_NAMES), 3))
    phase = random.uniform(0.0, 2 * np.pi, (3, len(JOINT_NAMES), 3))
    scale = np.where(['shoulder' in n or 'elbow' in n for n in JOINT_NAMES], 1.0, 0.3)
    waves = sum(np.sin(2 * np.pi * f * times + p) for f, p in zip(frequency, phase))
    fingers = 0.5 + 0.5 * np.sin(times[:, 0] + np.arange(len(FINGER_NAMES)))
    turns = matrix_from_rotvec(size_rad * scale[:, None] * waves)
    for joint in ('left_elbow', 'right_elbow'):
        flexion, twist = 1.1 + 0.3 * waves[:, JOINT_INDEX[joint], :2].T
        turns[:, JOINT_INDEX[joint]] = (matrix_from_rotvec(np.outer(flexion, [0.0, -1.0, 0.0]))
                                        @ matrix_from_rotvec(np.outer(twist - 1.1, DOWN)))
    return pack_pose(turns, fingers)
