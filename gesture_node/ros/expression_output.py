"""The face in the formats of others: action units, expression, visemes, Live Link packets.

Each is a reading of the frame that ``face/blendshapes`` shows, published with the same stamp.
``hri_msgs`` need not be installed.
"""
from __future__ import annotations

from array import array
import importlib
from typing import Any

import numpy as np
from rclpy.lifecycle import LifecycleNode

from ..exceptions import ConfigError
from ..face_formats.action_units import action_units, AU_COUNT, KNOWN_CODES
from ..face_formats.affect import Affect, AffectMeter
from ..face_formats.visemes import VISEME_NAMES, visemes
from ..timeline import NS_PER_S
from ..types import Float32Array
from . import qos
from .conversions import to_time
from .livelink_output import LiveLinkOutput
from .node_config import FaceOutputConfig
from .optional_messages import load_message, MissingMessageError
from .problems import ProblemLog

ACTION_UNITS_TYPE = ('hri_msgs/msg/FacialActionUnits', 'intensity')
EXPRESSION_TYPE = ('hri_msgs/msg/Expression', 'valence')
EXPRESSION_PERIOD_NS = NS_PER_S // 5
EXPRESSION_AFTER_NS = 3 * NS_PER_S
"""The expression of a face that stands still is published for so long after its last frame."""


class FaceFormats:
    """Publishers of everything but blendshapes; those not asked for do not exist.

    Args:
        node: whose names and namespaces are used.
        config: what is asked for.
        problems: takes what is wrong while sending.

    Raises:
        ConfigError: a message that is always wanted is not installed, or the address of the
            avatar cannot be used.
    """

    def __init__(self, node: LifecycleNode, config: FaceOutputConfig,
                 problems: ProblemLog) -> None:
        self._node = node
        self._meter = AffectMeter()
        self._units: Float32Array | None = None
        self._frame_ns = 0
        self._expressed_ns: int | None = None
        self._units_class = _wanted('face.action_units', config.action_units, ACTION_UNITS_TYPE)
        self._expression_class = _wanted('face.expression', config.expression, EXPRESSION_TYPE)
        self.livelink = LiveLinkOutput(config.livelink_address, config.livelink_subject,
                                       problems) if config.livelink_address else None
        self._publishers: list[Any] = []
        self._action_units = self._create(self._units_class, 'face/action_units')
        self._expression = self._create(self._expression_class, 'face/expression')
        self._visemes = self._create(
            importlib.import_module('std_msgs.msg').Float32MultiArray if config.visemes else None,
            'face/visemes')

    def publish(self, weights: Float32Array, shown_ns: int) -> None:
        """Publish the frame that is to be shown now: weights ``(52,)`` and its time."""
        if self.livelink is not None:
            self.livelink.send(weights, shown_ns)
        if self._visemes is not None:
            self._visemes.publish(viseme_message(visemes(weights), shown_ns))
        if self._action_units is None and self._expression is None:
            return
        self._units, self._frame_ns = action_units(weights), shown_ns
        if self._action_units is not None:
            self._action_units.publish(
                action_unit_message(self._units_class, self._units, shown_ns))
        if self._expression is not None:
            self._meter.add(self._units, shown_ns)

    def tick(self, now_ns: int) -> None:
        """Publish the expression when it is time, also while the last frame stands."""
        if self._expression is None or self._units is None:
            return
        last_ns = self._expressed_ns
        if last_ns is not None and 0 <= now_ns - last_ns < EXPRESSION_PERIOD_NS:
            return
        if now_ns - self._frame_ns > EXPRESSION_AFTER_NS:
            self._units = None
            return
        self._expressed_ns = now_ns
        self._expression.publish(expression_message(
            self._expression_class, self._meter.add(self._units, now_ns), now_ns))

    def close(self) -> None:
        """Take the publishers off the graph and close the socket."""
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()
        self._action_units = self._expression = self._visemes = None
        if self.livelink is not None:
            self.livelink.close()
            self.livelink = None

    def _create(self, kind: type[Any] | None, topic: str) -> Any:
        if kind is None:
            return None
        publisher = self._node.create_lifecycle_publisher(
            kind, topic, qos.own(qos.FACE_FRAMES), qos_overriding_options=qos.overridable())
        self._publishers.append(publisher)
        return publisher


def action_unit_message(kind: Any, units: Float32Array, shown_ns: int) -> Any:
    """Return ``hri_msgs/FacialActionUnits``; confidence is 1 for what blendshapes can show."""
    confidence = np.zeros(AU_COUNT, np.float32)
    confidence[list(KNOWN_CODES)] = 1.0
    message = kind()
    message.header.stamp = to_time(shown_ns)
    message.intensity, message.confidence = units, confidence
    return message


def expression_message(kind: Any, affect: Affect, shown_ns: int) -> Any:
    """Return ``hri_msgs/Expression`` with name, valence, arousal and confidence."""
    message = kind()
    message.header.stamp = to_time(shown_ns)
    message.expression = affect.expression
    message.valence, message.arousal = affect.valence, affect.arousal
    message.confidence = affect.confidence
    return message


def viseme_message(shares: Float32Array, shown_ns: int) -> Any:
    """Return ``std_msgs/Float32MultiArray`` with 15 shares and the time in its layout."""
    messages = importlib.import_module('std_msgs.msg')
    message = messages.Float32MultiArray(data=array('f', shares.tobytes()))
    message.layout.dim = [messages.MultiArrayDimension(label=label, size=size) for label, size in (
        ('visemes', len(VISEME_NAMES)), ('stamp_sec', shown_ns // NS_PER_S),
        ('stamp_nanosec', shown_ns % NS_PER_S))]
    return message


def _wanted(parameter: str, choice: str, kind: tuple[str, str]) -> type[Any] | None:
    """Return the class of an output, ``None`` if it is not wanted or, by ``auto``, not there."""
    if choice == 'never':
        return None
    try:
        return load_message(*kind)
    except MissingMessageError as error:
        if choice == 'always':
            raise ConfigError(f'parameter {parameter} is always, but {error}') from None
        return None
