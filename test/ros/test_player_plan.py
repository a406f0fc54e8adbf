"""The plan of ``trajectory_player``: a controller's splices, and no limit left."""
from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gesture_node.motion.limits import JointLimits
from gesture_node.ros.player_plan import PlayedPlan, PlayerState
from gesture_node.ros.problems import ProblemLog
from gesture_node.sim.controller import (
    JointCommand,
    TrajectoryController,
    TrajectoryMessage,
    TrajectoryPoint,
)

NAMES = ('a', 'b')
MS, NS = 1_000_000, 1_000_000_000
START = 1_000 * NS
LIMITS = JointLimits(np.array([-1.0, -2.0]), np.array([1.0, 2.0]), np.array([2.0, 4.0]),
                     np.array([20.0, 40.0]), np.array([400.0, 800.0]))


class Bench:
    """A plan, both clocks, and what was said."""

    def __init__(self, stale_s: float = 0.5, rate_hz: int = 100) -> None:
        self.said: list[str] = []
        self.plan = PlayedPlan(NAMES, (*NAMES, 'leg'), LIMITS, stale_s, ProblemLog(
            self.said.append))
        self.now_ns, self.steady_ns, self.period_ns = START, 5 * NS, NS // rate_hz

    def accept(self, message: TrajectoryMessage) -> bool:
        return self.plan.accept(message, self.now_ns)

    def tick(self, measured: np.ndarray | None = None) -> JointCommand | None:
        self.now_ns += self.period_ns
        self.steady_ns += self.period_ns
        return self.plan.sample(self.now_ns, self.steady_ns, measured)

    def run(self, seconds: float) -> np.ndarray:
        """Return positions (K, N) of so many seconds."""
        rows = [self.tick() for _ in range(round(seconds * NS / self.period_ns))]
        return np.stack([row.positions for row in rows])


