"""Everything a configured node holds: model, robot, worker, inputs and outputs, wired up."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
import gc

from rclpy.lifecycle import LifecycleNode
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState

from ..bundle import Bundle
from ..cli.audio_file import read_audio_file
from ..config import GestureConfig
from ..measures.sync_score import SyncMeter, SyncNetwork
from ..motion.robot import RobotProfile
from ..motion.trajectory_controllers import choose_controllers
from ..operations.memory import give_back_memory
from ..pipeline import GesturePipeline
from ..types import Float32Array
from . import qos
from .audio_input import AudioInput
from .body_output import BodyOutput
from .conversions import measured_positions
from .diagnostics import NodeHealth, resident_mb
from .dialogue_input import OtherInput
from .expression_output import FaceFormats
from .gesture_requests import GestureTopics
from .inbox import AudioInbox, MeasuredJoints
from .node_config import NodeConfig
from .oversight import Oversight
from .problems import ProblemLog
from .publishers import MotionPublishers
from .robot_description import find_profile
from .sound_timing import SoundTiming
from .stream_driver import check_delay, StreamDriver
from .worker import GestureWorker
from .yield_input import YieldInput

NO_ROBOT = ('', 'none')
"""Values of the parameter ``robot`` that ask for the face alone."""
_BYTES_PER_S = 4 * 48_000
"""Of the richest audio that ``audio.max_buffer_s`` is meant for; more is refused undecoded."""


class Engine:
    """The inside of a configured node.

    Args:
        node: whose names, topics and log are used.
        config: the node's parameters.
        now_ns: reads ROS time [ns].

    Raises:
        GestureError: the bundle or the robot cannot be used, or parameters contradict each other.
    """

    def __init__(self, node: LifecycleNode, config: NodeConfig,
                 now_ns: Callable[[], int]) -> None:
        gesture = config.gesture
        self._node, self._config, self._now_ns = node, config, now_ns
        self._problems = ProblemLog(self._warn)
        self._oversight = Oversight(GesturePipeline.from_bundle(
            gesture.bundle, provider=gesture.provider, threads=gesture.threads), config,
            node.get_fully_qualified_name(), self._problems, now_ns, self._note)
        self._pipeline = self._oversight.pipeline
        self._profile: RobotProfile | None = None
        if gesture.robot not in NO_ROBOT:
            self._profile = find_profile(node, config)
        self.check(gesture)
        self._inbox = AudioInbox(int(gesture.audio.max_buffer_s * _BYTES_PER_S))
        self._joints = MeasuredJoints()
        names = () if self._profile is None else self._profile.joint_names
        controllers = () if self._profile is None else choose_controllers(
            gesture.output.controllers, self._profile.interface, names)
        self._face_formats = FaceFormats(node, config.face, self._problems)
        self._publishers = MotionPublishers(node, controllers, names)
        body = BodyOutput(names, gesture.output, self._joints,
                          self._oversight.note_plan(self._publishers.publish_trajectory),
                          self._problems, now_ns)
        make_stream = self._oversight.stream_maker(self._profile, self._persona(), self.check)
        self._gestures = GestureTopics(node, self._profile, config.gesture_library,
                                       self._pipeline.bundle.body.idle, now_ns)
        self.driver = StreamDriver(make_stream, gesture, body, self._publishers, self._problems,
                                   now_ns,
                                   sync_meter(self._pipeline.bundle, config.measure_sync),
                                   config.dialogue, config.interruptible, self._gestures.desk)
        self._oversight.drive(self.driver, self._take)
        self._timing = SoundTiming(node, self.driver, config.speaker_device, now_ns)
        self._worker: GestureWorker | None = None
        self._others: OtherInput | None = None
        self._yield: YieldInput | None = None
        self._audio: AudioInput | None = None
        self._joint_subscription: Subscription[JointState] | None = None
        robot = 'no robot' if self._profile is None else (
            f'{self._profile.name} ({len(self._profile.joint_names)} joints)')
        node.get_logger().info(
            f'bundle {self._pipeline.bundle.name} ({self._pipeline.bundle.hash}) on '
            f'{self._pipeline.provider}, robot {robot}')

    def start(self) -> None:
        """Subscribe and start computing.

        Raises:
            AudioError: the audio type asked for is not installed, or no loudspeaker is there.
            ConfigError: the loudspeaker is later than the presentation delay.
        """
        self._timing.start()
        self._audio = AudioInput(
            self._node, self._config.audio_type, self._config.audio_reliability, self._inbox,
            self._now_ns, self._problems,
            self._publishers.set_audio_type if self._config.publish_audio else lambda kind: None)
        self._joint_subscription = self._node.create_subscription(
            JointState, 'joint_states', self._store_joints, qos.own(qos.JOINT_STATES),
            qos_overriding_options=qos.overridable())
        self._worker = GestureWorker(self.driver, self._inbox, self._now_ns, self._problems)
        self._worker.start()
        self._gestures.start(self._inbox.wake)
        self._others = OtherInput(self._node, self._config.dialogue, self._config.gesture.audio,
                                  self.driver.hear_other, self._now_ns, self._problems)
        self._yield = YieldInput(self._node, self._profile, lambda: self.driver.body.yielded,
                                 self._yield_joints)
        leave_out_of_collections()

    def halt(self, now_ns: int) -> bool:
        """Brake, unsubscribe and end the worker; return whether it ended in time."""
        self._timing.halt()
        if self._worker is None:
            return True
        self._gestures.halt()
        self.driver.reset(now_ns)
        if self._others is not None:
            self._others.close()
        if self._yield is not None:
            self._yield.close()
        self._others, self._yield = None, None
        if self._audio is not None:
            self._audio.close()
        if self._joint_subscription is not None:
            self._node.destroy_subscription(self._joint_subscription)
        worker, self._worker = self._worker, None
        self._audio = self._joint_subscription = None
        return worker.stop()

    def close(self) -> None:
        """Take the publishers off the graph."""
        self._oversight.close()
        self._publishers.close()
        self._timing.close()
        self._gestures.close()
        self._face_formats.close()
        gc.unfreeze()

    def check(self, config: GestureConfig) -> None:
        """Refuse a config that the bundle or the clock cannot serve.

        Raises:
            GestureError: saying why.
        """
        check_delay(self._pipeline.create_stream(None, config), config)

    def configure(self, config: NodeConfig) -> None:
        """Take parameters that were changed while running."""
        self._oversight.configure(config)
        self._take(config.gesture)

    def _take(self, gesture: GestureConfig) -> None:
        config = replace(self._oversight.config, gesture=gesture)
        self.driver.configure(config.gesture, config.dialogue, config.interruptible)

    @property
    def quality(self) -> str:
        """What is given up for lack of time, ``full`` for nothing."""
        return self._oversight.quality

    def dump(self) -> tuple[bool, str]:
        """Write the black box; return whether that was begun, and the path or why not."""
        return self._oversight.dump()

    def reset(self, now_ns: int) -> None:
        """Forget all audio, brake if moving, be ready for speech."""
        self._inbox.take()
        self.driver.reset(now_ns)

    def play(self, now_ns: int) -> None:
        """Publish the face frames and the audio whose time has come, and the plan again."""
        for shown_ns, weights in self.driver.face.take_due(now_ns):
            self._publishers.publish_face_frame(weights, shown_ns)
            self._face_formats.publish(weights, shown_ns)
        self._face_formats.tick(now_ns)
        for heard_ns, message in self._timing.take_due(now_ns):
            self._publishers.publish_audio(message, heard_ns)
        self.driver.repeat(self._now_ns())
        if self._worker is not None:
            self._worker = self._oversight.tick(self._worker, self._now_ns())

    def health(self, state: str, now_ns: int) -> NodeHealth:
        """Return a snapshot for the diagnostics."""
        driver, worker, config = self.driver, self._worker, self._config.gesture
        last_ns = self._inbox.last_arrival_ns
        report, placement = driver.stream.report, driver.intake.placement
        values = {
            'audio backlog ms': 1e3 * driver.intake.waiting_s,
            'last audio age s': -1.0 if last_ns is None else (now_ns - last_ns) / 1e9,
            'first motion latency ms': driver.motion.first_motion_ms,
            'first face latency ms': driver.motion.first_face_ms,
            'resident memory MB': resident_mb(),
            'streams': float(driver.streams),
            'trajectories published': float(self._publishers.trajectories),
            'face frames published': float(driver.face.taken),
            'silence filled s': placement.filled_s, 'silence padded s': placement.padded_s,
        }
        values |= self._timing.values() | sync_values(driver.meter)
        values |= self._oversight.values()
        values |= dialogue_values(driver, self._others)
        values |= {f'limit {key}': float(count)
                   for key, count in report.limit_interventions.items()}
        counts = {
            'dropped audio s': driver.intake.refused_s + report.dropped_audio_s,
            'late audio s': placement.late_s, 'out of order packets': placement.out_of_order,
            **self._timing.counts(),
            'lost packets': 0 if self._audio is None else self._audio.losses.lost,
            'refused bytes': self._inbox.refused_bytes,
            'underruns': driver.body.underruns, 'late face frames': driver.face.late,
            'skipped frames': driver.skipped_frames,
            **{f'gestures {status}': count
               for status, count in asdict(driver.gestures.counts).items()},
            'numbers not finite': report.nan_count,
            'failures': 0 if worker is None else worker.failures,
            **self._oversight.counts(),
            **{f'problem {cause}': count for cause, count in self._problems.counts().items()},
        }
        return NodeHealth(
            state=state, robot=config.robot, bundle=self._pipeline.bundle.hash,
            provider=self._oversight.provider, gpu=self._oversight.gpu_name(),
            quality=self._oversight.quality, stalled=self._oversight.is_stalled,
            failed=worker is not None and worker.failed_recently,
            waiting_for=driver.body.waiting_for(now_ns),
            latency_s={} if worker is None else worker.latency,
            hop_s={'body_hop': driver.config.body.hop_s, 'face_hop': driver.config.face.hop_s},
            values=values, counts=counts)

    def _persona(self) -> Float32Array | None:
        """Return the style token to pin, if a recording is named."""
        if not self._config.persona_file:
            return None
        audio = read_audio_file(self._config.persona_file)
        return self._pipeline.persona_of(audio.samples, audio.sample_rate)

    def _yield_joints(self, names: frozenset[str]) -> str:
        """Let other nodes own these joints and no others; return why not, empty if it is so."""
        refused = self.driver.yield_joints(names, self._now_ns())
        self._publishers.leave(self.driver.body.yielded)
        return refused

    def _note(self, sentence: str) -> None:
        self._node.get_logger().info(sentence)

    def _warn(self, sentence: str) -> None:
        self._node.get_logger().warning(sentence)

    def _store_joints(self, message: JointState) -> None:
        self._joints.put(measured_positions(message), self._now_ns())


def leave_out_of_collections() -> None:
    """Take everything that exists now for kept: libraries, bundle and robot stay as they are.

    A full garbage collection looks at every object, which stops all threads for as long as two
    windows take to compute; what comes later is little.
    """
    gc.collect()
    gc.freeze()
    give_back_memory()


def dialogue_values(driver: StreamDriver, others: OtherInput | None) -> dict[str, float]:
    """Return what the conversation has come to, for the diagnostics."""
    return {
        'interruptions': float(driver.talk.interruptions),
        'dropped results': float(driver.dropped_results),
        'refused packets of interrupted speech': float(driver.talk.gate.refused),
        'idle pieces': float(driver.talk.presence.pieces),
        'yielded joints': float(len(driver.body.yielded)),
        'turns of others': 0.0 if others is None else float(others.listener.turns),
        'dropped packets of others': 0.0 if others is None else float(others.listener.dropped),
    }


def sync_meter(bundle: Bundle, wanted: bool) -> SyncMeter | None:
    """Return a meter of lips against sound, if it is wanted and the bundle can.

    Raises:
        BundleError: the bundle's synchrony network cannot be used.
    """
    return SyncMeter(SyncNetwork(bundle.sync)) if wanted and bundle.sync is not None else None


def sync_values(meter: SyncMeter | None) -> dict[str, float]:
    """Return the last synchrony score for the diagnostics; nothing before the first."""
    if meter is None or meter.score is None:
        return {}
    return {'sync_offset_s': meter.score.offset_s, 'sync_confidence': meter.score.confidence}
