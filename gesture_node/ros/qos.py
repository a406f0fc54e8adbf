"""Quality of service of every topic, in one place.

Audio is subscribed best-effort because that matches every publisher, with a queue deep enough for
bursts (REP-2003 asks sensors' consumers for the same). Plans are reliable and shallow: an old plan
is useless. State is latched.

History, depth and reliability of every data topic can be overridden by the parameters
``qos_overrides.<topic>.publisher.<policy>`` and ``.subscription.<policy>`` with the topic's full
name, as ROS defines them.
"""
from __future__ import annotations

from copy import copy

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions

AUDIO_DEPTH = 200


def audio_in(reliability: str) -> QoSProfile:
    """Return the profile of the audio subscription: ``best_effort`` or ``reliable``."""
    policy = ReliabilityPolicy.RELIABLE if reliability == 'reliable' else (
        ReliabilityPolicy.BEST_EFFORT)
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=AUDIO_DEPTH, reliability=policy)


def overridable() -> QoSOverridingOptions:
    """Return the options that let history, depth and reliability of a topic be overridden."""
    return QoSOverridingOptions.with_default_policies()


def own(profile: QoSProfile) -> QoSProfile:
    """Return a copy of a profile; ROS writes what is overridden into the profile it is given."""
    return copy(profile)


def overridden_reliability(node: Node, topic: str) -> str | None:
    """Return the reliability that a subscription is given by a parameter, if it is.

    Args:
        node: whose parameter overrides are looked at.
        topic: full name of the topic.
    """
    given = getattr(node, '_parameter_overrides', {})
    parameter = given.get(f'qos_overrides.{topic}.subscription.reliability')
    return None if parameter is None else str(parameter.value)


def overridable_audio(node: Node, topic: str) -> QoSOverridingOptions:
    """Return the options of an audio subscription, whose reliability may follow its publishers.

    ROS takes the parameter of an earlier subscription over the profile of the next one. The
    reliability is therefore declared only where it is given; otherwise it could never change.
    """
    kinds = [QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH]
    if overridden_reliability(node, topic) is not None:
        kinds.append(QoSPolicyKind.RELIABILITY)
    return QoSOverridingOptions(policy_kinds=kinds)


AUDIO_OUT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=AUDIO_DEPTH,
                       reliability=ReliabilityPolicy.RELIABLE)
JOINT_STATES = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5,
                          reliability=ReliabilityPolicy.BEST_EFFORT)
JOINT_STATES_OUT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10,
                              reliability=ReliabilityPolicy.RELIABLE)
PLAN = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=2,
                  reliability=ReliabilityPolicy.RELIABLE)
COMMANDS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1,
                      reliability=ReliabilityPolicy.RELIABLE)
"""Positions that are sampled at a fixed rate: only the newest counts."""
FACE_FRAMES = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5,
                         reliability=ReliabilityPolicy.RELIABLE)
FACE_RECORD = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=200,
                         reliability=ReliabilityPolicy.RELIABLE)
"""For who must not miss a frame, as the recording simulator."""
LATCHED = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1,
                     reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)
VOICES = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10,
                    reliability=ReliabilityPolicy.RELIABLE)
"""Which voices are there, and whether they speak: said on change, by whoever detects them."""
GESTURE_REQUESTS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=50,
                              reliability=ReliabilityPolicy.RELIABLE)
GESTURE_RESULTS = GESTURE_REQUESTS
DIAGNOSTICS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10,
                         reliability=ReliabilityPolicy.RELIABLE)
