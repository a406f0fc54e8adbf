"""Latencies and stamp errors of a recording whose answer is known."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gesture_node.config import BodyConfig, GestureConfig, OutputConfig
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


HOP_KNOTS = 10
TAIL_KNOTS = 20


class Planner:
    """Plans as the node publishes them: from now on, all that is known of the motion."""

    def __init__(self, make: SimpleNamespace) -> None:
        self._make = make
        self._knots = {-1: 0.0}

    def plan(self, now_ns: int, hop: int | None = None, frozen: int = -1) -> tuple[str, int, Any]:
        """Return the message; with ``hop``, knots after ``frozen`` are made anew from it on."""
        if hop is not None:
            first = max(hop * HOP_KNOTS, frozen + 1)
            last = (hop + 1) * HOP_KNOTS + TAIL_KNOTS
            ahead = max(self._knots)
            for knot in range(ahead + 1, first):
                self._knots[knot] = self._knots[ahead]
            for knot in [knot for knot in self._knots if knot >= first]:
                del self._knots[knot]
            self._knots |= {knot: 0.01 * (hop + 1) * (knot - first + 1)
                            for knot in range(first, last)}
        zero_ns = START_NS + DELAY_NS
        knots = [k for k in sorted(self._knots) if zero_ns + 20 * MS * (k + 1) > now_ns]
        rows = np.array([[self._knots[knot]] for knot in knots])
        return '/joint_trajectory', now_ns, chunk(
            self._make, ['elbow'], zero_ns + 20 * MS * knots[0], rows, velocities=True)


def long_scene(make: SimpleNamespace) -> list[tuple[str, int, Any]]:
    """Return two seconds of speech."""
    zero_ns = START_NS + DELAY_NS
    messages: list[tuple[str, int, Any]] = []
    for number in range(100):
        at_ns = START_NS + 20 * MS * number
        messages.append(('/audio', at_ns, packet(make, number)))
        messages.append(('/audio_out', at_ns + DELAY_NS, packet(make, number)))
    messages.append(('/face/blendshapes', zero_ns, frame(make, zero_ns, 0.3)))
    return messages


def heard_ns(hop: int) -> int:
    """Return when the last sound that a hop needs had arrived: 200 ms of it and 80 ms more."""
    return START_NS + 200 * MS * (hop + 1) + 60 * MS


def body_hops(record: Record, messages: list[tuple[str, int, Any]]) -> figures.HopLatencies:
    recording = record(sorted(messages, key=lambda message: message[1]))
    windows = BodyConfig(hop_s=0.2, foresight_s=0.08)
    config = GestureConfig(body=windows, output=OutputConfig(presentation_delay_s=0.5))
    return figures.body_latencies(recording, align(recording, RATE), config)


def test_body_hops_are_told_from_repetitions(record: Record, make: SimpleNamespace) -> None:
    planner = Planner(make)
    messages = [*long_scene(make), planner.plan(heard_ns(0) + 30 * MS, 0),
                planner.plan(heard_ns(0) + 80 * MS), planner.plan(heard_ns(1) + 40 * MS, 1),
                planner.plan(heard_ns(1) + 90 * MS), planner.plan(heard_ns(2) + 50 * MS, 2)]
    hops = body_hops(record, messages)
    np.testing.assert_allclose(hops.times_s, [0.0, 0.2, 0.4], atol=1e-6)
    np.testing.assert_allclose(hops.latency_s, [0.03, 0.04, 0.05], atol=1e-6)


def test_body_hops_that_were_left_out_move_no_other(record: Record,
                                                    make: SimpleNamespace) -> None:
    planner = Planner(make)
    messages = [*long_scene(make), *(planner.plan(heard_ns(hop) + (30 + hop) * MS, hop)
                                     for hop in (0, 1, 4, 5, 7))]
    hops = body_hops(record, messages)
    np.testing.assert_allclose(hops.times_s, [0.0, 0.2, 0.8, 1.0, 1.4], atol=1e-6)
    np.testing.assert_allclose(hops.latency_s, [0.03, 0.031, 0.034, 0.035, 0.037], atol=1e-6)


def test_a_late_body_hop_is_not_taken_for_the_next(record: Record, make: SimpleNamespace) -> None:
    planner = Planner(make)
    late_ns = heard_ns(1) + 410 * MS
    # All of hop 1 is frozen by then, so what it changes begins within hop 2 and is heard of later.
    frozen = 2 * HOP_KNOTS + 1
    messages = [m for m in long_scene(make) if m[1] < heard_ns(2) or m[0] != '/audio']
    messages += [planner.plan(heard_ns(0) + 30 * MS, 0), planner.plan(late_ns, 1, frozen)]
    hops = body_hops(record, messages)
    np.testing.assert_allclose(hops.times_s, [0.0, 0.2], atol=1e-6)
    np.testing.assert_allclose(hops.latency_s, [0.03, 0.41], atol=1e-6)


def test_a_body_hop_without_its_sound_is_not_counted(record: Record,
                                                     make: SimpleNamespace) -> None:
    planner = Planner(make)
    messages = [m for m in long_scene(make) if m[1] < heard_ns(1) or m[0] != '/audio']
    messages += [planner.plan(heard_ns(0) + 30 * MS, 0), planner.plan(heard_ns(1) + 30 * MS, 1)]
    hops = body_hops(record, messages)
    np.testing.assert_allclose(hops.latency_s, [0.03], atol=1e-6)


def test_first_motion_is_the_first_plan_that_moves(record: Record, make: SimpleNamespace) -> None:
    planner = Planner(make)
    recording = record(sorted([*long_scene(make), planner.plan(heard_ns(0) + 10 * MS),
                               planner.plan(heard_ns(0) + 30 * MS, 0)], key=lambda m: m[1]))
    stream = align(recording, RATE)
    assert figures.first_motion_s(recording, stream) == pytest.approx(0.29, abs=1e-6)


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
