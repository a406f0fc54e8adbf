"""What controllers command is what was planned: rates, loops, generations, loss, jitter, stops."""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from splicing_world import BEGIN_NS, LIMITER, MS, NAMES, Seen, World

from gesture_node.motion.profile_interface import Controller
from gesture_node.ros import plan_publisher

LIMITS = LIMITER.limits
SAME_RAD = 1e-4
FITTING = [('A', 'past'), ('B', 'past'), ('B', 'future'), ('C', 'future')]
TWO = [('A', 'past'), ('B', 'future')]
OTHERS = [('A', 'future'), ('A', 'zero'), ('B', 'zero'), ('C', 'past'), ('C', 'zero')]
STOP_WITHIN_NS = 100 * MS


def assert_smooth(seen: Seen) -> None:
    assert (np.abs(seen.accelerations()) <= LIMITS.acceleration * (1 + 1e-6) + 1e-3).all()


def assert_at_rest(seen: Seen) -> None:
    assert len(seen.commanded) > 5
    assert (seen.commanded == seen.commanded[-1]).all()


@pytest.mark.parametrize('closed_loop', [True, False])
@pytest.mark.parametrize('controller_hz', [100, 500, 1000])
@pytest.mark.parametrize(('generation', 'policy'), FITTING)
def test_what_is_commanded_is_the_plan(generation: str, policy: str, controller_hz: int,
                                       closed_loop: bool) -> None:
    world = World(policy, generation, closed_loop, controller_hz, seed=controller_hz,
                  late_ns={4: 130 * MS})
    world.speak()
    seen = world.run(1.8)
    assert seen.error_rad() < SAME_RAD
    assert_smooth(seen)
    assert np.ptp(seen.commanded, axis=0).min() > 0.2 and world.body.underruns == 1
    assert not any(oracle.refused for oracle in world.oracles)


@pytest.mark.parametrize(('generation', 'policy'), OTHERS)
def test_policies_that_do_not_fit_are_told_by_it(generation: str, policy: str) -> None:
    """These are the combinations ``docs/trajectories.md`` warns of."""
    world = World(policy, generation)
    world.speak()
    assert world.run(1.5).error_rad() > 10 * SAME_RAD


def test_changes_that_are_said_once_would_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = []
    for copies in (0, plan_publisher.COPIES):
        monkeypatch.setattr(plan_publisher, 'COPIES', copies)
        world = World(controller_hz=100, loss=0.15, seed=3)
        world.speak()
        errors.append(world.run(2.4).error_rad())
    assert errors[0] > 10 * SAME_RAD and errors[1] < SAME_RAD


@pytest.mark.parametrize('seed', range(2))
@pytest.mark.parametrize(('generation', 'policy'), FITTING)
def test_a_stop_begins_at_once_and_rests_as_soon_as_limits_allow(
        generation: str, policy: str, seed: int) -> None:
    world = World(policy, generation, controller_hz=500, seed=seed)
    world.speak()
    world.run(1.1 + 0.037 * seed)
    before, stop_ns = world.body._plan._knots, world.now_ns
    world.stop()
    seen = world.run(1.2)
    assert seen.error_rad() < SAME_RAD
    assert_smooth(seen)
    uninterrupted = np.array([before.state(int(t)).positions for t in seen.times_ns])
    parted = np.abs(seen.commanded - uninterrupted).max(axis=1) > 1e-6
    begun_ns = int(seen.times_ns[np.argmax(parted)])
    assert parted.any() and begun_ns - stop_ns < STOP_WITHIN_NS
    # Until rest: ease off what pushes on, brake, ease off the brake; knots cost a little more.
    speed = np.abs(before.state(begun_ns).velocities) + LIMITS.acceleration ** 2 / LIMITS.jerk
    allowed_s = (speed / LIMITS.acceleration + 2 * LIMITS.acceleration / LIMITS.jerk).max() + 0.06
    moving = np.nonzero((seen.commanded != seen.commanded[-1]).any(axis=1))[0]
    assert seen.times_ns[moving[-1]] <= begun_ns + allowed_s * 1e9
    assert_at_rest(seen.part(world.body._plan.end_ns + 20 * MS, world.now_ns))


def test_a_stop_right_after_a_change_is_exact_too() -> None:
    for generation, policy in (('A', 'past'), ('B', 'past'), ('B', 'future')):
        for after_ms in (2, 34, 76):
            world = World(policy, generation, controller_hz=500, loss=0.0, seed=after_ms)
            world.speak()
            world.run(1.0)
            count = world.body._plan.changed_ns
            while world.body._plan.changed_ns == count:
                world.run(0.002)
            world.run(after_ms / 1e3)
            world.stop()
            seen = world.run(0.5)
            assert seen.error_rad() < SAME_RAD
            assert_smooth(seen)


@pytest.mark.parametrize(('generation', 'policy'), TWO)
def test_several_controllers_move_as_one(generation: str, policy: str) -> None:
    controllers = (Controller('arm', 'arm/joint_trajectory', ('c', 'a')),
                   Controller('head', 'head/joint_trajectory', ('b',)))
    world = World(policy, generation, controller_hz=500, controllers=controllers)
    world.speak()
    seen = world.run(1.6)
    assert seen.error_rad() < SAME_RAD and np.ptp(seen.commanded, axis=0).min() > 0.2
    assert not any(oracle.refused for oracle in world.oracles)


