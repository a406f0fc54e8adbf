"""Ten minutes of speech on every robot, through the node's own stream, driver and output.

Run by ``make soak``. ``DATA=/path/to/data`` speaks with held-out speakers of speechocean762,
otherwise the example is said again and again. ``SOAK_MINUTES`` and ``SOAK_ROBOTS`` choose less,
``SOAK_BUNDLE`` another bundle than the shipped one. See ``virtual_node`` for the clock.
"""
from __future__ import annotations

from functools import lru_cache
import os
from pathlib import Path
import sys
import time

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'motion'))
sys.path.insert(0, str(Path(__file__).parent))
from networks_once import BUNDLE, networks
from safety_world import CHOSEN
from speeches import Speech, speech_of
from virtual_node import VirtualNode

from gesture_node.config import GestureConfig
from gesture_node.motion.robot import load_profile

pytestmark = [pytest.mark.soak, pytest.mark.timeout(36_000)]

MINUTES = float(os.environ.get('SOAK_MINUTES', '10'))


@lru_cache
def speech() -> Speech:
    return speech_of(MINUTES)


@pytest.mark.skipif(not BUNDLE.is_dir(), reason='the shipped bundle is not there')
@pytest.mark.parametrize('robot', CHOSEN)
def test_minutes_of_speech_break_nothing_and_are_never_late(robot: str) -> None:
    begun_s, spent_s = time.monotonic(), time.process_time()
    found = VirtualNode(networks(), load_profile(robot), speech(), GestureConfig()).run()
    spent_s, took_s = time.process_time() - spent_s, time.monotonic() - begun_s
    body, face = (found.hops_ms[name] for name in ('body', 'face'))
    changed = found.interventions
    print(f'\nminutes | {robot} | {speech().name}, {speech().spoken_s:.0f} of '
          f'{found.virtual_s:.0f} s | {found.streams} | {found.moved_s:.0f} | {found.underruns} | '
          f'{found.late_faces} | {found.skipped} | {found.findings} | {found.nonfinite} | '
          f'{np.percentile(body, 50):.0f} / {np.percentile(body, 99):.0f} / {body.max():.0f} | '
          f'{np.percentile(face, 50):.0f} / {np.percentile(face, 99):.0f} / {face.max():.0f} | '
          f'{1e3 * changed["mean_change_rad"]:.1f} | {changed["braked_knots"]:.0f} | '
          f'{spent_s:.0f} s of processor time, took {took_s:.0f} s | {found.problems}')
    assert not found.findings.any(), found.findings
    assert found.nonfinite == 0
    assert (found.underruns, found.late_faces, found.skipped) == (0, 0, 0), found.problems
    assert found.moved_s > 0.5 * found.virtual_s and found.faces > 25 * found.virtual_s
