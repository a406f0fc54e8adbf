"""Idle, listening and interrupted, driven in ROS time on a clock of the test's own."""
from dialogue_bench import (
    assert_each_message_is_within_limits,
    assert_frozen_knots_never_change,
    Bench,
    NAMES,
)
from driver_bench import MS, PROFILE
import numpy as np
import pytest

from gesture_node.dialogue.other_voice import Cue
from gesture_node.motion.face import LIP_INDEX
from gesture_node.ros.stream_driver import State


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
