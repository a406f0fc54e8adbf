"""The quality ladder: order of its rungs, and how it behaves under any load."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from gesture_node.config import GestureConfig
from gesture_node.operations.quality import (
    HOLD_S,
    quality_levels,
    QualityLadder,
    QualityLevel,
    scaled_hops,
    UNDONE_S,
)

SPARE_S, HOP_S = 0.2, 0.2


class Machine:
    """Computes windows at a speed that the test chooses, and obeys the ladder."""

    def __init__(self, steps=(4, 2)):
        self.ladder = QualityLadder(quality_levels(steps, lambda scale: True))
        self.best = self.ladder.level.cost
        self.now_s = 100.0
        self.late = 0
        self.indices = []

    def run(self, seconds, full_s):
        """Run windows of which one at full quality takes ``full_s``."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            level = self.ladder.level
            compute_s = full_s * level.cost * level.hop_scale / self.best
            self.now_s += HOP_S * level.hop_scale
            self.late += compute_s > SPARE_S
            self.ladder.observe(SPARE_S - compute_s, SPARE_S, compute_s, self.now_s)
            self.indices.append(self.ladder.index)
        return self.ladder.index


@pytest.mark.parametrize('steps', [(1, 1), (4, 2), (2, 5), (50, 50)])
def test_rungs_first_take_calls_then_hops(steps):
    levels = quality_levels(steps, lambda scale: True)
    assert levels[0] == QualityLevel(steps)
    costs = [level.cost for level in levels]
    assert costs == sorted(set(costs), reverse=True)
    scales = [level.hop_scale for level in levels]
    assert scales == sorted(scales) and scales[-2:] == [1.5, 2.0]
    assert all(level.steps == (1, 1) for level in levels if level.hop_scale > 1.0)
    assert all(min(level.steps) >= 1 for level in levels)


def test_hops_that_do_not_fit_are_no_rungs():
    assert all(level.hop_scale <= 1.5 for level in quality_levels((1, 1), lambda s: s < 1.6))


def test_longer_hops_are_whole_frames():
    config = GestureConfig()
    for scale in (1.0, 1.5, 2.0):
        changed = scaled_hops(config, scale)
        assert changed.body.hop_s * 25 == pytest.approx(round(changed.body.hop_s * 25))
        assert changed.face.hop_s * 50 == pytest.approx(round(changed.face.hop_s * 50))
        assert config.body.hop_s * scale <= changed.body.hop_s < config.body.hop_s * scale + 0.04


def test_a_fast_machine_gives_nothing_up():
    machine = Machine()
    machine.run(60.0, 0.05)
    assert set(machine.indices) == {0}


def test_it_goes_down_before_a_window_is_late_and_up_again():
    machine = Machine()
    machine.run(5.0, 0.05)
    for full_s in (0.10, 0.13, 0.15, 0.165, 0.175):
        machine.run(3.0, full_s)
    assert machine.ladder.index > 0 and machine.late == 0
    assert machine.run(3 * HOLD_S * machine.ladder.count, 0.05) == 0


@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 1.0))
def test_a_constant_load_ends_at_rest(full_s):
    """It does not swing: steps up that must be undone become ever rarer."""
    machine = Machine()
    machine.run(600.0, full_s)
    before = machine.ladder.steps_up
    machine.run(300.0, full_s)
    assert machine.ladder.steps_up - before <= 300.0 / (8 * HOLD_S) + 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0.5, 20.0), st.floats(0.0, 2.0)), min_size=1, max_size=20))
def test_any_load_keeps_it_on_the_ladder_and_time_brings_it_back(loads):
    machine = Machine()
    for seconds, full_s in loads:
        machine.run(seconds, full_s)
    jumps = {abs(b - a) for a, b in zip(machine.indices, machine.indices[1:])}
    assert jumps <= {0, 1} and min(machine.indices) >= 0
    assert max(machine.indices) < machine.ladder.count
    assert machine.run(90.0 * machine.ladder.count, 0.02) == 0


def test_a_late_window_is_a_step_down_at_once():
    machine = Machine()
    machine.run(2.0, 0.01)
    assert machine.ladder.observe(-0.01, SPARE_S, 0.3, machine.now_s + HOP_S)


def test_what_was_undone_waits_longer():
    machine = Machine((4, 2))
    ladder = machine.ladder

    def time_to_rise():
        begun_s = machine.now_s
        while ladder.index:
            machine.run(HOP_S, 0.01)
        return machine.now_s - begun_s

    machine.run(HOP_S, 0.25)
    first_s = time_to_rise()
    machine.run(1.0, 0.01)
    assert UNDONE_S > 1.0
    machine.now_s += 1.0
    ladder.observe(-0.01, SPARE_S, 0.3, machine.now_s)
    assert ladder.index == 1 and time_to_rise() > 1.5 * first_s


def test_a_clock_that_goes_back_stops_nothing():
    machine = Machine()
    machine.run(2.0, 0.3)
    machine.now_s = 0.0
    assert machine.run(400.0, 0.01) == 0
