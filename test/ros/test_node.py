"""``gesture_node`` as a process among others: what it publishes, and what bad input gets."""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import os
from pathlib import Path
import signal
import subprocess
from typing import Any

import numpy as np
from processes import BUNDLE, command, environment, show, start
import pytest

from gesture_node.config import GestureConfig
from gesture_node.motion.robot import load_profile

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
WORLD = Path(__file__).with_name('node_world.py')
LIMIT_S = 200.0
MS = 1_000_000
DELAY_MS = 1e3 * GestureConfig().output.presentation_delay_s


def surroundings(number: int) -> dict[str, str]:
    return environment(20 + number + os.getpid() % 90)


def start_node(number: int, *parameters: str) -> subprocess.Popen[str]:
    return start(command('node', *parameters), surroundings(number))


@pytest.fixture(scope='module')
def run() -> Iterator[dict[str, Any]]:
    """Everything one node showed to one world, and how it ended."""
    node = start_node(0, f'bundle:={BUNDLE}', 'output.idle_release_s:=1', 'threads:=1',
                      'body.steps:=2', 'face.steps:=2', 'diagnostics_hz:=5')
    seen, log = show(node, surroundings(0), WORLD, limit_s=LIMIT_S)
    yield {**seen, 'log': log, 'code': node.returncode}


def test_it_ends_cleanly_on_sigint_after_all_of_this(run):
    assert run['code'] == 0
    assert 'Traceback' not in run['log']


def test_every_cause_is_said_once_and_counted(run):
    for words in ('MP3 (MPEG) stream', 'ends inside a sample', 'NaN or infinite',
                  'no trajectory is published before joint_states',
                  'std_msgs/msg/String is not understood'):
        assert run['log'].count(words) == 1, words
    counted = run['wrong_type']['report']
    assert float(counted['problem compressed_audio']) == 3
    assert float(counted['problem non_finite_samples']) == 192
    assert float(counted['problem odd_bytes']) >= 5
    assert float(counted['failures']) == 0 and float(counted['numbers not finite']) == 0


def test_without_joint_states_only_the_face_moves(run):
    seen = run['without_joints']
    assert seen['plans'] == 0 and seen['level'] == 1
    assert seen['waiting'].startswith('joint_states with')


def test_plans_have_positions_and_velocities_on_a_grid_and_end_at_rest(run):
    plans = run['speech']['plans']
    names = list(load_profile('humanoid').joint_names)
    assert len(plans) >= 10
    for plan in plans:
        assert plan['names'] == names
        positions, velocities = np.array(plan['positions']), np.array(plan['velocities'])
        assert positions.shape == velocities.shape == (len(plan['times_ns']), len(names))
        assert np.isfinite(positions).all() and np.isfinite(velocities).all()
        assert (velocities[-1] == 0.0).all()
        steps = np.diff(plan['times_ns'])
        assert plan['times_ns'][0] == 0 and (steps > 0).all()
        assert (steps[1:] == 20 * MS).all()


def test_published_knots_stay_inside_the_limits(run):
    limits = load_profile('humanoid').limits
    for plan in run['speech']['plans']:
        positions, velocities = np.array(plan['positions']), np.array(plan['velocities'])
        assert (positions >= limits.lower - 1e-9).all()
        assert (positions <= limits.upper + 1e-9).all()
        assert (np.abs(velocities) <= limits.velocity + 1e-9).all()


def test_a_controller_accepts_every_plan(run):
    # A plan may be overtaken on a machine that stands still for longer than the plan lasts.
    assert set(run['speech']['rejected']) <= {'the trajectory ends in the past'}


def test_motion_is_shown_with_its_sound(run):
    seen = run['speech']
    begun_ns = seen['chunks'][0]['stamp_ns']
    # On a busy machine packets come late; then sound and motion are shifted together.
    shift_ms = (begun_ns - seen['start_ns']) / MS - DELAY_MS
    assert shift_ms >= -1e-3
    if not float(seen['report'].get('problem late_stamps', 0)):
        assert shift_ms == pytest.approx(0.0, abs=1e-3)
    sounds_ms = (np.array(seen['sounds_ns']) - begun_ns) / MS
    assert len(sounds_ms) == 100 and sounds_ms[0] == pytest.approx(0.0, abs=1e-3)
    if not float(seen['report']['late audio s']):
        assert sounds_ms == pytest.approx(20.0 * np.arange(100), abs=1e-3)
    # The ramp from where the robot stands comes before and begins off the grid.
    grid = {(plan['stamp_ns'] - begun_ns) % (20 * MS) for plan in seen['plans']
            if plan['stamp_ns'] >= begun_ns}
    assert grid
    assert all(min(phase, 20 * MS - phase) <= 1 for phase in grid)


