"""Requests for gestures over real processes, and frames by tf2 against a stand-in for it."""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import os
from pathlib import Path
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
from processes import BUNDLE, command, environment, show, start
import pytest

from gesture_node.exceptions import RequestError

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
WORLD = Path(__file__).with_name('gesture_requests_world.py')
NS = 1_000_000_000


@pytest.fixture(scope='module')
def run() -> Iterator[dict[str, Any]]:
    """What one node answered and did."""
    surroundings = environment(20 + (os.getpid() + 53) % 90)
    # A name space too: numbers of domains are few, and others may run tests of their own.
    space = f'/gestures_{os.getpid()}'
    node = start(command('node', f'bundle:={BUNDLE}', 'body.steps:=1', 'face.steps:=1',
                         'robot:=humanoid', remaps=(f'__ns:={space}',)), surroundings)
    seen, log = show(node, surroundings, WORLD, space, limit_s=200.0)
    assert 'Traceback' not in log, log
    yield seen


def answers(run: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [result for result in run['results'] if result['id'] == name]


def test_a_gesture_is_accepted_shown_and_done(run: dict[str, Any]) -> None:
    accepted, done = answers(run, 'hello')
    assert (accepted['status'], done['status']) == ('accepted', 'done')
    assert accepted['start'] < accepted['stroke'] < accepted['end']
    times = np.array([time_ns for time_ns, _ in run['track']]) / NS
    assert run['plans'] > 5 and not run['refused']
    arm = [i for i, name in enumerate(run['names']) if name.startswith('right_')]
    positions = np.array([row for _, row in run['track']])[:, arm]
    shown = (times > accepted['start'] - 0.1) & (times < accepted['end'])
    assert np.ptp(positions[shown], axis=0).max() > 0.8
    before = times < accepted['start'] - 0.1
    assert np.ptp(positions[before], axis=0).max() < 0.3


def test_what_is_impossible_is_rejected(run: dict[str, Any]) -> None:
    assert "no gesture 'dance'" in answers(run, 'a')[0]['reason']
    assert 'frame' in answers(run, 'b')[0]['reason'] or 'tf2_ros' in answers(run, 'b')[0]['reason']
    unnamed = [result for result in run['results'] if 'not JSON' in result['reason']]
    assert len(unnamed) == 1 and unnamed[0]['status'] == 'rejected'


def test_stop_cancels(run: dict[str, Any]) -> None:
    assert [result['status'] for result in answers(run, 'broken')] == ['accepted', 'cancelled']


class FakeTf2:
    """What is used of tf2_ros: a frame a metre ahead that is turned to the left."""

    class Buffer:
        """Knows one frame, once it is known."""

        known = False

        def lookup_transform(self, target: str, source: str, time: object) -> SimpleNamespace:
            if not self.known or (target, source) != ('root', 'table'):
                raise LookupError('not connected')
            half = np.sqrt(0.5)
            return SimpleNamespace(transform=SimpleNamespace(
                rotation=SimpleNamespace(w=half, x=0.0, y=0.0, z=half),
                translation=SimpleNamespace(x=1.0, y=0.0, z=0.2)))

    @staticmethod
    def TransformListener(buffer: object, node: object) -> SimpleNamespace:
        return SimpleNamespace(unregister=lambda: None)


def test_targets_of_other_frames_are_turned_into_the_root_frame(
        monkeypatch: pytest.MonkeyPatch) -> None:
    from gesture_node.ros.gesture_requests import FrameTransforms
    monkeypatch.setitem(sys.modules, 'tf2_ros', FakeTf2)
    frames = FrameTransforms(None, 'root')
    assert frames('root', (1.0, 2.0, 3.0)) == (1.0, 2.0, 3.0)
    assert frames('table', (0.5, 0.0, 0.0)) is None
    monkeypatch.setattr(FakeTf2.Buffer, 'known', True)
    assert frames('table', (0.5, 0.0, 0.0)) == pytest.approx((1.0, 0.5, 0.2))
    frames.close()


def test_without_tf2_other_frames_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from gesture_node.ros.gesture_requests import FrameTransforms
    monkeypatch.setitem(sys.modules, 'tf2_ros', None)
    frames = FrameTransforms(None, 'base_link')
    with pytest.raises(RequestError, match="'map' need the package tf2_ros"):
        frames('map', (1.0, 0.0, 0.0))
