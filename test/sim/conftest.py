"""A small arm that no other file is needed for, and the robots that ship."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gesture_node.resources import share_path
from gesture_node.sim.recording import SimRecording

SOUND_RATE_HZ = 16_000

ARM = """<robot name="arm">
  <link name="base"/>
  <link name="world_base"/>
  <link name="upper"><inertial><mass value="1.5"/><origin xyz="0 0 -0.15"/>
    <inertia ixx="0.012" iyy="0.012" izz="0.002" ixy="0" ixz="0" iyz="0"/></inertial>
    <visual><origin xyz="0 0 -0.15"/><geometry><cylinder radius="0.04" length="0.3"/></geometry>
    <material name="red"><color rgba="0.8 0.2 0.2 1"/></material></visual></link>
  <link name="fore"><inertial><mass value="0.8"/><origin xyz="0 0 -0.12"/>
    <inertia ixx="0.005" iyy="0.005" izz="0.001" ixy="0" ixz="0" iyz="0"/></inertial>
    <visual><origin xyz="0 0 -0.12"/><geometry><box size="0.05 0.05 0.24"/></geometry></visual>
    <visual><geometry><mesh filename="package://elsewhere/missing.stl"/></geometry></visual></link>
  <link name="finger"><inertial><mass value="0.02"/><origin xyz="0 0 -0.02"/>
    <inertia ixx="1e-5" iyy="1e-5" izz="1e-6" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <link name="thumb"><inertial><mass value="0.02"/><origin xyz="0 0 -0.02"/>
    <inertia ixx="1e-5" iyy="1e-5" izz="1e-6" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <joint name="floating" type="floating"><parent link="world_base"/><child link="base"/></joint>
  <joint name="shoulder" type="revolute"><parent link="base"/><child link="upper"/>
    <axis xyz="0 1 0"/><limit lower="-2" upper="2" effort="60" velocity="6"/></joint>
  <joint name="elbow" type="revolute"><parent link="upper"/><child link="fore"/>
    <origin xyz="0 0 -0.3"/><axis xyz="0 1 0"/>
    <limit lower="-2.5" upper="0" effort="40" velocity="6"/></joint>
  <joint name="finger_joint" type="revolute"><parent link="fore"/><child link="finger"/>
    <origin xyz="0 0.02 -0.24"/><axis xyz="1 0 0"/>
    <limit lower="0" upper="1.4" effort="2" velocity="6"/></joint>
  <joint name="thumb_joint" type="revolute"><parent link="fore"/><child link="thumb"/>
    <origin xyz="0 -0.02 -0.24"/><axis xyz="1 0 0"/><mimic joint="finger_joint" multiplier="-0.5"
    offset="0.1"/><limit lower="-1" upper="1" effort="2" velocity="6"/></joint>
</robot>
"""


@pytest.fixture
def arm_urdf(tmp_path: Path) -> Path:
    """An arm of two links with a finger and a thumb that mimics it, on a floating base."""
    path = tmp_path / 'arm.urdf'
    path.write_text(ARM)
    return path


@pytest.fixture(params=['humanoid', 'unitree_g1', 'nao'])
def shipped_urdf(request: pytest.FixtureRequest) -> Path:
    """The URDF of every robot that ships."""
    return share_path('models', request.param, f'{request.param}.urdf')


@pytest.fixture
def humanoid_urdf() -> Path:
    """The URDF of the project's own humanoid."""
    return share_path('models', 'humanoid', 'humanoid.urdf')


def _recording(*, lag_s: float = 0.02, face_late_s: float = 0.0, audio_late_s: float = 0.0,
               grid_s: float = 0.0, seconds: float = 4.0) -> SimRecording:
    times_s = np.arange(0.0, seconds, 0.01)
    commanded = 0.4 * np.sin(2 * np.pi * 0.8 * times_s)
    positions = 0.4 * np.sin(2 * np.pi * 0.8 * (times_s - lag_s))
    stamps_s = np.arange(1.0, seconds - 1e-6, 0.02)
    return SimRecording(
        start_ns=1_700_000_000_000_000_000, joint_names=('shoulder',), times_s=times_s,
        commanded=commanded[:, None], positions=positions[:, None],
        velocities=np.gradient(positions, 0.01)[:, None],
        face_stamps_s=stamps_s, face_arrivals_s=stamps_s + face_late_s,
        face_weights=np.zeros((len(stamps_s), 52), np.float32),
        sound=np.zeros(round((seconds - 1.0) * SOUND_RATE_HZ), np.float32),
        sound_rate_hz=SOUND_RATE_HZ, sound_start_s=1.0, audio_stamps_s=stamps_s,
        audio_arrivals_s=stamps_s + audio_late_s,
        trajectory_stamps_s=np.append(1.0 + 0.02 * np.arange(10) * 7 + grid_s, np.nan),
        trajectory_arrivals_s=1.0 + 0.02 * np.arange(11) * 7, notes={'robot': 'humanoid'})


@pytest.fixture
def make_recording() -> Callable[..., SimRecording]:
    """A made-up run of one swinging joint; sound in packets of 20 ms and a face from 1 s on.

    ``lag_s`` of the joint, ``face_late_s`` and ``audio_late_s`` of the messages (negative: before
    their time), ``grid_s`` between the trajectories' stamps and the grid of the sound.
    """
    return _recording
