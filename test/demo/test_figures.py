"""Latencies and stamp errors of a recording whose answer is known."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gesture_node.config import BodyConfig, GestureConfig
from gesture_node.demo import figures
from gesture_node.demo.alignment import align
from gesture_node.demo.recording import DemoRecording
from gesture_node.exceptions import SimulationError
from gesture_node.motion.face import BLENDSHAPE_NAMES

MS = 10**6
START_NS = 1_000 * 10**9
DELAY_NS = 500 * MS
RATE = 16_000
PACKET = 320  # 20 ms


def packet(make: SimpleNamespace, number: int) -> Any:
    layout = make.types['std_msgs/msg/MultiArrayLayout'](dim=[], data_offset=0)
    data = np.zeros(PACKET, np.int16)
    if number >= 0:
        data[:] = 300 * np.sin(np.arange(PACKET) / 5.0 + number)
    return make.types['std_msgs/msg/Int16MultiArray'](layout=layout, data=data)


def frame(make: SimpleNamespace, shown_ns: int, weight: float) -> Any:
    return make.types['sensor_msgs/msg/JointState'](
        header=make.header(shown_ns), name=list(BLENDSHAPE_NAMES),
        position=np.full(52, weight), velocity=np.zeros(0), effort=np.zeros(0))


def chunk(make: SimpleNamespace, names: list[str], first_ns: int, rows: np.ndarray,
          velocities: bool) -> Any:
    point = make.types['trajectory_msgs/msg/JointTrajectoryPoint']
    duration = make.types['builtin_interfaces/msg/Duration']
    return make.types['trajectory_msgs/msg/JointTrajectory'](
        header=make.header(first_ns), joint_names=names, points=[
            point(positions=row, velocities=np.zeros_like(row) if velocities else np.zeros(0),
                  accelerations=np.zeros(0), effort=np.zeros(0),
                  time_from_start=duration(sec=0, nanosec=20 * MS * index))
            for index, row in enumerate(rows)])


def scene(make: SimpleNamespace, face_late_ns: int = 0, sound_late_ns: int = 0,
          lost: int = 0) -> list[tuple[str, int, Any]]:
    """Return half a second of speech after 40 ms of silence that begins no stream."""
    messages: list[tuple[str, int, Any]] = []
    for number in range(-2, 25):
        messages.append(('/audio', START_NS + 20 * MS * number, packet(make, number)))
    zero_ns = START_NS + DELAY_NS
    for number in range(-2, 25 - lost):
        due_ns = zero_ns + 20 * MS * number
        messages.append(('/audio_out', due_ns + sound_late_ns, packet(make, number)))
        if number < 0:
            continue
        messages.append(('/face/blendshapes', due_ns + face_late_ns, frame(make, due_ns, 0.3)))
    weights = np.full((5, 52), 0.3)
    for hop in range(3):
        # A chunk needs sound up to the end of its hop and 80 ms more; it came 12 ms later.
        needed = (hop + 1) * 5 + 4
        messages.append(('/face/trajectory', START_NS + 20 * MS * (needed - 1) + 12 * MS,
                         chunk(make, list(BLENDSHAPE_NAMES), zero_ns + 100 * MS * hop, weights,
                               velocities=False)))
    return sorted(messages, key=lambda message: message[1])


Record = Callable[[list[tuple[str, int, Any]]], DemoRecording]


def test_a_stream_begins_with_the_first_packet_of_speech(
        record: Record, make: SimpleNamespace) -> None:
    stream = align(record(scene(make)), RATE)
    assert stream.presentation_s == pytest.approx((START_NS + DELAY_NS) / 1e9)
    assert stream.first_heard_s == pytest.approx(START_NS / 1e9)
    assert stream.available_s(0.02) == pytest.approx(START_NS / 1e9)
    assert stream.available_s(0.0201) == pytest.approx(START_NS / 1e9 + 0.02)
    assert stream.available_s(99.0) == float('inf')


def test_latency_counts_from_the_last_sound_a_hop_needs(
        record: Record, make: SimpleNamespace) -> None:
    recording = record(scene(make))
    stream = align(recording, RATE)
    hops = figures.face_latencies(recording, stream, GestureConfig())
    np.testing.assert_allclose(hops.times_s, [0.0, 0.1, 0.2], atol=1e-6)
    np.testing.assert_allclose(hops.latency_s, 0.012, atol=1e-6)
    assert figures.first_face_s(recording, stream) == pytest.approx(0.172, abs=1e-6)


@pytest.mark.parametrize('face_ms, sound_ms, error_ms', [
    (0, 0, 0), (5, 0, 5), (4, 4, 0), (0, 9, 9)])
def test_stamp_error_is_between_sound_and_face(record: Record, make: SimpleNamespace,
                                               face_ms: int, sound_ms: int, error_ms: int) -> None:
    recording = record(scene(make, face_ms * MS, sound_ms * MS))
    errors = figures.stamp_errors(recording, align(recording, RATE))
    assert len(errors) == 25
    np.testing.assert_allclose(errors, error_ms / 1e3, atol=1e-6)


def test_sound_that_was_not_passed_on_is_counted(record: Record, make: SimpleNamespace) -> None:
    assert figures.lost_audio_s(align(record(scene(make)), RATE)) == 0.0
    assert figures.lost_audio_s(align(record(scene(make, lost=3)), RATE)) == pytest.approx(0.06)


def test_numbers_that_are_not_finite_are_counted(record: Record, make: SimpleNamespace) -> None:
    messages = scene(make)
    assert figures.not_finite(record(messages)) == 0
    plan = chunk(make, ['elbow'], START_NS, np.array([[0.0], [np.nan]]), velocities=True)
    messages.append(('/joint_trajectory', START_NS + 10**9, plan))
    assert figures.not_finite(record(messages)) == 1


def test_body_hops_are_told_from_repetitions(record: Record, make: SimpleNamespace) -> None:
    messages = scene(make)
    config = GestureConfig(body=BodyConfig(foresight_s=0.12))
    ready_ns = START_NS + round((config.body.hop_s + config.body.foresight_s - 0.02) * 1e9)
    rows = np.linspace(0.0, 0.5, 6)[:, None]
    zero_ns = START_NS + DELAY_NS
    for delay_ns, plan_rows in ((30 * MS, rows[:4]), (80 * MS, rows[:4]), (230 * MS, rows)):
        plan = chunk(make, ['elbow'], zero_ns, plan_rows, velocities=True)
        messages.append(('/joint_trajectory', ready_ns + delay_ns, plan))
    recording = record(messages)
    stream = align(recording, RATE)
    hops = figures.body_latencies(recording, stream, config)
    np.testing.assert_allclose(hops.latency_s, [0.03], atol=1e-6)  # the second lacks its sound
    assert figures.first_motion_s(recording, stream) == pytest.approx(0.33, abs=1e-6)


def test_stages_come_from_the_diagnostics() -> None:
    given = {'body_hop p50 ms': '12.50', 'body_hop p99 ms': '30.00', 'underruns': '3',
             'state': 'idle'}
    assert figures.stages(given) == {'body_hop': {'p50': 0.0125, 'p99': 0.03}}
    assert figures.number(given, 'underruns') == 3.0
    assert figures.number(given, 'absent') == 0.0


def test_an_empty_or_cut_recording_is_refused(record: Record, make: SimpleNamespace,
                                              tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match='nothing to measure'):
        align(record(scene(make)[:3]), RATE)
    whole = tmp_path / 'recording.mcap'
    (tmp_path / 'cut.mcap').write_bytes(whole.read_bytes()[:-40])
    for path in (tmp_path / 'cut.mcap', tmp_path / 'none.mcap'):
        with pytest.raises(SimulationError, match=path.name):
            DemoRecording(path)