@pytest.mark.parametrize(('generation', 'policy'), TWO)
def test_a_dead_node_means_a_smooth_stop(generation: str, policy: str) -> None:
    world = World(policy, generation)
    world.speak()
    world.run(1.37)
    world.be_silent()
    world.body.tick = world.body.repeat = lambda now_ns: None
    seen = world.run(1.6)
    assert_smooth(seen)
    assert_at_rest(seen.part(world.now_ns - 200 * MS, world.now_ns))


def test_a_dead_node_that_comes_back_starts_from_the_measured_joints() -> None:
    world = World()
    world.speak()
    world.run(1.37)
    rested = World(start=world.run(2.0).commanded[-1] + 0.4)
    assert np.abs(rested.commanded()).max() > 0.2
    rested.run(0.05)
    rested.speak()
    seen = rested.run(1.5)
    assert_smooth(seen)
    assert seen.error_rad() < SAME_RAD
    speed = np.abs(np.diff(seen.commanded, axis=0)) * rested.controller_hz
    approach = seen.times_ns[1:] < rested._epoch_ns + 200 * MS
    assert 0.0 < speed[approach].max() <= 0.4 * LIMITS.velocity.max()


@pytest.mark.parametrize(('generation', 'policy'), TWO)
def test_stale_joint_states_brake_and_fresh_ones_let_go(generation: str, policy: str) -> None:
    world = World(policy, generation, controller_hz=100)
    world.speak()
    world.run(1.2)
    world.is_measured = False
    seen = world.run(2.6)
    assert_smooth(seen)
    assert_at_rest(seen.part(world.now_ns - 500 * MS, world.now_ns))
    assert [said for said in world.said if 'brakes until' in said]
    assert world.body.waiting_for(world.now_ns).startswith('joint_states')
    world.is_measured = True
    again = world.run(1.5)
    assert_smooth(again)
    assert again.error_rad() < SAME_RAD and np.ptp(again.commanded, axis=0).min() > 0.2
    assert world.body.waiting_for(world.now_ns) == ''


def test_without_joint_states_nothing_is_published_until_they_come() -> None:
    world = World(start=np.array([0.3, -0.2, 0.1]), is_measured=False)
    world.speak()
    world.run(1.2)
    assert not world.messages and len(world.said) == 1
    world.is_measured = True
    seen = world.run(1.2)
    assert_smooth(seen)
    assert np.allclose(world.messages[0].positions[0], [0.3, -0.2, 0.1])
    assert seen.error_rad() < SAME_RAD and np.ptp(seen.commanded, axis=0).min() > 0.1


def test_after_a_jump_of_the_clock_the_robot_rests_where_it_is() -> None:
    world = World(loss=0.0)
    world.speak()
    world.run(1.3)
    world.be_silent()
    before = world.commanded()
    # The controller restarts with the simulation, where the robot stands.
    world.now_ns = world._tick_ns = BEGIN_NS - 3_600_000 * MS
    for oracle in world.oracles:
        oracle.__init__(oracle.positions, joint_names=oracle.joint_names)
        oracle._last_ns = world.now_ns
    world.body.forget()
    count = len(world.messages)
    world.run(1.0)
    held = world.messages[count:]
    assert len(held) == 1 and held[0].stamp_ns == 0 and not held[0].velocities.any()
    assert np.abs(world.commanded() - before).max() < 1e-9
    world.speak()
    seen = world.run(1.5)
    assert_smooth(seen)
    assert seen.error_rad() < SAME_RAD and np.ptp(seen.commanded, axis=0).min() > 0.2


@pytest.mark.parametrize(('generation', 'policy'), TWO)
def test_a_change_that_waited_on_its_way_out_is_made_again(generation: str, policy: str) -> None:
    """The thread stands still between deciding and publishing, once for 0.3 s."""
    world = World(policy, generation, loss=0.0)
    world.speak()
    first = len(world.run(1.2).times_ns)
    stalls = iter([0.3])

    def late_clock() -> int:
        world.stall(next(stalls, 0.0))
        return world.now_ns

    world.body._now_ns = late_clock
    world.run(1.2)
    assert next(stalls, None) is None
    assert_smooth(world.seen())
    # While it stood still the plan held what was never said; ever after it holds what is done.
    assert world.seen(first + 300).error_rad() < SAME_RAD


def test_a_plan_is_said_until_its_end_and_then_no_more() -> None:
    world = World(loss=0.0)
    world.speak()
    world.run(1.0)
    count = len(world.messages)
    world.stop()
    end_ns = world.body._plan.end_ns
    world.run(1.5)
    said = world.messages[count:]
    assert 1 + plan_publisher.COPIES <= len(said) < 10
    assert all(m.stamp_ns + m.times_from_start_ns[-1] <= end_ns + 200 * MS for m in said)
    assert all(message.joint_names == NAMES for message in said)
