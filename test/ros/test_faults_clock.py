"""``use_sim_time``: a clock that comes late, stands still and jumps, around the real node."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
from processes import BUNDLE, command, environment, show, start
import pytest

from gesture_node.motion.robot import load_profile

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2'),
    pytest.mark.timeout(600)]
WORLD = Path(__file__).with_name('clock_world.py')
PROFILE = load_profile('humanoid')
LIMITS = PROFILE.limits
HEAD = [name for name in PROFILE.joint_names if 'head' in name]
BODY = [name for name in PROFILE.joint_names if 'head' not in name]
CONTROLLERS = f'{{head: [{", ".join(HEAD)}], body: [{", ".join(BODY)}]}}'
SCENES = ('started', 'paused', 'forwards', 'backwards', 'ended')
NS = 1_000_000_000
PARAMETERS = ('use_sim_time:=true', f"output.controllers:='{CONTROLLERS}'", 'robot:=humanoid',
              f'bundle:={BUNDLE}', 'threads:=1', 'body.steps:=1', 'face.steps:=1',
              'body.hop_s:=0.4', 'face.hop_s:=0.4', 'measure_sync:=false', 'publish_audio:=false',
              'output.idle_release_s:=1.0', 'output.presentation_delay_s:=1.5',
              'output.frozen_horizon_s:=0.5')


@dataclass
class Run:
    seen: dict[str, Any]
    commanded: dict[str, np.ndarray]
    log: str


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    path = tmp_path_factory.mktemp('clock') / 'commanded.npz'
    surroundings = environment(105 + os.getpid() % 60)
    node = start(command('node', *PARAMETERS), surroundings)
    seen, log = show(node, surroundings, WORLD, str(path), limit_s=500.0)
    with np.load(path) as scenes:
        yield Run(seen, dict(scenes), log)


def test_before_there_is_a_clock_nothing_is_published(run: Run) -> None:
    assert run.seen['early'] == 0
    assert run.log.count('audio arrives before the simulated clock') == 1
    assert 'Traceback' not in run.log


@pytest.mark.parametrize('scene', SCENES)
def test_the_robot_moves_and_nothing_jolts(run: Run, scene: str) -> None:
    commanded = run.commanded[scene]
    if scene in ('forwards', 'backwards'):
        # It stands where the jump found it before it moves again.
        assert np.abs(commanded[10] - run.commanded[
            SCENES[SCENES.index(scene) - 1]][-1]).max() < 0.05
    velocity = np.diff(commanded, axis=0) * 100.0
    acceleration = np.diff(velocity, axis=0) * 100.0
    assert len(commanded) > 50 and np.ptp(commanded, axis=0).max() > 1e-3
    assert (np.abs(velocity) <= LIMITS.velocity * 1.001 + 1e-4).all()
    assert (np.abs(acceleration) <= LIMITS.acceleration * 1.001 + 1e-2).all()


def test_each_controller_is_told_the_same_times(run: Run) -> None:
    head, body = (set(run.seen['told'][group]) for group in ('head', 'body'))
    # On a busy machine the middleware may leave out a message that a newer one follows.
    assert len(body) > 10 and len(head & body) > 0.8 * max(len(head), len(body))


def test_it_ends_at_rest_and_no_message_was_refused(run: Run) -> None:
    assert np.ptp(run.commanded['ended'][-10:], axis=0).max() == 0.0
    assert run.seen['rejected'] == 0


@pytest.mark.parametrize('scene', ['forwards', 'backwards'])
def test_after_a_jump_only_the_new_time_counts(run: Run, scene: str) -> None:
    seen = run.seen[scene]
    # The first of them was on its way when the clock jumped, or leads the robot to rest.
    stamps = [stamp for stamp in seen['stamps'] if stamp][2:]
    assert stamps and all(seen['jumped_ns'] - 2 * NS <= stamp <= seen['now_ns'] + NS
                          for stamp in stamps)
    assert 'ROS time jumped; the plan is dropped' in run.log
