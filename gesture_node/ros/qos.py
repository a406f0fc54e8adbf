"""Quality of service of every topic, in one place.

Audio is subscribed best-effort because that matches every publisher, with a queue deep enough for
bursts (REP-2003 asks sensors' consumers for the same). Plans are reliable and shallow: an old plan
is useless. State is latched.
"""
from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

AUDIO_DEPTH = 200


def audio_in(reliability: str) -> QoSProfile:
    """Return the profile of the audio subscription: ``best_effort`` or ``reliable``."""
    policy = ReliabilityPolicy.RELIABLE if reliability == 'reliable' else (
        ReliabilityPolicy.BEST_EFFORT)
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=AUDIO_DEPTH, reliability=policy)


AUDIO_OUT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=AUDIO_DEPTH,
                       reliability=ReliabilityPolicy.RELIABLE)
JOINT_STATES = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5,
                          reliability=ReliabilityPolicy.BEST_EFFORT)
JOINT_STATES_OUT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10,
                              reliability=ReliabilityPolicy.RELIABLE)
PLAN = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=2,
                  reliability=ReliabilityPolicy.RELIABLE)
FACE_FRAMES = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5,
                         reliability=ReliabilityPolicy.RELIABLE)
FACE_RECORD = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=200,
                         reliability=ReliabilityPolicy.RELIABLE)
"""For who must not miss a frame, as the recording simulator."""
LATCHED = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1,
                     reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)
DIAGNOSTICS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10,
                         reliability=ReliabilityPolicy.RELIABLE)
