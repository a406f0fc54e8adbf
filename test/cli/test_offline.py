"""Motion of a file is the motion of a live stream, faster."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gesture_node.channel import FACE_STRETCH
from gesture_node.cli.audio_file import AudioFile
from gesture_node.cli.offline import generate, network_threads, offline_config
from gesture_node.config import GestureConfig
from gesture_node.motion.robot import load_profile
from gesture_node.pipeline import GesturePipeline
from gesture_node.robot_output import LEAST_TAIL_FRAMES
from gesture_node.timeline import BODY_RATE_HZ

TINY = Path(__file__).parents[1] / 'data' / 'tiny_bundle'
RATE = 24_000


@pytest.fixture(scope='module')
def pipeline() -> GesturePipeline:
    return GesturePipeline.from_bundle(TINY, threads=1)


@pytest.fixture(scope='module')
def audio() -> AudioFile:
    rng = np.random.default_rng(5)
    envelope = np.abs(np.sin(np.arange(2 * RATE) / RATE * 9.0))
    return AudioFile(Path('noise.wav'),
                     (0.2 * envelope * rng.normal(size=2 * RATE)).astype(np.float32), RATE)


def test_windows_are_long_and_fit_the_bundle(pipeline: GesturePipeline) -> None:
    config = offline_config(GestureConfig(seed=4), pipeline.bundle)
    assert config.seed == 4
    bundle = pipeline.bundle
    for channel, spec, stretch in ((config.body, bundle.body, 1),
                                   (config.face, bundle.face, FACE_STRETCH)):
        assert (channel.hop_s + channel.foresight_s) * spec.rate_hz <= (
            stretch * spec.window_frames - spec.seed_frames)
        assert channel.hop_s > GestureConfig().body.hop_s
    pipeline.create_stream(None, config)  # raises when a window does not fit


def test_a_file_gives_what_a_stream_gives(pipeline: GesturePipeline, audio: AudioFile) -> None:
    config = GestureConfig(seed=1)
    profile = load_profile('humanoid')
    done: list[float] = []
    motion = generate(pipeline, audio, profile, config, done.append)
    stream = pipeline.create_stream(profile, config)
    positions = []
    for first in range(0, len(audio.samples), 777):
        stream.accept_waveform(audio.samples[first:first + 777], RATE)
        while stream.is_ready():
            joints = stream.step().joints
            if joints is not None:
                positions.append(joints.positions[:joints.committed])
    stream.finish()
    while stream.is_ready():
        joints = stream.step().joints
        if joints is not None:
            positions.append(joints.positions[:joints.committed])
    streamed = np.concatenate(positions)
    # The file ends where body and face both do; the hops of the body may go on a little.
    assert 0 <= len(streamed) - len(motion.positions) <= config.body.hop_s * BODY_RATE_HZ
    np.testing.assert_array_equal(motion.positions, streamed[:len(motion.positions)])
    assert sum(done) == pytest.approx(audio.duration_s)
    assert len(motion.weights) / 50 >= audio.duration_s
    assert len(motion.poses) * 2 == len(motion.positions)


def test_a_short_tail_changes_nothing_that_is_committed(pipeline: GesturePipeline,
                                                        audio: AudioFile) -> None:
    positions = []
    for tail_frames in (LEAST_TAIL_FRAMES, 30):
        stream = pipeline.create_stream('humanoid', GestureConfig(seed=3))
        assert stream.robot is not None
        stream.robot.tail_frames = tail_frames
        stream.accept_waveform(audio.samples, RATE)
        chunks = [result.joints for result in stream.run_ready() if result.joints is not None]
        positions.append(np.concatenate(
            [chunk.positions[:chunk.committed] for chunk in chunks]))
    np.testing.assert_array_equal(*positions)


@pytest.mark.parametrize('long', [False, True])
def test_side_by_side_gives_the_same_bits(pipeline: GesturePipeline, audio: AudioFile,
                                          long: bool) -> None:
    profile = load_profile('humanoid')
    config = offline_config(GestureConfig(seed=2), pipeline.bundle) if long else GestureConfig()
    one, other = (generate(pipeline, audio, profile, config, side_by_side=side_by_side)
                  for side_by_side in (False, True))
    np.testing.assert_array_equal(one.positions, other.positions)
    np.testing.assert_array_equal(one.velocities, other.velocities)
    np.testing.assert_array_equal(one.weights, other.weights)
    np.testing.assert_array_equal(one.poses, other.poses)
    assert one.latency_s.keys() == other.latency_s.keys()
    assert other.first_body_compute_s > 0.0 and other.first_face_compute_s > 0.0


def test_a_mistake_in_a_thread_is_not_lost(pipeline: GesturePipeline, audio: AudioFile,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError('no memory')

    for target in ('robot_output.RobotOutput.step', 'channel.MotionChannel.step'):
        with monkeypatch.context() as patch:
            patch.setattr(f'gesture_node.{target}', broken)
            with pytest.raises(RuntimeError, match='no memory'):
                generate(pipeline, audio, load_profile('humanoid'), GestureConfig(),
                         side_by_side=True)


@pytest.mark.parametrize(('threads', 'each', 'side_by_side'), [
    (1, 1, False), (2, 1, True), (3, 1, True), (8, 4, True)])
def test_threads_are_shared_out(threads: int, each: int, side_by_side: bool) -> None:
    assert network_threads(threads) == (each, side_by_side)


def test_seeds_differ_and_repeat(pipeline: GesturePipeline, audio: AudioFile) -> None:
    profile = load_profile('humanoid')
    config = offline_config(GestureConfig(), pipeline.bundle)
    first, again, other = (
        generate(pipeline, audio, profile, replace(config, seed=seed)) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.weights, again.weights)
    np.testing.assert_array_equal(first.positions, again.positions)
    assert np.abs(first.positions - other.positions).max() > 0.01
