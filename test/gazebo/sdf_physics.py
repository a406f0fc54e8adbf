"""A spawned model under MuJoCo's physics, moved by an own reading of Gazebo's trajectory plugin.

Kept apart from the code that writes the SDF: poses are resolved here by the rules of SDF 1.9
(``relative_to`` a link or a joint, a child link's frame at its joint), so that a mistake in the
file shows as a robot that stands elsewhere, sags or flies apart.
"""
from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

import mujoco
import numpy as np

STEP_S = 0.001
_SHAPES = ('box', 'capsule', 'cylinder', 'sphere')


def numbers(element: ET.Element, tag: str) -> np.ndarray:
    return np.array([float(word) for word in element.findtext(tag, '').split()])


def pose_of(element: ET.Element) -> np.ndarray:
    """Return the (4, 4) matrix of an element's ``<pose>``, fixed-axis angles."""
    matrix = np.eye(4)
    values = numbers(element, 'pose')
    if len(values):
        for axis, angle in enumerate(values[3:]):
            i, j = (axis + 1) % 3, (axis + 2) % 3
            turn = np.eye(3)
            turn[[i, j], [i, j]] = np.cos(angle)
            turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
            matrix[:3, :3] = turn @ matrix[:3, :3]
        matrix[:3, 3] = values[:3]
    return matrix


def quaternion(matrix: np.ndarray) -> np.ndarray:
    result = np.zeros(4)
    mujoco.mju_mat2Quat(result, np.ascontiguousarray(matrix[:3, :3]).ravel())
    return result


def model_element(text: str) -> ET.Element:
    model = ET.fromstring(text).find('model')
    assert model is not None
    return model


def compile_sdf(text: str) -> mujoco.MjModel:
    """Return an SDF model as MuJoCo's, with gravity, joint damping and ranges, no contacts."""
    model = model_element(text)
    spec = mujoco.MjSpec()
    spec.option.timestep = STEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_EULER
    spec.option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT)
    spec.compiler.degree = False
    links = {link.get('name', ''): link for link in model.findall('link')}
    joints = {joint.findtext('child', ''): joint for joint in model.findall('joint')}
    bodies = {'world': spec.worldbody}
    waiting = list(links)
    while waiting:
        name = waiting.pop(0)
        joint = joints[name]
        parent = joint.findtext('parent', '')
        if parent not in bodies:
            waiting.append(name)
            continue
        bodies[name] = _add_body(bodies[parent], links[name], joint)
    return spec.compile()


def compile_urdf(text: str) -> mujoco.MjModel:
    """Return a spawned URDF as MuJoCo's model; MuJoCo knows neither its plugins nor ``world``."""
    robot = ET.fromstring(text)
    for element in [*robot.findall('gazebo'), robot.find("link[@name='world']"),
                    robot.find("joint[@name='fixed_to_world']")]:
        robot.remove(element)
    for link in robot.findall('link'):
        for shape in [*link.findall('visual'), *link.findall('collision')]:
            link.remove(shape)
    spec = mujoco.MjSpec.from_string(ET.tostring(robot, encoding='unicode'))
    spec.option.timestep = STEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_EULER
    for joint in spec.joints:
        joint.frictionloss = 0.0
    return spec.compile()


def _add_body(parent, link: ET.Element, joint: ET.Element):
    """Add a link where its joint is; a link fixed to the world is where its own pose says."""
    to_world = joint.findtext('parent') == 'world'
    frame = pose_of(link if to_world else joint)
    if not to_world:
        assert joint.find('pose').get('relative_to') == joint.findtext('parent')
        assert link.find('pose').get('relative_to') == joint.get('name')
        assert np.allclose(pose_of(link), np.eye(4))
    body = parent.add_body(name=link.get('name'), pos=frame[:3, 3], quat=quaternion(frame))
    inertial = link.find('inertial')
    centre = pose_of(inertial)
    assert np.allclose(centre[:3, :3], np.eye(3))
    body.explicitinertial = True
    body.mass, body.ipos = float(inertial.findtext('mass')), centre[:3, 3]
    body.fullinertia = [float(inertial.findtext(f'inertia/{key}'))
                        for key in ('ixx', 'iyy', 'izz', 'ixy', 'ixz', 'iyz')]
    if joint.get('type') != 'fixed':
        axis = joint.find('axis')
        body.add_joint(
            name=joint.get('name'), type=mujoco.mjtJoint.mjJNT_HINGE, axis=numbers(axis, 'xyz'),
            limited=True, range=[float(axis.findtext(f'limit/{key}'))
                                 for key in ('lower', 'upper')],
            damping=[float(axis.findtext('dynamics/damping')), 0.0, 0.0])
    return body


