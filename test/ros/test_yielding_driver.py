"""Joints that other nodes own, driven in ROS time on a clock of the test's own."""
from dialogue_bench import (
    assert_each_message_is_within_limits,
    assert_frozen_knots_never_change,
    Bench,
    NAMES,
)
from driver_bench import config, MS
import numpy as np
import pytest

from gesture_node.ros.stream_driver import State


def columns(*names):
    return [NAMES.index(name) for name in names]


def test_yielded_joints_brake_hold_and_come_back_from_where_they_are():
    bench = Bench()
    head = frozenset(name for name in NAMES if name.startswith('head'))
    rows = columns(*sorted(head))
    bench.speak(1.5)
    assert bench.driver.yield_joints(head, bench.now) == ''
    yielded = bench.now
    bench.speak(1.5)
    held = [plan for at, plan in bench.plans if at > yielded + 500 * MS]
    stays = np.concatenate([plan.positions[:, rows] for plan in held])
    assert np.ptp(stays, axis=0).max() < 1e-9
    assert np.abs(np.concatenate([plan.velocities[:, rows] for plan in held])).max() < 1e-9
    moves = np.concatenate([plan.positions for plan in held])
    assert np.ptp(np.delete(moves, rows, axis=1), axis=0).max() > 0.01
    bench.others = {name: 0.25 for name in head}
    bench.run(0.1)
    assert bench.driver.yield_joints(frozenset(), bench.now) == ''
    back, count = bench.now, len(bench.plans)
    bench.others = {}
    bench.speak(0.5)
    first = bench.plans[count][1]
    assert np.abs(first.positions[0, rows] - 0.25).max() < 1e-6
    bench.until(State.IDLE)
    end = bench.plans[-1][1].positions[-1]
    assert np.abs(end - bench.driver.stream.robot.idle_positions).max() < 5e-3
    early = [plan for at, plan in bench.plans if at < back]
    late = [plan for at, plan in bench.plans if at > back]
    assert early and late
    assert_each_message_is_within_limits(bench)
    assert_frozen_knots_never_change(bench, np.delete(np.arange(len(NAMES)), rows))


class WhileItComputes:
    """Lets something happen while a window is computed that moves the robot, once."""

    def __init__(self, bench, act):
        self.step, self.act = bench.driver.stream.step, act
        bench.driver.stream.step = self

    def __call__(self):
        result = self.step()
        if self.act is not None and result.joints is not None:
            self.act()
            self.act = None
        return result


@pytest.mark.parametrize('taken_s', [0.02, 0.2, 1.0])
@pytest.mark.parametrize('names', ['left', 'head'])
def test_joints_change_hands_while_a_window_is_computed(names, taken_s):
    bench = Bench(gesture=config(presentation_delay_s=1.4))
    joints = frozenset(name for name in NAMES if name.startswith(names))
    rows = columns(*sorted(joints))
    changes = []

    def own(owned):
        changes.append((len(bench.plans), bench.now))
        assert bench.driver.yield_joints(owned, bench.now) == ''

    bench.speak(2.0)
    WhileItComputes(bench, lambda: own(joints))
    bench.speak(0.4 + taken_s)
    WhileItComputes(bench, lambda: own(frozenset()))
    bench.speak(1.6)
    (given, given_ns), (taken, _) = changes
    moved = 0.0
    for number, (_, plan) in enumerate(bench.plans[given:], given):
        times_ns = plan.stamp_ns + np.array(plan.times_from_start_ns)
        speeds = np.abs(plan.velocities[times_ns > given_ns + 450 * MS])
        moved = max(moved, speeds.max(initial=0.0))
        assert number >= taken or speeds[:, rows].max(initial=0.0) < 1e-6
    assert moved > 0.1
    bench.until(State.IDLE)
    end = bench.plans[-1][1].positions[-1]
    assert np.abs(end - bench.driver.stream.robot.idle_positions).max() < 5e-3
    assert_each_message_is_within_limits(bench)
    assert_frozen_knots_never_change(bench)


def test_joints_yielded_at_rest_are_not_moved_by_what_is_said():
    bench = Bench()
    arm = frozenset(name for name in NAMES if name.startswith('left'))
    rows = columns(*sorted(arm))
    bench.driver.yield_joints(arm, bench.now)
    bench.others = {name: value + 0.1 for name, value in bench.positions.items() if name in arm}
    bench.run(0.1)
    bench.speak(1.5)
    bench.until(State.IDLE)
    stays = np.concatenate([plan.positions[:, rows] for _, plan in bench.plans])
    assert np.ptp(stays, axis=0).max() < 1e-6


def test_joints_are_not_taken_back_while_nobody_knows_where_they_are():
    bench = Bench()
    head = frozenset(['head_yaw'])
    bench.driver.yield_joints(head, bench.now)
    bench.now += 2_000 * MS
    assert 'joint_states' in bench.driver.yield_joints(frozenset(), bench.now)
    assert bench.body.yielded == head
    bench.joints.put(bench.positions, bench.now)
    assert bench.driver.yield_joints(frozenset(), bench.now) == ''
    assert not bench.body.yielded
