"""A URDF is rewritten for MuJoCo without losing joints, and says what it lost."""
from __future__ import annotations

from pathlib import Path
import re

import mujoco
import numpy as np
import pytest

from gesture_node.exceptions import RobotError
from gesture_node.sim.model import compile_model, make_spec
from gesture_node.sim.urdf import Mimic, prepare_urdf


def test_floating_base_is_fixed_and_mimic_joints_are_told_apart(arm_urdf: Path):
    urdf = prepare_urdf(arm_urdf)
    assert urdf.joint_names == ('shoulder', 'elbow', 'finger_joint')
    assert urdf.mimics == (Mimic('thumb_joint', 'finger_joint', -0.5, 0.1),)
    assert 'floating"' in urdf.xml and 'type="floating"' not in urdf.xml


def test_a_missing_mesh_is_dropped_and_named(arm_urdf: Path):
    urdf = prepare_urdf(arm_urdf)
    assert urdf.left_out == ('package://elsewhere/missing.stl',)
    assert 'missing.stl' not in urdf.xml


def test_a_mesh_beside_the_urdf_is_found(arm_urdf: Path):
    mesh = arm_urdf.parent / 'meshes' / 'missing.stl'
    mesh.parent.mkdir()
    mesh.write_bytes(b'solid')
    urdf = prepare_urdf(arm_urdf)
    assert urdf.left_out == ('package://elsewhere/missing.stl',)
    arm_urdf.write_text(arm_urdf.read_text().replace('package://elsewhere/', 'package://x/meshes/'))
    urdf = prepare_urdf(arm_urdf)
    assert urdf.left_out == () and str(mesh) in urdf.xml


MESHES_ONLY = """<robot name="far">
<link name="trunk">{mesh}</link><link name="arm"/><link name="frame"/>
<link name="hand"><inertial><origin xyz="0 0 -0.06"/><mass value="1"/><inertia ixx="1" iyy="1"
 izz="1" ixy="0" ixz="0" iyz="0"/></inertial>{mesh}</link>
<joint name="shoulder" type="revolute"><parent link="trunk"/><child link="arm"/>
 <origin xyz="0 0.2 0.4"/><axis xyz="0 1 0"/>
 <limit lower="-1" upper="1" effort="1" velocity="1"/></joint>
<joint name="wrist" type="revolute"><parent link="arm"/><child link="hand"/>
 <origin xyz="0.3 0 -0.4"/><axis xyz="0 1 0"/>
 <limit lower="-1" upper="1" effort="1" velocity="1"/></joint>
<joint name="mark" type="fixed"><parent link="hand"/><child link="frame"/>
 <origin xyz="0 0 1"/></joint></robot>"""


@pytest.mark.parametrize('mesh', ['', '<visual><geometry><mesh filename="package://x/y.dae"/>'
                                  '</geometry></visual>'])
def test_a_robot_of_meshes_that_cannot_be_shown_gets_bones(tmp_path: Path, mesh: str):
    path = tmp_path / 'far.urdf'
    path.write_text(MESHES_ONLY.format(mesh=mesh))
    urdf = prepare_urdf(path)
    model = compile_model(urdf, make_spec(urdf)).model
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    bones = {}
    for index in range(model.ngeom):
        along = data.geom_xmat[index].reshape(3, 3)[:, 2] * model.geom_size[index, 1]
        body = model.body(model.geom_bodyid[index]).name
        bones[body] = (data.geom_xpos[index] - along, data.geom_xpos[index] + along)
    np.testing.assert_allclose(bones['trunk'], [[0, 0, 0], [0, 0.2, 0.4]], atol=1e-9)
    np.testing.assert_allclose(bones['arm'], [[0, 0.2, 0.4], [0.3, 0.2, 0.0]], atol=1e-9)
    if mesh:
        np.testing.assert_allclose(np.mean(bones['hand'], axis=0), [0.3, 0.2, -0.06], atol=1e-9)
        assert 'frame' not in bones


@pytest.mark.parametrize('text', ['', '<robot', '<robot name="x"/>', '<sdf/>',
                                  '<robot name="x"><link name="a"/></robot>'])
def test_what_is_no_robot_is_refused_in_one_sentence(tmp_path: Path, text: str):
    path = tmp_path / 'bad.urdf'
    path.write_text(text)
    with pytest.raises(RobotError, match='bad.urdf'):
        prepare_urdf(path)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(RobotError, match='nowhere.urdf'):
        prepare_urdf(tmp_path / 'nowhere.urdf')


def test_links_without_colours_are_told_apart(arm_urdf: Path):
    arm_urdf.write_text(re.sub(r'<material.*?</material>', '', arm_urdf.read_text()))
    urdf = prepare_urdf(arm_urdf)
    assert not urdf.has_materials
    model = compile_model(urdf, make_spec(urdf)).model
    shades = {tuple(rgba) for rgba in model.geom_rgba.tolist()}
    assert len(shades) == 2
