"""A small arm that no other file is needed for, and the robots that ship."""
from __future__ import annotations

from pathlib import Path

import pytest

from gesture_node.resources import share_path

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
