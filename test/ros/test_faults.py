"""Whatever fails around a moving robot, it comes to rest smoothly and moves on smoothly.

One run of real processes: a simulated robot, the node, and a world that does it harm. What the
robot was commanded is judged by the simulator's own times, so a busy machine changes nothing.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import importlib.util
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

import numpy as np
from processes import BUNDLE, command, environment
import pytest

from gesture_node.motion.robot import load_profile
from gesture_node.sim.recording import SimRecording

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2'),
    pytest.mark.timeout(600)]
WORLD = Path(__file__).with_name('faults_world.py')
STALLING_NODE = Path(__file__).with_name('stalling_node.py')
LIMITS = load_profile('humanoid').limits
REST_RAD, MOVED_RAD = 1e-5, 0.01
WHILE_NS = 1_500_000_000
SCENES = ('never_measured', 'stale', 'stalled', 'worker_stalled', 'voice_vanished', 'killed')
NODE = ('robot:=humanoid', f'bundle:={BUNDLE}', 'threads:=1', 'body.steps:=1', 'face.steps:=1',
        'body.hop_s:=0.4', 'face.hop_s:=0.4', 'measure_sync:=false', 'publish_audio:=false',
        'output.idle_release_s:=1.0',
        # Ample time on the way, since here it is not the subject how busy the machine may be.
        'output.presentation_delay_s:=1.5', 'output.frozen_horizon_s:=0.5')


@dataclass
class Run:
    """What the world did when, and what the robot was commanded meanwhile."""

    seen: dict[str, Any]
    recording: SimRecording

    def rows(self, begin_ns: int, end_ns: int) -> slice:
        start_ns = self.recording.start_ns
        times_s = [(time_ns - start_ns) / 1e9 for time_ns in (begin_ns, end_ns)]
        return slice(*np.searchsorted(self.recording.times_s, times_s))


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp('faults')
    surroundings = environment(40 + os.getpid() % 60)
    node = command('node', *NODE, remaps=('joint_states:=measured',))
    # The node as it ships, but for its worker, which can be stalled.
    node[1:3] = [str(STALLING_NODE)]
    simulator = subprocess.Popen(
        command('sim_node', 'robot:=humanoid', f'record:={folder}', 'update_hz:=100'),
        env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        world = subprocess.run([sys.executable, str(WORLD), *node], env=surroundings, text=True,
                               capture_output=True, timeout=500.0, check=False)
        simulator.send_signal(signal.SIGINT)
        _, log = simulator.communicate(timeout=60.0)
    finally:
        simulator.kill()
    assert world.returncode == 0, world.stderr + log
    assert 'Traceback' not in world.stderr, world.stderr
    yield Run(json.loads(world.stdout.splitlines()[-1]),
              SimRecording.load(folder / 'sim_recording.npz'))


def test_the_run_was_recorded_whole(run: Run) -> None:
    assert run.seen['saved'] and run.recording.notes['skipped_s'] == 0.0
    # Every cycle at its time: what is differentiated below are equal steps.
    np.testing.assert_allclose(np.diff(run.recording.times_s), 0.01, atol=1e-6)


@pytest.mark.parametrize('scene', SCENES)
def test_the_robot_was_moving_before_and_after(run: Run, scene: str) -> None:
    at, commanded = run.seen[scene], run.recording.commanded
    if scene != 'never_measured':
        before = commanded[run.rows(at['fault_ns'] - WHILE_NS, at['fault_ns'])]
        assert np.ptp(before, axis=0).max() > MOVED_RAD
    after = commanded[run.rows(at['rest_ns'], at['again_ns'])]
    assert np.ptp(after, axis=0).max() > MOVED_RAD


@pytest.mark.parametrize('scene', SCENES)
def test_it_came_to_rest(run: Run, scene: str) -> None:
    at = run.seen[scene]
    resting = run.recording.commanded[run.rows(at['rest_ns'] - 250_000_000, at['rest_ns'])]
    assert len(resting) > 20
    assert np.ptp(resting, axis=0).max() < REST_RAD


@pytest.mark.parametrize('scene', [*SCENES, 'end'])
def test_nothing_jolts(run: Run, scene: str) -> None:
    """Velocity and acceleration of the command stay inside the limits, all the time."""
    if scene == 'end':
        rows = run.rows(run.seen['killed']['again_ns'], run.seen['end_ns'])
    else:
        rows = run.rows(run.seen[scene]['fault_ns'] - 500_000_000, run.seen[scene]['again_ns'])
    commanded = run.recording.commanded[rows]
    velocity = np.diff(commanded, axis=0) / 0.01
    acceleration = np.diff(velocity, axis=0) / 0.01
    assert len(commanded) > 100
    # The recording keeps 24 bits of a position.
    assert (np.abs(velocity) <= LIMITS.velocity * 1.001 + 1e-4).all()
    assert (np.abs(acceleration) <= LIMITS.acceleration * 1.001 + 2e-2).all()


def test_nothing_is_published_before_joint_states_exist(run: Run) -> None:
    assert run.seen['never_measured']['plans_before'] == 0
