"""Clicks in the sound, their trace in the face and in the joints of the simulator.

Judged by the stamps of the messages, never by when they arrived: a machine that is busy with
something else does not change them. ``SYNC_BURSTS=40 pytest -s`` of this file gives percentiles
that mean something.
"""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from gesture_node.measures.click_trace import burst_times, trace_centres
from gesture_node.sim.model import FOLLOW_LAG_S

sys.path.insert(0, str(Path(__file__).parent))
from click_voice import BURSTS, clicks, END_S, RATE
from fake_speaker import heard as heard_from

LIMIT_S = 300.0 + 20.0 * END_S
pytestmark = [
    pytest.mark.ros, pytest.mark.timeout(LIMIT_S + 100.0),
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
BUMP_S, FACE_S = 0.8, 0.006
"""Length of the bump of the body; and from the centre of what a face frame hears to its own."""
PLAYERS = ('live', 'unstamped', 'ahead', 'at_once', 'player', 'led')
SIMULATED = ('wall_stamps', 'simulated')
MORE_S = {'led': (0.04, 0.1 - FOLLOW_LAG_S)}
"""Leads of face and body beyond what the drives need."""
DOMAINS = {'players': 11, 'speaker': 12, 'simulated': 13}


def start(environment: dict[str, str], *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, *command], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def run_world(scene: str, **more: Any) -> dict[str, Any]:
    """Return everything that was heard, shown and done in one scene."""
    environment = {
        **os.environ, 'ROS_DOMAIN_ID': str(DOMAINS[scene] + os.getpid() % 30 * 3),
        'ROS_LOCALHOST_ONLY': '1', 'OMP_NUM_THREADS': '1',
        'PYTHONPATH': os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]),
        **{name: str(value) for name, value in more.items() if name.isupper()}}
    clock = ['-p', f'use_sim_time:={str(scene == "simulated").lower()}']
    parameters = [part for parameter in (
        f'bundle:={ROOT / "test" / "data" / "tiny_bundle"}', 'output.presentation_delay_s:=4.0',
        'body.hop_s:=0.4', f'body.lead_s:={FOLLOW_LAG_S}', 'output.idle_release_s:=2.0',
        'diagnostics_hz:=5.0', 'measure_sync:=false',
        *(f'{name}:={value}' for name, value in more.items() if name.islower()))
        for part in ('-p', parameter)]
    processes = [
        start(environment, str(HERE / 'clicking_node.py'), '--ros-args', *clock, *parameters),
        start(environment, '-m', 'gesture_node.ros.sim_node', '--ros-args', *clock)]
    try:
        world = subprocess.run([sys.executable, str(HERE / 'sync_world.py'), scene],
                               env=environment, capture_output=True, text=True, timeout=LIMIT_S,
                               check=False)
        for process in processes:
            process.send_signal(signal.SIGINT)
        log = ''.join(process.communicate(timeout=60.0)[0] for process in processes)
    finally:
        for process in processes:
            process.kill()
    assert world.returncode == 0, world.stderr + log
    return {**json.loads(world.stdout.splitlines()[-1]), 'log': log}


@pytest.fixture(scope='module')
def players() -> dict[str, Any]:
    return run_world('players')


@pytest.fixture(scope='module')
def simulated() -> dict[str, Any]:
    return run_world('simulated')


@pytest.fixture(scope='module')
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    path = tmp_path_factory.mktemp('speaker') / 'heard.bin'
    run = run_world('speaker', speaker_device='default', FAKE_SPEAKER=path)
    yield {**run, 'heard': heard_from(str(path))}


def mode_of(run: dict[str, Any], name: str) -> dict[str, Any]:
    seen = run['modes'][name]
    if seen['late']:
        pytest.skip(f'the machine did not keep up: {seen["late"]}')
    return seen


