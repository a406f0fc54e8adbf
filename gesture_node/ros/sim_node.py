"""``gesture_sim``: a simulated robot that obeys ``joint_trajectory`` in real time.

Callbacks only store; one thread runs controller and physics and publishes ``joint_states``. What
is shown and heard is recorded, and the video is made when the run is over, by another process, so
that drawing never disturbs the run.
"""
from __future__ import annotations

from functools import partial
from pathlib import Path
import signal
import subprocess
import sys
from threading import Event, Thread
import time
from typing import Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from ..exceptions import AudioError, GestureError
from ..motion.robot import load_profile
from ..sim.controller import TrajectoryController
from ..sim.rig import SimulatedRig
from ..sim.robot import SimulatedRobot
from ..timeline import NS_PER_S
from . import qos
from .audio_decoder import AudioDecoder, AudioFormat
from .audio_messages import audio_type_of, AudioType, packet_of
from .parameters import ConfigParameters
from .problems import ProblemLog
from .runner import run_node
from .sim_config import SimConfig
from .sim_messages import face_of, joint_state_of, trajectory_of
from .sim_recorder import recording_path, SimRecorder, start_filming

_DISCOVERY_S = 0.25
_DEFAULT_AUDIO = AudioFormat(16_000, 1, 'S16LE')
_FILM_LIMIT_S = 1_800.0


