"""Windows that are late, skipped or never computed leave the robot on one smooth motion.

The real stream, driver and output on a clock of the test's own, obeyed by a controller oracle.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
import sys

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / 'motion'))

from controller_oracle import ControllerOracle

from gesture_node.config import BodyConfig, FaceConfig, GestureConfig, OutputConfig
from gesture_node.motion.robot import load_profile
from gesture_node.motion.trajectory import TrajectoryMessage
from gesture_node.pipeline import GesturePipeline
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_messages import AudioPacket
from gesture_node.ros.body_output import BodyOutput
from gesture_node.ros.inbox import MeasuredJoints, ReceivedAudio
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.stream_driver import State, StreamDriver

PIPELINE = GesturePipeline.from_bundle(
    Path(__file__).parents[1] / 'data' / 'tiny_bundle', provider='cpu', threads=1)
PROFILE = load_profile('humanoid')
LIMITS = PROFILE.limits
MS, RATE, PACKET_MS = 1_000_000, 16_000, 20
PERIOD_NS = 10 * MS
CONFIG = GestureConfig(body=BodyConfig(steps=1, hop_s=0.4), face=FaceConfig(steps=1, hop_s=0.4),
                       output=OutputConfig(idle_release_s=0.5, presentation_delay_s=0.8))


class NoFace:
    def publish_face_chunk(self, chunk: object, first_ns: int) -> None:
        """Take no notice."""


class Loaded:
    """A node without ROS whose windows take as long as it is told.

    While a window is computed time goes on: the controller runs, the playout repeats the plan and
    the voice speaks on, but what it says is only taken in afterwards.
    """

    def __init__(self) -> None:
        self.now_ns = 1_000_000 * MS
        self.said: list[str] = []
        self.messages: list[TrajectoryMessage] = []
        self.commanded: list[np.ndarray] = []
        self.times_ns: list[int] = []
        self.window_ms: Callable[[], int] = lambda: 0
        self.is_speaking = False
        self.oracle = ControllerOracle(np.array(PROFILE.rest_positions))
        self.joints = MeasuredJoints()
        self._sample = 0
        self._due_ns = self.now_ns
        self._heard: list[ReceivedAudio] = []
        problems = ProblemLog(self.said.append)
        self.body = BodyOutput(PROFILE.joint_names, CONFIG.output, self.joints,
                               self._publish, problems, lambda: self.now_ns)
        self.driver = StreamDriver(self._stream, CONFIG, self.body, NoFace(), problems,
                                   lambda: self.now_ns)

    def _stream(self, config: GestureConfig) -> object:
        stream = partial(PIPELINE.create_stream, PROFILE)(config)
        step = stream.step

        def slow_step() -> object:
            self._pass(self.window_ms())
            return step()

        stream.step = slow_step
        return stream

    def _publish(self, message: TrajectoryMessage) -> None:
        self.messages.append(message)
        self.oracle.receive(message, self.now_ns)

    def _pass(self, milliseconds: int) -> None:
        for _ in range(milliseconds // 10):
            self.now_ns += PERIOD_NS
            self.joints.put(dict(zip(PROFILE.joint_names, self.oracle.positions)), self.now_ns)
            self.commanded.append(self.oracle.tick(self.now_ns))
            self.times_ns.append(self.now_ns)
            self.driver.repeat(self.now_ns)
            self.driver.face.take_due(self.now_ns)
            while self.is_speaking and self._due_ns <= self.now_ns:
                self._speak()

    def _speak(self) -> None:
        t = (self._sample + np.arange(RATE * PACKET_MS // 1_000)) / RATE
        wave = 0.4 * np.sin(2 * np.pi * 150 * t) * np.clip(np.sin(2 * np.pi * 3 * t), 0.1, 1)
        packet = AudioPacket((wave * 32_767).astype('<i2').tobytes(), AudioFormat(),
                             self._due_ns, True)
        self._heard.append(ReceivedAudio(packet, None, self.now_ns))
        self._sample += len(t)
        self._due_ns += PACKET_MS * MS

    def speak(self) -> None:
        self.is_speaking, self._due_ns = True, self.now_ns

    def run(self, seconds: float) -> np.ndarray:
        """Run the worker's loop and return what was commanded, shape (M, N) at 100 Hz."""
        first, end_ns = len(self.commanded), self.now_ns + round(seconds * 1e9)
        while self.now_ns < end_ns:
            heard, self._heard = self._heard, []
            for audio in heard:
                self.driver.hear(audio, self.now_ns)
            if not self.driver.tick(self.now_ns):
                self._pass(10)
        return np.array(self.commanded[first:])


