"""The black box: what was kept gives the same motion again, bit for bit, also from its file."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gesture_node.config import BodyConfig, FaceConfig, GestureConfig, LimitsConfig, walk
from gesture_node.exceptions import BlackBoxError
from gesture_node.motion.robot import load_profile
from gesture_node.motion.trajectory_message import TrajectoryMessage
from gesture_node.operations import black_box
from gesture_node.operations.black_box import BlackBox
from gesture_node.operations.black_box_file import BlackBoxFile, save_black_box
from gesture_node.operations.recorded_stream import RecordedStream
from gesture_node.operations.replay import replay
from gesture_node.pipeline import GesturePipeline

BUNDLE = Path(__file__).parents[1] / 'data' / 'tiny_bundle'
PIPELINE = GesturePipeline.from_bundle(BUNDLE, provider='cpu')
PROFILE = load_profile('humanoid')
CONFIG = GestureConfig(bundle=str(BUNDLE), body=BodyConfig(steps=2, hop_s=0.4),
                       face=FaceConfig(steps=2, hop_s=0.4))
SETTINGS = {'config': {name: value for name, value, _ in walk(CONFIG)}, 'robot': 'humanoid',
            'urdf': '', 'persona': None}


def pipeline(folder):
    assert folder == str(BUNDLE)
    return PIPELINE


def speech(seconds):
    t = np.arange(round(16_000 * seconds)) / 16_000
    wave = 0.4 * np.sin(2 * np.pi * 150 * t) * np.clip(np.sin(2 * np.pi * 3 * t + 0.5), 0.1, 1)
    return wave.astype(np.float32)


class Bench:
    """A recorded stream and what a node does to it."""

    def __init__(self, seconds=30.0):
        self.box = BlackBox(seconds)
        self.steps = (2, 2)
        self.failures = []
        self.seen, self.skips = [], []
        self.stream = RecordedStream(PIPELINE.create_stream(PROFILE, CONFIG), self.box, SETTINGS,
                                     self)

    def wanted_steps(self, stream):
        return self.steps

    def stepped(self, stream, result, compute_s):
        self.seen.append((result, compute_s))

    def skipped(self, frames):
        self.skips.append(frames)

    def failed(self, error):
        self.failures.append(error)

    def speak(self, seconds):
        for samples in np.split(speech(seconds), round(seconds * 50)):
            self.stream.accept_waveform(samples, 16_000)

    def drain(self):
        while self.stream.is_ready():
            self.stream.step()

    def utter(self, positions=None):
        """Speak with everything that can happen on the way."""
        self.stream.reset(positions)
        self.speak(0.6)
        self.drain()
        self.steps = (1, 2)
        robot = self.stream.robot
        robot.rebase(np.array(PROFILE.rest_positions), np.zeros(len(PROFILE.joint_names)))
        self.speak(0.8)
        self.drain()
        robot.retune(LimitsConfig(hand_speed_m_s=0.5))
        self.speak(1.6)
        self.stream.latency.add('body_hop', 0.1)
        self.stream.latency.add('face_hop', 0.1)
        assert self.stream.skip_overdue(2.1) > 0
        robot.ramp.give([0, 1], np.array(PROFILE.rest_positions)[:2])
        self.drain()
        self.stream.finish()
        self.drain()


def saved(bench, path):
    save_black_box(path, bench.box.snapshot(), {'reason': 'a test'})
    return BlackBoxFile(path)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    bench = Bench()
    bench.utter()
    bench.box.note_plan(TrajectoryMessage(('a',), 5, (1, 2), np.ones((2, 1)), np.zeros((2, 1))))
    bench.utter(dict(zip(PROFILE.joint_names, PROFILE.rest_positions)))
    return bench, saved(bench, tmp_path_factory.mktemp('box') / 'box.npz')


def test_takes_are_the_same_to_the_bit(run):
    _, file = run
    assert len(file.takes) == 2
    for take in file.takes:
        again = replay(take, pipeline)
        assert again.is_identical and len(again.results) == len(take.digests) > 10


def test_the_file_holds_audio_features_plans_and_motion(run):
    _, file = run
    audio = np.concatenate([call.arguments[0] for call in file.takes[0].calls
                            if call.name == 'accept_waveform'])
    np.testing.assert_array_equal(audio, np.concatenate([speech(s) for s in (0.6, 0.8, 1.6)]))
    arrays = [set(arrays) for _, _, _, arrays in file.results[0]]
    assert {'face', 'features'} in arrays and {'body', 'positions', 'velocities'} in arrays
    again = replay(file.takes[1], pipeline)
    for _, step, frame, kept in file.results[1]:
        chunk = again.results[step].body or again.results[step].face
        assert chunk.first_frame == frame
        if 'positions' in kept:
            np.testing.assert_array_equal(again.results[step].joints.positions,
                                          kept['positions'])
    [(_, plan)] = file.plans
    assert plan.stamp_ns == 5 and plan.times_from_start_ns == (1, 2)
    assert file.header == {'reason': 'a test'} and file.takes[0].settings['robot'] == 'humanoid'


def test_one_changed_sample_is_noticed(run):
    _, file = run
    take = replace(file.takes[0], calls=file.takes[0].calls.copy())
    number = next(i for i, call in enumerate(take.calls) if call.name == 'accept_waveform')
    call = take.calls[number]
    take.calls[number] = replace(call, arguments=(call.arguments[0] + 0.05, 16_000))
    assert not replay(take, pipeline).is_identical


@pytest.mark.parametrize('name', ['robot._state', 'latency.add', 'robot.step', '__class__',
                                  'robot.ramp._held'])
def test_a_file_cannot_ask_for_other_calls(run, name):
    _, file = run
    take = replace(file.takes[0], calls=file.takes[0].calls.copy())
    take.calls.append(black_box.Call(0, name))
    with pytest.raises(BlackBoxError, match='not known'):
        replay(take, pipeline)


def test_a_failing_step_fails_again():
    bench = Bench()
    bench.stream.reset()
    bench.speak(0.6)
    bench.drain()
    with pytest.raises(Exception, match='no window'):
        bench.stream.step()
    assert len(bench.failures) == 1
    again = replay(bench.box.snapshot().takes[0], pipeline)
    assert again.is_identical and again.failure.startswith('StreamError: step called')


def test_a_stream_that_nobody_waits_for_is_silent():
    bench = Bench()
    bench.stream.reset()
    bench.speak(0.6)
    bench.stream.is_retired = True
    bench.drain()
    assert not bench.seen and not bench.box.snapshot().takes[0].digests


def test_old_things_are_forgotten(monkeypatch):
    bench = Bench(5.0)
    now_ns = [10 ** 12]
    monkeypatch.setattr(black_box.time, 'monotonic_ns', lambda: now_ns[0])
    for _ in range(4):
        bench.stream.reset()
        bench.speak(0.6)
        bench.drain()
        bench.box.note_plan(TrajectoryMessage(('a',), 5, (1,), np.ones((1, 1)), np.ones((1, 1))))
        now_ns[0] += 3_000_000_000
    held = bench.box.snapshot()
    assert len(held.takes) == len(held.plans) == 1
    assert len(held.takes[0].results) == len(held.takes[0].digests) > 0
    now_ns[0] += 3_000_000_000
    held = bench.box.snapshot()
    # The stream may go on, so what made it stays.
    assert len(held.takes) == 1 and not held.takes[0].results and held.takes[0].digests


def test_a_take_that_goes_on_for_ever_stays_small(monkeypatch):
    monkeypatch.setattr(black_box, 'LONGEST_TAKE_S', 2.0)
    box = BlackBox(1e-6)
    box.begin({})
    for _ in range(500):
        box.note_audio(np.zeros(320, np.float32), 16_000)
    [take] = box.snapshot().takes
    assert 'more than 2 s' in take.why_not and len(take.calls) < 120


def test_it_can_be_switched_off():
    bench = Bench(0.0)
    bench.utter()
    assert not bench.box.is_on and not bench.box.snapshot().takes


def test_motion_by_others_ends_the_take():
    bench = Bench()
    bench.stream.reset()
    bench.speak(0.6)
    bench.drain()
    count = len(bench.box.snapshot().takes[0].calls)
    body = PIPELINE.create_stream(None, CONFIG)
    body.accept_waveform(speech(1.0), 16_000)
    chunk = next(r.body for r in iter(body.step, None) if r.body is not None)
    bench.stream.robot.step(chunk, bench.stream.latency)
    bench.speak(0.6)
    [take] = bench.box.snapshot().takes
    assert take.is_closed and len(take.calls) == count


@pytest.mark.parametrize('content', [b'', b'hello', b'PK\x03\x04' + bytes(50)])
def test_what_is_no_black_box_is_refused(tmp_path, content):
    path = tmp_path / 'box.npz'
    path.write_bytes(content)
    with pytest.raises(BlackBoxError, match='box.npz'):
        BlackBoxFile(path)


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path):
    with pytest.raises(BlackBoxError, match='No such file'):
        BlackBoxFile(tmp_path / 'none.npz')
    (tmp_path / 'file').write_text('x')
    with pytest.raises(BlackBoxError, match='cannot write'):
        save_black_box(tmp_path / 'file' / 'box.npz', BlackBox(1.0).snapshot(), {})


def test_no_pickle_is_opened(tmp_path):
    path = tmp_path / 'box.npz'
    np.savez(path, json=np.array([{'a': 1}], dtype=object))
    with pytest.raises(BlackBoxError, match='damaged'):
        BlackBoxFile(path)
