"""Drives one gesture stream in ROS time: when it begins and ends, and where its motion goes.

Knows no ROS; times are given, so it can be tested with any clock. Its states are those of
``gesture_node/dialogue/states.py``. While it rests, :class:`PresencePlayer` plays.

One worker thread calls :meth:`StreamDriver.hear` and :meth:`StreamDriver.tick`. Everything else
may be called from any thread; a stop does not wait for a window that is being computed.
"""
from __future__ import annotations

from collections.abc import Callable
from threading import RLock

from ..config import GestureConfig
from ..dialogue.other_voice import Cue
from ..dialogue.states import Event, State, UTTERING
from ..measures.sync_score import SyncMeter
from ..stream import GestureStream
from ..timeline import NS_PER_S
from .body_output import BodyOutput
from .clock_guard import MAX_BACKWARD_NS
from .dialogue_config import DialogueConfig
from .dialogue_conversation import Conversation
from .face_output import FaceOutput
from .gesture_desk import GestureDesk
from .gesture_host import DriverHost
from .inbox import ReceivedAudio
from .presentation import sounding_ns
from .presentation_delay import check_delay
from .problems import ProblemLog
from .speech_intake import Heard, SpeechIntake
from .speech_motion import FaceSink, skip_overdue, SpeechMotion
from .voice_output import VoiceOutput

__all__ = ['check_delay', 'State', 'StreamDriver']

