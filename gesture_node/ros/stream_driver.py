"""Drives one gesture stream in ROS time: when it begins and ends, and where its motion goes.

Knows no ROS; times are given, so it can be tested with any clock. States::

    idle -> speaking -> settling -> idle        speech, then silence for output.idle_release_s
    any  -> stopped  -> idle                    stop, then reset
    any  -> disabled -> idle                    enable false, then true

One worker thread calls :meth:`StreamDriver.hear` and :meth:`StreamDriver.tick`. Everything else
may be called from any thread; a stop does not wait for a window that is being computed.
"""
from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from threading import RLock
from typing import Any, Protocol

from ..config import GestureConfig
from ..exceptions import ConfigError
from ..measures.sync_score import SyncMeter
from ..stream import GestureStream
from ..timeline import frame_to_ns, NS_PER_S
from ..types import FaceChunk, StepResult
from .body_output import BodyOutput
from .clock_guard import MAX_BACKWARD_NS
from .face_output import FaceOutput
from .inbox import ReceivedAudio
from .playout import PlayoutQueue
from .presentation import sounding_ns
from .problems import ProblemLog
from .speech_intake import Heard, SpeechIntake

MIN_ALLOWANCE_NS = 20_000_000
MUTED_NS = 2 * NS_PER_S
"""After an error of the stream, the next one is not begun before."""


class State(Enum):
    """What the driver is doing; the values are published on ``~/state``."""

    IDLE = 'idle'
    SPEAKING = 'speaking'
    SETTLING = 'settling'
    STOPPED = 'stopped'
    DISABLED = 'disabled'


class FaceSink(Protocol):
    """Takes chunks of the face as soon as they are known."""

    def publish_face_chunk(self, chunk: FaceChunk, first_ns: int) -> None:
        """Publish frames whose first is shown at ROS time ``first_ns``."""


