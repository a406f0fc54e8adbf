"""A stream driven in ROS time, on a clock of the test's own: no thread, no ROS, no waiting."""
from threading import Thread

from driver_bench import (
    config,
    DriverBench,
    executed_knots,
    knots,
    MS,
    PACKET,
    PROFILE,
    RATE,
    speech,
    TICK,
)
import numpy as np
import pytest

from gesture_node.exceptions import ConfigError
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_packet import AudioPacket
from gesture_node.ros.inbox import ReceivedAudio
from gesture_node.ros.stream_driver import State

DELAY = 500 * MS


def test_speech_is_shown_at_its_time_and_ends_in_idle():
    bench = DriverBench()
    begun = bench.now
    bench.speak(1.0)
    assert bench.driver.state is State.SPEAKING
    bench.until_idle()
    assert [due for due, _ in bench.frames[:2]] == [begun + DELAY, begun + DELAY + 20 * MS]
    stamps = np.array([due for due, _ in bench.frames])
    assert (np.diff(stamps) == 20 * MS).all() and bench.driver.face.late == 0
    assert bench.sounds[:2] == [(begun + DELAY, 'sound'), (begun + DELAY + 20 * MS, 'sound')]
    assert bench.chunks[0][0] == begun + DELAY
    assert bench.body.underruns == 0 and not bench.said
    count = len(bench.plans)
    bench.run(1.0)
    assert len(bench.plans) == count


def test_plans_repeat_while_moving_and_start_where_the_robot_is():
    bench = DriverBench()
    bench.positions = {name: value + 0.05 for name, value in bench.positions.items()}
    bench.run(0.02)
    bench.speak(1.0)
    bench.until_idle()
    _, first = bench.plans[0]
    assert np.allclose(first.positions[0], PROFILE.rest_positions + 0.05)
    assert not first.velocities[0].any()
    gaps = np.diff([at for at, _ in bench.plans])
    assert gaps.max() <= 0.2 * 1e9 + TICK


def test_what_is_frozen_never_changes():
    bench = DriverBench()
    bench.speak(2.0)
    bench.until_idle()
    horizon = round(0.06 * 1e9)
    promised = {}
    for at, plan in bench.plans:
        for after_ns, position in zip(plan.times_from_start_ns, plan.positions):
            time_ns = plan.stamp_ns + after_ns
            if time_ns in promised:
                assert np.array_equal(promised[time_ns], position)
            if time_ns <= at + horizon:
                promised[time_ns] = position
    assert len(promised) > 80


def test_a_second_utterance_goes_on_from_where_the_first_ended():
    bench = DriverBench()
    bench.speak(0.6)
    bench.until_idle()
    bench.positions = dict(zip(PROFILE.joint_names, bench.plans[-1][1].positions[-1]))
    end = bench.plans[-1][1].positions[-1]
    count = len(bench.plans)
    bench.run(1.0)
    bench.speak(0.6)
    assert np.allclose(bench.plans[count][1].positions[0], end, atol=1e-9)


def test_a_robot_that_was_moved_starts_from_where_it_is_measured():
    bench = DriverBench()
    bench.speak(0.6)
    bench.until_idle()
    bench.positions = {name: value + 0.3 for name, value in bench.positions.items()}
    count = len(bench.plans)
    bench.run(1.0)
    bench.speak(0.6)
    assert np.allclose(bench.plans[count][1].positions[0], PROFILE.rest_positions + 0.3)


def test_speech_while_settling_joins_smoothly():
    bench = DriverBench()
    bench.speak(0.8)
    while bench.driver.state is not State.SETTLING:
        bench.run(0.01)
    bench.run(0.3)
    again = bench.now
    bench.speak(0.8)
    bench.until_idle()
    stamps = np.array([due for due, _ in bench.frames])
    assert (np.diff(stamps) > 0).all() and np.diff(stamps).max() <= 21 * MS
    assert again + DELAY in stamps and bench.driver.face.late == 0
    weights = np.array([frame for _, frame in bench.frames])
    at = int(np.searchsorted(stamps, again + DELAY))
    steps = np.abs(np.diff(weights, axis=0)).max(axis=1)
    assert steps[at - 1] <= np.quantile(steps, 0.99) + 0.2
    plan = knots(bench)
    times = np.array(sorted(plan))
    positions = np.array([plan[t][0] for t in times])
    rate = np.abs(np.diff(positions, axis=0)) / (np.diff(times)[:, None] / 1e9)
    assert (rate <= PROFILE.limits.velocity * 1.001 + 1e-6).all()
    assert bench.driver.streams == 2


