"""``gesture_node`` in conversation, as a process among others: idle, stop, barge-in, yield."""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import os
from pathlib import Path
from typing import Any

from processes import BUNDLE, command, environment, show, start
import pytest

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
WORLD = Path(__file__).with_name('dialogue_world.py')
LIMIT_S = 300.0
HEAD = ['head_yaw', 'head_pitch', 'head_roll']


@pytest.fixture(scope='module')
def run() -> Iterator[dict[str, Any]]:
    """Everything one node showed in one conversation, and how it ended."""
    surroundings = environment(120 + os.getpid() % 90)
    parameters = (f'bundle:={BUNDLE}', 'output.idle_release_s:=1', 'threads:=1', 'body.steps:=1',
                  'face.steps:=1', 'diagnostics_hz:=5', 'dialogue.motion_budget_rad:=0.02',
                  'interruptible:=true')
    node = start(command('node', *parameters), surroundings)
    seen, log = show(node, surroundings, WORLD, limit_s=LIMIT_S)
    yield {**seen, 'log': log, 'code': node.returncode}


def test_it_ends_cleanly_after_all_of_this(run):
    assert run['code'] == 0 and 'Traceback' not in run['log']


def test_idle_leads_into_speech_and_back(run):
    seen = run['idle_and_speech']
    assert seen['state'] == 'idle' and 1e-4 < seen['moved'] < 0.2
    assert seen['states'][-4:] == ['idle', 'speaking', 'settling', 'idle']
    assert seen['spoke'] > 2 and seen['rejected'] == 0
    assert all(plan['rests'] and plan['ends'] > plan['at'] for plan in seen['plans'])


def test_a_stop_brakes_and_holds_until_reset(run):
    seen = run['stop']
    assert seen['done'] and seen['state'] == 'stopped' and seen['ignored']
    assert (seen['ends_ns'] - seen['answered_ns']) / 1e9 < 1.0


def test_somebody_else_breaks_off_what_is_said(run):
    seen = run['barge_in']
    states = seen['states']
    at = states.index('interrupted')
    assert states[at - 1] == 'speaking' and states[at + 1] in ('listening', 'idle')
    assert states[-1] == 'idle' and seen['next'] == 'speaking'
    assert float(seen['report']['interruptions']) == 1
    assert float(seen['report']['refused packets of interrupted speech']) >= 0
    assert float(seen['report']['turns of others']) >= 1
    assert float(seen['report']['failures']) == 0


def test_the_head_is_left_alone_and_taken_back(run):
    seen = run['yield']
    assert "'tail' cannot be yielded" in seen['refused']['error']
    assert seen['refused']['joints'] == []
    assert sorted(seen['given']['joints']) == sorted(HEAD) and not seen['given']['error']
    assert seen['still'] < 1e-6 < 1e-3 < seen['others']
    assert seen['taken'] == {'joints': [], 'error': ''} and seen['moves'] > 1e-5
    assert seen['rejected'] == 0


def test_a_robot_that_is_all_yielded_gets_no_trajectory(run):
    assert run['yield_all']['plans'] == 0 and run['yield_all']['frames'] > 10