def assert_smooth(commanded: np.ndarray) -> None:
    velocity = np.diff(commanded, axis=0) * 100.0
    acceleration = np.diff(velocity, axis=0) * 100.0
    assert (np.abs(velocity) <= LIMITS.velocity * (1 + 1e-6) + 1e-6).all()
    assert (np.abs(acceleration) <= LIMITS.acceleration * (1 + 1e-6) + 1e-3).all()


def test_skipped_windows_brake_and_ease_in() -> None:
    """A machine that is too slow for a while: windows are skipped, then it catches up."""
    node = Loaded()
    node.run(0.05)
    node.speak()
    before = node.run(2.0)
    node.window_ms = lambda: 900
    during = node.run(4.0)
    node.window_ms = lambda: 0
    after = node.run(2.5)
    assert node.driver.skipped_frames > 20 and np.ptp(during, axis=0).max() > 0.05
    assert any('could not be computed in time' in said for said in node.said)
    assert_smooth(np.concatenate([before, during, after]))
    assert not node.oracle.refused
    underruns = node.body.underruns
    assert np.ptp(node.run(1.0), axis=0).max() > 0.05 and node.body.underruns == underruns


@pytest.mark.parametrize('stall_ms', [700, 2_000])
def test_a_stalled_worker_rests_and_resumes(stall_ms: int) -> None:
    node = Loaded()
    node.run(0.05)
    node.speak()
    before = node.run(2.0)
    stall = iter([stall_ms])
    node.window_ms = lambda: next(stall, 0)
    first = len(node.commanded)
    during = node.run(stall_ms / 1e3 + 0.6)
    after = node.run(1.5)
    assert_smooth(np.concatenate([before, during, after]))
    if stall_ms == 2_000:
        steps = np.abs(np.diff(np.array(node.commanded[first:]), axis=0)).max(axis=1)
        assert (steps[-400:] == 0.0).sum() > 10
    assert np.ptp(after, axis=0).max() > 0.05 and not node.oracle.refused
    node.is_speaking = False
    rest = node.run(5.0)
    assert_smooth(rest)
    assert node.driver.state is State.IDLE and np.ptp(rest[-20:], axis=0).max() == 0.0


def test_a_window_under_which_the_clock_jumped_back_is_dropped() -> None:
    node = Loaded()
    node.run(0.05)
    node.speak()
    node.run(1.5)
    node.is_speaking = False
    began_ns, windows = node.now_ns, []

    def jump() -> int:
        windows.append(node.now_ns)
        node.now_ns = began_ns - 100_000 * MS
        return 0

    node.window_ms = jump
    count = len(node.messages)
    while not windows:
        node.driver.tick(node.now_ns)
        if not windows:
            node._pass(10)
            count = len(node.messages)
    node.driver.repeat(node.now_ns)
    assert len(node.messages) == count
    node.driver.forget_time()
    node.joints.put(dict(zip(PROFILE.joint_names, node.oracle.positions)), node.now_ns)
    node.driver.tick(node.now_ns)
    assert len(node.messages) == count + 1 and node.messages[-1].stamp_ns == 0
    assert np.array_equal(node.messages[-1].positions[0], node.oracle.positions)