@dataclass
class Follower:
    """One trajectory plugin: zero-order hold of the next point, then two controllers.

    Attributes:
        names: joints, order of all arrays.
        target: position and velocity that are followed, shape (2, N).
    """

    names: list[str]
    stiffness: np.ndarray
    damping: np.ndarray
    largest: np.ndarray
    target: np.ndarray

    @classmethod
    def of(cls, plugin: ET.Element) -> Follower:
        def read(tag: str) -> np.ndarray:
            return np.array([float(item.text) for item in plugin.findall(tag)])

        for gain in ('position_i_gain', 'position_d_gain', 'velocity_i_gain', 'velocity_d_gain'):
            assert not read(gain).any()
        for kind in ('position', 'velocity'):
            assert (read(f'{kind}_cmd_min') == -read(f'{kind}_cmd_max')).all()
        start = read('initial_position')
        names = [item.text for item in plugin.findall('joint_name')]
        assert len(names) == len(start) == len(read('position_p_gain'))
        return cls(names, read('position_p_gain'), read('velocity_p_gain'),
                   read('position_cmd_max'), np.array([start, np.zeros(len(start))]))

    def torque(self, position: np.ndarray, velocity: np.ndarray) -> np.ndarray:
        parts = (self.stiffness * (self.target[0] - position),
                 self.damping * (self.target[1] - velocity))
        return sum(np.clip(part, -self.largest, self.largest) for part in parts)


def efforts_of(root: ET.Element, is_sdf: bool) -> dict[str, float]:
    """Return the largest torque of every joint's drive [N m]."""
    if is_sdf:
        return {joint.get('name', ''): float(joint.findtext('axis/limit/effort', 'inf'))
                for joint in root.iter('joint')}
    return {joint.get('name', ''): float(limit.get('effort', 'inf'))
            for joint in root.findall('joint') if (limit := joint.find('limit')) is not None}


class SdfRobot:
    """A model and its plugins, stepped a millisecond at a time."""

    def __init__(self, text: str) -> None:
        root = ET.fromstring(text)
        is_sdf = root.tag == 'sdf'
        self.model = compile_sdf(text) if is_sdf else compile_urdf(text)
        self.data = mujoco.MjData(self.model)
        self.followers = [Follower.of(plugin) for plugin in root.iter('plugin')
                          if plugin.get('name', '').endswith('JointTrajectoryController')]
        self._columns = [np.array([self.model.joint(name).dofadr[0] for name in follower.names])
                         for follower in self.followers]
        limits = efforts_of(root, is_sdf)
        self._effort = np.array([limits[self.model.joint(k).name]
                                 for k in range(self.model.njnt)])
        for follower, columns in zip(self.followers, self._columns):
            self.data.qpos[columns] = follower.target[0]

    def step(self) -> None:
        for follower, columns in zip(self.followers, self._columns):
            self.data.qfrc_applied[columns] = follower.torque(
                self.data.qpos[columns], self.data.qvel[columns])
        self.data.qfrc_applied[:] = np.clip(self.data.qfrc_applied, -self._effort, self._effort)
        mujoco.mj_step(self.model, self.data)

    def positions(self, follower: int = 0) -> np.ndarray:
        return self.data.qpos[self._columns[follower]].copy()
