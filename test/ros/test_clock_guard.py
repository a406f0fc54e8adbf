"""Jumps of ROS time are told from time that merely runs slower or faster."""
import pytest

from gesture_node.ros.clock_guard import ClockGuard

S = 1_000_000_000


@pytest.mark.parametrize('ros_s,steady_s,jumped', [
    (0.0, 0.1, False), (0.1, 0.1, False), (1.5, 0.2, False), (-0.05, 0.1, False),
    (-0.5, 0.1, True), (100.0, 0.1, True), (100.0, 99.0, False)])
def test_steps(ros_s, steady_s, jumped):
    guard = ClockGuard()
    assert not guard.has_jumped(1_000 * S, 50 * S)
    assert guard.has_jumped(int((1_000 + ros_s) * S), int((50 + steady_s) * S)) is jumped


def test_a_jump_is_told_once():
    guard = ClockGuard()
    guard.has_jumped(0, 0)
    assert guard.has_jumped(100 * S, S)
    assert not guard.has_jumped(101 * S, 2 * S)
