"""The topics of gestures: ``gesture_request`` in, ``~/gesture_result`` out."""
from __future__ import annotations

from collections.abc import Callable
import importlib
import json
from typing import Any

import numpy as np
from rclpy.lifecycle import LifecycleNode
from rclpy.time import Time
from std_msgs.msg import String

from ..exceptions import RequestError
from ..gestures.choice import GestureChooser
from ..gestures.library import load_library
from ..motion.robot import RobotProfile
from ..motion.rotations import matrix_from_quaternion
from ..types import Float32Array
from . import qos
from .gesture_desk import GestureDesk, Result


class FrameTransforms:
    """Points of other frames, by tf2 where it is installed; listens once it is asked.

    Args:
        node: that listens.
        root: link in whose frame targets are wanted.
    """

    def __init__(self, node: LifecycleNode, root: str) -> None:
        self._node, self._root = node, root
        self._buffer: Any = None
        self._listener: Any = None

    def __call__(self, frame: str, target: tuple[float, ...]) -> tuple[float, ...] | None:
        """Return a point in the frame of the root link [m], ``None`` while that is not known.

        Raises:
            RequestError: tf2 is not installed.
        """
        if frame == self._root:
            return target
        if self._buffer is None:
            self._listen(frame)
        try:
            found = self._buffer.lookup_transform(self._root, frame, Time()).transform
        except Exception:  # tf2 has an exception of its own for every reason; all mean not yet
            return None
        turn, shift = found.rotation, found.translation
        rotation = matrix_from_quaternion(np.array([turn.w, turn.x, turn.y, turn.z]))
        point = rotation @ np.array(target) + np.array([shift.x, shift.y, shift.z])
        return float(point[0]), float(point[1]), float(point[2])

    def _listen(self, frame: str) -> None:
        try:
            tf2 = importlib.import_module('tf2_ros')
        except ImportError as error:
            raise RequestError(f'targets in the frame {frame!r} need the package tf2_ros; without '
                               f'it they are given in {self._root!r}') from error
        self._buffer = tf2.Buffer()
        self._listener = tf2.TransformListener(self._buffer, self._node)

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None and hasattr(self._listener, 'unregister'):
            self._listener.unregister()
        self._buffer = self._listener = None


class GestureTopics:
    """Requests in, answers out; only while the node is active.

    Args:
        node: whose topics these are.
        profile: the robot; ``None`` shows no gestures.
        library_file: of gestures; empty takes the one that ships.
        idle_pose: shape (84,).
        now_ns: reads ROS time [ns].

    Attributes:
        desk: to be given to the driver.

    Raises:
        RequestError: the library cannot be used.
    """

    def __init__(self, node: LifecycleNode, profile: RobotProfile | None, library_file: str,
                 idle_pose: Float32Array, now_ns: Callable[[], int]) -> None:
        self._node, self._now_ns = node, now_ns
        library = load_library(library_file)
        self._frames = FrameTransforms(node, '' if profile is None else profile.root.link)
        self._results = node.create_lifecycle_publisher(String, '~/gesture_result',
                                                        qos.own(qos.GESTURE_RESULTS))
        self._subscription: Any = None
        self.desk = GestureDesk(lambda: GestureChooser(library, profile, idle_pose),
                                self._publish, self._frames)

    def start(self, wake: Callable[[], None]) -> None:
        """Listen to requests.

        Args:
            wake: called for each, so that it is looked at at once.
        """
        def ask(message: String) -> None:
            self.desk.ask(message.data, self._now_ns())
            wake()

        self._subscription = self._node.create_subscription(
            String, 'gesture_request', ask, qos.own(qos.GESTURE_REQUESTS))

    def halt(self) -> None:
        """Listen no more."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def close(self) -> None:
        """Take everything off the graph."""
        self.halt()
        self._frames.close()
        self._node.destroy_lifecycle_publisher(self._results)

    def _publish(self, result: Result) -> None:
        self._results.publish(String(data=json.dumps(result)))
