"""A URDF is rewritten for MuJoCo without losing joints, and says what it lost."""
from __future__ import annotations

from pathlib import Path
import re

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
