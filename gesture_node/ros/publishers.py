"""The node's outputs; nothing is published here that was not decided elsewhere."""
from __future__ import annotations

from typing import Any

from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from ..motion.profile_interface import Controller
from ..motion.trajectory import TrajectoryMessage
from ..motion.trajectory_controllers import message_for
from ..types import FaceChunk, Float32Array
from . import qos
from .audio_messages import AudioType
from .conversions import face_state, face_trajectory, joint_trajectory


class MotionPublishers:
    """Publishes body, face and delayed audio; only while the node is active.

    Args:
        node: whose names and namespaces are used.
        controllers: trajectory controllers that get a message of their own; the whole plan is
            then published for whoever else listens, such as adapters and recorders.
        joint_names: joints of the whole plan.
    """

    def __init__(self, node: LifecycleNode, controllers: tuple[Controller, ...] = (),
                 joint_names: tuple[str, ...] = ()) -> None:
        self._node, self._joint_names = node, joint_names
        overriding = qos.overridable()
        self._trajectory = node.create_lifecycle_publisher(
            JointTrajectory, 'joint_trajectory', qos.own(qos.PLAN),
            qos_overriding_options=overriding)
        self._controllers = [(controller, node.create_lifecycle_publisher(
            JointTrajectory, controller.topic, qos.own(qos.PLAN),
            qos_overriding_options=overriding)) for controller in controllers]
        self._built_of: TrajectoryMessage | None = None
        self._built: list[tuple[Any, JointTrajectory]] = []
        self._face_chunks = node.create_lifecycle_publisher(
            JointTrajectory, 'face/trajectory', qos.own(qos.PLAN),
            qos_overriding_options=overriding)
        self._face_frames = node.create_lifecycle_publisher(
            JointState, 'face/blendshapes', qos.own(qos.FACE_FRAMES),
            qos_overriding_options=overriding)
        self._audio: Any = None
        self._audio_type: AudioType | None = None
        self.trajectories = 0
        self._left: set[Any] = set()

    def publish_trajectory(self, message: TrajectoryMessage) -> None:
        """Publish a plan of the body; converted once for all its copies."""
        if message is not self._built_of:
            self._built_of = message
            self._built = [(publisher, joint_trajectory(message_for(controller, message)))
                           for controller, publisher in self._controllers]
            # Converting costs more than sending: what nobody takes is not made.
            if not self._built or self._trajectory.get_subscription_count():
                self._built.append((self._trajectory, joint_trajectory(message)))
        for publisher, converted in self._built:
            if publisher not in self._left:
                publisher.publish(converted)
        self.trajectories += 1

    def leave(self, joints: frozenset[str]) -> None:
        """Publish no more for controllers all of whose joints are among these."""
        self._left = {publisher for controller, publisher in self._controllers
                      if joints.issuperset(controller.joints)}
        if self._joint_names and joints.issuperset(self._joint_names):
            self._left.add(self._trajectory)

    def publish_face_chunk(self, chunk: FaceChunk, first_ns: int) -> None:
        """Publish frames of the face as soon as they are known."""
        self._face_chunks.publish(face_trajectory(chunk, first_ns))

    def publish_face_frame(self, weights: Float32Array, shown_ns: int) -> None:
        """Publish the frame that is to be shown now."""
        self._face_frames.publish(face_state(weights, shown_ns))

    def set_audio_type(self, kind: AudioType) -> None:
        """Pass audio on as messages of this type from now on."""
        if kind != self._audio_type:
            self.close_audio()
            self._audio_type = kind
            self._audio = self._node.create_publisher(
                kind.load(), 'audio_out', qos.own(qos.AUDIO_OUT),
                qos_overriding_options=qos.overridable())

    def publish_audio(self, message: Any, heard_ns: int) -> None:
        """Pass an audio message on, stamped with the time at which it is to be heard."""
        if self._audio_type is not None and isinstance(message, self._audio_type.load()):
            self._audio.publish(self._audio_type.restamp(message, heard_ns))

    def close_audio(self) -> None:
        """Stop passing audio on."""
        if self._audio is not None:
            self._node.destroy_publisher(self._audio)
        self._audio, self._audio_type = None, None

    def close(self) -> None:
        """Take the publishers off the graph."""
        self.close_audio()
        controllers = [publisher for _, publisher in self._controllers]
        for publisher in (self._trajectory, self._face_chunks, self._face_frames, *controllers):
            self._node.destroy_lifecycle_publisher(publisher)
