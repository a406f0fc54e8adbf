"""Robots measured by their own kinematics: where arms, head and trunk point, from joint places.

Upper arm and forearm run between shoulder, elbow and wrist as Pinocchio places them from the
URDF. The directions a profile states are not used for them, so a wrong sign in a profile shows.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pinocchio
import yaml

from gesture_node.motion.profile import RobotProfile
from gesture_node.motion.retarget import Retargeter
from gesture_node.motion.robot import load_profile
from gesture_node.motion.rotations import matrix_from_rotvec, slerp
from gesture_node.motion.skeleton import (
    FINGER_NAMES,
    forward_kinematics,
    JOINT_INDEX,
    JOINT_NAMES,
    pack_pose,
    rest_pose,
    unpack_pose,
)

DOWN = np.array([0.0, 0.0, -1.0])
SIDES = ('left', 'right')
OWN = {
    'humanoid': ('{side}_shoulder_roll', '{side}_elbow', '{side}_wrist_pitch'),
    'nao': ('{S}ShoulderRoll', '{S}ElbowRoll', '{S}WristYaw'),
    'unitree_g1': ('{side}_shoulder_roll_joint', '{side}_elbow_joint',
                   '{side}_wrist_pitch_joint'),
}
"""Joints at shoulder, elbow and wrist of the robots whose description does not name them."""


def turn(axis: str, degrees: float) -> np.ndarray:
    """Return the turn about one axis; about -y the arm goes forward, about +x to the left."""
    return matrix_from_rotvec(np.radians(degrees) * np.eye(3)['xyz'.index(axis)])


def pose(**turns: np.ndarray) -> np.ndarray:
    rotations = np.broadcast_to(np.eye(3), (len(JOINT_NAMES), 3, 3)).copy()
    for joint, rotation in turns.items():
        rotations[JOINT_INDEX[joint]] = rotation
    return pack_pose(rotations, np.full(len(FINGER_NAMES), 0.2))


POSES = {
    'rest': rest_pose(),
    't_pose': pose(left_shoulder=turn('x', 90), right_shoulder=turn('x', -90)),
    'hands_up': pose(left_shoulder=turn('y', -165), right_shoulder=turn('y', -165)),
    'hands_on_chest': pose(left_shoulder=turn('y', -25) @ turn('z', -60),
                           right_shoulder=turn('y', -25) @ turn('z', 60),
                           left_elbow=turn('y', -115), right_elbow=turn('y', -115)),
    'point_left': pose(left_shoulder=turn('z', 50) @ turn('y', -80), head=turn('z', 30)),
    'point_right': pose(right_shoulder=turn('z', -50) @ turn('y', -80), head=turn('z', -30)),
    'nod': pose(head=turn('y', 20)),
    'shake': pose(head=turn('z', 35)),
    'lean': pose(spine=turn('y', 8), chest=turn('y', 8), head=turn('y', -16)),
}

CLASPED = pose(left_shoulder=turn('y', -25) @ turn('z', -45),
               right_shoulder=turn('y', -25) @ turn('z', 45),
               left_elbow=turn('y', -80), right_elbow=turn('y', -80))
"""Hands held together before the waist."""


def hangs(name: str, side: str) -> bool:
    """Return whether an arm hangs in a canonical pose."""
    return all(wanted_parts(name)[f'{side} {part}'] @ DOWN > 0.999
               for part in ('upper arm', 'forearm'))


@dataclass(frozen=True)
class Bend:
    """A point fixed in the frame of a joint."""

    joint: int
    place: np.ndarray


class Robot:
    """A profile with its full URDF in Pinocchio."""

    def __init__(self, name: str) -> None:
        self.profile: RobotProfile = load_profile(name)
        self.retargeter = Retargeter(self.profile)
        self.model = pinocchio.buildModelFromUrdf(str(self.profile.urdf_path))
        self.data = self.model.createData()
        self.columns = np.array([self.model.joints[self.model.getJointId(joint)].idx_q
                                 for joint in self.profile.joint_names])
        self._show(self.full(np.zeros(len(self.columns))))
        self.forward = self._frame(self.profile.root)
        names = _bend_names(name)
        self.bends = {side: self._bends(side, names) for side in SIDES}

    def full(self, positions: np.ndarray) -> np.ndarray:
        coordinates = pinocchio.neutral(self.model)
        coordinates[self.columns] = positions
        return coordinates

    def _show(self, coordinates: np.ndarray) -> None:
        pinocchio.computeJointJacobians(self.model, self.data, coordinates)
        pinocchio.updateFramePlacements(self.model, self.data)

    def _frame(self, part: Any) -> np.ndarray:
        return self.data.oMf[self.model.getFrameId(part.link)].rotation @ part.frame

    def _line(self, joint: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a joint's place and axis as they stand."""
        index = self.model.getJointId(joint)
        jacobian = pinocchio.getJointJacobian(
            self.model, self.data, index, pinocchio.LOCAL_WORLD_ALIGNED)
        return (self.data.oMi[index].translation.copy(),
                jacobian[3:, self.model.joints[index].idx_v].copy())

    def _bends(self, side: str, names: tuple[Any, Any, Any]) -> tuple[Bend, Bend, Bend]:
        arm = next(arm for arm in self.profile.arms if arm.side == side)
        shoulder, elbow, wrist = (_sided(name, side) for name in names)
        before = {name: arm.joints[arm.joints.index(name) - 1] for name in (shoulder, elbow)}
        root = self._nearest(shoulder, before[shoulder])
        place = self._nearest(elbow, before[elbow])
        if isinstance(wrist, str):
            end, turning = self._line(wrist)
            if abs(turning @ (end - place)) < 0.8 * np.linalg.norm(end - place):
                end = end - turning * (turning @ (end - place))
        else:
            mirror = np.array([1.0, -1.0 if side == 'right' else 1.0, 1.0])
            end = place + self.forward @ (np.array(wrist) * mirror)
        hinge = self.model.getJointId(elbow)
        return (self._fixed(self.model.getJointId(shoulder), root),
                self._fixed(hinge, place), self._fixed(hinge, end))

    def _nearest(self, joint: str, before: str) -> np.ndarray:
        """Return the point of a joint's axis nearest to the axis of the joint before it."""
        place, axis = self._line(joint)
        other, along = self._line(before)
        slant = 1.0 - (axis @ along) ** 2
        if slant < 0.2:
            return place
        between = place - other
        return place + axis * ((axis @ along) * (along @ between) - axis @ between) / slant

    def _fixed(self, joint: int, place: np.ndarray) -> Bend:
        return Bend(joint, self.data.oMi[joint].actInv(place))

    def shown(self, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return where the robot's parts point, in its pelvis or (arms) its chest frame."""
        self._show(self.full(positions))
        chest = self._frame(self.profile.torso)
        parts = {'torso': self.forward.T @ chest[:, 2]}
        if self.profile.head is not None:
            parts['head'] = self.forward.T @ self._frame(self.profile.head)[:, 0]
        for side in SIDES:
            shoulder, elbow, wrist = (self.data.oMi[bend.joint].act(bend.place)
                                      for bend in self.bends[side])
            parts[f'{side} upper arm'] = chest.T @ _unit(elbow - shoulder)
            parts[f'{side} forearm'] = chest.T @ _unit(wrist - elbow)
        return parts

    def errors_deg(self, name: str, positions: np.ndarray) -> dict[str, float]:
        """Return by how much each part misses a canonical pose, each arm as a whole."""
        shown, wanted = self.shown(positions), wanted_parts(name)
        missed = {key: degrees_between(shown[key], wanted[key]) if key in shown
                  else degrees_between([1.0, 0.0, 0.0], wanted[key]) for key in wanted}
        return {'torso': missed['torso'], 'head': missed['head'],
                **{side: max(missed[f'{side} upper arm'], missed[f'{side} forearm'])
                   for side in SIDES}}

    def settled(self, name: str, before: np.ndarray | None = None) -> np.ndarray:
        """Return the positions (N,) [rad] the retargeter comes to in a canonical pose.

        Args:
            name: of the pose.
            before: a pose that is come to on the way.
        """
        motion = glide(rest_pose(), POSES[name])
        if before is not None:
            motion = np.concatenate([glide(rest_pose(), before), glide(before, POSES[name])])
        positions, _ = self.retargeter.retarget(motion, self.retargeter.initial_state())
        return positions[-1]


def wanted_parts(name: str) -> dict[str, np.ndarray]:
    """Return where the parts of a person point in a canonical pose."""
    _, frames = forward_kinematics(unpack_pose(POSES[name])[0])
    chest = frames[JOINT_INDEX['chest']]
    parts = {'torso': chest[:, 2], 'head': frames[JOINT_INDEX['head']][:, 0]}
    for side in SIDES:
        parts[f'{side} upper arm'] = chest.T @ frames[JOINT_INDEX[f'{side}_shoulder']] @ DOWN
        parts[f'{side} forearm'] = chest.T @ frames[JOINT_INDEX[f'{side}_elbow']] @ DOWN
    return parts


def glide(start: np.ndarray, end: np.ndarray, frames: int = 20, hold: int = 25) -> np.ndarray:
    """Return a motion of ``frames`` at 25 fps between two poses that then holds the last."""
    (from_turns, from_fingers), (to_turns, to_fingers) = unpack_pose(start), unpack_pose(end)
    rows = [pack_pose(slerp(from_turns, to_turns, u), (1 - u) * from_fingers + u * to_fingers)
            for u in np.linspace(0.0, 1.0, frames)]
    return np.stack([*rows, *[end] * hold])


def degrees_between(one: Any, other: Any) -> float:
    cosine = float(np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other))
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _sided(name: Any, side: str) -> Any:
    if not isinstance(name, str):
        return name
    return name.format(side=side, Side=side.title(), S=side[0].upper(), s=side[0])


def _bend_names(name: str) -> tuple[Any, Any, Any]:
    if name in OWN:
        return OWN[name]
    folder = load_profile(name).urdf_path.parent
    arms = yaml.safe_load((folder / 'description.yaml').read_text(encoding='utf-8'))['arms']
    return arms['shoulder'], arms['elbow'], arms['wrist']


@cache
def robot(name: str) -> Robot:
    """Return a robot, read once."""
    return Robot(name)
