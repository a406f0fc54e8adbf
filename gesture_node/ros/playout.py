"""Holds what is computed ahead until its presentation time has come. Knows no ROS."""
from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Generic, TypeVar

ItemT = TypeVar('ItemT')


class PlayoutQueue(Generic[ItemT]):
    """Items with due times, in order, put in by one thread and taken out by another.

    Args:
        max_late_ns: items later than this are dropped and counted, unless :meth:`put` says
            otherwise; ``None`` keeps all.
    """

    def __init__(self, max_late_ns: int | None = None) -> None:
        self._max_late_ns = max_late_ns
        self._lock = Lock()
        self._items: deque[tuple[int, int | None, ItemT]] = deque()
        self._late = 0

    @property
    def late(self) -> int:
        """Items dropped so far because their time had passed."""
        return self._late

    def __len__(self) -> int:
        return len(self._items)

    def put(self, due_ns: int, item: ItemT, until_ns: int | None = None) -> None:
        """Append an item that is due at ROS time ``due_ns``, not before those already there.

        Args:
            due_ns: when it is to be taken.
            item: what is taken.
            until_ns: ROS time after which it is of no use any more.
        """
        if until_ns is None and self._max_late_ns is not None:
            until_ns = due_ns + self._max_late_ns
        with self._lock:
            self._items.append((due_ns, until_ns, item))

    def take_due(self, now_ns: int) -> list[tuple[int, ItemT]]:
        """Return and remove the items whose time has come, with their due times."""
        due: list[tuple[int, ItemT]] = []
        with self._lock:
            while self._items and self._items[0][0] <= now_ns:
                due_ns, until_ns, item = self._items.popleft()
                if until_ns is not None and now_ns > until_ns:
                    self._late += 1
                else:
                    due.append((due_ns, item))
        return due

    def drop_from(self, due_ns: int) -> ItemT | None:
        """Forget items due at ``due_ns`` or later; return the last that stays, if any does."""
        with self._lock:
            while self._items and self._items[-1][0] >= due_ns:
                self._items.pop()
            return self._items[-1][2] if self._items else None

    def clear(self) -> None:
        """Forget everything that is not yet due."""
        with self._lock:
            self._items.clear()