def wave(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and velocities (K, 2) of a motion inside the limits; at rest at 0."""
    phase = np.pi * np.asarray(t)[:, None] * np.array([0.5, 0.7])
    amplitude = np.array([0.3, 0.5])
    return (amplitude * (1.0 - np.cos(phase)),
            amplitude * np.sin(phase) * np.pi * np.array([0.5, 0.7]))


def message(first_s: float, last_s: float, *, stamp_ns: int | None = None, names=NAMES,
            shift: float = 0.0, spacing_s: float = 0.02) -> TrajectoryMessage:
    """Return the wave's knots between two times after ``START``, with velocity 0 at the end."""
    times = np.arange(round(first_s / spacing_s), round(last_s / spacing_s) + 1)
    positions, velocities = wave(times * spacing_s)
    velocities[-1] = 0.0
    columns = [NAMES.index(name) if name in NAMES else 0 for name in names]
    points = tuple(TrajectoryPoint(
        round((k - times[0]) * spacing_s * NS), p[columns] + shift, v[columns])
        for k, p, v in zip(times, positions, velocities))
    start = START + round(times[0] * spacing_s * NS)
    return TrajectoryMessage(tuple(names), start if stamp_ns is None else stamp_ns, points)


def still(position: float, seconds: float, stamp_ns: int) -> TrajectoryMessage:
    """Return a message that stands at one position for some time."""
    return TrajectoryMessage(NAMES, stamp_ns, tuple(
        TrajectoryPoint(round(t * NS), np.full(2, position), np.zeros(2)) for t in (0, seconds)))


def test_overlapping_plans_are_spliced_to_the_last_bit():
    bench = Bench(rate_hz=250)
    seen = []
    for k in range(12):
        assert bench.accept(message(0.2 * k, 0.2 * k + 1.0))
        seen.append(bench.run(0.2))
    positions = np.concatenate(seen)
    times = (np.arange(len(positions)) + 1) / 250
    oracle = TrajectoryController(NAMES, np.zeros(2))
    oracle.accept(message(0.0, 4.0), START)
    expected = [oracle.sample(START + round(t * NS), np.zeros(2)).positions for t in times]
    np.testing.assert_allclose(positions, expected, atol=1e-12)
    assert not bench.said and bench.plan.state is PlayerState.PLAYING


@pytest.mark.parametrize('names', [('b', 'a'), ('leg', 'b', 'a')])
def test_order_and_further_joints_do_not_matter(names):
    bench, other = Bench(), Bench()
    assert bench.accept(message(0.0, 1.0)) and other.accept(message(0.0, 1.0, names=names))
    np.testing.assert_array_equal(bench.run(0.5), other.run(0.5))


def test_a_plan_in_the_future_is_approached_as_a_controller_does():
    bench = Bench(rate_hz=500)
    oracle = TrajectoryController(NAMES, np.zeros(2), interpolate_from_desired=True)
    for k in range(8):
        sent = message(0.2 * k + 0.1, 0.2 * k + 1.2)
        assert bench.accept(sent) and oracle.accept(sent, bench.now_ns) is None
        for _ in range(100):
            got = bench.tick(np.zeros(2))
            wanted = oracle.sample(bench.now_ns, np.zeros(2))
            assert np.abs(got.positions - wanted.positions).max() < 1e-3


def test_nothing_is_commanded_before_it_is_known_where_the_robot_is():
    bench = Bench()
    assert bench.tick() is None and bench.plan.state is PlayerState.WAITING
    assert bench.accept(message(0.1, 1.0))
    commands = [bench.tick() for _ in range(12)]
    assert [command is None for command in commands] == [True] * 8 + [False] * 4
    known = Bench()
    known.accept(message(0.1, 1.0))
    np.testing.assert_allclose(known.tick(np.full(2, 0.02)).positions, 0.02, atol=0.005)


def test_the_first_plan_is_eased_in_from_where_the_robot_is_measured():
    bench = Bench(rate_hz=1_000)
    bench.accept(still(0.5, 2.0, START))
    rows = np.stack([bench.tick(np.array([0.4, 0.55])).positions for _ in range(1_500)])
    np.testing.assert_allclose(rows[0], [0.4, 0.55], atol=1e-4)
    np.testing.assert_allclose(rows[-1], 0.5, atol=1e-9)
    assert_inside(rows, 1_000, 0.5)
    assert not bench.said


def assert_inside(rows: np.ndarray, rate_hz: int, share: float = 1.0) -> None:
    """Check speed and acceleration against a share of the limits, by differences."""
    velocity = np.diff(rows, axis=0) * rate_hz
    acceleration = np.diff(velocity, axis=0) * rate_hz
    assert (np.abs(velocity) <= share * LIMITS.velocity * 1.001).all()
    assert (np.abs(acceleration) <= share * LIMITS.acceleration * 1.01).all()


def test_a_plan_that_begins_elsewhere_is_eased_in():
    bench = Bench(stale_s=0.0, rate_hz=1_000)
    bench.accept(message(0.0, 2.0))
    before = bench.run(0.5)
    bench.accept(still(-0.4, 5.0, bench.now_ns - 10 * MS))
    after = bench.run(3.0)
    np.testing.assert_allclose(after[-1], -0.4, atol=1e-9)
    assert_inside(np.concatenate([before, after]), 1_000)
    assert bench.plan.is_at_rest is False and not bench.said


def test_an_ease_is_not_begun_anew_by_the_same_plan_sent_again():
    benches = Bench(stale_s=0.0, rate_hz=500), Bench(stale_s=0.0, rate_hz=500)
    seen = []
    for bench, repeats in zip(benches, (1, 6)):
        bench.accept(still(0.1, 0.1, START - NS // 10))
        bench.run(0.1)
        rows = []
        for k in range(6):
            if k < repeats:
                bench.accept(message(0.04 * k, 3.0, shift=0.2))
            rows.append(bench.run(0.1))
        seen.append(np.concatenate(rows))
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-9)
    np.testing.assert_allclose(seen[0][0], 0.1, atol=0.002)
    np.testing.assert_allclose(seen[0][-1], wave(np.array([0.7]))[0][0] + 0.2, atol=1e-4)


@pytest.mark.parametrize('change, words', [
    ({'joint_names': ()}, 'joint_names is empty'),
    ({'joint_names': ('a',)}, 'wrong number of values'),
    ({'joint_names': ('a', 'a')}, 'named twice'),
    ({'joint_names': ('a', 'c')}, "it names the joint 'c'"),
    ({'joint_names': ('a', 'leg')}, "it leaves out the joint 'b'"),
    ({'points': ()}, 'points is empty'),
    ({'stamp_ns': START - 9 * NS}, 'ends in the past'),
])
def test_bad_trajectories_are_refused_and_said_once(change, words):
    bench = Bench()
    good = message(0.0, 1.0)
    fields = {'joint_names': good.joint_names, 'stamp_ns': good.stamp_ns, 'points': good.points}
    bad = TrajectoryMessage(**{**fields, **change})
    bench.accept(good)
    bench.run(0.1)
    assert not bench.accept(bad) and not bench.accept(bad)
    assert len(bench.said) == 1 and words in bench.said[0]
    assert bench.plan.accepted == 1
    np.testing.assert_allclose(bench.run(0.1)[-1], wave(np.array([0.2]))[0][0], atol=1e-4)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('field', ['positions', 'velocities', 'accelerations'])
def test_numbers_that_are_not_finite_never_come_out(field, value):
    bench = Bench()
    point = {'positions': np.zeros(2), 'velocities': np.zeros(2), 'accelerations': np.zeros(2)}
    point[field] = np.array([0.0, value])
    assert not bench.accept(TrajectoryMessage(NAMES, START, (
        TrajectoryPoint(0, np.zeros(2)), TrajectoryPoint(NS, **point))))
    assert 'not finite' in bench.said[0] and bench.tick() is None


def test_far_beyond_a_limit_is_refused_and_a_little_beyond_is_cut_off():
    bench = Bench()
    assert not bench.accept(still(1.2, 1.0, START))
    assert "joint 'a' would go to 1.200 rad, allowed are -1.000 to 1.000" in bench.said[0]
    assert bench.accept(still(1.05, 1.0, START))
    np.testing.assert_allclose(bench.tick().positions, [1.0, 1.05])
    assert 'held back' in bench.said[1]
    bench.run(1.2)
    assert bench.plan.state is PlayerState.HOLDING and len(bench.said) == 2


def test_a_trajectory_before_ros_time_is_refused():
    bench = Bench()
    bench.now_ns = 0
    assert not bench.accept(message(0.0, 1.0))
    assert 'ROS time has not started' in bench.said[0]


def test_whatever_valid_plans_come_nothing_leaves_position_and_velocity_limits():
    rng = np.random.default_rng(7)
    for _ in range(8):
        bench = Bench(rate_hz=int(rng.choice([50, 100, 333])))
        rows, times = [], []
        for _ in range(15):
            count = int(rng.integers(1, 5))
            after = np.cumsum(rng.integers(1, 300, count)) * MS
            points = tuple(TrajectoryPoint(
                int(t), rng.uniform(-1.1, 1.1, 2) * [1, 1.8],
                rng.normal(0, 5, 2) if k < count - 1 else np.zeros(2))
                for k, t in enumerate(after))
            stamp = int(rng.choice([0, bench.now_ns - 20 * MS, bench.now_ns + 50 * MS]))
            bench.accept(TrajectoryMessage(NAMES, stamp, points))
            for _ in range(int(rng.integers(1, 40))):
                command = bench.tick()
                if command is not None:
                    rows.append(command.positions)
                    times.append(bench.now_ns)
                    assert np.isfinite(command.velocities).all()
        rows = np.stack(rows)
        assert np.isfinite(rows).all() and bench.plan.accepted >= 10
        assert (rows >= LIMITS.lower - 1e-9).all() and (rows <= LIMITS.upper + 1e-9).all()
        steps_s = np.diff(times)[:, None] / NS
        assert (np.abs(np.diff(rows, axis=0)) <= LIMITS.velocity * steps_s + 1e-6).all()
        bench.plan.brake()
        end = np.concatenate([rows[-1:], bench.run(4.0)])
        assert bench.plan.is_at_rest and (end[-1] == end[-10]).all()
        assert (end >= LIMITS.lower - 1e-9).all() and (end <= LIMITS.upper + 1e-9).all()
        step_s = bench.period_ns / NS
        assert (np.abs(np.diff(end, axis=0)) <= LIMITS.velocity * step_s + 1e-6).all()


def test_starvation_is_said_once_and_the_last_position_held():
    bench = Bench()
    bench.accept(message(0.0, 1.0))
    bench.run(0.45)
    assert bench.plan.state is PlayerState.PLAYING and not bench.said
    rows = bench.run(2.0)
    assert bench.plan.state is PlayerState.STARVED
    assert len(bench.said) == 1 and 'no trajectory came for 0.5 s' in bench.said[0]
    np.testing.assert_array_equal(rows[-1], rows[-100])
    np.testing.assert_allclose(rows[-1], wave(np.array([1.0]))[0][0], atol=1e-9)
    assert bench.accept(still(float(rows[-1, 0]), 0.3, bench.now_ns))
    bench.tick()
    assert bench.plan.state is PlayerState.PLAYING


def test_a_plan_that_comes_to_its_end_in_peace_is_no_starvation():
    bench = Bench()
    for k in range(5):
        bench.accept(message(0.2 * k, 1.0))
        bench.run(0.2)
    bench.run(1.0)
    assert bench.plan.state is PlayerState.HOLDING and not bench.said


def test_staleness_is_not_watched_where_it_is_turned_off():
    bench = Bench(stale_s=0.0)
    bench.accept(message(0.0, 2.0))
    bench.run(3.0)
    assert bench.plan.state is PlayerState.HOLDING and not bench.said


@pytest.mark.parametrize('jump_s', [-5.0, 30.0])
def test_a_jump_of_ros_time_brakes_and_the_next_plan_goes_on(jump_s):
    bench = Bench(stale_s=0.0, rate_hz=1_000)
    bench.accept(message(0.0, 4.0))
    before = bench.run(0.6)
    bench.now_ns += round(jump_s * NS)
    after = bench.run(1.0)
    assert 'ROS time jumped' in bench.said[0]
    assert_inside(np.concatenate([before, after]), 1_000)
    np.testing.assert_array_equal(after[-1], after[-200])
    assert bench.accept(still(float(after[-1, 0]), 1.0, bench.now_ns - 5 * MS))
    more = bench.run(1.0)
    assert_inside(np.concatenate([after, more]), 1_000)
    np.testing.assert_allclose(more[-1], after[-1, 0], atol=1e-9)
    assert bench.plan.state is PlayerState.HOLDING or not bench.plan.is_at_rest


def test_the_end_brakes_inside_the_limits_even_if_ros_time_stands_still():
    bench = Bench(rate_hz=1_000)
    bench.accept(message(0.0, 4.0))
    before = bench.run(0.6)
    bench.plan.brake()
    assert not bench.accept(message(0.6, 4.0))
    frozen_ns, rows = bench.now_ns, []
    for _ in range(500):
        bench.steady_ns += MS
        rows.append(bench.plan.sample(frozen_ns, bench.steady_ns).positions)
    assert_inside(np.concatenate([before, rows]), 1_000)
    assert bench.plan.is_at_rest and bench.plan.state is PlayerState.RELEASING
    assert all((a == b).all() for a, b in pairwise(rows[-100:]))


def test_a_standing_clock_stands_still():
    bench = Bench()
    bench.accept(message(0.0, 2.0))
    bench.run(0.3)
    first = bench.plan.sample(bench.now_ns, bench.steady_ns + 10 * MS)
    later = bench.plan.sample(bench.now_ns, bench.steady_ns + 900 * MS)
    np.testing.assert_array_equal(first.positions, later.positions)