def test_face_frames_come_at_50_hz_in_range(run):
    seen = run['speech']
    frames = [frame for frame in seen['frames']
              if frame['stamp_ns'] >= seen['start_ns'] + DELAY_MS * MS - 1]
    stamps = np.array([frame['stamp_ns'] for frame in frames])
    steps = np.diff(stamps)
    lost = float(seen['report']['late face frames'])
    assert (steps % (20 * MS) == 0).all() and (steps > 0).all()
    assert (steps // (20 * MS) - 1).sum() <= lost
    assert len(frames) + lost >= 2.0 * 50
    assert all(frame['count'] == 52 and frame['low'] >= 0.0 and frame['high'] <= 1.0
               for frame in frames)
    assert sum(chunk['frames'] for chunk in seen['chunks']) >= len(frames)


def test_states_follow_speech(run):
    assert run['speech']['states'][-4:] == ['idle', 'speaking', 'settling', 'idle']


def test_stop_reset_and_enable(run):
    seen = run['services']
    assert [seen[name]['state'] for name in ('stop', 'reset', 'disable', 'enable')] == [
        'stopped', 'idle', 'disabled', 'idle']
    assert all(scene['done'] for scene in seen.values())
    for name in ('stop', 'disable'):
        braking_s = (seen[name]['ends_ns'] - seen[name]['called_ns']) / 1e9
        assert braking_s < 1.0
        assert seen[name]['face'] == 0.0


def test_parameters_are_checked_at_run_time(run):
    seen = run['parameters']
    assert seen['integer'] == seen['real'] == ''
    assert 'out of range' in seen['range'] and 'read-only' in seen['read_only']
    assert 'multiple of 0.04' in seen['grid']
    assert 'presentation_delay_s must be at least' in seen['delay']


def test_a_wave_file_in_one_message_moves_the_face(run):
    assert run['bytes']['frames'] > 40


def test_bad_numbers_never_reach_a_topic(run):
    assert run['floats']['finite'] is True


BAD_STARTS = {
    'bundle:=/nowhere': 'no model bundle at /nowhere',
    'robot:=hal9000': "unknown robot 'hal9000'; known:",
    'body.hop_s:=7': "parameter 'body.hop_s' is refused: BodyConfig.hop_s must be in",
    'body.hop_s:=0.21': 'body.hop_s must be a multiple of 0.04',
    'robot:=5': "parameter 'robot' is refused: GestureConfig.robot must be str, got 5",
    'audio_type:=audio_stamped': 'needs the package audio_common_msgs',
}


def test_what_cannot_start_says_so_in_one_sentence():
    processes = []
    for number, parameter in enumerate(BAD_STARTS):
        bundle = () if parameter.startswith('bundle') else (f'bundle:={BUNDLE}',)
        processes.append(start_node(1 + number, *bundle, parameter))
    for process, (parameter, words) in zip(processes, BAD_STARTS.items()):
        log, _ = process.communicate(timeout=LIMIT_S)
        errors = [line for line in log.splitlines() if line.startswith('error: ')]
        assert process.returncode == 1, (parameter, log)
        assert len(errors) == 1 and words in errors[0], log
        assert 'Traceback' not in log


def test_a_managed_node_waits_and_ends_on_sigterm():
    node = start_node(8, f'bundle:={BUNDLE}', 'autostart:=false', 'amplitude:=1.0')
    assert node.stdout is not None
    warning = node.stdout.readline()
    node.send_signal(signal.SIGTERM)
    log, _ = node.communicate(timeout=60.0)
    assert node.returncode == 0
    assert "unknown parameter 'amplitude' is ignored; did you mean 'body.amplitude'?" in warning
    assert 'Traceback' not in log and 'bundle tiny' not in log
