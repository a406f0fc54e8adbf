"""Command lines end to end: files, keys, exit codes, one sentence per mistake."""
from __future__ import annotations

from collections.abc import Callable
import csv
from importlib.util import find_spec
import json
import os
from pathlib import Path
from runpy import run_path
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from gesture_node.__main__ import EXECUTABLES
from gesture_node.cli import gesture_bench, gesture_from_file
from gesture_node.cli.bench_targets import outcomes, TARGETS
from gesture_node.motion.face import BLENDSHAPE_NAMES
from gesture_node.motion.robot import load_profile

ROOT = Path(__file__).parent.parent
write_page = SimpleNamespace(**run_path(str(ROOT / 'benchmark' / 'write_page.py')))
TINY = str(ROOT / 'test' / 'data' / 'tiny_bundle')
KEYS = {'audio_s', 'frames', 'rtf', 'hop_s', 'first_motion_latency_s', 'first_face_latency_s',
        'latency_s', 'underruns', 'dropped_audio_s', 'nan_count', 'limit_violations',
        'limit_interventions', 'robot', 'bundle', 'bundle_hash', 'seed', 'provider', 'machine'}


@pytest.fixture
def speech(tmp_path: Path) -> str:
    samples, rate = soundfile.read(ROOT / 'examples' / 'hello.wav', frames=24_000)
    path = tmp_path / 'speech.wav'
    soundfile.write(path, samples, rate)
    return str(path)


def table(path: Path) -> tuple[list[str], np.ndarray]:
    with path.open() as file:
        rows = list(csv.reader(file))
    return rows[0], np.array(rows[1:], np.float64)


