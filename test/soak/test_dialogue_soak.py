"""A long dialogue full of faults around real node processes; what must hold is held throughout.

Run by ``make soak``. ``SOAK_DIALOGUE_S`` sets its length on the clock on the wall, ``SOAK_SEED``
its script, ``DATA`` names a folder with recorded speech and noise. It needs a machine that does
nothing else: what is measured here are times.
"""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytestmark = [
    pytest.mark.soak, pytest.mark.timeout(36_000),
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
ROOT = Path(__file__).parents[2]
PEER = Path(__file__).with_name('dialogue_peer.py')
BUNDLES = ROOT / 'bundles' / 'base', ROOT / 'test' / 'data' / 'tiny_bundle'
SECONDS = float(os.environ.get('SOAK_DIALOGUE_S', '4200'))
SEED = os.environ.get('SOAK_SEED', '1')
LONG_S = 1_000.0
RECOVERY_S, STOP_S, GROWTH = 2.0, 0.1, 0.05
KNOTS_S = 0.06
NODE = ('robot:=humanoid', 'threads:=1', 'output.idle_release_s:=1.0', 'provider:=cpu')


@pytest.fixture(scope='module')
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp('dialogue_soak')
    bundle = next(path for path in BUNDLES if path.is_dir())
    parameters = [part for item in (*NODE, f'bundle:={bundle}') for part in ('-p', item)]
    environment = {
        **os.environ, 'ROS_DOMAIN_ID': str(216 + os.getpid() % 15), 'ROS_LOCALHOST_ONLY': '1',
        'OMP_NUM_THREADS': '1', 'PYTHONPATH': os.pathsep.join([str(ROOT), str(PEER.parent)])}
    events = folder / 'events.log'
    with events.open('w') as log:
        done = subprocess.run(
            [sys.executable, str(PEER), str(folder), str(SECONDS), SEED, '--ros-args',
             *parameters], env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
            check=False)
    assert done.returncode == 0, events.read_text()[-4_000:]
    (folder / 'report.json').write_text(done.stdout)
    found = json.loads(done.stdout.splitlines()[-1])
    print('\n' + '\n'.join(told(found)))
    yield found


def percentiles(values: list[float]) -> str:
    if not values:
        return 'none'
    return ' / '.join(f'{1e3 * value:.0f}' for value in np.percentile(values, [50, 95, 99]))


def told(report: dict[str, Any]) -> list[str]:
    """Return the figures of a campaign as lines."""
    lines = [f'{key}: {report[key]}' for key in (
        'real_s', 'dialogue_s', 'plans', 'face_frames', 'cycles', 'too_late', 'violations',
        'crashes', 'growth', 'rss_mb', 'played', 'in_vain', 'moving_at_rest', 'sent', 'lost',
        'rejected', 'slow_loops', 'longest_loop_s')]
    for name in ('stops', 'interrupts'):
        rows = report[name]
        lines.append(f'{name}: {len(rows)}, p50/p95/p99 ms: published '
                     f'{percentiles([row[0] for row in rows])}, parts from its plan '
                     f'{percentiles([row[1] for row in rows])}, to rest '
                     f'{percentiles([row[2] for row in rows])}, longer than needed '
                     f'{percentiles([row[2] - row[3] for row in rows])}')
    lines.append(f'barge-in heard after p50/p95/p99 ms: {percentiles(report["detections_s"])}')
    for kind in sorted({row[0] for row in report['recoveries']}):
        times_s = [row[1] for row in report['recoveries'] if row[0] == kind]
        lines.append(f'recovery from {kind}: {len(times_s)}, at most {max(times_s):.2f} s')
    return lines


def test_nothing_crashed(report: dict[str, Any]) -> None:
    assert report['crashes'] == []


def test_nothing_left_its_limits_and_every_number_is_one(report: dict[str, Any]) -> None:
    assert report['plans'] > 100 and report['face_frames'] > 1_000 and report['cycles'] > 1_000
    assert report['violations'] == {}


def test_it_came_to_rest_whenever_it_had_to(report: dict[str, Any]) -> None:
    assert report['moving_at_rest'] == []


def test_nothing_was_waited_for_in_vain(report: dict[str, Any]) -> None:
    assert report['in_vain'] == []


def test_every_recovery_took_less_than_two_seconds(report: dict[str, Any]) -> None:
    slow = [row for row in report['recoveries'] if row[1] >= RECOVERY_S]
    assert report['recoveries'] and slow == []


def test_memory_does_not_grow(report: dict[str, Any]) -> None:
    known = [growth for growth in report['growth'] if growth is not None]
    assert known or SECONDS < LONG_S
    assert all(growth < GROWTH for growth in known)


def test_stops_begin_at_once_and_end_as_fast_as_limits_allow(report: dict[str, Any]) -> None:
    rows = np.array(report['stops'] + report['interrupts'])
    assert len(rows) >= 100 or SECONDS < LONG_S
    assert np.percentile(rows[:, 0], 99) < STOP_S
    assert np.percentile(rows[:, 1], 99) < STOP_S
    # Knots cost a little more than the time-optimal stop, which knows none.
    assert (rows[:, 2] <= rows[:, 3] + KNOTS_S).all()
