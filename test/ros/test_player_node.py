"""``trajectory_player`` as a process: plays a planner's trajectories into two messages."""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import os
from pathlib import Path
import subprocess
import sys

from processes import environment, ros_arguments, show, start
import pytest
import yaml

from gesture_node.resources import share_path

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
PEER = Path(__file__).with_name('player_peer.py')
LIMIT_S = 120.0
HEAD = ['HeadPitch', 'HeadYaw']


def surroundings(number: int) -> dict[str, str]:
    return environment(40 + number + os.getpid() % 60)


def start_player(number: int, *parameters: str) -> subprocess.Popen[str]:
    return start([sys.executable, '-m', 'gesture_node', 'trajectory_player',
                  *ros_arguments(*parameters)], surroundings(number))


@pytest.fixture(scope='module')
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a NAO whose head takes degrees in an array and whose arms take joint states."""
    node = yaml.safe_load(share_path('config', 'robots', 'nao.yaml').read_text('utf-8'))
    arms = [joint for side in ('left', 'right') for part in ('joints', 'closing')
            for joint in node['arms'][side][part]]
    node['interface'] = {'adapters': [
        {'kind': 'float64_multi_array', 'topic': '/head/command', 'joints': HEAD, 'unit': 'deg',
         'rate_hz': 25},
        {'kind': 'joint_state', 'topic': '/arms/command', 'joints': arms, 'rate_hz': 50}]}
    path = tmp_path_factory.mktemp('profile') / 'nao.yaml'
    path.write_text(yaml.safe_dump(node), 'utf-8')
    return path


@pytest.fixture(scope='module', params=['wall', 'sim'])
def run(request: pytest.FixtureRequest, profile: Path) -> Iterator[dict]:
    """Everything one player wrote for one planner, and how it ended."""
    number = ('wall', 'sim').index(request.param)
    player = start_player(number, f'robot:={profile}', 'diagnostics_hz:=5',
                          f'use_sim_time:={str(request.param == "sim").lower()}')
    seen, log = show(player, surroundings(number), PEER, request.param, limit_s=LIMIT_S)
    yield {**seen, 'log': log, 'code': player.returncode}


def test_positions_are_those_of_the_plan_at_their_stamp(run: dict):
    assert run['before'] == 0 and run['increasing']
    assert run['names'][:5] == ['LShoulderPitch', 'LShoulderRoll', 'LElbowYaw', 'LElbowRoll',
                                'LWristYaw']
    assert run['error'] < 1e-5 and run['speed_error'] < 1e-3
    assert run['moved'] == pytest.approx(0.2, abs=0.02)


def test_the_head_is_written_in_degrees_in_its_own_order(run: dict):
    assert run['head_last'] == pytest.approx(run['head_goal'], abs=1e-6)
    assert run['head_first'] == pytest.approx(run['head_rest'], abs=1.5)
    assert abs(run['head_goal'][0] - run['head_rest'][0]) > 10.0


def test_both_adapters_are_written(run: dict):
    assert run['arms'] >= run['heads'] > 10


def test_bad_trajectories_and_starvation_are_said_once(run: dict):
    for words in ('a value is not finite', "it names the joint 'tail'",
                  'no trajectory came for 0.5 s'):
        assert run['log'].count(words) == 1, run['log']
    report = run['report']
    for cause in ('trajectory_not_finite', 'trajectory_unknown_joint', 'starved'):
        assert int(report[f'problem {cause}']) >= 1
    assert report['state'] == 'starved' and report['robot'] == 'nao'
    assert run['levels'][0] == 0 and run['levels'][-1] == 1


def test_it_ends_cleanly(run: dict):
    assert run['code'] == 0 and 'Traceback' not in run['log']


@pytest.mark.parametrize('parameters, words', [
    (('robot:=nobody',), "unknown robot 'nobody'"),
    (('rate_hz:=-1.0',), 'rate_hz'),
    (('robot:=humanoid',), 'names no adapter')])
def test_a_mistake_is_one_sentence(parameters: tuple[str, ...], words: str):
    process = start_player(5, *parameters)
    log, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert words in log and 'Traceback' not in log