MUTED_NS = NS_PER_S // 2
"""After an error of the stream, the next one is not begun before."""


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
        dialogue: what it does while it does not speak.
        interruptible: whether somebody else who begins to speak ends what the robot says.
        gestures: takes requests for gestures; None takes none.

    Raises:
        ConfigError: the presentation delay is too short for the windows.
    """

    def __init__(self, make_stream: Callable[[GestureConfig], GestureStream],
                 config: GestureConfig, body: BodyOutput, face_sink: FaceSink,
                 problems: ProblemLog, now_ns: Callable[[], int],
                 meter: SyncMeter | None = None, dialogue: DialogueConfig | None = None,
                 interruptible: bool = False, gestures: GestureDesk | None = None) -> None:
        self.stream = make_stream(config)
        self.gestures = GestureDesk() if gestures is None else gestures
        self._host = DriverHost(self)
        self.intake = SpeechIntake(config.audio, problems)
        self.body, self.face, self.audio_out = body, FaceOutput(), VoiceOutput()
        self.motion = SpeechMotion(body, self.face, face_sink)
        self.meter = meter
        self.ignored_packets = self.skipped_frames = self.streams = 0
        self._problems, self._now_ns, self._make_stream = problems, now_ns, make_stream
        self._config = self._wanted = config
        self._allowance_ns = check_delay(self.stream, config)
        self._lock = RLock()
        self.talk = Conversation(
            self.stream.idle_pose, config, dialogue or DialogueConfig(), interruptible, body,
            self.face, face_sink.publish_face_chunk)
        self.dropped_results = self._run = self._muted_until_ns = 0
        self._broken = False

    @property
    def state(self) -> State:
        """What it is doing."""
        return self.talk.states.state

    @property
    def is_busy(self) -> bool:
        """Whether it has to be called often."""
        return (self.talk.presence.runs or self.gestures.is_busy
                or self.state in (*UTTERING, State.INTERRUPTED))

    @property
    def _delay_ns(self) -> int:
        return round(self._config.output.presentation_delay_s * NS_PER_S)

    @property
    def config(self) -> GestureConfig:
        """The choices of the running stream."""
        return self._config

    def configure(self, config: GestureConfig, dialogue: DialogueConfig | None = None,
                  interruptible: bool = False) -> None:
        """Take other choices once the robot is idle; barge-in and the cap on hands at once."""
        with self._lock:
            self._wanted = config
            self.talk.configure(dialogue or self.talk.config, interruptible)
            if self.stream.robot is not None:
                self.stream.robot.retune(config.limits)

    def hear(self, audio: ReceivedAudio, now_ns: int) -> None:
        """Take one audio message; speech begins a stream when there is none."""
        # Without the lock: decoding minutes takes a while, and a stop must not wait for that.
        heard = None if self.state is State.STOPPED else self.intake.decode(audio)
        with self._lock:
            if self.state is State.STOPPED:
                self.ignored_packets += 1
                return
            due_ns = self._delay_ns + sounding_ns(audio.packet.stamp_ns, audio.arrival_ns)
            if self.state is not State.DISABLED and audio.arrival_ns >= self._muted_until_ns:
                if heard is not None and not self.talk.admits(heard.timing):
                    return
                if heard is not None and self._is_listening(heard):
                    placed_ns = self.intake.place(heard)
                    if placed_ns is None:
                        return
                    due_ns = placed_ns
                    self.gestures.utterance.note(heard.timing, due_ns, now_ns, self._delay_ns)
            self.audio_out.put(due_ns, audio, heard)

    def tick(self, now_ns: int) -> bool:
        """Do what is due, at most one window; return whether there is more to do at once."""
        with self._lock:
            self.body.tick(now_ns)
            self.gestures.tick(now_ns, self._host)
            if self.state is State.SPEAKING:
                self._keep_up(now_ns)
            run, rests = self._run, self.state not in UTTERING
            renews = rests and self._must_renew(now_ns)
            if rests and not renews and not self._may_play(now_ns):
                return False
            if not rests:
                if not self.stream.is_ready():
                    self._rest_if_settled(now_ns)
                    return False
                self.skipped_frames += skip_overdue(
                    self.stream, self.intake.clock, now_ns, self._problems)
            if not renews:
                self.body.begin_window()
        if renews:
            self._renew()
            return True
        # The lock is free here: a stop must not wait for a window.
        if rests:
            self._play(run)
            return False
        stream = self.stream
        result = stream.step()
        done_ns = self._now_ns()
        with self._lock:
            # Motion for a time that a jump of the clock has undone is nobody's any more.
            if run == self._run and done_ns >= now_ns - MAX_BACKWARD_NS:
                self.motion.deliver(result, done_ns)
            else:
                self.dropped_results += 1
            self.body.end_window(stream.robot)
        # After delivery and without the lock: nobody waits for a measurement.
        if self.meter is not None and result.face is not None and result.heard is not None:
            self.meter.add(result.heard, result.face.weights)
        return True

    def repeat(self, now_ns: int) -> None:
        """Publish the plan again if that is due; returns at once if the driver is busy.

        For another thread than the worker's, which may compute for longer than a plan may wait.
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
            if self.talk.config.stop_retracts:
                self.body.retract(self._now_ns())
            self.talk.states.take(Event.STOP)

    def reset(self, now_ns: int) -> None:
        """Brake if moving, forget all audio, and be ready for the next speech."""
        with self._lock:
            self._halt(now_ns)
            self.audio_out.clear()
            self._problems.forget()
            self.talk.gate.open()
            self.talk.states.take(Event.RESET)

    def enable(self, enabled: bool, now_ns: int) -> None:
        """Switch motion on or off; off brakes at once, the voice is still passed on."""
        with self._lock:
            if not enabled:
                self._halt(now_ns)
                self.talk.states.take(Event.DISABLE)
            else:
                self.talk.states.take(Event.ENABLE)

    def interrupt(self, now_ns: int) -> bool:
        """Break off what the robot says: be silent, brake, and go to the idle pose.

        Everything in flight is dropped, and so is what still comes of the same utterance. Return
        whether there was anything to break off.
        """
        with self._lock:
            if self.state not in UTTERING:
                return False
            self.talk.refuse_rest(self.intake.clock, now_ns)
            self._halt(now_ns)
            self.audio_out.clear()
            self.body.retract(self._now_ns())
            return self.talk.states.take(Event.INTERRUPT)

    def hear_other(self, cue: Cue, now_ns: int) -> None:
        """Take note of what somebody else does."""
        with self._lock:
            if self.talk.hear(cue, self.intake.clock, now_ns - self._delay_ns):
                self.interrupt(now_ns)

    def yield_joints(self, names: frozenset[str], now_ns: int) -> str:
        """Let other nodes own these joints and no others; return why not, empty if it is so."""
        with self._lock:
            return self.body.yield_joints(names, now_ns)

    def fail(self, now_ns: int) -> None:
        """Brake after an error of the stream; the next speech gets a new one."""
        with self._lock:
            self._broken = True
            self.body.end_window(self.stream.robot)
            self._muted_until_ns = now_ns + MUTED_NS
            self._halt(now_ns)
            self.talk.states.take(Event.FAIL)

    def forget_time(self) -> None:
        """Drop every plan, because ROS time jumped and its times mean nothing any more."""
        with self._lock:
            self._run += 1
            self._muted_until_ns = 0
            self.talk.gate.open()
            self.intake.end()
            self.audio_out.clear()
            self.face.clear()
            self.body.forget()
            self.gestures.cancel('ROS time jumped')
            self.talk.presence.forget_time()
            self.talk.states.take(Event.FAIL)

    def _must_renew(self, now_ns: int) -> bool:
        """Return whether a stream is to be made for other choices, or after an error."""
        self.talk.end_if_at_rest(now_ns)
        if not (self._broken or self.talk.has_changed or self._wanted != self._config):
            return False
        self.talk.end(now_ns)
        return self._broken or not self.body.is_moving(now_ns)

    def _may_play(self, now_ns: int) -> bool:
        """Return whether a piece of idle motion is to be computed."""
        if self.talk.has_changed or self._wanted != self._config or not self.talk.is_wanted():
            self.talk.end(now_ns)
            return False
        return self.talk.is_due(self.stream.robot, now_ns)

    def _play(self, run: int) -> None:
        """Compute a piece of idle motion without the lock, and give it out if it is still due."""
        joints, face = self.talk.compute(self.stream.robot)
        with self._lock:
            if run == self._run and self.talk.presence.runs:
                self.talk.presence.deliver(joints, face, self._now_ns())
            self.body.end_window(self.stream.robot)

    def _is_listening(self, heard: Heard) -> bool:
        """Return whether a stream runs that takes this packet; speech begins one."""
        if self.state is not State.SPEAKING and heard.timing.audible:
            self._begin(heard)
        return self.state is State.SPEAKING

    def _begin(self, heard: Heard) -> None:
        """Begin a new stream with its first packet."""
        if self._broken:
            self._renew()
        # Decoding minutes of audio takes a while, in which its motion must not become late.
        now_ns = self._now_ns()
        clock = self.intake.begin(heard.timing, now_ns, self._delay_ns, self._allowance_ns)
        self.talk.presence.end()
        self.motion.begin(self.stream, clock, heard.timing.arrival_ns, now_ns, self._config)
        self.gestures.begin(self.stream, clock.presentation_ns(0))
        if self.meter is not None:
            self.meter.reset()
        self.streams += 1
        self._run += 1
        self.talk.states.take(Event.SPEECH)

    def begin_with(self, silence: Heard, now_ns: int) -> bool:
        """Begin a stream with silence, for a gesture; return false if it must wait."""
        if now_ns < self._muted_until_ns:
            return False
        self._begin(silence)
        return self.intake.place(silence) is not None

    def _renew(self) -> None:
        """Make a stream for what is now wanted; in this moment a stop may come."""
        wanted = self._wanted
        stream = self._make_stream(wanted)
        allowance_ns = check_delay(stream, wanted)
        with self._lock:
            self.stream, self._allowance_ns = stream, allowance_ns
            if self._broken:
                # What came meanwhile would begin a stream that is late for good.
                self._muted_until_ns = max(self._muted_until_ns, self._now_ns())
            self._config, self._broken = wanted, False
            self.talk.renew(wanted)
            self.body.configure(wanted.output)

    def _keep_up(self, now_ns: int) -> None:
        """Feed what is due; after enough silence end the speech."""
        clock = self.intake.clock
        assert clock is not None
        self.intake.feed(self.stream, now_ns)
        # Somebody who speaks after the robot has been heard out has taken the turn.
        answered = self.talk.is_answered(clock, now_ns - self._delay_ns)
        silent = clock.is_silent(now_ns, round(self._config.output.idle_release_s * NS_PER_S))
        if answered or silent and not self.gestures.holds(now_ns):
            self.stream.finish()
            self.talk.states.take(Event.SILENCE)

    def _rest_if_settled(self, now_ns: int) -> None:
        if (self.state is State.SETTLING and self.stream.finished
                and not self.body.is_moving(now_ns) and not self.face.is_moving):
            self.intake.end()
            self.talk.states.take(Event.AT_REST)

    def _halt(self, now_ns: int) -> None:
        self._run += 1
        self.intake.end()
        self.talk.presence.end()
        self.gestures.cancel('the motion was broken off')
        self.body.stop(now_ns)
        self.talk.release_face(now_ns)
