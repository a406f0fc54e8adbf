"""Live latencies from computing times: waiting for sound, for foresight, for the other channel."""
import numpy as np
import pytest

from gesture_node.cli.bench_pace import LivePace
from gesture_node.types import BodyChunk, FaceChunk, StepResult


def face(first):
    return StepResult(face=FaceChunk(first, np.zeros((5, 52), np.float32), 50))


def body(first):
    return StepResult(body=BodyChunk(first, np.zeros((5, 84), np.float32), 5, 25))


def test_a_hop_waits_for_its_last_packet_and_is_computed():
    pace = LivePace()
    pace.arrive(0.28)
    pace.compute(body(0), 0.02)
    assert pace.percentiles()['body']['p99'] == pytest.approx(0.30)


def test_a_channel_waits_for_the_other_one():
    pace = LivePace()
    pace.arrive(0.3)
    pace.compute(body(5), 0.05)
    pace.compute(face(10), 0.01)
    found = pace.percentiles()
    assert found['body']['p50'] == pytest.approx(0.15)
    assert found['face']['p50'] == pytest.approx(0.16)


def test_a_worker_that_is_too_slow_falls_behind():
    pace = LivePace()
    for hop in range(10):
        pace.arrive(0.1 * (hop + 1))
        pace.compute(face(5 * hop), 0.15)
    assert pace.percentiles()['face']['p99'] == pytest.approx(0.7, abs=0.03)
