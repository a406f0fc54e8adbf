"""The controller's rules against cases worked out by hand."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.sim.controller import (
    Rejection,
    TrajectoryController,
    TrajectoryMessage,
    TrajectoryPoint,
)

S = 1_000_000_000
NAMES = ('a', 'b')


def _point(t_s: float, positions, velocities=(), accelerations=()) -> TrajectoryPoint:
    return TrajectoryPoint(round(t_s * S), np.array(positions, float),
                           np.array(velocities, float), np.array(accelerations, float))


def _message(points, stamp_s: float = 0.0, names=NAMES) -> TrajectoryMessage:
    return TrajectoryMessage(tuple(names), round(stamp_s * S), tuple(points))


def _controller(**options) -> TrajectoryController:
    return TrajectoryController(NAMES, np.zeros(2), **options)


def test_holds_where_it_is_until_a_trajectory_comes():
    controller = TrajectoryController(NAMES, np.array([0.1, -0.2]))
    command = controller.sample(5 * S, np.array([0.0, 0.0]))
    np.testing.assert_allclose(command.positions, [0.1, -0.2])
    np.testing.assert_allclose(command.velocities, 0.0)


def test_positions_only_are_linear():
    controller = _controller()
    controller.accept(_message([_point(0, [0, 0]), _point(1, [1, -2])], stamp_s=10), 10 * S)
    command = controller.sample(10 * S + S // 4, np.zeros(2))
    np.testing.assert_allclose(command.positions, [0.25, -0.5])
    np.testing.assert_allclose(command.velocities, [1.0, -2.0])


def test_positions_and_velocities_are_cubic():
    controller = _controller()
    points = [_point(0, [0, 0], [0, 1]), _point(2, [1, 2], [0, 0])]
    controller.accept(_message(points, stamp_s=10), 10 * S)
    command = controller.sample(11 * S, np.zeros(2))
    # joint a: rest to rest over 2 s: half way, at 1.5 x the mean velocity of 0.5.
    # joint b: (p0 + p1) / 2 + T (v0 - v1) / 8 = 1.25; 1.5 x mean velocity - (v0 + v1) / 4 = 1.25.
    np.testing.assert_allclose(command.positions, [0.5, 1.25])
    np.testing.assert_allclose(command.velocities, [0.75, 1.25])


def test_all_fields_are_quintic():
    controller = _controller()
    points = [_point(0, [0, 0], [0, 0], [0, 2]), _point(1, [1, 1], [0, 2], [0, 2])]
    controller.accept(_message(points, stamp_s=1), S)
    controller = _controller(allow_moving_end=True)
    controller.accept(_message(points, stamp_s=1), S)
    command = controller.sample(S + S // 2, np.zeros(2))
    # joint a: minimum jerk, 15/8 of the mean velocity half way. joint b: exactly t^2.
    np.testing.assert_allclose(command.positions, [0.5, 0.25])
    np.testing.assert_allclose(command.velocities, [1.875, 1.0])
    np.testing.assert_allclose(command.accelerations, [0.0, 2.0], atol=1e-12)


def test_a_segment_falls_back_to_what_both_ends_carry():
    controller = _controller()
    points = [_point(0, [0, 0], [0, 0]), _point(1, [1, 1])]
    controller.accept(_message(points, stamp_s=1), S)
    np.testing.assert_allclose(controller.sample(S + S // 4, np.zeros(2)).positions, 0.25)


def test_points_in_the_past_are_skipped_and_the_measured_state_is_not_used():
    controller = _controller()
    points = [_point(0, [0, 0], [0, 0]), _point(1, [1, 1], [0, 0]), _point(2, [1, 1], [0, 0])]
    controller.accept(_message(points, stamp_s=9), 10 * S)
    command = controller.sample(10 * S + S // 2, np.array([77.0, 77.0]))
    np.testing.assert_allclose(command.positions, 1.0)


def test_before_the_first_point_it_comes_from_the_measured_state_at_rest():
    controller = _controller()
    controller.accept(_message([_point(0, [1, 1], [0, 0])], stamp_s=12), 10 * S)
    first = controller.sample(10 * S, np.array([0.2, 0.2]))
    np.testing.assert_allclose(first.positions, 0.2)
    half = controller.sample(11 * S, np.array([0.9, 0.9]))
    np.testing.assert_allclose(half.positions, 0.6)
    np.testing.assert_allclose(half.velocities, 1.5 * 0.4)


def test_before_the_first_point_it_can_come_from_the_last_command():
    controller = _controller(interpolate_from_desired=True)
    controller.sample(9 * S, np.zeros(2))
    controller.accept(_message([_point(0, [1, 1], [0, 0])], stamp_s=11), 10 * S)
    half = controller.sample(10 * S, np.array([0.9, 0.9]))
    # The bridge starts at the previous cycle, 9 s, so 10 s is half way.
    np.testing.assert_allclose(half.positions, 0.5)


def test_stamp_zero_starts_at_the_first_sample_and_jumps_to_a_first_point_at_zero():
    controller = _controller()
    controller.accept(_message([_point(0, [1, 1]), _point(1, [2, 2])]), 10 * S)
    np.testing.assert_allclose(controller.sample(12 * S, np.zeros(2)).positions, 1.0)
    np.testing.assert_allclose(controller.sample(12 * S + S // 2, np.zeros(2)).positions, 1.5)


def test_after_the_last_point_it_holds_with_that_points_velocity():
    controller = _controller(allow_moving_end=True)
    controller.accept(_message([_point(1, [1, 1], [0.5, 0])], stamp_s=1), S)
    command = controller.sample(9 * S, np.zeros(2))
    np.testing.assert_allclose(command.positions, 1.0)
    np.testing.assert_allclose(command.velocities, [0.5, 0.0])


def test_a_new_message_replaces_the_old_one_even_when_it_starts_later():
    controller = _controller()
    controller.accept(_message([_point(0, [0, 0]), _point(10, [10, 10])], stamp_s=1), S)
    controller.sample(2 * S, np.zeros(2))
    controller.accept(_message([_point(0, [5, 5])], stamp_s=4), 2 * S)
    command = controller.sample(3 * S, np.array([1.0, 1.0]))
    # Bridging began at 3 s from the measured state: the old trajectory (2 at 3 s) is forgotten.
    np.testing.assert_allclose(command.positions, 1.0)


def test_joint_order_is_free():
    controller = _controller()
    controller.accept(_message([_point(0, [1, 2])], stamp_s=1, names=('b', 'a')), S)
    np.testing.assert_allclose(controller.sample(2 * S, np.zeros(2)).positions, [2.0, 1.0])


def test_partial_messages_hold_the_joints_they_leave_out():
    message = _message([_point(0, [1], [0])], stamp_s=1, names=('b',))
    assert _controller().accept(message, S) is Rejection.JOINT_COUNT
    controller = TrajectoryController(NAMES, np.array([0.3, 0.0]), allow_partial_joints=True)
    assert controller.accept(message, S) is None
    np.testing.assert_allclose(controller.sample(2 * S, np.zeros(2)).positions, [0.3, 1.0])


@pytest.mark.parametrize(('message', 'reason'), [
    (_message([_point(0, [])], names=()), Rejection.NO_JOINTS),
    (_message([_point(0, [0])], names=('a',)), Rejection.JOINT_COUNT),
    (_message([_point(0, [0, 0])], names=('a', 'c')), Rejection.UNKNOWN_JOINT),
    (_message([_point(0, [0, 0])], names=('a', 'a')), Rejection.UNKNOWN_JOINT),
    (_message([]), Rejection.NO_POINTS),
    (_message([_point(0, [0, 0], [0, 1e-3])]), Rejection.END_VELOCITY),
    (_message([_point(1, [0, 0])], stamp_s=5), Rejection.ENDS_IN_PAST),
    (_message([_point(1, [0, 0]), _point(1, [0, 0])]), Rejection.TIMES_NOT_INCREASING),
    (_message([_point(0, [0])]), Rejection.SIZE_MISMATCH),
    (_message([_point(0, [0, 0], [0])]), Rejection.SIZE_MISMATCH),
    (_message([_point(0, [0, np.nan])]), Rejection.NOT_FINITE),
])
def test_rejections_are_named_counted_and_change_nothing(message, reason):
    controller = _controller()
    assert controller.accept(message, 10 * S) is reason
    assert controller.rejected == {reason: 1}
    assert controller.accepted == 0
    np.testing.assert_allclose(controller.sample(11 * S, np.ones(2)).positions, 0.0)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_overlapping_messages_of_one_plan_are_one_curve(seed, period_ms):
    """Past-anchored messages of positions and velocities splice exactly, in any rhythm."""
    rng = np.random.default_rng(seed)
    positions = np.cumsum(rng.normal(0, 0.05, (60, 2)), axis=0)
    velocities = np.gradient(positions, 0.05, axis=0)
    velocities[-1] = 0.0

    def message(now_s: float) -> TrajectoryMessage:
        first = int(now_s / 0.05)
        points = [_point(i * 0.05, positions[first + i], velocities[first + i])
                  for i in range(len(positions) - first)]
        return _message(points, stamp_s=1.0 + first * 0.05)

    once, often = _controller(), _controller()
    once.accept(message(0.0), S)
    for tick in range(0, 160):
        now_ns = S + tick * S // 100
        if tick % period_ms == 0:
            assert often.accept(message(tick * 0.01), now_ns) is None
        wild = rng.normal(0, 1, 2)
        np.testing.assert_allclose(often.sample(now_ns, wild).positions,
                                   once.sample(now_ns, wild).positions, atol=1e-9)