def test_from_file_writes_what_it_promises(speech: str, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    assert gesture_from_file.main([speech, '--robot', 'nao', '--out', str(out), '--bundle', TINY,
                                   '--seed', '3', '--samples', '2']) == 0
    profile = load_profile('nao')
    for folder, seed in ((out, 3), (out / 'sample_1', 4)):
        names, joints = table(folder / 'joints.csv')
        assert names == ['time', *profile.joint_names]
        np.testing.assert_allclose(joints[:, 0], np.arange(len(joints)) / 50)
        assert (joints[:, 1:] >= profile.limits.lower - 1e-6).all()
        assert (joints[:, 1:] <= profile.limits.upper + 1e-6).all()
        names, face = table(folder / 'face.csv')
        assert names == ['time', *BLENDSHAPE_NAMES]
        assert face[:, 1:].min() >= 0.0 and face[:, 1:].max() <= 1.0
        assert (folder / 'motion.bvh').read_text().startswith('HIERARCHY')
        summary = json.loads((folder / 'summary.json').read_text())
        assert summary.keys() >= KEYS
        assert summary['seed'] == seed and summary['robot'] == 'nao'
        assert summary['frames'] == len(joints)
        violations = summary['limit_violations']
        for kind in ('position', 'velocity', 'acceleration', 'jerk'):
            assert violations[kind] == 0


def test_a_reference_gives_its_style_to_the_motion(speech: str, tmp_path: Path) -> None:
    samples, rate = soundfile.read(ROOT / 'examples' / 'hello.wav', frames=40_000)
    reference = tmp_path / 'reference.wav'
    soundfile.write(reference, np.clip(3.0 * samples[::-1], -1, 1), rate)
    found = []
    for more in ([], ['--persona', str(reference)]):
        assert gesture_from_file.main([speech, '--robot', 'nao', '--bundle', TINY,
                                       '--out', str(tmp_path / 'out'), *more]) == 0
        found.append(table(tmp_path / 'out' / 'joints.csv')[1])
        summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
        assert summary['persona_file'] == (more[1] if more else '')
    assert found[0].shape == found[1].shape and not np.array_equal(*found)


@pytest.mark.parametrize('change, said', [
    ({'--persona': '/no/such/voice.wav'}, '/no/such/voice.wav'),
    ({'--robot': 'no_such_robot'}, 'no_such_robot'),
    ({'--bundle': '/no/such/bundle'}, '/no/such/bundle'),
    ({'--seed': '-1'}, 'seed'),
    ({'--samples': '0'}, '--samples'),
    ({'--hop': '99'}, 'hop_s'),
    ({'--provider': 'abacus'}, 'abacus'),
    ({'audio': '/no/such/file.wav'}, '/no/such/file.wav'),
])
def test_a_mistake_is_one_sentence(change: dict[str, str], said: str, speech: str, tmp_path: Path,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    options = {'--out': str(tmp_path / 'out'), '--bundle': TINY, **change}
    audio = options.pop('audio', speech)
    arguments = [audio, *(word for pair in options.items() for word in pair)]
    assert gesture_from_file.main(arguments) == 1
    message = capsys.readouterr().err.strip()
    assert said in message and message.startswith('gesture_from_file: error: ')
    assert len(message.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_named(speech: str, tmp_path: Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / 'file'
    blocked.write_text('in the way')
    assert gesture_from_file.main(
        [speech, '--out', str(blocked / 'out'), '--bundle', TINY]) == 1
    assert str(blocked) in capsys.readouterr().err


@pytest.mark.parametrize('main', [gesture_from_file.main, gesture_bench.main])
def test_wrong_usage_exits_with_two(main: Callable[[list[str]], int],
                                    capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(['--no-such-option'])
    assert caught.value.code == 2
    assert 'usage' in capsys.readouterr().err


def test_bench_says_where_and_what_it_measured(tmp_path: Path) -> None:
    out = tmp_path / 'bench.json'
    assert gesture_bench.main(['--bundle', TINY, '--seconds', '2', '--minutes', '0',
                               '--threads', '1', '--out', str(out)]) == 0
    figures = json.loads(out.read_text())
    assert figures.keys() >= {'machine', 'versions', 'provider', 'bundle_hash', 'seed', 'ready_s',
                              'streaming', 'offline', 'resident_mb'}
    for case in figures['streaming'].values():
        assert case['rtf'] > 0.0
        assert case['first_motion_latency_s']['total'] > (
            case['first_motion_latency_s']['algorithmic'])
        for channel, out in case['sound_to_published_s'].items():
            assert out['p50'] <= out['p95'] <= out['p99']
            assert out['p50'] > case['hop_s'][channel] + case['foresight_s'][channel] - 1e-6
        stages = case['latency_s']['body_hop']
        assert stages['p50'] <= stages['p95'] <= stages['p99']
    for found in (figures['offline'], *figures['offline_calls'].values()):
        assert found['rtf'] * found['times_real_time'] == pytest.approx(1.0, rel=1e-3)
        assert found['audio_s'] == pytest.approx(4.0, abs=0.1)
    assert [target['figure'] for target in figures['targets']] == [
        target.figure for target in TARGETS]
    assert all(target['met'] == (target['value'] <= target['limit'])
               for target in figures['targets'])
    page = write_page.page(figures)
    assert all(target['what'] in page for target in figures['targets'])
    assert f'{figures["offline_calls"]["2"]["rtf"]:.4f}' in page
    text = write_page.readme(f'before {write_page.BEGIN} old {write_page.END} after', figures)
    assert text.startswith('before') and text.endswith('after') and ' old ' not in text
    assert '| 80 ms | face |' in text and '| 400 ms | body |' in text
    assert write_page.readme(text, figures) == text


def test_a_target_is_met_at_its_limit_and_open_without_a_figure() -> None:
    streams = {'hop_200_ms': {'rtf': 0.25}, 'hop_80_ms': {'rtf': 0.51}}
    found = {outcome.what: outcome for outcome in outcomes({'streaming': streams})}
    assert [found[f'real-time factor, hops of {hop} ms'].met for hop in (200, 80)] == [True, False]
    assert found['size of the bundle'].met is None
    assert found['size of the bundle'].sentence() == 'not measured, at most 40 MB'
    assert found['real-time factor, hops of 80 ms'].sentence() == '0.51, at most 0.5: missed'


@pytest.mark.parametrize('name', EXECUTABLES)
def test_every_executable_runs_as_a_module(name: str) -> None:
    if 'ros' in EXECUTABLES[name].split('.') and find_spec('rclpy') is None:
        pytest.skip('needs ROS 2')
    program = f'import sys; from {EXECUTABLES[name]} import main; sys.exit(not callable(main))'
    done = subprocess.run([sys.executable, '-c', program], cwd=ROOT, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


def test_modules_say_which_executables_there_are() -> None:
    done = subprocess.run([sys.executable, '-m', 'gesture_node', 'nonsense'], cwd=ROOT,
                          capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': '.'})
    assert done.returncode == 2
    assert all(name in done.stderr for name in EXECUTABLES)
