"""Watches over a configured node: black box, quality, watchdog, loss of the GPU.

One object that stands between the pipeline and the driver; the engine tells it of time. The worker
calls it through the streams it makes, everything else comes from the executor's thread.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
import time
from typing import Any, cast

import onnxruntime

from ..config import GestureConfig, walk
from ..motion.robot import load_profile, RobotProfile
from ..operations.black_box import BlackBox
from ..operations.gpu import gpu_state
from ..operations.recorded_stream import RecordedStream
from ..operations.watchdog import Watchdog
from ..pipeline import GesturePipeline
from ..provider_fallback import CPU, ProviderFallback
from ..stream import GestureStream
from ..types import Float32Array, StepResult
from .blackbox import black_box_folder, BlackBoxWriter
from .node_config import NodeConfig
from .problems import ProblemLog
from .quality import QualityControl
from .stream_driver import StreamDriver
from .worker import GestureWorker

_MOVING = ('speaking', 'settling')
_SUCCESSION = 1.5
"""A worker that is stalled for so many times as long as it takes to notice gets a successor."""


class Oversight:
    """Everything that keeps a node at work.

    Args:
        pipeline: as it was loaded.
        config: the node's parameters.
        node_name: fully qualified name.
        problems: takes what goes wrong, once per cause.
        now_ns: reads ROS time [ns].
        log: takes what is worth a line of the log.

    Attributes:
        pipeline: what to make streams of.
    """

    def __init__(self, pipeline: GesturePipeline, config: NodeConfig, node_name: str,
                 problems: ProblemLog, now_ns: Callable[[], int],
                 log: Callable[[str], None]) -> None:
        gesture = config.gesture
        self._config, self._problems, self._now_ns = config, problems, now_ns
        self._fallback = ProviderFallback(
            pipeline, partial(GesturePipeline.from_bundle, gesture.bundle, provider='cpu',
                              threads=gesture.threads), partial(problems.report, 'provider_lost'))
        self.pipeline = self._fallback.pipeline
        self._box = BlackBox(config.operations.black_box_s)
        self._writer = BlackBoxWriter(self._box, node_name, self._facts, log)
        self._watchdog = Watchdog(config.operations.watchdog_s)
        self._quality = QualityControl(lambda config: None, now_ns, problems.report)
        self._driver: StreamDriver | None = None
        self._take: Callable[[GestureConfig], None] | None = None
        self._stream: RecordedStream | None = None
        self._gone: list[GestureWorker] = []
        self._failures = 0
        self._settings: dict[str, Any] = {}
        self._hops: tuple[float, float] | None = None

    @property
    def provider(self) -> str:
        """The provider of ONNX Runtime in use."""
        return self._fallback.provider

    @property
    def is_stalled(self) -> bool:
        """Whether the worker does not come back."""
        return self._watchdog.is_stalled

    @property
    def quality(self) -> str:
        """The quality in words."""
        return self._quality.in_words()

    def stream_maker(self, profile: RobotProfile | None, persona: Float32Array | None,
                     check: Callable[[GestureConfig], None]) -> Callable[
                         [GestureConfig], GestureStream]:
        """Return what makes a stream for a config, under observation.

        Args:
            profile: the robot.
            persona: style token that is pinned.
            check: raises a ConfigError for a config that cannot be served.
        """
        self._quality = QualityControl(check, self._now_ns, self._problems.report)
        robot = '' if profile is None else self._config.gesture.robot
        self._settings = {'robot': robot, 'urdf': '' if profile is None else _urdf_of(
            profile, robot), 'persona': persona}

        def make(config: GestureConfig) -> GestureStream:
            stream = self.pipeline.create_stream(profile, config, persona=persona)
            self._quality.configure(self._config.gesture, stream.steps,
                                    self._config.operations.adapt_quality)
            self._stream = RecordedStream(stream, self._box, {
                **self._settings, 'provider': self.provider,
                'config': {name: value for name, value, _ in walk(config)}}, self)
            return cast(GestureStream, self._stream)

        return make

    def drive(self, driver: StreamDriver, take: Callable[[GestureConfig], None]) -> None:
        """Take the driver by whose clock deadlines are measured, and what gives it a config."""
        self._driver, self._take = driver, take

    @property
    def config(self) -> NodeConfig:
        """The parameters in force."""
        return self._config

    def configure(self, config: NodeConfig) -> None:
        """Take parameters that were changed while running."""
        self._config, self._hops = config, None

    def note_plan(self, publish: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return what publishes a plan and keeps it in the black box."""
        def noted(message: Any) -> None:
            self._box.note_plan(message)
            publish(message)
        return noted

    def tick(self, worker: GestureWorker, now_ns: int) -> GestureWorker:
        """Look at the worker; return it or its successor."""
        if worker.failures > self._failures:
            self._failures = worker.failures
            self._fault('computing motion failed')
        driver = self._driver
        if driver is None:
            return worker
        moving = driver.state.value in _MOVING
        if self._watchdog.look(worker.busy_since_ns if moving or self.is_stalled else None,
                               time.monotonic_ns()) and self._give_up(driver, now_ns):
            self._problems.report('worker_stalled', (
                f'motion was not computed for {self._config.operations.watchdog_s:g} s; the robot '
                'brakes, and the next speech is computed anew'))
            self._fault('the worker stalled')
        self._gone = [gone for gone in self._gone if gone.is_alive]
        limit_s = _SUCCESSION * self._config.operations.watchdog_s
        if self.is_stalled and self._watchdog.busy_s > limit_s and not self._gone:
            self._fallback.lose(TimeoutError('a network did not come back'))
            self._gone.append(worker)
            return worker.succeed()
        return worker

    def _give_up(self, driver: StreamDriver, now_ns: int) -> bool:
        """Brake, if the stalled worker does not hold the driver; return whether that was done."""
        # A stall inside of the driver's lock must not stall the executor too.
        if not driver._lock.acquire(blocking=False):
            return False
        try:
            driver.fail(now_ns)
        finally:
            driver._lock.release()
        if self._stream is not None:
            self._stream.is_retired = True
        self._box.close()
        return True

    def dump(self) -> tuple[bool, str]:
        """Write a black-box file; return whether that was begun, and its path or why not."""
        return self._writer.request(self._folder)

    def close(self) -> None:
        """Wait for a file that is being written."""
        self._writer.finish()

    def values(self) -> dict[str, float]:
        """Return numbers for the diagnostics."""
        found = self._quality.values()
        if self.provider != CPU or self._fallback.is_lost:
            gpu = gpu_state()
            if gpu is not None:
                found |= {'gpu memory MB': gpu.used_mb, 'gpu memory total MB': gpu.total_mb}
        return found

    def counts(self) -> dict[str, float]:
        """Return counts of what should not happen, for the diagnostics."""
        return {'worker stalls': self._watchdog.stalls,
                'provider lost': float(self._fallback.is_lost)}

    def gpu_name(self) -> str:
        """Return the name of the GPU in use, empty for none."""
        gpu = None if self.provider == CPU else gpu_state()
        return '' if gpu is None else gpu.name

    def wanted_steps(self, stream: GestureStream) -> tuple[int, int]:
        """Return the denoiser calls per window that there is time for."""
        return self._quality.steps(stream)

    def stepped(self, stream: GestureStream, result: StepResult, compute_s: float) -> None:
        """Take in a window."""
        clock = None if self._driver is None else self._driver.intake.clock
        if self._quality.observe(stream, result, compute_s, clock):
            self._change_hops()

    def skipped(self, frames: int) -> None:
        """Take in that windows were given up."""
        if self._quality.late():
            self._change_hops()

    def failed(self, error: Exception) -> None:
        """Take in an error of a window: what the GPU did, the CPU will not do again."""
        self._fallback.lose(error)

    def _change_hops(self) -> None:
        """Let the next utterance have the hops of the level in force."""
        config = self._quality.config()
        if config is None or self._take is None:
            return
        hops = config.body.hop_s, config.face.hop_s
        if hops != self._hops:
            self._hops = hops
            self._take(config)

    def _fault(self, reason: str) -> None:
        if self._config.operations.dump_on_fault:
            self._writer.note_fault(self._folder, reason)

    @property
    def _folder(self) -> Any:
        return black_box_folder(self._config.operations.black_box_folder)

    def _facts(self) -> dict[str, Any]:
        bundle = self.pipeline.bundle
        return {'bundle': str(bundle.path.resolve()), 'bundle_hash': bundle.hash,
                'provider': self.provider, 'onnxruntime': onnxruntime.__version__,
                'ros_ns': self._now_ns(), 'steady_ns': time.monotonic_ns(),
                'problems': self._problems.counts(), 'quality': self.quality}


def _urdf_of(profile: RobotProfile, robot: str) -> str:
    """Return the kinematics of a robot whose URDF is not that of its profile, else nothing."""
    own = load_profile(robot).urdf.kinematic_xml
    return '' if own == profile.urdf.kinematic_xml else profile.urdf.kinematic_xml
