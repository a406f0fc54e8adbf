"""The MuJoCo model of a robot: a URDF with a position servo on every moving joint."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..exceptions import RobotError, SimulationError
from ..types import Float64Array
from .urdf import PreparedUrdf

TIMESTEP_S = 0.002
"""Physics at 500 Hz; the servos' corner is well inside what that resolves."""
SERVO_BANDWIDTH_RAD_S = 120.0
"""Corner of every servo; the lag behind a steady movement is 2 / 120 s = 17 ms."""
FOLLOW_LAG_S = 0.02
"""How far the joints follow a trajectory behind: the servo's lag, and what the controller's period
and the physics' step add. It is the lead that a simulated robot wants."""
_ARMATURE_SHARE = 0.25
"""Rotor inertia as a share of the largest inertia a joint moves; real geared drives have more.

It bounds how much faster than its design the servo gets in a folded posture (twice), so that the
time step stays stable whatever the posture.
"""
_POSTURES = 64
_BARE_COLOURS = ([0.87, 0.88, 0.90, 1.0], [0.30, 0.34, 0.40, 1.0])


@dataclass(frozen=True, slots=True)
class RobotModel:
    """A compiled robot and where its joints are in it.

    Attributes:
        name: name of the robot.
        model: MuJoCo model; one actuator per joint of ``joint_names``, then the mimic joints.
        joint_names: M joints with a servo of their own.
        qpos_index: shape (M,), index of each joint into ``qpos``.
        dof_index: shape (M,), index of each joint into ``qvel``.
        lower: shape (M,), smallest position [rad or m], -inf without a limit.
        upper: shape (M,), largest position, +inf without a limit.
        rest: shape (M,), where the robot starts.
        mimic_source: shape (K,), for each mimic joint the index of its source.
        mimic_line: shape (K, 2), multiplier and offset of each mimic joint.
        mimic_qpos_index: shape (K,), index of each mimic joint into ``qpos``.
    """

    name: str
    model: mujoco.MjModel
    joint_names: tuple[str, ...]
    qpos_index: NDArray[np.intp]
    dof_index: NDArray[np.intp]
    lower: Float64Array
    upper: Float64Array
    rest: Float64Array
    mimic_source: NDArray[np.intp]
    mimic_line: Float64Array
    mimic_qpos_index: NDArray[np.intp]

    def columns(self, joint_names: Sequence[str]) -> NDArray[np.intp]:
        """Return where joints stand in ``joint_names`` of the model.

        Raises:
            RobotError: a name is not a moving joint of the robot.
        """
        for name in joint_names:
            if name not in self.joint_names:
                raise RobotError(f'{name!r} is not a moving joint of {self.name!r}; '
                                 f'it has {", ".join(self.joint_names)}')
        return np.array([self.joint_names.index(name) for name in joint_names], dtype=np.intp)

    def qpos(self, positions: Float64Array) -> Float64Array:
        """Return MuJoCo's ``qpos`` for joint positions (M,), mimic joints following."""
        qpos = np.array(self.model.qpos0)
        qpos[self.qpos_index] = positions
        qpos[self.mimic_qpos_index] = self.mimic(positions)
        return qpos

    def mimic(self, positions: Float64Array) -> Float64Array:
        """Return the positions (K,) that the mimic joints take for joint positions (M,)."""
        followed: Float64Array = (self.mimic_line[:, 0] * positions[self.mimic_source]
                                  + self.mimic_line[:, 1])
        return followed


