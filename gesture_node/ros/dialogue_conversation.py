"""The half of the driver that is not speech: states, idle motion, what is dropped. Knows no ROS.

The driver calls everything here while it holds its lock, but for :meth:`Conversation.compute`.
"""
from __future__ import annotations

from ..config import GestureConfig
from ..dialogue.other_voice import Cue
from ..dialogue.states import DialogueStates, Event, RESTING, State
from ..dialogue.utterance_gate import UtteranceGate
from ..robot_output import RobotOutput
from ..timeline import NS_PER_S
from ..types import FaceChunk, Float32Array, JointChunk
from .body_output import BodyOutput
from .dialogue_config import DialogueConfig
from .dialogue_presence import FaceSink, PresencePlayer
from .face_output import FaceOutput
from .presentation import PacketTiming, PresentationClock

TURN_NS = NS_PER_S
"""Silence of the robot after which somebody else who speaks has taken the turn."""


class Conversation:
    """What one robot does besides what it says.

    Args:
        idle_pose: shape (84,).
        gesture: seed and output choices.
        dialogue: budget, nods, pauses.
        interruptible: whether somebody else who begins to speak ends what the robot says.
        body: where motion goes.
        face: where the face goes.
        face_sink: takes chunks of the face and when they begin.
    """

    def __init__(self, idle_pose: Float32Array, gesture: GestureConfig, dialogue: DialogueConfig,
                 interruptible: bool, body: BodyOutput, face: FaceOutput,
                 face_sink: FaceSink) -> None:
        self.states = DialogueStates()
        self.gate = UtteranceGate(dialogue.utterance_pause_s)
        self.presence = PresencePlayer(idle_pose, gesture, dialogue, body, face, face_sink)
        self.interruptible = interruptible
        self.interruptions = 0
        self._dialogue = self._wanted = dialogue
        self._body, self._face, self._face_sink = body, face, face_sink

    @property
    def config(self) -> DialogueConfig:
        """The choices in force."""
        return self._dialogue

    @property
    def has_changed(self) -> bool:
        """Whether other choices wait for the robot to rest."""
        return self._wanted != self._dialogue

    def configure(self, dialogue: DialogueConfig, interruptible: bool) -> None:
        """Take other choices once the robot rests; barge-in at once."""
        self._wanted, self.interruptible = dialogue, interruptible
        self.gate.pause_s = dialogue.utterance_pause_s

    def renew(self, gesture: GestureConfig) -> None:
        """Let the choices that were waiting take effect."""
        self._dialogue = self._wanted
        self.presence.end()
        self.presence.configure(gesture, self._dialogue)

    def admits(self, timing: PacketTiming) -> bool:
        """Return whether a packet is no part of an utterance that was interrupted."""
        return self.gate.admits(timing.audible, timing.arrival_ns,
                                timing.samples * NS_PER_S // timing.sample_rate)

    def refuse_rest(self, clock: PresentationClock | None, now_ns: int) -> None:
        """Drop what still comes of an utterance that is interrupted now."""
        silent_ns = 0 if clock is None else max(0, clock.silent_ns(now_ns))
        self.gate.close(now_ns - silent_ns)
        self.interruptions += 1

    def is_answered(self, clock: PresentationClock, heard_ns: int) -> bool:
        """Return whether somebody speaks who has heard the robot out.

        Args:
            clock: of the running stream.
            heard_ns: ROS time at which the sound began to exist that is heard now.
        """
        return self.states.other_speaks and clock.silent_ns(heard_ns) >= TURN_NS

    def hear(self, cue: Cue, clock: PresentationClock | None, heard_ns: int) -> bool:
        """Take note of what somebody else does; return whether the robot is to be interrupted.

        Args:
            cue: what was heard.
            clock: of the running stream, if there is one.
            heard_ns: ROS time at which the sound began to exist that is heard now.
        """
        if cue is Cue.BEGINS:
            self.states.take(Event.OTHER_SPEAKS)
            return self.interruptible and self.states.state is State.SPEAKING and (
                clock is not None and clock.silent_ns(heard_ns) <= 0)
        if cue is Cue.ENDS:
            self.states.take(Event.OTHER_SILENT)
        elif self.states.state is State.LISTENING:
            self.presence.cue(cue.value)
        return False

    def end_if_at_rest(self, now_ns: int) -> None:
        """Leave ``interrupted`` once body and face have come to rest."""
        if self.states.state is State.INTERRUPTED and not (
                self._body.is_moving(now_ns) or self._face.is_moving):
            self.states.take(Event.AT_REST)

    def is_wanted(self) -> bool:
        """Return whether the robot is to show that it idles or listens."""
        state = self.states.state
        return state in RESTING and self.presence.is_wanted(state is State.LISTENING)

    def end(self, now_ns: int) -> None:
        """End idle motion: the body comes to rest as planned, the face relaxes."""
        if self.presence.runs:
            self.presence.end()
            self.release_face(now_ns)

    def is_due(self, robot: RobotOutput | None, now_ns: int) -> bool:
        """Begin idle motion if need be; return whether a piece of it is to be computed."""
        presence = self.presence
        if not presence.runs:
            if self._body.is_moving(now_ns) or self._face.is_moving:
                return False
            presence.begin(now_ns)
        presence.listen(self.states.state is State.LISTENING)
        if not presence.is_due(now_ns):
            return False
        presence.prepare(robot, now_ns)
        return True

    def compute(self, robot: RobotOutput | None) -> tuple[JointChunk | None, FaceChunk]:
        """Return the next piece of idle motion."""
        return self.presence.compute(robot)

    def release_face(self, now_ns: int) -> None:
        """Relax the face from what is shown now."""
        chunk = self._face.release(now_ns)
        if chunk is not None:
            self._face_sink(chunk, now_ns)
