"""Idle, listening, interrupted and yielding, driven in ROS time on a clock of the test's own."""
from driver_bench import config, DriverBench, MS, PROFILE
import numpy as np
import pytest

from gesture_node.dialogue.other_voice import Cue
from gesture_node.motion.face import LIP_INDEX
from gesture_node.ros.dialogue_config import DialogueConfig
from gesture_node.ros.stream_driver import State

NAMES = PROFILE.joint_names


class Bench(DriverBench):
    """A driver and a robot that is always where its plan says."""

    def __init__(self, interruptible=False, robot=PROFILE, gesture=None, **dialogue):
        self.shown, self.others = {}, {}
        super().__init__(gesture, robot, dialogue=DialogueConfig(**dialogue),
                         interruptible=interruptible)

    def move(self):
        """Be where the last message says, but for joints that others move."""
        if not self.plans:
            self.positions |= self.others
            return
        _, plan = self.plans[-1]
        times = plan.stamp_ns + np.array(plan.times_from_start_ns)
        row = max(int(np.searchsorted(times, self.now, side='right')) - 1, 0)
        self.positions = dict(zip(NAMES, plan.positions[row])) | self.others
        self.shown[self.now] = plan.positions[row], plan.velocities[row]

    def knots(self):
        """Return times [ns], positions and velocities of what was played."""
        found = {}
        for _, plan in self.plans:
            found = {time_ns: knot for time_ns, knot in found.items() if time_ns < plan.stamp_ns}
            for after_ns, row, speed in zip(plan.times_from_start_ns, plan.positions,
                                            plan.velocities):
                found[plan.stamp_ns + after_ns] = row, speed
        times = np.array(sorted(found))
        return (times, np.array([found[t][0] for t in times]),
                np.array([found[t][1] for t in times]))


def assert_each_message_is_within_limits(bench):
    """Check velocity, acceleration and jerk of every message that was published."""
    limits = PROFILE.limits
    for _, plan in bench.plans:
        gaps_s = np.diff(plan.times_from_start_ns)[:, None] / 1e9
        assert (np.abs(plan.velocities) <= limits.velocity + 1e-9).all()
        assert (plan.positions >= limits.lower - 1e-9).all()
        assert (plan.positions <= limits.upper + 1e-9).all()
        if not len(gaps_s):
            continue
        accelerations = np.diff(plan.velocities, axis=0) / gaps_s
        assert (np.abs(accelerations) <= limits.acceleration + 1e-6).all()
        even = (np.abs(gaps_s[1:] - 0.02) < 1e-7) & (np.abs(gaps_s[:-1] - 0.02) < 1e-7)
        steps = np.abs(np.diff(accelerations, axis=0)) * even
        assert (steps <= 0.02 * limits.jerk + 1e-5).all()


def assert_frozen_knots_never_change(bench, joints=slice(None)):
    promised = {}
    for at, plan in bench.plans:
        for after_ns, position in zip(plan.times_from_start_ns, plan.positions):
            time_ns = plan.stamp_ns + after_ns
            if time_ns in promised:
                assert np.abs(promised[time_ns] - position)[joints].max() < 1e-9
            if time_ns <= at + 60 * MS:
                promised[time_ns] = position


def test_without_a_budget_an_idle_robot_is_left_alone():
    bench = Bench()
    bench.run(2.0)
    assert not bench.plans and not bench.frames and not bench.driver.is_busy


def test_idle_moves_within_its_budget_and_shows_a_closed_mouth():
    bench = Bench(motion_budget_rad=0.02)
    bench.run(12.0)
    times, positions, velocities = bench.knots()
    assert np.ptp(positions, axis=0).max() > 0.005
    assert np.abs(positions - PROFILE.rest_positions).max() < 0.1
    assert np.abs(velocities).max() < 0.3
    assert (np.diff(times)[1:] == 20 * MS).all() and bench.body.underruns == 0
    stamps = np.array([due for due, _ in bench.frames])
    weights = np.array([frame for _, frame in bench.frames])
    assert (np.diff(stamps) == 20 * MS).all()
    assert not weights[:, LIP_INDEX].any() and weights.max() > 0.8
    assert_each_message_is_within_limits(bench)
    assert_frozen_knots_never_change(bench)


def test_the_same_seed_idles_the_same():
    first, second = Bench(motion_budget_rad=0.02), Bench(motion_budget_rad=0.02)
    first.run(3.0)
    second.run(3.0)
    assert np.array_equal(first.knots()[1], second.knots()[1])


def test_idle_leads_into_speech_and_speech_into_idle_without_a_jump():
    bench = Bench(motion_budget_rad=0.02)
    bench.run(3.0)
    bench.speak(1.2)
    assert bench.state is State.SPEAKING
    bench.until(State.IDLE)
    bench.run(3.0)
    times, _, velocities = bench.knots()
    pauses = np.flatnonzero(np.diff(times) > 20 * MS)
    assert len(pauses) <= 2 and not velocities[pauses].any() and not velocities[pauses + 1].any()
    gaps_s = np.diff(times)[:, None] / 1e9
    assert (np.abs(np.diff(velocities, axis=0))
            <= PROFILE.limits.acceleration * gaps_s + 1e-6).all()
    assert_each_message_is_within_limits(bench)
    assert_frozen_knots_never_change(bench)
    stamps = np.array([due for due, _ in bench.frames])
    assert (np.diff(stamps) > 0).all() and bench.driver.face.late == 0
    assert bench.driver.streams == 1 and bench.body.underruns == 0


