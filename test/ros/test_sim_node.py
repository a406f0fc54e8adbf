"""``gesture_sim`` as a process among others: obeys, reports, records, ends."""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import json
import os
from pathlib import Path
import signal
import subprocess
import sys

import numpy as np
import processes
import pytest

from gesture_node.motion.robot import load_profile
from gesture_node.sim.recording import SimRecording

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
PEER = Path(__file__).with_name('sim_peer.py')
LIMIT_S = 120.0


@pytest.fixture
def environment() -> dict[str, str]:
    return processes.environment(120 + os.getpid() % 100)


def start(environment: dict[str, str], *parameters: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        processes.command('sim_node', *parameters), env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def simulator(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(environment, 'robot:=humanoid', f'record:={tmp_path}')
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def test_a_run_is_obeyed_reported_and_recorded(
        environment: dict[str, str], simulator: subprocess.Popen[str], tmp_path: Path):
    names = load_profile('humanoid').joint_names
    peer = subprocess.run([sys.executable, str(PEER), ','.join(names)], env=environment,
                          capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert peer.returncode == 0, peer.stderr
    seen = json.loads(peer.stdout.strip().splitlines()[-1])
    assert seen['saved'], seen['message']
    assert seen['increasing']
    for name in seen['moved']:
        assert seen['last'][name] == pytest.approx(0.6, abs=0.01)
    simulator.send_signal(signal.SIGINT)
    _, errors = simulator.communicate(timeout=LIMIT_S)
    assert simulator.returncode == 0, errors
    assert 'Traceback' not in errors
    assert 'a trajectory was rejected' in errors

    recording = SimRecording.load(tmp_path / 'sim_recording.npz')
    assert recording.joint_names == names
    assert recording.notes['rejected'] and recording.notes['accepted'] >= 5
    elbow = names.index(seen['moved'][0])
    assert recording.positions[-1, elbow] == pytest.approx(0.6, abs=0.01)
    at_s = (seen['start_ns'] - recording.start_ns) / 1e9
    commanded = np.interp(at_s + 0.5, recording.times_s, recording.commanded[:, elbow])
    assert commanded == pytest.approx(0.3, abs=0.02)
    assert len(recording.face_stamps_s) == len(recording.audio_stamps_s) == seen['frames']
    assert len(recording.sound) == 320 * seen['frames']
    assert recording.sound_start_s == pytest.approx(at_s, abs=1e-6)
    np.testing.assert_allclose(np.diff(recording.face_stamps_s), 0.02, atol=1e-6)
    figures = recording.notes['figures']
    assert figures['grid_error_s']['max'] < 1e-4
    assert 0.0 < figures['tracking_lag_s'] < 0.05


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_and_saves(
        simulator: subprocess.Popen[str], tmp_path: Path, number: int):
    assert simulator.stderr is not None
    assert 'simulating humanoid' in simulator.stderr.readline()
    simulator.send_signal(number)
    _, errors = simulator.communicate(timeout=LIMIT_S)
    assert simulator.returncode == 0 and 'Traceback' not in errors
    assert (tmp_path / 'sim_recording.npz').is_file()


@pytest.mark.parametrize(('parameter', 'words'), [
    ('robot:=nobody', "unknown robot 'nobody'"), ('update_hz:=5', 'update_hz'),
    ('joint_states_hz:=fast', 'joint_states_hz')])
def test_a_wrong_parameter_is_one_sentence(
        environment: dict[str, str], parameter: str, words: str):
    process = start(environment, parameter)
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert words in errors and 'Traceback' not in errors