class StreamDriver:
    """One robot's stream in ROS time.

    Args:
        make_stream: returns a new stream for a config.
        config: deployment choices.
        body: where the motion of the robot goes.
        face_sink: where chunks of the face go.
        problems: takes what is wrong with the input.
        now_ns: reads ROS time [ns], for what takes noticeable time itself.
        meter: scores lips against sound; None leaves that out.

    Raises:
        ConfigError: the presentation delay is too short for the windows.
    """

    def __init__(self, make_stream: Callable[[GestureConfig], GestureStream],
                 config: GestureConfig, body: BodyOutput, face_sink: FaceSink,
                 problems: ProblemLog, now_ns: Callable[[], int],
                 meter: SyncMeter | None = None) -> None:
        self.stream = make_stream(config)
        self.intake = SpeechIntake(config.audio, problems)
        self.body = body
        self.face = FaceOutput()
        self.audio_out: PlayoutQueue[Any] = PlayoutQueue()
        self.meter = meter
        self.ignored_packets = self.skipped_frames = 0
        self.streams = 0
        self.first_motion_ms = self.first_face_ms = 0.0
        self._problems, self._now_ns = problems, now_ns
        self._config = self._wanted = config
        self._make_stream = make_stream
        self._face_sink = face_sink
        self._allowance_ns = check_delay(self.stream, config)
        self._lock = RLock()
        self._state = State.IDLE
        self._run = 0
        self._heard_ns = 0
        self._has_moved = self._has_spoken = False
        self._broken = False
        self._muted_until_ns = 0

    @property
    def state(self) -> State:
        """What it is doing."""
        return self._state

    @property
    def _delay_ns(self) -> int:
        return round(self._config.output.presentation_delay_s * NS_PER_S)

    @property
    def config(self) -> GestureConfig:
        """The choices of the running stream."""
        return self._config

    def configure(self, config: GestureConfig) -> None:
        """Take other deployment choices once the robot is idle; the cap on hands at once."""
        with self._lock:
            self._wanted = config
            if self.stream.robot is not None:
                self.stream.robot.retune(config.limits)

    def hear(self, audio: ReceivedAudio, now_ns: int) -> None:
        """Take one audio message; speech begins a stream when there is none."""
        with self._lock:
            if self._state is State.STOPPED:
                self.ignored_packets += 1
                return
            due_ns = self._delay_ns + sounding_ns(audio.packet.stamp_ns, audio.arrival_ns)
            if self._state is not State.DISABLED and now_ns >= self._muted_until_ns:
                heard = self.intake.decode(audio)
                if heard is not None and self._is_listening(heard):
                    placed_ns = self.intake.place(heard)
                    if placed_ns is None:
                        return
                    due_ns = placed_ns
            self.audio_out.put(due_ns, audio.message)

    def tick(self, now_ns: int) -> bool:
        """Do what is due, at most one window; return whether there is more to do at once."""
        with self._lock:
            self.body.tick(now_ns)
            if self._state is State.SPEAKING:
                self._keep_up(now_ns)
            if self._state not in (State.SPEAKING, State.SETTLING):
                if self._broken or self._wanted != self._config:
                    self._renew()
                return False
            if not self.stream.is_ready():
                self._rest_if_settled(now_ns)
                return False
            self._skip_overdue(now_ns)
            run = self._run
        # The lock is free here: a stop must not wait for a window.
        result = self.stream.step()
        done_ns = self._now_ns()
        with self._lock:
            # Motion for a time that a jump of the clock has undone is nobody's any more.
            if run == self._run and done_ns >= now_ns - MAX_BACKWARD_NS:
                self._deliver(result, done_ns)
        # After delivery and without the lock: nobody waits for a measurement.
        if self.meter is not None and result.face is not None and result.heard is not None:
            self.meter.add(result.heard, result.face.weights)
        return True

    def repeat(self, now_ns: int) -> None:
        """Publish the plan again if that is due; returns at once if the driver is busy.

        For another thread than the worker's, which may be computing a window for longer than a
        plan should go without being repeated.
        """
        if self._lock.acquire(blocking=False):
            try:
                self.body.repeat(now_ns)
            finally:
                self._lock.release()

    def stop(self, now_ns: int) -> None:
        """Brake and be silent at once; ignore audio until :meth:`reset`."""
        with self._lock:
            self._halt(now_ns)
            self.audio_out.clear()
            if self._state is not State.DISABLED:
                self._state = State.STOPPED

    def reset(self, now_ns: int) -> None:
        """Brake if moving, forget all audio, and be ready for the next speech."""
        with self._lock:
            self._halt(now_ns)
            self.audio_out.clear()
            self._problems.forget()
            if self._state is not State.DISABLED:
                self._state = State.IDLE

    def enable(self, enabled: bool, now_ns: int) -> None:
        """Switch motion on or off; off brakes at once, the voice is still passed on."""
        with self._lock:
            if not enabled:
                self._halt(now_ns)
                self._state = State.DISABLED
            elif self._state is State.DISABLED:
                self._state = State.IDLE

    def fail(self, now_ns: int) -> None:
        """Brake after an error of the stream; the next speech gets a new one."""
        with self._lock:
            self._broken = True
            self._muted_until_ns = now_ns + MUTED_NS
            self._halt(now_ns)
            if self._state in (State.SPEAKING, State.SETTLING):
                self._state = State.IDLE

    def forget_time(self) -> None:
        """Drop every plan, because ROS time jumped and its times mean nothing any more."""
        with self._lock:
            self._run += 1
            self.intake.end()
            self.audio_out.clear()
            self.face.clear()
            self.body.forget()
            if self._state in (State.SPEAKING, State.SETTLING):
                self._state = State.IDLE

    def _is_listening(self, heard: Heard) -> bool:
        """Return whether a stream runs that takes this packet; speech begins one."""
        if self._state is not State.SPEAKING and heard.timing.audible:
            self._begin(heard)
        return self._state is State.SPEAKING

    def _begin(self, heard: Heard) -> None:
        """Begin a new stream with its first packet."""
        if self._broken:
            self._renew()
        # Decoding minutes of audio takes a while, in which its motion must not become late.
        now_ns = self._now_ns()
        clock = self.intake.begin(heard.timing, now_ns, self._delay_ns, self._allowance_ns)
        start_ns = clock.presentation_ns(0)
        self.face.begin(start_ns)
        self.stream.reset(self.body.begin(self.stream.robot, start_ns, now_ns))
        if self.meter is not None:
            self.meter.reset()
        self.streams += 1
        self._heard_ns = heard.timing.arrival_ns
        self._has_moved = self._has_spoken = False
        self._run += 1
        self._state = State.SPEAKING

    def _renew(self) -> None:
        """Make a stream for the choices now wanted; takes a moment, so not while speaking."""
        self.stream = self._make_stream(self._wanted)
        self._allowance_ns = check_delay(self.stream, self._wanted)
        self._config, self._broken = self._wanted, False
        self.body.configure(self._config.output)

    def _keep_up(self, now_ns: int) -> None:
        """Feed what is due; after enough silence end the speech."""
        clock = self.intake.clock
        assert clock is not None
        self.intake.feed(self.stream, now_ns)
        if clock.silent_ns(now_ns) >= self._config.output.idle_release_s * NS_PER_S:
            self.stream.finish()
            self._state = State.SETTLING

    def _skip_overdue(self, now_ns: int) -> None:
        """Leave out motion that could only be computed when its time is over."""
        clock = self.intake.clock
        assert clock is not None
        skipped = self.stream.skip_overdue((now_ns - clock.presentation_ns(0)) / NS_PER_S)
        if skipped:
            self.skipped_frames += skipped
            self._problems.report('overload', (
                f'{skipped} frames were skipped, since they could not be computed in time; raise '
                'body.hop_s or output.presentation_delay_s, or free the processor'))

    def _rest_if_settled(self, now_ns: int) -> None:
        if (self._state is State.SETTLING and self.stream.finished
                and not self.body.is_moving(now_ns) and not self.face.is_moving):
            self.intake.end()
            self._state = State.IDLE

    def _deliver(self, result: StepResult, now_ns: int) -> None:
        clock = self.intake.clock
        assert clock is not None
        start_ns = clock.presentation_ns(0)
        if result.face is not None:
            chunk = self.face.extend(result.face, start_ns)
            first_ns = start_ns + frame_to_ns(chunk.first_frame, chunk.rate_hz)
            self._face_sink.publish_face_chunk(chunk, first_ns)
            if not self._has_spoken:
                self._has_spoken = True
                self.first_face_ms = (now_ns - self._heard_ns) / 1e6
        if result.joints is not None:
            published = self.body.extend(result.joints, start_ns, now_ns)
            if published and not self._has_moved:
                self._has_moved = True
                self.first_motion_ms = (now_ns - self._heard_ns) / 1e6

    def _halt(self, now_ns: int) -> None:
        self._run += 1
        self.intake.end()
        self.body.stop(now_ns)
        chunk = self.face.release(now_ns)
        if chunk is not None:
            self._face_sink.publish_face_chunk(chunk, now_ns)


def check_delay(stream: GestureStream, config: GestureConfig) -> int:
    """Return how late [ns] audio may come: a third of the delay that the windows leave over.

    The rest of it is for computing.

    Raises:
        ConfigError: the delay does not cover hop, foresight and frozen horizon.
    """
    needed_s = max(stream.body_latency_s, stream.face_latency_s) + config.output.frozen_horizon_s
    spare_ns = round((config.output.presentation_delay_s - needed_s) * NS_PER_S)
    if spare_ns < 3 * MIN_ALLOWANCE_NS:
        raise ConfigError(
            f'output.presentation_delay_s must be at least '
            f'{needed_s + 3 * MIN_ALLOWANCE_NS / NS_PER_S:.2f} s (hop, foresight, frozen horizon '
            f'and 0.06 s for computing), got {config.output.presentation_delay_s}')
    return spare_ns // 3
