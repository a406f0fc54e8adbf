"""A buffer whose rows are named by absolute indices that never wrap.

Rows are appended at the head and dropped at the tail; between the two, row ``i`` stays row ``i``
for as long as the stream lives, so every later stage can name a sample or a frame by a number::

    dropped        |  stored                |  not yet there
    0 ......... tail ................... head
"""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class RingBuffer:
    """Rows of one shape, appended in order and read by absolute index.

    Args:
        row_shape: shape of one row; ``()`` for samples, ``(83,)`` for feature frames.
        capacity: rows allocated at first; grows when more are stored at once.
        dtype: element type.
    """

    def __init__(self, row_shape: tuple[int, ...] = (), capacity: int = 16_384,
                 dtype: Any = np.float32) -> None:
        self._data: NDArray[Any] = np.zeros((max(1, capacity), *row_shape), dtype)
        self._tail = self._head = 0

    @property
    def tail(self) -> int:
        """Index of the oldest stored row."""
        return self._tail

    @property
    def head(self) -> int:
        """Index one past the newest stored row: how many rows were ever appended."""
        return self._head

    def append(self, rows: NDArray[Any]) -> None:
        """Append rows ``(n, *row_shape)`` at the head."""
        count = len(rows)
        self._reserve(self._head - self._tail + count)
        capacity = len(self._data)
        start = self._head % capacity
        first = min(count, capacity - start)
        self._data[start:start + first] = rows[:first]
        self._data[:count - first] = rows[first:]
        self._head += count

    def get(self, start: int, stop: int) -> NDArray[Any]:
        """Return a copy of rows ``[start, stop)``; zeros where there is no row before index 0.

        Raises:
            IndexError: rows were dropped already, or are not yet there.
        """
        if stop > self._head or (start < self._tail and self._tail > 0 and stop > start
                                 and max(start, 0) < self._tail):
            raise IndexError(f'rows [{start}, {stop}) are outside the stored '
                             f'[{self._tail}, {self._head})')
        rows = np.zeros((max(0, stop - start), *self._data.shape[1:]), self._data.dtype)
        real = max(start, 0)
        if stop > real:
            index = np.arange(real, stop) % len(self._data)
            rows[real - start:] = self._data[index]
        return rows

    def drop_before(self, index: int) -> None:
        """Forget rows before ``index``; later reads of them raise."""
        self._tail = min(max(self._tail, index), self._head)

    def _reserve(self, rows: int) -> None:
        capacity = len(self._data)
        if rows <= capacity:
            return
        grown = np.zeros((max(rows, 2 * capacity), *self._data.shape[1:]), self._data.dtype)
        stored = np.arange(self._tail, self._head)
        grown[stored % len(grown)] = self._data[stored % capacity]
        self._data = grown
