"""A driver and its robot on a clock of the test's own: no thread, no ROS, no waiting."""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesture_node.config import AudioConfig, BodyConfig, FaceConfig, GestureConfig, OutputConfig
from gesture_node.motion.profile import RobotProfile
from gesture_node.motion.robot import load_profile
from gesture_node.motion.trajectory_message import TrajectoryMessage
from gesture_node.pipeline import GesturePipeline
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_packet import AudioPacket
from gesture_node.ros.body_output import BodyOutput
from gesture_node.ros.inbox import MeasuredJoints, ReceivedAudio
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.stream_driver import State, StreamDriver

PIPELINE = GesturePipeline.from_bundle(
    Path(__file__).parents[1] / 'data' / 'tiny_bundle', provider='cpu', threads=1)
PROFILE = load_profile('humanoid')
NS, MS = 1_000_000_000, 1_000_000
RATE, PACKET = 16_000, 320
TICK = 10 * MS


def config(amplitude: float = 1.0, **output: float) -> GestureConfig:
    """Return windows of known length with few denoiser calls, which are not the point here."""
    return GestureConfig(
        audio=AudioConfig(max_buffer_s=30.0),
        body=BodyConfig(steps=1, hop_s=0.2, foresight_s=0.08, amplitude=amplitude),
        face=FaceConfig(steps=1),
        output=OutputConfig(**{'idle_release_s': 0.5, 'presentation_delay_s': 0.5, **output}))


class DriverBench:
    """A driver, a robot that stands still, and what came out.

    Args:
        gesture: settings; None takes those of :func:`config`.
        robot: None is a face alone.
        measured: whether the joints are reported.
        more: for the driver.

    Attributes:
        now: ROS time [ns].
        positions: where the robot says its joints are [rad].
        plans: (time, message) of every trajectory.
        chunks: (time of the first frame, chunk) of the face.
        frames, sounds: (time, frame or sound) that were shown and played.
        said: sentences of the log.
    """

    def __init__(self, gesture: GestureConfig | None = None, robot: RobotProfile | None = PROFILE,
                 measured: bool = True, **more: Any) -> None:
        gesture = gesture or config()
        self.now = 1_000_000 * MS
        self.said: list[str] = []
        self.plans: list[tuple[int, TrajectoryMessage]] = []
        self.chunks, self.frames, self.sounds = [], [], []
        self.joints, self.measured = MeasuredJoints(), measured
        self.positions = dict(zip(PROFILE.joint_names, PROFILE.rest_positions))
        problems = ProblemLog(self.said.append)
        names = () if robot is None else robot.joint_names
        self.body = BodyOutput(names, gesture.output, self.joints,
                               lambda message: self.plans.append((self.now, message)), problems)
        self.driver = StreamDriver(partial(PIPELINE.create_stream, robot), gesture, self.body,
                                   self, problems, lambda: self.now, **more)
        self.run(0.02)

    @property
    def state(self) -> State:
        return self.driver.state

    def publish_face_chunk(self, chunk: Any, first_ns: int) -> None:
        self.chunks.append((first_ns, chunk))

    def move(self) -> None:
        """Let the joints be somewhere else; here they stand still."""

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds * 1e9 / TICK)):
            self.now += TICK
            self.move()
            if self.measured:
                self.joints.put(self.positions, self.now)
            while self.driver.tick(self.now):
                pass
            self.frames += self.driver.face.take_due(self.now)
            self.sounds += self.driver.audio_out.take_due(self.now)

    def hear(self, samples: np.ndarray, stamp_ns: int | None = None,
             message: Any = None) -> None:
        payload = (samples * 32_767).astype('<i2').tobytes()
        self.driver.hear(ReceivedAudio(AudioPacket(payload, AudioFormat(), stamp_ns, True),
                                       message, self.now), self.now)

    def speak(self, seconds: float, stamped: bool = True) -> None:
        """Speak in real time, in packets of 20 ms."""
        for samples in np.split(speech(seconds), round(seconds * RATE / PACKET)):
            self.hear(samples, self.now if stamped else None, message='sound')
            self.run(0.02)

    def until(self, *states: State) -> None:
        for _ in range(2_000):
            if self.state in states:
                return
            self.run(0.01)
        pytest.fail(f'stays {self.state}')

    def until_idle(self) -> None:
        self.until(State.IDLE)


def speech(seconds: float) -> np.ndarray:
    """Return a voice of 150 Hz whose loudness rises and falls three times a second."""
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.4 * np.sin(2 * np.pi * 150 * t) * np.clip(np.sin(2 * np.pi * 3 * t + 0.5), 0.1, 1)


def knots(bench: DriverBench) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return ``{time: (positions, velocities)}`` of the last word on every published knot."""
    found = {}
    for _, plan in bench.plans:
        for after_ns, position, velocity in zip(
                plan.times_from_start_ns, plan.positions, plan.velocities):
            found[plan.stamp_ns + after_ns] = position, velocity
    return dict(sorted(found.items()))


def executed_knots(bench: DriverBench) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return ``{time: (positions, velocities)}`` of the knots that a controller got to follow.

    A plan counts until the next one arrives: what it said beyond was taken back.
    """
    found = {}
    ends_ns = [at_ns for at_ns, _ in bench.plans[1:]] + [np.inf]
    for (_, plan), end_ns in zip(bench.plans, ends_ns):
        for after_ns, position, velocity in zip(
                plan.times_from_start_ns, plan.positions, plan.velocities):
            if plan.stamp_ns + after_ns <= end_ns + 20 * MS:
                found[plan.stamp_ns + after_ns] = position, velocity
    return found
