"""The URDFs that ship: up to date with their descriptions, and physical."""
from __future__ import annotations

import importlib.util
from pathlib import Path
import sys

import numpy as np
import pytest

from gesture_node.motion.robot import load_profile
from gesture_node.motion.urdf import read_urdf

ROOT = Path(__file__).resolve().parents[2]
ROBOTS = ('humanoid', 'unitree_g1', 'nao')
MASSES_KG = {'humanoid': (55.0, 90.0), 'unitree_g1': (32.5, 34.5), 'nao': (5.2, 5.6)}
BROTHERS = 3


def _build_models():
    spec = importlib.util.spec_from_file_location('build_models', ROOT / 'tools/build_models.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _mujoco_model(name: str):
    mujoco = pytest.importorskip('mujoco')
    return mujoco, mujoco.MjModel.from_xml_path(str(load_profile(name).urdf_path))


def test_urdfs_are_what_the_descriptions_give():
    assert _build_models().main(['--check']) == 0


@pytest.mark.parametrize(('shape', 'moments'), [
    ({'box': {'size': [0.2, 0.4, 0.6]}}, [0.52 / 12, 0.40 / 12, 0.20 / 12]),
    ({'sphere': {'radius': 0.5}}, [0.1, 0.1, 0.1]),
    ({'cylinder': {'radius': 0.2, 'length': 0.6}}, [0.04, 0.04, 0.02]),
])
def test_inertia_of_one_solid_is_the_textbooks(shape, moments):
    builder = _build_models()
    centre, inertia = builder.inertia_of(builder.solids_of(shape, False), 1.0)
    assert np.allclose(centre, 0.0)
    assert np.allclose(inertia, np.diag(moments))


def test_inertia_of_two_balls_is_that_of_a_dumbbell():
    builder = _build_models()
    balls = [ball for x in (-1.0, 1.0)
             for ball in builder.solids_of({'sphere': {'radius': 0.1, 'at': [x, 0, 0]}}, False)]
    centre, inertia = builder.inertia_of(balls, 2.0)
    assert np.allclose(centre, 0.0)
    assert np.allclose(np.diag(inertia), [0.008, 2.008, 2.008])


@pytest.mark.parametrize('name', ROBOTS)
def test_mass_and_inertia_are_physical(name):
    _, model = _mujoco_model(name)
    assert MASSES_KG[name][0] < model.body_mass.sum() < MASSES_KG[name][1]
    moving = model.body_dofnum > 0
    moments = np.sort(model.body_inertia[moving], axis=1)
    assert (moments[:, 0] > 0.0).all()
    assert (moments[:, 2] <= moments[:, :2].sum(axis=1) * (1 + 1e-6)).all()


@pytest.mark.parametrize('name', ROBOTS)
def test_left_and_right_mirror_each_other(name):
    mujoco, model = _mujoco_model(name)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    names = [model.body(i).name for i in range(model.nbody)]
    for index, body in enumerate(names):
        twin = (body.replace('left_', 'right_') if body.startswith('left_')
                else f'R{body[1:]}' if f'R{body[1:]}' in names and body.startswith('L')
                else f'r_{body[2:]}' if body.startswith('l_') else '')
        if twin:
            other = names.index(twin)
            assert np.allclose(data.xipos[index], data.xipos[other] * [1, -1, 1], atol=1e-4)
            assert model.body_mass[index] == pytest.approx(model.body_mass[other])


@pytest.mark.parametrize('name', ROBOTS)
def test_at_rest_only_neighbours_touch(name):
    mujoco, model = _mujoco_model(name)
    profile, data = load_profile(name), mujoco.MjData(model)
    for joint, position in zip(profile.joint_names, profile.rest_positions):
        data.qpos[model.joint(joint).qposadr[0]] = position
    mujoco.mj_forward(model, data)
    for contact in data.contact:
        paths = [profile.urdf.joints_to(model.body(model.geom_bodyid[geom]).name)
                 for geom in (contact.geom1, contact.geom2)]
        assert len(set(paths[0]) ^ set(paths[1])) <= BROTHERS, paths


@pytest.mark.parametrize('name', ROBOTS)
def test_urdf_names_its_source_and_needs_no_other_file(name):
    text = load_profile(name).urdf_path.read_text(encoding='utf-8')
    assert 'licence' in text[:400]
    assert '<mesh' not in text


def test_humanoid_has_the_joints_of_a_person():
    urdf = read_urdf(load_profile('humanoid').urdf_path)
    assert {'torso_yaw', 'torso_roll', 'torso_pitch', 'head_yaw', 'head_pitch', 'head_roll',
            *(f'{side}_{joint}' for side in ('left', 'right')
              for joint in ('shoulder_pitch', 'shoulder_roll', 'shoulder_yaw', 'elbow',
                            'wrist_yaw', 'wrist_pitch', 'wrist_roll', 'hand_close'))
            } <= set(urdf.joints)