def published(seen: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return when each sample of ``audio_out`` is heard by its stamps [ns], and the samples."""
    return (np.concatenate([stamp_ns + np.arange(len(samples)) * 1_000_000_000 // RATE
                            for stamp_ns, samples in seen['sounds']]),
            np.concatenate([samples for _, samples in seen['sounds']]))


def errors_s(seen: dict[str, Any], times_ns: np.ndarray,
             samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much face and joint come after each burst of a sound [s]."""
    origin_ns = seen['sounds'][0][0]
    heard = burst_times((times_ns - origin_ns) / 1e9, samples, apart_s=0.5)
    # A frame is shown until the next one comes.
    face = np.array([((at_ns + after_ns - origin_ns) / 1e9, jaw) for at_ns, jaw in seen['face']
                     for after_ns in (0, 19_999_000)])
    joint = np.array([((at_ns - origin_ns) / 1e9, value) for at_ns, value in seen['joint']])
    shown = trace_centres(face[:, 0], face[:, 1], heard - 0.3, 0.6)
    done = trace_centres(joint[:, 0], joint[:, 1], heard - 0.15, 1.2)
    return shown - heard - FACE_S, done - heard - BUMP_S / 2


def check(name: str, seen: dict[str, Any], times_ns: np.ndarray, samples: np.ndarray) -> None:
    """Say and judge how far face and joints are from the sound of one mode."""
    face, body = errors_s(seen, times_ns, samples)
    face_lead_s, body_lead_s = MORE_S.get(name, (0.0, 0.0))
    assert len(face) == BURSTS and seen['moved_rad'] > 0.05
    for channel, errors in (('face', face + face_lead_s), ('body', body + body_lead_s)):
        p50, p95, p99 = 1e3 * np.percentile(np.abs(errors), [50, 95, 99])
        print(f'\n{name} {channel}: p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} ms, '
              f'mean {1e3 * errors.mean():+.1f} ms', end='')
        assert p95 <= 20.0


@pytest.mark.parametrize('name', PLAYERS)
def test_sound_and_motion_are_within_20_ms(players, name):
    seen = mode_of(players, name)
    check(name, seen, *published(seen))


@pytest.mark.parametrize('name', SIMULATED)
def test_sound_and_motion_are_within_20_ms_in_simulated_time(simulated, name):
    seen = mode_of(simulated, name)
    check(name, seen, *published(seen))
    assert ('wall' in simulated['log'].lower()) and 'Traceback' not in simulated['log']


def test_what_the_node_plays_itself_is_within_20_ms_of_its_motion(speaker):
    """The device is believed: what left its converter, and when, is the sound."""
    seen = mode_of(speaker, 'speaker')
    times_ns, samples = speaker['heard']
    inside = (times_ns >= seen['sounds'][0][0]) & (times_ns <= seen['face'][-1][0])
    check('speaker', seen, times_ns[inside], samples[inside])
    assert speaker['timing']['speaker_latency_s'] == pytest.approx(0.15, abs=0.02)
    assert float(speaker['report']['speaker corrections']) == 0.0


@pytest.mark.parametrize('name', PLAYERS)
def test_the_voice_is_passed_on_sample_by_sample(players, name):
    """From the first loud packet on, stamps count samples, and no sample is changed or lost."""
    sounds = mode_of(players, name)['sounds']
    loud = next(i for i, (_, samples) in enumerate(sounds) if any(samples))
    start_ns, count = sounds[loud][0], 0
    for stamp_ns, samples in sounds[loud:]:
        assert abs(stamp_ns - start_ns - count * 1_000_000_000 // RATE) <= 2
        count += len(samples)
    said = np.concatenate([samples for _, samples in sounds])
    assert np.array_equal(said, clicks()[:, 0])


def test_sound_for_a_player_of_known_latency_leaves_early(players):
    assert np.median(mode_of(players, 'player')['early_ns']) > 100_000_000
    assert np.median(mode_of(players, 'ahead')['early_ns']) < 100_000_000


def test_leads_are_reported(players):
    assert players['timing'] == {
        'presentation_delay_s': 4.0, 'body_lead_s': 0.1, 'face_lead_s': 0.04,
        'player_latency_s': 0.3, 'speaker_latency_s': None}
    report = players['report']
    assert float(report['body lead ms']) == 100.0 and float(report['face lead ms']) == 40.0
    for channel in ('body', 'face'):
        half, few = (float(report[f'{channel} in hand {p} ms']) for p in ('p50', 'p05'))
        assert few <= half and half > 0.0
    assert 'Traceback' not in players['log']
