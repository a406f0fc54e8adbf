"""``python -m gesture_node.ros.recorder FILE.mcap``: writes every topic of its domain into MCAP.

Messages are kept as they came, serialised, with the definition of their type beside them, so the
file opens in Foxglove and in every reader of MCAP. Times are ROS time of arrival, which the
middleware notes, so the recorder may fetch messages in its own time and disturb nobody.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
import sys
import time
from typing import Any, TYPE_CHECKING

from mcap.writer import CompressionType, Writer
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosbags.typesys import get_typestore, Stores

from ..exceptions import SimulationError
from ..version import version
from .runner import run_node

if TYPE_CHECKING:
    from rclpy.subscription import MessageInfo

_SEARCH_PERIOD_S = 0.1
_REST_S = 0.04
_DEPTH = 500
_HIDDEN = ('/rosout', '/parameter_events')
_ENCODING = 'cdr'


class Recorder(Node):
    """Subscribes whatever is published and writes it down.

    Args:
        path: file to write.

    Raises:
        SimulationError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__('recorder')
        self.done = False
        self._channels: dict[str, int] = {}
        self._unknown: set[str] = set()
        self._counts: dict[int, int] = {}
        self._types = get_typestore(Stores.ROS2_JAZZY)
        try:
            self._file = path.open('wb')
        except OSError as error:
            raise SimulationError(f'cannot write the recording {str(path)!r}: '
                                  f'{error.strerror}') from error
        self._writer = Writer(self._file, compression=CompressionType.LZ4)
        self._writer.start(profile='ros2', library=f'gesture_node {version()}')

    def start(self) -> None:
        """Look for topics from now on."""
        self.create_timer(_SEARCH_PERIOD_S, self._find,
                          clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Write the index; without it the file is hard to open."""
        finish: Callable[[], None] = self._writer.finish  # mcap leaves it untyped
        finish()
        self._file.close()
        self.get_logger().info(f'recorded {sum(self._counts.values())} messages of '
                               f'{len(self._channels)} topics')

    def _find(self) -> None:
        for topic, types in self.get_topic_names_and_types():
            if topic not in self._channels and topic not in _HIDDEN and len(types) == 1:
                self._subscribe(topic, types[0])

    def _subscribe(self, topic: str, type_name: str) -> None:
        publishers = self.get_publishers_info_by_topic(topic)
        if not publishers or type_name in self._unknown:
            return
        try:
            definition, _ = self._types.generate_msgdef(type_name, ros_version=2)
            message_class = _message_class(type_name)
        except Exception as error:  # rosbags and importlib raise many kinds
            self._unknown.add(type_name)
            self.get_logger().warning(f'{topic} is not recorded: {type_name} is not known here '
                                      f'({type(error).__name__})')
            return
        schema = self._writer.register_schema(type_name, 'ros2msg', definition.encode())
        channel = self._writer.register_channel(topic, _ENCODING, schema)
        self._channels[topic] = channel
        self._counts[channel] = 0
        latched = all(item.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
                      for item in publishers)
        reliable = all(item.qos_profile.reliability == ReliabilityPolicy.RELIABLE
                       for item in publishers)
        self.create_subscription(
            message_class, topic, partial(self._write, channel), raw=True,
            qos_profile=QoSProfile(
                history=HistoryPolicy.KEEP_LAST, depth=_DEPTH,
                reliability=(ReliabilityPolicy.RELIABLE if reliable
                             else ReliabilityPolicy.BEST_EFFORT),
                durability=(DurabilityPolicy.TRANSIENT_LOCAL if latched
                            else DurabilityPolicy.VOLATILE)))

    def _write(self, channel: int, data: bytes, info: MessageInfo) -> None:
        waited_ns = time.time_ns() - int(info.get('received_timestamp') or time.time_ns())
        now_ns = int(self.get_clock().now().nanoseconds)
        arrival_ns = max(0, now_ns - max(0, waited_ns))
        self._writer.add_message(channel, log_time=arrival_ns, publish_time=arrival_ns, data=data,
                                 sequence=self._counts[channel])
        self._counts[channel] += 1


def _message_class(type_name: str) -> Any:
    package, _, name = type_name.split('/')
    return getattr(import_module(f'{package}.msg'), name)


def main(arguments: list[str] | None = None) -> int:
    """Record until a signal comes; return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        print('usage: python -m gesture_node.ros.recorder FILE.mcap', file=sys.stderr)
        return 2
    return run_node(lambda: Recorder(Path(given[0])), [], _REST_S)


if __name__ == '__main__':
    sys.exit(main())
