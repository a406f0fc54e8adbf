"""A driver that takes requests for gestures, on a clock of the test's own: no thread, no ROS."""
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gesture_node.config import AudioConfig, BodyConfig, FaceConfig, GestureConfig, OutputConfig
from gesture_node.exceptions import RequestError
from gesture_node.gestures.choice import GestureChooser
from gesture_node.gestures.library import load_library
from gesture_node.motion.robot import load_profile
from gesture_node.pipeline import GesturePipeline
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_packet import AudioPacket
from gesture_node.ros.body_output import BodyOutput
from gesture_node.ros.dialogue_config import DialogueConfig
from gesture_node.ros.gesture_desk import GestureDesk
from gesture_node.ros.inbox import MeasuredJoints, ReceivedAudio
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.stream_driver import State, StreamDriver

PIPELINE = GesturePipeline.from_bundle(
    Path(__file__).parents[1] / 'data' / 'tiny_bundle', provider='cpu', threads=1)
PROFILE = load_profile('humanoid')
LIBRARY = load_library()
RIGHT_ARM = [i for i, name in enumerate(PROFILE.joint_names) if name.startswith('right_')]
NS, MS = 1_000_000_000, 1_000_000
RATE, PACKET = 16_000, 320
TICK = 10 * MS


def config(**output):
    """Return a config with few denoiser calls, which are not the point here."""
    return GestureConfig(
        audio=AudioConfig(max_buffer_s=30.0), body=BodyConfig(steps=1), face=FaceConfig(steps=1),
        output=OutputConfig(idle_release_s=output.pop('idle_release_s', 0.5), **output))


def lookup(frame, target):
    """Know one frame, a metre ahead of the root; one needs tf2, all others never come."""
    if frame == 'table':
        return (target[0] + 1.0, *target[1:])
    if frame == 'no_tf':
        raise RequestError('targets need the package tf2_ros')
    return None


class Asker:
    """A driver, its robot and its answers."""

    def __init__(self, robot=PROFILE, idles=False, **output):
        gesture = config(**output)
        self.now = 1_000_000 * MS
        self.results, self.plans, self.frames, self.said = [], [], [], []
        self.joints, self.measured = MeasuredJoints(), True
        self.rest = dict(zip(PROFILE.joint_names, PROFILE.rest_positions))
        problems = ProblemLog(self.said.append)
        names = () if robot is None else robot.joint_names
        body = BodyOutput(names, gesture.output, self.joints,
                          lambda m: self.plans.append((self.now, m)), problems)
        desk = GestureDesk(lambda: GestureChooser(LIBRARY, robot, PIPELINE.bundle.body.idle),
                           self.results.append, lookup)
        dialogue = DialogueConfig(motion_budget_rad=0.05 if idles else 0.0)
        self.driver = StreamDriver(partial(PIPELINE.create_stream, robot), gesture, body, self,
                                   problems, lambda: self.now, dialogue=dialogue, gestures=desk)
        self.run(0.02)

    def publish_face_chunk(self, chunk, first_ns):
        """Take a chunk of the face, which nobody looks at here."""

    def run(self, seconds):
        """Let time pass."""
        for _ in range(round(seconds * 1e9 / TICK)):
            self.now += TICK
            if self.measured:
                self.joints.put(self.rest, self.now)
            while self.driver.tick(self.now):
                pass
            self.driver.face.take_due(self.now)

    def hear(self, samples):
        payload = (samples * 32_767).astype('<i2').tobytes()
        self.driver.hear(ReceivedAudio(AudioPacket(payload, AudioFormat(), None, True),
                                       'sound', self.now), self.now)

    def speak(self, seconds):
        """Speak in real time, in packets of 20 ms."""
        for samples in np.split(speech(seconds), round(seconds * RATE / PACKET)):
            self.hear(samples)
            self.run(0.02)

    def until_idle(self):
        for _ in range(2_000):
            if self.driver.state is State.IDLE:
                return
            self.run(0.01)
        pytest.fail('the driver does not come to rest')

    def ask(self, text):
        self.driver.gestures.ask(text, self.now)

    def statuses(self):
        return [result['status'] for result in self.results]

    def swing(self, start_s, end_s):
        """Return how far the right arm went in a stretch of ROS time [rad]."""
        rows = [p for t, (p, _) in knots(self).items() if start_s * NS <= t <= end_s * NS]
        return np.ptp(np.array(rows)[:, RIGHT_ARM], axis=0).max()


def speech(seconds):
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.4 * np.sin(2 * np.pi * 150 * t) * np.clip(np.sin(2 * np.pi * 3 * t + 0.5), 0.1, 1)


def knots(asker):
    """Return ``{time: (positions, velocities)}`` of the last word on every published knot."""
    found = {}
    for _, plan in asker.plans:
        for after_ns, position, velocity in zip(
                plan.times_from_start_ns, plan.positions, plan.velocities):
            found[plan.stamp_ns + after_ns] = position, velocity
    return dict(sorted(found.items()))
