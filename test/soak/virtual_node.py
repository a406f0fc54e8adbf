"""The node's own stream, driver and output on a virtual clock: minutes in a fraction of the time.

Everything that computes is the node's: pipeline, stream under its black box, driver, plan, meter
of synchrony. Only what waits is replaced. The virtual clock stands still while nothing is to be
done and jumps to what comes next; while the worker computes it goes on by the processor time of
its thread. So a window is late here exactly when it would be late on a processor of the node's
own, however busy this machine is, and minutes pass as quickly as they can be computed.

What goes on beside the worker (packets that arrive, frames that are shown, plans that are
repeated, joints that are measured) happens at its own virtual times, also while a window is
computed, and takes no time.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
import gc
from typing import Any, cast

from motion_judge import Findings, MotionJudge
from networks_once import Networks
import numpy as np
from speeches import RATE_HZ, Speech
from virtual_clock import VirtualClock, VirtualLatency

from gesture_node.config import GestureConfig
from gesture_node.measures.sync_score import SyncMeter, SyncNetwork
from gesture_node.motion.robot import RobotProfile
from gesture_node.motion.safety import SafetyLayer
from gesture_node.motion.trajectory import TrajectoryMessage
from gesture_node.operations.black_box import BlackBox
from gesture_node.operations.recorded_stream import RecordedStream
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_packet import AudioPacket
from gesture_node.ros.body_output import BodyOutput
from gesture_node.ros.inbox import MeasuredJoints, ReceivedAudio
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.stream_driver import State, StreamDriver
from gesture_node.stream import GestureStream
from gesture_node.timeline import NS_PER_S as NS
from gesture_node.types import FaceChunk, StepResult

BEGIN_NS = 1_700_000_000 * NS
TICK_NS, EARLY_NS = 10_000_000, 5_000_000
"""Period of the node's playout, and how early it takes frames."""
ACTIVE_NS, IDLE_NS = 10_000_000, 200_000_000
"""How long the worker waits when there is nothing to do."""
WAY_NS = 2_000_000
"""A trajectory is so long on its way to the controller."""
BLACK_BOX_S = 30.0
SETTLED_NS = 10 * NS


@dataclass(slots=True)
class Minutes:
    """What a run came to.

    Attributes:
        findings: of the judge of motion.
        underruns: chunks of the body that came too late to be played as computed.
        late_faces: face frames that came after their time.
        skipped: frames given up because they could not be computed in time.
        nonfinite: numbers of networks and faces that were not finite.
        hops_ms: processor time of every window, by channel.
        streams: streams that were begun.
        faces: face frames shown.
        moved_s: time in which the robot moved [s].
        virtual_s: time that passed [s].
        problems: what the node complained of, by cause.
        interventions: of the safety layer, see ``docs/safety.md``.
    """

    findings: Findings
    underruns: int
    late_faces: int
    skipped: int
    nonfinite: int
    hops_ms: dict[str, np.ndarray]
    streams: int
    faces: int
    moved_s: float
    virtual_s: float
    problems: dict[str, int]
    interventions: dict[str, float] = field(default_factory=dict)


