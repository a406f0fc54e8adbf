"""Requests for gestures on a driver with a clock of the test's own: no thread, no ROS."""
from driver_bench import config, knots, NS, PACKET, PIPELINE, PROFILE, RATE, speech
from gesture_world import Asker, RIGHT_ARM
import numpy as np
import pytest

from gesture_node.gestures.choice import GestureChooser
from gesture_node.gestures.library import load_library
from gesture_node.gestures.request import parse_request
from gesture_node.ros.stream_driver import State

LIBRARY = load_library()


@pytest.fixture(scope='module')
def greeted():
    """A gesture asked for while nobody speaks, to its end."""
    bench = Asker()
    bench.begun = bench.now
    bench.ask('greet id=hello hand=right')
    bench.run(0.05)
    bench.state_then = bench.driver.state
    bench.until_idle()
    return bench


def test_a_gesture_while_idle_begins_motion_and_leads_back_to_idle(greeted):
    assert greeted.state_then is State.SPEAKING
    assert greeted.statuses() == ['accepted', 'done']
    result = greeted.results[0]
    assert result['id'] == 'hello' and result['gesture'] == 'greet' and result['reason'] == ''
    assert greeted.begun / NS < result['start'] < result['stroke'] < result['end']
    assert greeted.swing(result['start'], result['stroke']) > 0.8
    last = list(knots(greeted).values())[-1]
    assert not np.any(last[1])


def test_the_stroke_of_the_robot_is_on_its_time():
    # Networks that learnt nothing would leave the arm where the guard has to lead it away first.
    bench = Asker(amplitude=0.0)
    bench.ask('stop at=2 hand=right')
    bench.run(3.5)
    result = bench.results[0]
    assert result['stroke'] == pytest.approx(bench.now / NS - 1.5, abs=0.02)
    times, rows = zip(*((t, p) for t, (p, _) in knots(bench).items()))
    arm = np.array(rows)[:, RIGHT_ARM]
    far = np.abs(arm - arm[0]).sum(axis=1)
    reached = times[int(np.argmax(far > 0.9 * far.max()))] / NS
    assert -0.3 < reached - result['stroke'] < 0.1


def test_no_limit_is_passed(greeted):
    velocity = np.array([v for _, v in knots(greeted).values()])
    positions = np.array([p for p, _ in knots(greeted).values()])
    limits = PROFILE.limits
    assert (np.abs(velocity) <= limits.velocity + 1e-6).all()
    assert (positions >= limits.lower - 1e-6).all() and (positions <= limits.upper + 1e-6).all()


def test_a_gesture_lies_over_speech_at_the_time_asked_for():
    bench = Asker()
    bench.speak(0.4)
    asked = bench.now
    bench.ask('stop at=1.6 hand=right')
    bench.speak(2.4)
    bench.until_idle()
    assert bench.statuses() == ['accepted', 'done']
    assert bench.results[0]['stroke'] == pytest.approx(asked / NS + 1.6, abs=1e-6)


def test_a_fraction_of_an_utterance_that_came_at_once():
    bench = Asker()
    begun = bench.now
    bench.hear(speech(3.0))
    bench.ask('big at=0.8u')
    bench.run(0.5)
    assert bench.statuses() == ['accepted']
    # Sound begins half a second after it came, and 0.8 of it is 2.4 s.
    assert bench.results[0]['stroke'] == pytest.approx(begun / NS + 2.9, abs=0.06)


def test_a_fraction_of_live_speech_needs_its_length():
    bench = Asker()
    bench.speak(0.2)
    begun = bench.now
    bench.ask('big at=0.8u of=3')
    bench.ask('me at=0.8u id=me')
    bench.speak(2.0)
    assert bench.statuses() == ['accepted']
    assert bench.results[0]['stroke'] == pytest.approx(begun / NS - 0.2 + 0.5 + 2.4, abs=0.1)
    bench.speak(3.5)
    me = [result for result in bench.results if result['id'] == 'me']
    assert me[0]['status'] == 'rejected' and 'its length is not known' in me[0]['reason']


@pytest.mark.parametrize('text, words', [
    ('', 'empty'), ('dance', "no gesture 'dance'"), ('count 2', 'no fingers that move singly'),
    ('point_at -1 0.2 0.5', 'behind the body'), ('point_at 1 0 0 frame=no_tf', 'tf2_ros'),
    ('greet stamp=1.0', 'too late'), ('greet at=0.1', 'too late')])
