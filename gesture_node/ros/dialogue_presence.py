"""Plays what an idle or listening robot does, piece by piece in ROS time. Knows no ROS.

All pieces lie on one grid of frames that begins when the node first rests, so the same seed gives
the same motion at the same frames, whatever was said in between. The body is played only while
the robot's joints are known, the face always.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..config import GestureConfig
from ..dialogue.presence import Presence
from ..latency import LatencyTracker
from ..robot_output import RobotOutput
from ..timeline import BODY_RATE_HZ, FACE_RATE_HZ, frame_to_ns, NS_PER_S
from ..types import BodyChunk, FaceChunk, Float32Array, JointChunk
from .body_output import BodyOutput
from .dialogue_config import DialogueConfig
from .face_output import FaceOutput

HOP_FRAMES, AHEAD_FRAMES = 8, 5
"""Body frames committed at once, and provisional ones."""
LEAD_NS = 160_000_000
"""A piece is computed so long before it is due, beyond the frozen horizon."""
_FRAME_NS = NS_PER_S // BODY_RATE_HZ
_FACE_PER_BODY = FACE_RATE_HZ // BODY_RATE_HZ

FaceSink = Callable[[FaceChunk, int], None]


class PresencePlayer:
    """Idle and listening motion of one robot.

    Args:
        idle_pose: shape (84,).
        gesture: seed and output choices.
        dialogue: budget and nods.
        body: where motion goes.
        face: where the face goes.
        face_sink: takes chunks of the face and when they begin.
    """

    def __init__(self, idle_pose: Float32Array, gesture: GestureConfig,
                 dialogue: DialogueConfig, body: BodyOutput, face: FaceOutput,
                 face_sink: FaceSink) -> None:
        self.pieces = 0
        self._idle_pose = idle_pose
        self._body, self._face, self._face_sink = body, face, face_sink
        self._latency = LatencyTracker()
        self._epoch_ns: int | None = None
        self._next_frame = self._first_frame = 0
        self._runs = self._moves = False
        self.configure(gesture, dialogue)

    @property
    def runs(self) -> bool:
        """Whether it plays."""
        return self._runs

    def configure(self, gesture: GestureConfig, dialogue: DialogueConfig) -> None:
        """Take other choices; only while it does not play."""
        self._gesture, self._dialogue = gesture, dialogue
        self._presence = Presence(self._idle_pose, gesture.seed, dialogue.motion_budget_rad,
                                  dialogue.nod_rad)

    def is_wanted(self, listens: bool) -> bool:
        """Return whether there is anything to play while idle or listening."""
        return self._dialogue.motion_budget_rad > 0.0 or (
            listens and self._dialogue.nod_rad > 0.0)

    def begin(self, now_ns: int) -> None:
        """Begin to play from where body and face are."""
        first_ns = now_ns + self._lead_ns
        if self._epoch_ns is None or now_ns < self._epoch_ns:
            self._epoch_ns = first_ns
        self._next_frame = max(self._next_frame, -((self._epoch_ns - first_ns) // _FRAME_NS))
        self._first_frame = self._next_frame
        self._runs, self._moves = True, False
        self._presence.begin(self._next_frame / BODY_RATE_HZ)
        self._face.begin(self._due_ns(self._next_frame))

    def end(self) -> None:
        """Stop playing; what was given out is played to its rest."""
        self._runs = self._moves = False

    def forget_time(self) -> None:
        """Begin another grid, because ROS time jumped."""
        self.end()
        self._epoch_ns, self._next_frame = None, 0
        self.configure(self._gesture, self._dialogue)

    def listen(self, listens: bool) -> None:
        """Be attentive from the next piece on, or idle."""
        if listens != self._presence.is_listening:
            self._presence.listen(listens, self._next_frame / BODY_RATE_HZ)

    def cue(self, kind: str) -> bool:
        """Take a ``pause`` or an ``accent`` of the other; return whether it gets a nod."""
        return self._runs and (
            self._presence.cue(kind, self._next_frame / BODY_RATE_HZ) is not None)

    def is_due(self, now_ns: int) -> bool:
        """Return whether another piece is to be computed."""
        return self._runs and self._due_ns(self._next_frame) < now_ns + self._lead_ns

    def prepare(self, robot: RobotOutput | None, now_ns: int) -> None:
        """Get ready for the next piece: catch up if it is late, begin to move if that may be."""
        late = (now_ns - self._due_ns(self._next_frame)) // _FRAME_NS
        if late > 0:
            frames = int(late) + 1
            self._next_frame += frames
            if self._moves and robot is not None:
                robot.skip(frames)
        if robot is None or not self._body.may_move(now_ns):
            self._moves = False
        elif not self._moves:
            start_ns = self._due_ns(self._next_frame)
            positions = self._body.begin(robot, start_ns, now_ns)
            robot.reset(positions, gently=True)
            self._body.carry_on(robot, start_ns)
            self._moves = True

    def compute(self, robot: RobotOutput | None) -> tuple[JointChunk | None, FaceChunk]:
        """Return the next piece: what the body does, if it may move, and the face."""
        frame, joints = self._next_frame, None
        if self._moves and robot is not None:
            poses = self._presence.body(frame, HOP_FRAMES + AHEAD_FRAMES)
            joints = robot.step(BodyChunk(frame, poses, HOP_FRAMES, BODY_RATE_HZ), self._latency)
        first = frame * _FACE_PER_BODY
        weights = self._presence.face(first, HOP_FRAMES * _FACE_PER_BODY)
        begun = self._first_frame * _FACE_PER_BODY
        return joints, FaceChunk(first - begun, np.asarray(weights, np.float32), FACE_RATE_HZ)

    def deliver(self, joints: JointChunk | None, face: FaceChunk, now_ns: int) -> None:
        """Give out a piece that was computed and not thrown away."""
        assert self._epoch_ns is not None
        if joints is not None:
            self._body.extend(joints, self._epoch_ns, now_ns)
        start_ns = self._due_ns(self._first_frame)
        chunk = self._face.extend(face, start_ns)
        self._face_sink(chunk, start_ns + frame_to_ns(chunk.first_frame, chunk.rate_hz))
        self._next_frame += HOP_FRAMES
        self.pieces += 1

    @property
    def _lead_ns(self) -> int:
        return LEAD_NS + round(self._gesture.output.frozen_horizon_s * NS_PER_S)

    def _due_ns(self, frame: int) -> int:
        assert self._epoch_ns is not None
        return self._epoch_ns + frame * _FRAME_NS