def make_spec(urdf: PreparedUrdf) -> mujoco.MjSpec:
    """Return the robot as an editable model: servos added, contacts and weight switched off.

    Raises:
        SimulationError: MuJoCo cannot read the document.
    """
    try:
        spec = mujoco.MjSpec.from_string(urdf.xml)
    except ValueError as error:
        raise SimulationError(f'MuJoCo cannot read the URDF of {urdf.name!r}: {error}') from error
    if not urdf.has_materials:
        _paint_links(spec)
    spec.option.timestep = TIMESTEP_S
    spec.option.gravity = [0.0, 0.0, 0.0]
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT)
    for name in (*urdf.joint_names, *(mimic.joint for mimic in urdf.mimics)):
        servo = spec.add_actuator(name=name, target=name,
                                  trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.gaintype = mujoco.mjtGain.mjGAIN_FIXED
        servo.biastype = mujoco.mjtBias.mjBIAS_AFFINE
        servo.ctrllimited = 0
        servo.forcelimited = 0
    return spec


def _paint_links(spec: mujoco.MjSpec) -> None:
    """Give links without any colour a light and a dark one in turn, so that joints show."""
    shade: dict[str, int] = {}
    for body in spec.bodies[1:]:
        shade[body.name] = 1 - shade.get(body.parent.name, 1)
        for geom in body.geoms:
            geom.rgba = _BARE_COLOURS[shade[body.name]]


def compile_model(urdf: PreparedUrdf, spec: mujoco.MjSpec,
                  rest: Mapping[str, float] | None = None) -> RobotModel:
    """Compile a specification and tune its servos.

    Args:
        urdf: what the specification was made from.
        spec: result of :func:`make_spec`, possibly with scenery added.
        rest: starting positions by joint name; 0 (or the nearest limit) for joints not named.

    Raises:
        SimulationError: MuJoCo refuses the model.
        RobotError: ``rest`` names an unknown joint.
    """
    try:
        model = spec.compile()
    except ValueError as error:
        raise SimulationError(f'MuJoCo refuses the model of {urdf.name!r}: {error}') from error
    names = urdf.joint_names
    unknown = sorted(set(rest or ()) - set(names))
    if unknown:
        raise RobotError(f'joint {unknown[0]!r} is not a moving joint of {urdf.name!r}; '
                         f'it has {", ".join(names)}')
    ids = np.array([_joint_id(model, name) for name in names], dtype=np.intp)
    limited = model.jnt_limited[ids].astype(bool)
    lower = np.where(limited, model.jnt_range[ids, 0], -np.inf)
    upper = np.where(limited, model.jnt_range[ids, 1], np.inf)
    start = np.clip([(rest or {}).get(name, 0.0) for name in names], lower, upper)
    sources = np.array([names.index(mimic.source) for mimic in urdf.mimics], dtype=np.intp)
    followers = np.array([_joint_id(model, mimic.joint) for mimic in urdf.mimics], dtype=np.intp)
    _tune_servos(model)
    return RobotModel(
        name=urdf.name, model=model, joint_names=names,
        qpos_index=model.jnt_qposadr[ids].astype(np.intp),
        dof_index=model.jnt_dofadr[ids].astype(np.intp), lower=lower, upper=upper, rest=start,
        mimic_source=sources,
        mimic_line=np.array([[m.multiplier, m.offset] for m in urdf.mimics]).reshape(-1, 2),
        mimic_qpos_index=model.jnt_qposadr[followers].astype(np.intp))


def _joint_id(model: mujoco.MjModel, name: str) -> int:
    return int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name))


def _tune_servos(model: mujoco.MjModel) -> None:
    """Give every servo the same bandwidth: damped for the inertia it moves, or by its joint.

    The damping that the URDF states is part of the servo's; a joint that is damped more than
    critically gets as much stiffness as keeps its lag that of the others. Dry friction is left
    out: a position servo without integral action would stop short of its command.
    """
    inertia = _largest_inertia(model)
    model.dof_armature[:] = _ARMATURE_SHARE * inertia
    model.dof_frictionloss[:] = 0.0
    for actuator in range(model.nu):
        dof = model.jnt_dofadr[model.actuator_trnid[actuator, 0]]
        own = model.dof_damping[dof]
        damping = max(2.0 * inertia[dof] * SERVO_BANDWIDTH_RAD_S, own)
        stiffness = 0.5 * damping * SERVO_BANDWIDTH_RAD_S
        model.actuator_gainprm[actuator, 0] = stiffness
        model.actuator_biasprm[actuator, :3] = 0.0, -stiffness, own - damping


def _largest_inertia(model: mujoco.MjModel) -> Float64Array:
    """Return for every degree of freedom the largest inertia found over random postures."""
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    limited = model.jnt_limited.astype(bool)
    lower = np.where(limited, model.jnt_range[:, 0], -np.pi)
    upper = np.where(limited, model.jnt_range[:, 1], np.pi)
    units, column = np.eye(model.nv), np.zeros(model.nv)
    largest = np.full(model.nv, 1e-6)
    for posture in range(_POSTURES):
        data.qpos[:] = model.qpos0 if posture == 0 else rng.uniform(lower, upper)
        mujoco.mj_forward(model, data)
        for dof, unit in enumerate(units):
            mujoco.mj_mulM(model, data, column, unit)
            largest[dof] = max(largest[dof], column[dof])
    return largest
