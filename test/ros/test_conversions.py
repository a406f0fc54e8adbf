"""Plain values and ROS messages."""
import numpy as np
import pytest

from gesture_node.motion.face import BLENDSHAPE_NAMES
from gesture_node.types import FaceChunk

pytest.importorskip('rclpy')
from sensor_msgs.msg import JointState

from gesture_node.ros.conversions import (
    face_state,
    face_trajectory,
    from_time,
    measured_positions,
    to_duration,
    to_time,
)

NOW = 1_700_000_000_123_456_789


@pytest.mark.parametrize('time_ns', [0, 999_999_999, 1_000_000_000, NOW])
def test_times_are_exact(time_ns):
    assert from_time(to_time(time_ns)) == time_ns
    duration = to_duration(time_ns)
    assert duration.sec * 10 ** 9 + duration.nanosec == time_ns


def test_a_face_chunk_is_a_trajectory_on_the_50_hz_grid():
    weights = np.random.default_rng(0).random((5, 52)).astype(np.float32)
    message = face_trajectory(FaceChunk(7, weights, 50), NOW)
    assert tuple(message.joint_names) == BLENDSHAPE_NAMES
    assert from_time(message.header.stamp) == NOW
    assert [p.time_from_start.nanosec for p in message.points] == [0, 20_000_000, 40_000_000,
                                                                  60_000_000, 80_000_000]
    assert np.allclose([p.positions for p in message.points], weights)


def test_a_face_frame_carries_its_presentation_time():
    state = face_state(np.full(52, 0.25, np.float32), NOW)
    assert tuple(state.name) == BLENDSHAPE_NAMES and set(state.position) == {0.25}
    assert from_time(state.header.stamp) == NOW and not state.velocity


def test_measured_positions_leave_out_what_is_not_finite():
    state = JointState(name=['a', 'b', 'c'], position=[1.0, float('nan')])
    assert measured_positions(state) == {'a': 1.0}
