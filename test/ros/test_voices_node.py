"""``gesture_node`` as a process listens to the people whom ROS4HRI tracks, by real messages.

``hri_msgs`` and ``audio_common_msgs`` are built from their published fields if they are not
installed.
"""
from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import message_packages as packages
from processes import BUNDLE, command, environment, ROOT, show, start
import pytest

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
WORLD = Path(__file__).with_name('voices_world.py')
WANTED = {**packages.HRI, **packages.ROS_DRIVERS_AUDIO}
LIMIT_S = 400.0


@pytest.fixture(scope='module')
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what the environment needs to find the messages."""
    missing = {name: fields for name, fields in WANTED.items()
               if importlib.util.find_spec(name) is None}
    if missing and not packages.can_build():
        pytest.skip(f'needs {" and ".join(missing)}, or a C++ compiler to build them')
    return packages.build(missing, tmp_path_factory.mktemp('messages'))


@pytest.fixture(scope='module')
def run(messages: dict[str, str]) -> dict[str, Any]:
    """Everything the robot did while people came, spoke and went."""
    surroundings = environment(15 + os.getpid() % 80) | messages
    if 'PYTHONPATH' in messages:
        surroundings['PYTHONPATH'] = os.pathsep.join([str(ROOT), messages['PYTHONPATH']])
    node = start(command(
        'node', f'bundle:={BUNDLE}', 'output.idle_release_s:=1.0', 'threads:=1',
        'output.presentation_delay_s:=1.5', 'body.steps:=1', 'face.steps:=1',
        'diagnostics_hz:=5.0', 'dialogue.voices:=true', 'dialogue.listen:=false',
        'interruptible:=true'), surroundings)
    seen, log = show(node, surroundings, WORLD, limit_s=LIMIT_S)
    return {**seen, 'log': log}


def test_the_robot_listens_and_nods(run):
    seen = run['listening']
    assert seen['states'][0] == 'listening' and seen['listening'] == 'listening'
    assert seen['nodded'] > 0.02 and seen['rejected'] == 0
    assert seen['spoke'] == 0, "the voice of a person is not the robot's own"


def test_who_is_no_longer_tracked_is_no_longer_listened_to(run):
    assert run['listening']['states'][-1] == 'idle'


def test_a_person_breaks_off_what_the_robot_says(run):
    seen = run['interruption']
    at = seen['states'].index('interrupted')
    assert seen['states'][at - 1] == 'speaking' and seen['states'][-1] == 'idle'
    assert float(seen['report']['interruptions']) == 1
    assert float(seen['report']['turns of others']) >= 2
    assert float(seen['report']['failures']) == 0


def test_a_name_that_is_no_topic_is_said_once_and_nothing_breaks(run):
    assert run['log'].count("'not a name'") == 1 and 'Traceback' not in run['log']