def test_what_is_impossible_is_rejected_with_a_reason(text, words):
    bench = Asker()
    bench.ask(text)
    bench.run(0.1)
    assert bench.statuses() == ['rejected'] and words in bench.results[0]['reason']
    assert bench.results[0]['id']


def test_a_target_in_another_frame():
    bench = Asker()
    bench.ask('point_at 0 0.6 0.5 frame=table')
    bench.ask('point_at 0 0.6 0.5 frame=moon id=moon')
    bench.run(1.0)
    assert bench.statuses() == ['accepted']
    bench.run(5.0)
    moon = [result for result in bench.results if result['id'] == 'moon']
    assert moon[0]['status'] == 'rejected' and "frame 'moon' is not known" in moon[0]['reason']


@pytest.mark.parametrize('act', ['stop', 'reset', 'interrupt', 'fail'])
def test_what_breaks_motion_off_cancels(act):
    bench = Asker()
    bench.ask('greet')
    bench.ask('shrug at=20')
    bench.run(1.2)
    assert bench.statuses() == ['accepted', 'accepted']
    getattr(bench.driver, act)(bench.now)
    assert bench.statuses() == ['accepted', 'accepted', 'cancelled', 'cancelled']
    bench.run(3.0)
    assert len(bench.results) == 4 and not bench.driver.gestures.is_busy
    last = list(knots(bench).values())[-1]
    assert not np.any(last[1])


def test_a_stopped_node_says_so():
    bench = Asker()
    bench.driver.stop(bench.now)
    bench.ask('greet')
    bench.run(0.1)
    assert 'call ~/reset' in bench.results[0]['reason']
    bench.driver.reset(bench.now)
    bench.ask('greet')
    bench.run(0.1)
    assert bench.statuses()[-1] == 'accepted'


def test_without_a_robot_or_its_joints_nothing_is_accepted():
    face_only = Asker(robot=None)
    face_only.ask('greet')
    face_only.run(0.1)
    assert 'drives no robot' in face_only.results[0]['reason']
    unmeasured = Asker()
    unmeasured.measured = False
    unmeasured.run(1.0)
    unmeasured.ask('greet')
    unmeasured.run(0.1)
    assert 'waits for joint_states' in unmeasured.results[0]['reason']


def test_speech_that_begins_within_a_gesture_goes_on_with_it():
    bench = Asker()
    bench.ask('greet')
    bench.run(0.6)
    bench.speak(1.0)
    bench.until_idle()
    assert bench.statuses() == ['accepted', 'done'] and bench.driver.streams == 1


def test_speech_that_begins_while_settling_keeps_a_gesture():
    bench = Asker()
    bench.speak(0.6)
    bench.run(0.6)
    assert bench.driver.state is State.SETTLING
    bench.ask('think')
    bench.run(0.3)
    bench.speak(0.5)
    assert bench.driver.state is State.SPEAKING
    result = bench.results[0]
    bench.until_idle()
    assert bench.statuses() == ['accepted', 'done']
    assert bench.swing(result['stroke'], result['stroke'] + 1.0) < 0.6
    assert bench.swing(result['start'], result['stroke'] + 0.3) > 0.5


def test_a_gesture_takes_over_from_idle_motion_and_gives_back():
    bench = Asker(idles=True)
    bench.run(1.5)
    assert bench.plans and bench.driver.state is State.IDLE
    bench.ask('stop hand=right')
    bench.run(0.1)
    assert bench.statuses() == ['accepted']
    result = bench.results[0]
    bench.until_idle()
    assert bench.statuses() == ['accepted', 'done']
    bench.run(0.5)
    assert bench.driver.talk.presence.runs
    assert bench.swing(result['start'], result['stroke']) > 0.8
    velocity = np.array([v for _, v in knots(bench).values()])
    assert (np.abs(velocity) <= PROFILE.limits.velocity + 1e-6).all()


def test_packets_change_nothing_about_motion_with_gestures():
    def committed(packet):
        stream = PIPELINE.create_stream(config=config())
        chooser = GestureChooser(LIBRARY, None, PIPELINE.bundle.body.idle)
        stream.gestures.place(chooser.choose(parse_request('shrug')), 1.1, 0)
        wave, poses = speech(2.0).astype(np.float32), []
        for first in range(0, len(wave), packet):
            stream.accept_waveform(wave[first:first + packet], RATE)
            while stream.is_ready():
                body = stream.step().body
                if body is not None:
                    poses.append(body.poses[:body.committed])
        return np.concatenate(poses)

    assert np.array_equal(committed(PACKET), committed(5_000))
