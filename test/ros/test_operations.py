"""The node's life: every transition, also when it fails, and what it then says of itself."""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from processes import BUNDLE, environment
import pytest

from gesture_node.operations.black_box_file import BlackBoxFile

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
WORLD = Path(__file__).with_name('operations_world.py')


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(WORLD), str(BUNDLE), str(tmp_path_factory.mktemp('life'))],
        env=environment(130 + os.getpid() % 60), capture_output=True, text=True, timeout=200.0,
        check=False)
    assert done.returncode == 0, done.stderr
    yield json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize('thing, words', [('bundle', 'no model bundle at'),
                                          ('robot', 'robot.yaml')])
def test_a_mistake_leaves_the_node_unconfigured_and_is_named(run, thing, words):
    seen = run['mistakes'][thing]
    assert seen['failed'] and seen['state'] == 'unconfigured' and seen['dump']
    assert words in seen['error']


@pytest.mark.parametrize('way', ['configure', 'activate', 'deactivate'])
def test_what_nobody_expects_goes_to_on_error_and_can_be_configured_again(run, way):
    life = run['life']
    assert life[f'{way} error'] == ['ERROR', 'unconfigured']
    assert life['freed'] and not life['left']


def test_every_way_can_be_gone(run):
    life = run['life']
    assert life['configured'] == ['SUCCESS', 'inactive']
    assert life['activated'] == ['SUCCESS', 'active']
    assert (life['deactivate'], life['activate']) == ('inactive', 'active')
    assert life['cleaned up'] == ['SUCCESS', 'unconfigured']
    assert life['shut down'] == ['SUCCESS', 'finalized', True]


def test_a_black_box_is_written_on_request(run):
    done, path, exists = run['life']['dump']
    assert done and exists
    file = BlackBoxFile(Path(path))
    assert file.header['bundle'] == str(BUNDLE.resolve()) and file.header['quality'] == 'full'


def test_the_diagnostics_have_all_their_keys(run):
    wanted = {'state', 'robot', 'bundle', 'provider', 'gpu', 'quality', 'realtime factor',
              'audio backlog ms', 'last audio age s', 'dropped audio s', 'lost packets',
              'out of order packets', 'underruns', 'worker stalls', 'provider lost',
              'quality level', 'resident memory MB', 'skipped frames', 'failures'}
    keys = run['life']['keys']
    assert wanted <= set(keys) and len(keys) == len(set(keys))
    assert any(key.startswith('limit ') for key in keys)
    assert run['life']['quality'] == 'full'
