"""Speech in, body and face out, on one clock, on any humanoid, in real time.

The library needs neither ROS nor a training framework; ``gesture_node.ros`` wraps it as a node.
"""
from .config import GestureConfig
from .exceptions import GestureError
from .pipeline import GesturePipeline
from .stream import GestureStream
from .types import BodyChunk, FaceChunk, JointChunk, StepResult

__all__ = ['BodyChunk', 'FaceChunk', 'GestureConfig', 'GestureError', 'GesturePipeline',
           'GestureStream', 'JointChunk', 'StepResult']
