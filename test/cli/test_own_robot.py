"""``gesture_from_file --robot ./my_profile.yaml``: a robot that does not ship."""
from __future__ import annotations

import csv
import json
from pathlib import Path
import re

import numpy as np
import pytest
import soundfile
import yaml

from gesture_node.cli import gesture_from_file
from gesture_node.resources import share_path

TINY = str(Path(__file__).parents[1] / 'data' / 'tiny_bundle')


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a sound, a URDF and a profile beside it; it is the working folder."""
    rate = 16_000
    seconds = np.arange(2 * rate) / rate
    sound = 0.2 * np.sin(2 * np.pi * 150.0 * seconds) * (np.sin(2 * np.pi * 3.0 * seconds) > 0.0)
    soundfile.write(tmp_path / 'hello.wav', sound, rate)
    urdf = share_path('models', 'unitree_g1', 'unitree_g1.urdf').read_text(encoding='utf-8')
    (tmp_path / 'mine.urdf').write_text(urdf, encoding='utf-8')
    profile = yaml.safe_load(share_path('config', 'robots', 'unitree_g1.yaml').read_text())
    profile |= {'name': 'mine', 'urdf': 'mine.urdf', 'weights': {'palm': 0.2}}
    (tmp_path / 'my_profile.yaml').write_text(yaml.safe_dump(profile), encoding='utf-8')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*more: str) -> int:
    return gesture_from_file.main(['hello.wav', '--out', 'out', '--bundle', TINY, *more])


@pytest.mark.parametrize('given', ['./my_profile.yaml', 'my_profile.yaml'])
def test_a_profile_beside_one_moves_its_robot(workshop: Path, given: str) -> None:
    assert run('--robot', given) == 0
    summary = json.loads((workshop / 'out' / 'summary.json').read_text())
    assert summary['robot'] == 'mine'
    assert summary['limit_violations']['velocity'] == 0
    with (workshop / 'out' / 'joints.csv').open() as file:
        rows = list(csv.reader(file))
    assert 'left_wrist_yaw_joint' in rows[0] and len(rows) == summary['frames'] + 1


@pytest.mark.parametrize(('change', 'said'), [
    ({'weights': {'palms': 1.0}}, "unknown key 'palms'"),
    ({'urdf': 'theirs.urdf'}, "'theirs.urdf'"),
    ({'rest': {'left_knee': 0.0}}, 'left_knee'),
])
def test_a_mistake_in_it_is_one_sentence(workshop: Path, change: dict[str, object], said: str,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    path = workshop / 'my_profile.yaml'
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change), encoding='utf-8')
    assert run('--robot', './my_profile.yaml') == 1
    message = capsys.readouterr().err.strip()
    assert said in message and len(message.splitlines()) == 1
    assert message.startswith('gesture_from_file: error: ')


def test_a_profile_that_is_not_there_is_named(workshop: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    assert run('--robot', './other.yaml') == 1
    assert "'./other.yaml'" in capsys.readouterr().err


def test_arms_of_meshes_alone_are_said_to_be_unwatched(
        workshop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    urdf = workshop / 'mine.urdf'
    urdf.write_text(re.sub(r'<collision>.*?</collision>', '', urdf.read_text(), flags=re.DOTALL))
    assert run('--robot', './my_profile.yaml') == 0
    assert 'nothing keeps the left and the right arm from the body' in capsys.readouterr().err
    path = workshop / 'my_profile.yaml'
    end = {'x': 0.1, 'y': 0.0, 'z': 0.0}
    capsules = [{'link': f'{side}_elbow_link', 'start': {'x': 0.0, 'y': 0.0, 'z': 0.0},
                 'end': end, 'radius': 0.03} for side in ('left', 'right')]
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {
        'collision': {'capsules': capsules}}))
    assert run('--robot', './my_profile.yaml') == 0
    assert 'nothing keeps' not in capsys.readouterr().err