def test_an_utterance_at_once_is_played_in_its_own_time():
    bench = DriverBench(robot=None)
    begun = bench.now
    bench.hear(speech(5.0), message='all')
    bench.run(1.0)
    assert bench.driver.stream.samples_accepted <= (1.0 + 1.0) * RATE + 640
    bench.until_idle()
    last = bench.frames[-1][0]
    assert last > begun + DELAY + 5_000 * MS and bench.driver.face.late == 0
    assert bench.sounds == [(begun + DELAY, 'all')]


def test_a_pause_of_the_source_is_silence_in_the_same_stream():
    bench = DriverBench(config(idle_release_s=3.0), robot=None)
    bench.speak(0.6)
    bench.run(1.0)
    again = bench.now
    bench.speak(0.6)
    bench.until_idle()
    assert bench.driver.streams == 1
    sounds = [due for due, _ in bench.sounds]
    assert sounds[30] == pytest.approx(again + DELAY, abs=30 * MS)
    assert bench.driver.intake.placement.padded_s > 0.8


def test_silence_begins_nothing_but_is_passed_on():
    bench = DriverBench(robot=None)
    for _ in range(20):
        bench.hear(np.zeros(PACKET), bench.now, 'hush')
        bench.run(0.02)
    bench.run(1.0)
    assert bench.driver.state is State.IDLE and bench.driver.streams == 0
    assert len(bench.sounds) == 20 and not bench.frames


def test_stop_brakes_at_once_and_reset_goes_on():
    bench = DriverBench()
    bench.speak(1.5)
    count = len(bench.plans)
    bench.driver.stop(bench.now)
    (_, brake), (_, copy) = bench.plans[count:]
    assert copy is brake and not brake.velocities[-1].any()
    assert brake.stamp_ns + brake.times_from_start_ns[-1] < bench.now + 1_000 * MS
    bench.run(0.5)
    bench.speak(0.4)
    assert bench.driver.state is State.STOPPED and bench.driver.ignored_packets == 20
    assert not bench.frames[-1][1].any()
    bench.driver.reset(bench.now)
    bench.speak(0.6)
    assert bench.driver.state is State.SPEAKING


def test_disabled_means_voice_without_motion():
    bench = DriverBench()
    bench.driver.enable(False, bench.now)
    bench.speak(0.6)
    bench.run(1.0)
    assert bench.driver.state is State.DISABLED and not bench.plans and not bench.frames
    assert len(bench.sounds) == 30
    bench.driver.enable(True, bench.now)
    assert bench.driver.state is State.IDLE


def test_without_joint_states_the_body_waits_and_says_so():
    bench = DriverBench(measured=False)
    bench.speak(0.6)
    assert not bench.plans and bench.frames
    assert len(bench.said) == 1 and 'joint_states' in bench.said[0]
    assert bench.body.waiting_for(bench.now).startswith('joint_states with torso')
    bench.measured = True
    bench.speak(0.8)
    assert np.allclose(bench.plans[0][1].positions[0], PROFILE.rest_positions)
    assert bench.body.waiting_for(bench.now) == ''


def test_without_a_robot_only_the_face_moves():
    bench = DriverBench(robot=None)
    bench.speak(0.6)
    bench.until_idle()
    assert bench.frames and not bench.plans and bench.body.waiting_for(bench.now) == ''


def test_an_error_brakes_and_the_next_speech_gets_a_new_stream():
    bench = DriverBench()
    bench.speak(0.6)
    broken = bench.driver.stream
    bench.driver.fail(bench.now)
    bench.speak(0.4)
    assert bench.driver.state is State.IDLE
    bench.run(0.2)
    bench.speak(0.6)
    assert bench.driver.state is State.SPEAKING and bench.driver.stream is not broken


def test_a_jump_of_the_clock_drops_the_plan():
    bench = DriverBench()
    bench.speak(0.6)
    bench.now -= 100_000 * MS
    bench.driver.forget_time()
    assert bench.driver.state is State.IDLE and not bench.body.is_moving(bench.now)
    bench.joints.put(bench.positions, bench.now)
    bench.speak(0.6)
    assert bench.plans[-1][1].stamp_ns < bench.now + 1_000 * MS


def test_time_that_jumps_back_does_not_mute_the_robot():
    bench = DriverBench()
    bench.speak(0.4)
    bench.driver.fail(bench.now)
    bench.now -= 100_000 * MS
    bench.driver.forget_time()
    bench.joints.put(bench.positions, bench.now)
    bench.run(0.05)
    bench.speak(0.4)
    assert bench.driver.state is State.SPEAKING


