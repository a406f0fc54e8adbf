"""Speech on a processor that is much too slow at times: motion is late, and never jumps.

Run by ``make soak``. Windows take up to 0.45 s longer, and what is decided anew from the plan's
own state up to 0.13 s, so that many messages are late, made again, or left out.
"""
from __future__ import annotations

import os
from pathlib import Path
import sys
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'motion'))
sys.path.insert(0, str(Path(__file__).parent))
from networks_once import BUNDLE, networks
from safety_world import CHOSEN
from speeches import speech_of
from virtual_node import VirtualNode

from gesture_node.config import GestureConfig
from gesture_node.motion.robot import load_profile
from gesture_node.motion.trajectory import TrajectoryPlan
from gesture_node.stream import GestureStream

pytestmark = [pytest.mark.soak, pytest.mark.timeout(36_000)]

MINUTES = float(os.environ.get('SOAK_MINUTES', '1.5'))
SLOW_WINDOWS, SLOW_DECISIONS = 0.08, 0.5


class SlowNode(VirtualNode):
    """A node whose processor somebody else takes away, by chance."""

    def __init__(self, *arguments: Any, seed: int) -> None:
        super().__init__(*arguments)
        self.random = np.random.default_rng(seed)

    def wanted_steps(self, stream: GestureStream) -> tuple[int, int]:
        steps = super().wanted_steps(stream)
        self.lose(SLOW_WINDOWS, 0.05, 0.45)
        return steps

    def lose(self, share: float, least_s: float, most_s: float) -> None:
        if self.random.uniform() < share:
            self.clock.charge(round(self.random.uniform(least_s, most_s) * 1e9))


@pytest.mark.skipif(not BUNDLE.is_dir(), reason='the shipped bundle is not there')
@pytest.mark.parametrize('robot', CHOSEN)
def test_a_slow_processor_makes_motion_late_but_never_jumps(
        robot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    node = SlowNode(networks(), load_profile(robot), speech_of(MINUTES), GestureConfig(),
                    seed=CHOSEN.index(robot))
    follow = TrajectoryPlan._follow

    def slowly(plan: TrajectoryPlan, *arguments: Any) -> None:
        follow(plan, *arguments)
        node.lose(SLOW_DECISIONS, 0.0, 0.13)

    monkeypatch.setattr(TrajectoryPlan, '_follow', slowly)
    found = node.run()
    print(f'\nslow | {robot} | {found.virtual_s:.0f} s | {found.underruns} | {found.skipped} | '
          f'{found.findings}')
    assert found.underruns > 10 and found.skipped > 10
    assert not found.findings.any(), found.findings
    assert found.nonfinite == 0
