"""Places the motion of speech on ROS time and gives it out. Knows no ROS.

Body and face belong to the sound of their stream time; each may be shown earlier than it, by the
lead of its channel.
"""
from __future__ import annotations

from typing import Protocol

from ..config import GestureConfig
from ..stream import GestureStream
from ..timeline import frame_to_ns, NS_PER_S
from ..types import FaceChunk, StepResult
from .body_output import BodyOutput
from .face_output import FaceOutput
from .lead import lead_ns, LeadMeter
from .presentation import PresentationClock
from .problems import ProblemLog


class FaceSink(Protocol):
    """Takes chunks of the face as soon as they are known."""

    def publish_face_chunk(self, chunk: FaceChunk, first_ns: int) -> None:
        """Publish frames whose first is shown at ROS time ``first_ns``."""


def skip_overdue(stream: GestureStream, clock: PresentationClock | None, now_ns: int,
                 problems: ProblemLog) -> int:
    """Leave out motion that could only be computed when its time is over.

    Args:
        stream: what computes the motion.
        clock: places it on ROS time.
        now_ns: ROS time.
        problems: is told.

    Returns:
        How many frames were left out.
    """
    assert clock is not None
    skipped = stream.skip_overdue((now_ns - clock.presentation_ns(0)) / NS_PER_S)
    if skipped:
        problems.report('overload', (
            f'{skipped} frames were skipped, since they could not be computed in time; raise '
            'body.hop_s or output.presentation_delay_s, or free the processor'))
    return skipped


class SpeechMotion:
    """Where the motion of one stream goes, and when.

    Args:
        body: where the motion of the robot goes.
        face: holds the face until it is shown.
        face_sink: takes chunks of the face at once.

    Attributes:
        leads: how long before its time motion was at hand.
        first_motion_ms, first_face_ms: from the first speech of the stream to its first motion.
    """

    def __init__(self, body: BodyOutput, face: FaceOutput, face_sink: FaceSink) -> None:
        self.leads = LeadMeter()
        self.first_motion_ms = self.first_face_ms = 0.0
        self._body, self._face, self._face_sink = body, face, face_sink
        self._body_start_ns = self._face_start_ns = 0
        self._heard_ns = 0
        self._has_moved = self._has_spoken = False

    def begin(self, stream: GestureStream, clock: PresentationClock, heard_ns: int, now_ns: int,
              config: GestureConfig) -> None:
        """Prepare for a new stream, and reset it to where the robot is.

        Args:
            stream: what computes the motion.
            clock: places it on ROS time.
            heard_ns: ROS time at which its first speech arrived.
            now_ns: ROS time.
            config: the choices of the stream.
        """
        start_ns = clock.presentation_ns(0)
        self._face_start_ns = start_ns - lead_ns(config, 'face')
        self._body_start_ns = start_ns - lead_ns(config, 'body')
        self._face.begin(self._face_start_ns)
        stream.reset(self._body.begin(stream.robot, self._body_start_ns, now_ns))
        self._body.carry_on(stream.robot, self._body_start_ns)
        self._heard_ns = heard_ns
        self._has_moved = self._has_spoken = False

    def deliver(self, result: StepResult, now_ns: int) -> None:
        """Give out what one window has committed."""
        if result.face is not None:
            chunk = self._face.extend(result.face, self._face_start_ns)
            first_ns = self._face_start_ns + frame_to_ns(chunk.first_frame, chunk.rate_hz)
            self._face_sink.publish_face_chunk(chunk, first_ns)
            self.leads.note('face', first_ns, now_ns)
            if not self._has_spoken:
                self._has_spoken = True
                self.first_face_ms = (now_ns - self._heard_ns) / 1e6
        if result.joints is not None:
            knots = result.joints
            self.leads.note('body', self._body_start_ns + frame_to_ns(
                knots.first_knot, knots.rate_hz), now_ns)
            if self._body.extend(knots, self._body_start_ns, now_ns) and not self._has_moved:
                self._has_moved = True
                self.first_motion_ms = (now_ns - self._heard_ns) / 1e6