class GestureSim(Node):
    """Simulates a robot; see :class:`SimConfig` for its parameters.

    Subscribes ``joint_trajectory``, ``face/blendshapes`` and ``audio_out``; publishes
    ``joint_states``; ``~/save`` writes what was recorded and starts the video.

    Raises:
        ConfigError: a parameter is of the wrong type or out of range.
        RobotError: the robot's profile or URDF cannot be used.
    """

    def __init__(self) -> None:
        super().__init__('gesture_sim')
        self.done = False
        self._config = ConfigParameters(self, SimConfig()).config
        profile = load_profile(self._config.robot)
        self._robot_name = profile.name
        robot = SimulatedRobot.from_profile(profile)
        controller = TrajectoryController(
            robot.joint_names, robot.positions,
            allow_moving_end=self._config.allow_nonzero_velocity_at_trajectory_end,
            interpolate_from_desired=self._config.state_before == 'desired')
        self._rig = SimulatedRig(robot, controller, self._config.update_hz)
        self._recorder = SimRecorder(robot.joint_names, self._config.update_hz,
                                     self._config.max_record_s)
        self._problems = ProblemLog(self._warn)
        self._decoder = AudioDecoder(_DEFAULT_AUDIO, self._problems)
        self._joint_states = self.create_publisher(JointState, 'joint_states',
                                                   qos.JOINT_STATES_OUT)
        self._audio_subscription: Any = None
        self._stop = Event()
        self._worker = Thread(target=self._work, name='physics', daemon=True)
        self._film: subprocess.Popen[bytes] | None = None
        self._is_saved = False
        self._next_state_ns = 0
        self._rejected = 0

    def start(self) -> None:
        """Subscribe and let the physics run."""
        self.create_subscription(JointTrajectory, 'joint_trajectory', self._on_trajectory,
                                 qos.PLAN)
        self.create_subscription(JointState, 'face/blendshapes', self._on_face, qos.FACE_RECORD)
        self.create_service(Trigger, '~/save', self._on_save)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_DISCOVERY_S, self._find_audio, clock=steady)
        if self._config.duration_s:
            self.create_timer(self._config.duration_s, self._end, clock=steady)
        self._worker.start()
        self.get_logger().info(
            f'simulating {self._robot_name}, {len(self._rig.robot.joint_names)} commanded joints, '
            f'controller at {self._config.update_hz:g} Hz')

    def close(self) -> None:
        """Stop the physics, save, and wait for the video."""
        self._stop.set()
        if self._worker.is_alive():
            self._worker.join(timeout=5.0)
        if not self._is_saved:
            self.get_logger().info(self._save())
        if self._film is not None:
            self._await(self._film)

    def _await(self, film: subprocess.Popen[bytes]) -> None:
        """Wait for the video; another Ctrl-C gives it up."""
        if film.poll() is None:
            self.get_logger().info('waiting for the video; Ctrl-C again to do without it')
            signal.signal(signal.SIGINT, lambda number, frame: film.terminate())
        try:
            film.wait(_FILM_LIMIT_S)
        except subprocess.TimeoutExpired:
            film.terminate()
            self.get_logger().error(f'the video was not done in {_FILM_LIMIT_S:.0f} s')

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _warn(self, sentence: str) -> None:
        self.get_logger().warning(sentence)

    def _end(self) -> None:
        self.done = True

    def _on_trajectory(self, message: JointTrajectory) -> None:
        arrival_ns = self._now_ns()
        trajectory = trajectory_of(message)
        self._recorder.add_trajectory(trajectory.stamp_ns, arrival_ns)
        self._rig.receive(trajectory, arrival_ns)

    def _on_face(self, message: JointState) -> None:
        arrival_ns = self._now_ns()
        stamp = message.header.stamp
        stamp_ns = stamp.sec * NS_PER_S + stamp.nanosec
        self._recorder.add_face(face_of(message), stamp_ns or arrival_ns, arrival_ns)

    def _find_audio(self) -> None:
        """Subscribe ``audio_out`` once somebody publishes it, by the publisher's type."""
        topic = self.resolve_topic_name('audio_out')
        if self._audio_subscription is not None:
            return
        for publisher in self.get_publishers_info_by_topic(topic):
            try:
                kind = audio_type_of(publisher.topic_type)
                message_class = kind.load()
            except AudioError as error:
                self._problems.report('audio_type', str(error))
                continue
            reliable = publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE
            self._audio_subscription = self.create_subscription(
                message_class, 'audio_out', partial(self._on_audio, kind),
                qos.audio_in('reliable' if reliable else 'best_effort'))
            return

    def _on_audio(self, kind: AudioType, message: Any) -> None:
        arrival_ns = self._now_ns()
        packet = packet_of(kind, message, self._problems)
        if packet is None:
            return
        block = self._decoder.decode(packet.payload, packet.declared, sniff=packet.sniff)
        if block is not None and len(block.samples):
            self._recorder.add_sound(block.samples, block.sample_rate, packet.stamp_ns, arrival_ns)

    def _on_save(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            response.message = self._save()
            response.success = True
        except GestureError as error:
            response.message = str(error)
        return response

    def _save(self) -> str:
        """Write what was recorded so far, start the video, and return what was done."""
        video = Path(self._config.video).expanduser()
        if not (self._config.record or self._config.video):
            return 'nothing is kept: neither record nor video is set'
        path = recording_path(self._config.record or str(video.with_suffix('.npz')))
        recording = self._recorder.recording(self._notes())
        recording.save(path)
        self._is_saved = True
        done = f'wrote {path}'
        if self._config.video and len(recording.times_s):
            if self._film is not None:
                self._film.wait(_FILM_LIMIT_S)
            self._film = start_filming(path, video, self._config.video_hz)
            done += f', making {video}'
        return done

    def _notes(self) -> dict[str, Any]:
        controller = self._rig.controller
        return {
            'robot': self._config.robot, 'title': self._config.title,
            'captions': [line.strip() for line in self._config.caption.split('|') if line.strip()],
            'accepted': controller.accepted,
            'rejected': {reason.value: count for reason, count in controller.rejected.items()},
            'skipped_s': round(self._rig.skipped_s, 3), 'not_kept': self._recorder.beyond,
            'problems': self._problems.counts(),
        }

    def _work(self) -> None:
        """Run controller and physics in step with ROS time until stopped."""
        period_s = 1.0 / self._config.update_hz
        try:
            while not self._stop.is_set():
                begun_s = time.monotonic()
                now_ns = self._now_ns()
                if now_ns:
                    self._cycle(now_ns)
                self._stop.wait(max(0.0, period_s - (time.monotonic() - begun_s)))
        except GestureError as error:
            self.get_logger().error(f'the simulation stopped: {error}')
            self.done = True

    def _cycle(self, now_ns: int) -> None:
        """Run the control cycles that are due and publish the joints when it is time."""
        for tick in self._rig.advance(now_ns):
            self._recorder.add_tick(tick)
        period_ns = round(NS_PER_S / self._config.joint_states_hz)
        if not 0 < self._next_state_ns - now_ns <= period_ns:
            self._next_state_ns = now_ns - now_ns % period_ns + period_ns
            self._joint_states.publish(joint_state_of(self._rig.robot.all_joints(), now_ns))
        self._report_rejections()

    def _report_rejections(self) -> None:
        total = sum(self._rig.controller.rejected.values())
        if total == self._rejected:
            return
        self._rejected = total
        for reason in self._rig.controller.rejected:
            self._problems.report(f'trajectory_{reason.name.lower()}',
                                  f'a trajectory was rejected: {reason.value}')


def main(arguments: list[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(GestureSim, arguments)


if __name__ == '__main__':
    sys.exit(main())
