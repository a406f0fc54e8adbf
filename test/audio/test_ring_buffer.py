"""The ring buffer against a plain list that never forgets."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.audio.ring_buffer import RingBuffer


@settings(max_examples=60)
@given(packets=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=30))
def test_rows_keep_their_index(packets: list[tuple[int, int]]) -> None:
    ring, truth = RingBuffer(capacity=16), np.zeros(0, np.float32)
    for count, keep in packets:
        rows = np.arange(len(truth), len(truth) + count, dtype=np.float32) + 1
        ring.append(rows)
        truth = np.concatenate([truth, rows])
        assert ring.head == len(truth)
        ring.drop_before(ring.head - keep)
        assert np.array_equal(ring.get(ring.tail, ring.head), truth[ring.tail:])


def test_before_the_start_there_is_silence() -> None:
    ring = RingBuffer((2,), capacity=4)
    ring.append(np.ones((3, 2), np.float32))
    assert np.array_equal(ring.get(-2, 2), [[0, 0], [0, 0], [1, 1], [1, 1]])
    assert ring.get(-5, -3).shape == (2, 2)


def test_what_is_not_stored_raises() -> None:
    ring = RingBuffer(capacity=4)
    ring.append(np.ones(10, np.float32))
    with pytest.raises(IndexError, match='outside'):
        ring.get(5, 11)
    ring.drop_before(6)
    with pytest.raises(IndexError, match='outside'):
        ring.get(5, 8)


def test_memory_stays_flat_when_read_rows_are_dropped() -> None:
    ring = RingBuffer(capacity=64)
    for _ in range(1000):
        ring.append(np.ones(50, np.float32))
        ring.drop_before(ring.head - 10)
    assert ring._data.nbytes <= 64 * 4 * 2
