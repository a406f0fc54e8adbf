"""Pictures of the robot show it, framed, and moving where its joints go."""
from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from gesture_node.exceptions import RobotError
from gesture_node.sim import gl, render
from gesture_node.sim.figure import FigureRenderer
from gesture_node.sim.render import make_renderer, MujocoRenderer
from gesture_node.sim.urdf import prepare_urdf

WIDTH, HEIGHT = 214, 180
JOINTS = ('left_shoulder_pitch', 'right_shoulder_pitch')

needs_gl = pytest.mark.skipif(gl.why_no_gl() is not None, reason='no OpenGL library here')


def moved(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs(first.astype(int) - second.astype(int)).max(axis=-1) > 30


@pytest.fixture(params=[pytest.param('rendered', marks=needs_gl), 'drawn'])
def renderer(request, humanoid_urdf: Path):
    urdf = prepare_urdf(humanoid_urdf)
    kind = MujocoRenderer if request.param == 'rendered' else FigureRenderer
    made = kind(urdf, JOINTS, WIDTH, HEIGHT, {})
    yield made
    made.close()


def test_an_arm_moves_where_it_is(renderer):
    rest = renderer.render(np.zeros(2))
    assert rest.shape == (HEIGHT, WIDTH, 3) and rest.dtype == np.uint8
    np.testing.assert_allclose(renderer.render(np.zeros(2)).astype(int), rest, atol=1)
    left = moved(renderer.render(np.array([-1.2, 0.0])), rest)
    right = moved(renderer.render(np.array([0.0, -1.2])), rest)
    assert left.sum() > 100 and right.sum() > 100
    # The robot faces the viewer: its left arm is at the right of the picture.
    assert np.argwhere(left)[:, 1].mean() > np.argwhere(right)[:, 1].mean() + 0.1 * WIDTH


def test_the_upper_body_fills_the_picture_and_nothing_is_cut_off_at_the_top(renderer):
    picture = renderer.render(np.zeros(2)).astype(int)
    background = picture[:, :2].mean(axis=1, keepdims=True)
    robot = np.abs(picture - background).max(axis=-1) > 40
    rows, columns = np.flatnonzero(robot.any(axis=1)), np.flatnonzero(robot.any(axis=0))
    assert 0.02 * HEIGHT < rows.min() < 0.2 * HEIGHT
    assert columns.min() > 0.1 * WIDTH and columns.max() < 0.9 * WIDTH
    assert np.ptp(columns) > 0.2 * WIDTH


def test_without_opengl_a_figure_is_drawn_that_says_how_to_get_it(
        monkeypatch, caplog, humanoid_urdf: Path):
    monkeypatch.setattr(render, 'why_no_gl', lambda: f'no library; {gl.INSTALL_COMMAND}')
    made = make_renderer(humanoid_urdf, JOINTS, WIDTH, HEIGHT)
    assert made.is_drawn
    assert 'apt-get install libegl1' in caplog.text
    urdf = prepare_urdf(humanoid_urdf)
    plain = FigureRenderer(urdf, JOINTS, WIDTH, HEIGHT, {}).render(np.zeros(2))
    noted = moved(made.render(np.zeros(2)), plain)
    assert np.argwhere(noted)[:, 0].min() > 0.8 * HEIGHT


def test_a_drawn_face_stays_before_its_neck(humanoid_urdf: Path):
    """Nodding by a degree must not bring the joint inside the head to the front."""
    made = FigureRenderer(prepare_urdf(humanoid_urdf), ('head_pitch',), WIDTH, HEIGHT, {})
    faces = [(made.render(np.array([pitch])).max(axis=-1) < 72).sum()
             for pitch in (-0.03, -0.01, 0.0, 0.01, 0.03)]
    assert min(faces) > 100
    assert max(faces) < 1.06 * min(faces)


def test_an_unknown_joint_is_named(humanoid_urdf: Path):
    with pytest.raises(RobotError, match="'tail' is not a moving joint"):
        make_renderer(humanoid_urdf, ('tail',), WIDTH, HEIGHT)


@pytest.mark.parametrize('platform', ['off', 'osmesa'])
def test_a_machine_without_opengl_can_still_simulate(platform: str):
    """The import must not fail, and the reason must name the remedy."""
    code = ('from gesture_node.sim import gl, robot; reason = gl.why_no_gl(); '
            'assert reason is not None and gl.INSTALL_COMMAND in reason, reason')
    environment = {**os.environ, 'MUJOCO_GL': platform,
                   'PYTHONPATH': os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