def test_audio_from_before_the_end_of_a_fault_begins_nothing():
    """It waits while the worker does; a stream that began with it would be late for good."""
    bench = DriverBench()
    bench.driver.fail(bench.now)
    old = ReceivedAudio(AudioPacket((speech(0.02) * 9_000).astype('<i2').tobytes(), AudioFormat(),
                                    bench.now, True), None, bench.now)
    bench.run(0.6)
    bench.driver.hear(old, bench.now)
    assert bench.driver.state is State.IDLE
    bench.speak(0.1)
    assert bench.driver.state is State.SPEAKING
    assert not any('after its stamp' in sentence for sentence in bench.said)


def test_a_stop_does_not_wait_for_a_stream_that_is_being_made():
    bench = DriverBench(robot=None)
    make, free = bench.driver._make_stream, []

    def slowly(gesture):
        stopping = Thread(target=bench.driver.stop, args=(bench.now,))
        stopping.start()
        stopping.join(20.0)
        free.append(not stopping.is_alive())
        return make(gesture)

    bench.driver._make_stream = slowly
    bench.driver.configure(config(presentation_delay_s=0.8))
    bench.run(0.05)
    assert free == [True] and bench.driver.state is State.STOPPED
    assert bench.driver.config.output.presentation_delay_s == 0.8


def test_changes_wait_until_the_robot_is_idle():
    bench = DriverBench(robot=None)
    bench.speak(0.4)
    changed = config(presentation_delay_s=0.8)
    bench.driver.configure(changed)
    bench.run(0.1)
    assert bench.driver.config != changed
    bench.until_idle()
    bench.run(0.05)
    assert bench.driver.config == changed
    bench.frames.clear()
    begun = bench.now
    bench.speak(1.0)
    assert bench.frames[0][0] == begun + 800 * MS


def test_too_short_a_delay_is_refused_with_what_it_takes():
    with pytest.raises(ConfigError, match=r'must be at least 0.42 s .* got 0.3'):
        DriverBench(config(presentation_delay_s=0.3))


def test_late_computation_is_counted_and_stays_within_limits():
    bench = DriverBench()
    bench.speak(0.6)
    step = bench.driver.stream.step

    def slow_step():
        bench.now += 300 * MS
        return step()

    bench.driver.stream.step = slow_step
    bench.speak(0.3)
    bench.driver.stream.step = step
    bench.speak(0.6)
    bench.until_idle()
    assert bench.body.underruns >= 1 and any('too late' in said for said in bench.said)
    for _, plan in bench.plans:
        assert (np.abs(plan.velocities) <= PROFILE.limits.velocity + 1e-9).all()
        assert not plan.velocities[-1].any()


def test_after_a_long_overload_motion_is_in_time_again():
    """Seconds behind, on a machine that just keeps up: only leaving out what is over helps."""
    bench = DriverBench()
    bench.hear(speech(12.0))
    bench.run(0.6)
    step, over_ns = bench.driver.stream.step, bench.now + 4_000 * MS

    def slow_step():
        # Three windows in 0.2 s: nine tenths of real time once the overload is over.
        for _ in range(50 if bench.now < over_ns else 6):
            bench.now += TICK
            bench.frames += bench.driver.face.take_due(bench.now)
        return step()

    bench.driver.stream.step = slow_step
    while bench.now < over_ns + 1_000 * MS:
        bench.run(0.01)
    assert bench.driver.skipped_frames > 50
    assert any('could not be computed in time' in said for said in bench.said)
    skipped, underruns, from_ns = (bench.driver.skipped_frames, bench.body.underruns, bench.now)
    while bench.now < from_ns + 1_500 * MS:
        bench.run(0.01)
    assert bench.driver.skipped_frames == skipped and bench.body.underruns == underruns
    shown = np.array([due for due, _ in bench.frames if due > from_ns])
    assert len(shown) > 50 and (np.diff(shown) == 20 * MS).all()
    plan = executed_knots(bench)
    times = np.array(sorted(plan))
    velocities = np.array([plan[t][1] for t in times])
    most = PROFILE.limits.acceleration * np.diff(times)[:, None] / 1e9 + 1e-6
    assert (np.abs(velocities) <= PROFILE.limits.velocity + 1e-9).all()
    assert (np.abs(np.diff(velocities, axis=0)) <= most).all()


def test_no_plan_is_repeated_in_its_last_moments():
    bench = DriverBench()
    bench.speak(0.6)
    bench.until_idle()
    left = [plan.stamp_ns + plan.times_from_start_ns[-1] - at for at, plan in bench.plans]
    assert min(left) > 150 * MS