def test_interrupting_brakes_at_once_retracts_and_the_next_utterance_is_clean():
    bench = Bench()
    bench.speak(1.6)
    called, sounds = bench.now, len(bench.sounds)
    assert bench.driver.interrupt(bench.now)
    assert bench.state is State.INTERRUPTED
    assert len(bench.driver.audio_out) == 0 and not bench.driver.stream.finished
    bench.run(0.1)
    before = [plan for at, plan in bench.plans if at == called]
    assert before and all(plan.stamp_ns <= called for plan in before)
    bench.until(State.IDLE)
    end = bench.plans[-1][1].positions[-1]
    idle = bench.driver.stream.robot.idle_positions
    assert np.abs(end - idle).max() < 2e-3
    assert not bench.plans[-1][1].velocities[-1].any()
    assert len(bench.sounds) == sounds
    assert_each_message_is_within_limits(bench)
    assert_frozen_knots_never_change(bench)
    bench.run(0.7)
    streams = bench.driver.streams
    bench.speak(0.6)
    assert bench.state is State.SPEAKING and bench.driver.streams == streams + 1
    bench.until(State.IDLE)
    assert len(bench.sounds) > sounds
    assert_each_message_is_within_limits(bench)


def test_the_rest_of_an_interrupted_utterance_is_dropped():
    bench = Bench()
    bench.speak(1.0)
    bench.driver.interrupt(bench.now)
    streams, sounds = bench.driver.streams, len(bench.sounds)
    bench.speak(2.0)
    assert bench.driver.streams == streams and len(bench.sounds) == sounds
    bench.run(0.7)
    bench.speak(0.3)
    assert bench.driver.streams == streams + 1


def test_reset_lets_the_next_utterance_begin_at_once():
    bench = Bench()
    bench.speak(1.0)
    bench.driver.interrupt(bench.now)
    bench.driver.reset(bench.now)
    bench.speak(0.3)
    assert bench.state is State.SPEAKING


def test_a_window_begun_before_an_interruption_is_thrown_away():
    bench = Bench()
    bench.speak(1.0)
    step = bench.driver.stream.step
    seen = []

    def interrupted_step():
        result = step()
        if not seen:
            seen.append(bench.driver.interrupt(bench.now))
        return result

    bench.driver.stream.step = interrupted_step
    for _ in range(100):
        if seen:
            break
        bench.speak(0.02)
    assert seen == [True] and bench.driver.dropped_results == 1
    bench.until(State.IDLE)
    assert_frozen_knots_never_change(bench)


@pytest.mark.parametrize('interruptible', [False, True])
def test_the_other_speaking_interrupts_only_if_that_is_allowed(interruptible):
    bench = Bench(interruptible=interruptible)
    bench.speak(1.0)
    bench.driver.hear_other(Cue.BEGINS, bench.now)
    assert bench.state is (State.INTERRUPTED if interruptible else State.SPEAKING)
    bench.until(State.LISTENING)
    bench.driver.hear_other(Cue.ENDS, bench.now)
    assert bench.state is State.IDLE


def test_who_answers_after_the_robot_interrupts_nothing():
    bench = Bench(interruptible=True)
    bench.speak(0.6)
    bench.run(0.9)
    bench.driver.hear_other(Cue.BEGINS, bench.now)
    assert bench.state is not State.INTERRUPTED
    bench.until(State.LISTENING)
    assert bench.driver.talk.interruptions == 0


def test_a_listener_nods_with_a_closed_mouth_and_is_still_otherwise():
    bench = Bench(nod_rad=0.1)
    bench.driver.hear_other(Cue.BEGINS, bench.now)
    assert bench.state is State.LISTENING
    for _ in range(12):
        bench.run(1.5)
        bench.driver.hear_other(Cue.PAUSE, bench.now)
    bench.run(2.0)
    _, positions, _ = bench.knots()
    moved = np.ptp(positions, axis=0)
    pitch = NAMES.index('head_pitch')
    assert moved[pitch] > 0.03
    assert np.delete(moved, [NAMES.index(name) for name in NAMES if 'head' in name]).max() < 0.01
    weights = np.array([frame for _, frame in bench.frames])
    assert not weights[:, LIP_INDEX].any() and weights.max() > 0.8
    assert_each_message_is_within_limits(bench)
    bench.driver.hear_other(Cue.ENDS, bench.now)
    bench.run(2.0)
    count = len(bench.plans)
    bench.run(1.0)
    assert len(bench.plans) == count and not bench.frames[-1][1].any()


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


def test_stop_may_retract_and_then_nothing_moves():
    bench = Bench(stop_retracts=True)
    bench.speak(1.6)
    bench.driver.stop(bench.now)
    assert bench.state is State.STOPPED
    bench.run(3.0)
    _, plan = bench.plans[-1]
    assert np.abs(plan.positions[-1] - bench.driver.stream.robot.idle_positions).max() < 2e-3
    assert not plan.velocities[-1].any() and not bench.body.is_moving(bench.now)
    assert_each_message_is_within_limits(bench)
