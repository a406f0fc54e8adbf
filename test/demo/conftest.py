"""Recordings written by hand: what the demo's measurements are checked against."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mcap.writer import Writer
import pytest
from rosbags.typesys import get_typestore, Stores

from gesture_node.demo.recording import DemoRecording

TYPES = get_typestore(Stores.ROS2_JAZZY)
Messages = list[tuple[str, int, Any]]


def stamp(time_ns: int) -> Any:
    time = TYPES.types['builtin_interfaces/msg/Time']
    return time(sec=time_ns // 10**9, nanosec=time_ns % 10**9)


def header(time_ns: int) -> Any:
    return TYPES.types['std_msgs/msg/Header'](stamp=stamp(time_ns), frame_id='')


@pytest.fixture
def make() -> SimpleNamespace:
    return SimpleNamespace(types=TYPES.types, header=header, stamp=stamp)


@pytest.fixture
def record(tmp_path: Path) -> Callable[[Messages], DemoRecording]:
    """Return a function that writes (topic, arrival [ns], message) to MCAP and reads it back."""
    def write(messages: Messages) -> DemoRecording:
        path = tmp_path / 'recording.mcap'
        channels: dict[str, int] = {}
        with path.open('wb') as file:
            writer = Writer(file)
            writer.start(profile='ros2')
            for topic, at_ns, message in messages:
                name = message.__msgtype__
                if topic not in channels:
                    text, _ = TYPES.generate_msgdef(name, ros_version=2)
                    schema = writer.register_schema(name, 'ros2msg', text.encode())
                    channels[topic] = writer.register_channel(topic, 'cdr', schema)
                writer.add_message(channels[topic], log_time=at_ns, publish_time=at_ns,
                                   data=bytes(TYPES.serialize_cdr(message, name)))
            writer.finish()
        return DemoRecording(path)
    return write