class VirtualNode:
    """One robot that hears one speech.

    Args:
        networks: what computes; after one robot the next is quicker.
        profile: the robot, which stands at rest.
        speech: what it hears, live and stamped.
        config: deployment choices.
    """

    def __init__(self, networks: Networks, profile: RobotProfile, speech: Speech,
                 config: GestureConfig) -> None:
        self.clock = networks.clock = VirtualClock(BEGIN_NS)
        self._profile, self._pipeline = profile, networks.pipeline
        self._packets = deque((BEGIN_NS + round(at_s * NS), samples)
                              for at_s, samples in speech.packets)
        self._inbox: list[ReceivedAudio] = []
        self._joints = MeasuredJoints()
        self._problems = ProblemLog(lambda sentence: None)
        self._box = BlackBox(BLACK_BOX_S)
        layer = SafetyLayer(profile, config.limits)
        limits = layer.limiter().limits
        self.judge = MotionJudge(
            limits, profile.limits, layer.guard,
            np.clip(profile.rest_positions, limits.lower, limits.upper), BEGIN_NS)
        body = BodyOutput(profile.joint_names, config.output, self._joints, self._publish,
                          self._problems, self.clock.now_ns)
        sync = self._pipeline.bundle.sync
        self.driver = StreamDriver(
            self._make_stream, config, body, self, self._problems, self.clock.now_ns,
            None if sync is None else SyncMeter(SyncNetwork(sync)))
        self._under_way: deque[tuple[int, TrajectoryMessage]] = deque()
        self._tick_ns = BEGIN_NS
        self._spent: dict[str, list[float]] = {'body': [], 'face': []}
        self._begun_ns = 0
        self._bad_faces = 0

    def run(self) -> Minutes:
        """Let the speech be heard out and the robot come to rest."""
        gc.collect()
        gc.freeze()
        try:
            last_ns = self._packets[-1][0]
            while self._packets or self.driver.state is not State.IDLE:
                self._work()
                assert self.clock.now_ns() < last_ns + SETTLED_NS + 10 * NS, 'it does not rest'
            end_ns = self.clock.now_ns() + NS
            self._let_pass(end_ns)
        finally:
            gc.unfreeze()
        return self._minutes(end_ns)

    def publish_face_chunk(self, chunk: FaceChunk, first_ns: int) -> None:
        """Take a chunk of the face, as the node's publishers do."""
        self._bad_faces += int(np.count_nonzero(~np.isfinite(chunk.weights)))

    def wanted_steps(self, stream: GestureStream) -> tuple[int, int]:
        """Begin to time a window; it is always computed at full quality."""
        self._begun_ns = self.clock.now_ns()
        return stream.steps

    def stepped(self, stream: GestureStream, result: StepResult, compute_s: float) -> None:
        """Take the time of a window, and let happen what happened meanwhile."""
        spent_ns = self.clock.now_ns() - self._begun_ns
        self._spent['face' if result.face is not None else 'body'].append(spent_ns / 1e6)
        self._let_pass(self.clock.now_ns())

    def skipped(self, frames: int) -> None:
        """Take in that frames were given up; the driver counts them."""

    def failed(self, error: Exception) -> None:
        """Take in an error, which then ends the run."""

    def _work(self) -> None:
        """Do what the node's worker does from one wait to the next."""
        now_ns = self.clock.now_ns()
        self._let_pass(now_ns)
        heard, self._inbox = self._inbox, []
        with self.clock.computing():
            for audio in heard:
                self.driver.hear(audio, now_ns)
            more = self.driver.tick(now_ns)
        self._let_pass(self.clock.now_ns())
        if not more and not self._inbox:
            wake_ns = self.clock.now_ns() + (ACTIVE_NS if self.driver.is_busy else IDLE_NS)
            if self._packets:
                wake_ns = min(wake_ns, self._packets[0][0])
            self.clock.move_to(wake_ns)

    def _let_pass(self, until_ns: int) -> None:
        """Let happen, each at its time, what goes on beside the worker."""
        with self.clock.elsewhere(until_ns):
            while self._tick_ns <= until_ns:
                self._deliver(self._tick_ns)
                with self.clock.elsewhere(self._tick_ns):
                    self._tick(self._tick_ns)
                self._tick_ns += TICK_NS
            self._deliver(until_ns)
            while self._packets and self._packets[0][0] <= until_ns:
                self._inbox.append(_received(*self._packets.popleft()))

    def _tick(self, now_ns: int) -> None:
        """Show the face, repeat the plan, measure the joints."""
        for _, weights in self.driver.face.take_due(now_ns + EARLY_NS):
            self._bad_faces += int(np.count_nonzero(~np.isfinite(weights)))
        self.driver.audio_out.take_due(now_ns)
        self.driver.repeat(now_ns)
        measured = self.judge.measured(now_ns).tolist()
        self._joints.put(dict(zip(self._profile.joint_names, measured)), now_ns)

    def _publish(self, message: TrajectoryMessage) -> None:
        self._box.note_plan(message)
        at_ns = self.clock.now_ns() + WAY_NS
        if self._under_way:
            at_ns = max(at_ns, self._under_way[-1][0])
        self._under_way.append((at_ns, message))

    def _deliver(self, now_ns: int) -> None:
        while self._under_way and self._under_way[0][0] <= now_ns:
            at_ns, message = self._under_way.popleft()
            self.judge.receive(message, at_ns)

    def _make_stream(self, config: GestureConfig) -> GestureStream:
        stream = self._pipeline.create_stream(self._profile, config)
        stream.latency = VirtualLatency(self.clock)
        return cast(GestureStream, RecordedStream(stream, self._box, {}, cast(Any, self)))

    def _minutes(self, end_ns: int) -> Minutes:
        driver = self.driver
        report = driver.stream.report
        return Minutes(
            findings=self.judge.finish(end_ns), underruns=driver.body.underruns,
            late_faces=driver.face.late, skipped=driver.skipped_frames,
            nonfinite=report.nan_count + self._bad_faces,
            hops_ms={name: np.array(spent) for name, spent in self._spent.items()},
            streams=driver.streams, faces=driver.face.taken, moved_s=self.judge.looks / 1e3,
            virtual_s=(end_ns - BEGIN_NS) / NS, problems=self._problems.counts(),
            interventions=dict(report.limit_interventions))


def _received(arrival_ns: int, samples: np.ndarray) -> ReceivedAudio:
    payload = (samples * 32_767).astype('<i2').tobytes()
    return ReceivedAudio(
        AudioPacket(payload, AudioFormat(RATE_HZ, 1, 'S16LE'), arrival_ns, True), None, arrival_ns)

