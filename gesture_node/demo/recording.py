"""Reads a recording of the demo back: what was published, and when it arrived."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.reader import make_reader
import numpy as np
from numpy.typing import NDArray
from rosbags.typesys import get_typestore, Stores

from ..exceptions import SimulationError
from ..motion.face import BLENDSHAPE_NAMES
from ..sim.controller import TrajectoryMessage, TrajectoryPoint
from ..timeline import NS_PER_S
from ..types import Float64Array

_FULL_SCALE = {'int8': 2.0**7, 'int16': 2.0**15, 'int32': 2.0**31}


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message and the ROS time at which it arrived at the recorder [ns]."""

    at_ns: int
    message: Any


class DemoRecording:
    """Messages by topic.

    Args:
        path: ``recording.mcap``.

    Raises:
        SimulationError: the file is missing or was cut short.
    """

    def __init__(self, path: Path) -> None:
        self._topics: dict[str, list[Arrived]] = defaultdict(list)
        types = get_typestore(Stores.ROS2_JAZZY)
        try:
            with path.open('rb') as file:
                for schema, channel, record in make_reader(file).iter_messages():
                    if schema is not None:
                        self._topics[channel.topic].append(Arrived(
                            record.log_time, types.deserialize_cdr(record.data, schema.name)))
        except (OSError, McapError) as error:
            raise SimulationError(f'{str(path)!r} is no complete recording: {error}') from error

    def topic(self, name: str) -> list[Arrived]:
        """Return the messages of a topic in order of arrival; none if nobody published it."""
        return self._topics.get(name, [])

    def trajectories(self, name: str) -> list[tuple[int, TrajectoryMessage]]:
        """Return (arrival [ns], trajectory) of a topic of joint trajectories."""
        return [(item.at_ns, _trajectory(item.message)) for item in self.topic(name)]

    def faces(self) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Return stamps (F,) [s], arrivals (F,) [s] and weights (F, 52) of the face frames."""
        items = self.topic('/face/blendshapes')
        return (np.array([stamp_ns(item.message.header) / NS_PER_S for item in items]),
                np.array([item.at_ns / NS_PER_S for item in items]),
                np.array([item.message.position for item in items], np.float64).reshape(
                    -1, len(BLENDSHAPE_NAMES)))

    def diagnostics(self) -> dict[str, str]:
        """Return the last values that the node gave on ``/diagnostics``."""
        values: dict[str, str] = {}
        for item in self.topic('/diagnostics'):
            for status in item.message.status:
                if status.name.endswith(': motion'):
                    values |= {pair.key: pair.value for pair in status.values}
        return values


def stamp_ns(header: Any) -> int:
    """Return the stamp of a header [ns]."""
    return int(header.stamp.sec) * NS_PER_S + int(header.stamp.nanosec)


def sample_count(message: Any) -> int:
    """Return how many samples a multi-array message of audio holds."""
    return len(message.data)


def samples(message: Any) -> NDArray[np.float32]:
    """Return the samples of a multi-array message in [-1, 1]."""
    data = np.asarray(message.data)
    return (data / _FULL_SCALE.get(data.dtype.name, 1.0)).astype(np.float32)


def _trajectory(message: Any) -> TrajectoryMessage:
    points = tuple(TrajectoryPoint(
        int(point.time_from_start.sec) * NS_PER_S + int(point.time_from_start.nanosec),
        np.asarray(point.positions, np.float64), np.asarray(point.velocities, np.float64),
        np.asarray(point.accelerations, np.float64)) for point in message.points)
    return TrajectoryMessage(tuple(message.joint_names), stamp_ns(message.header), points)
