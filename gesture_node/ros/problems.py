"""Problems of the input: every one is counted, each cause is said once.

A cause is a short key (``'mp3'``, ``'odd_bytes'``); its sentence goes to the log the first time
and again after :meth:`ProblemLog.forget`, so a bad publisher costs one line, not one per packet.
"""
from __future__ import annotations

from collections.abc import Callable
from threading import Lock


class ProblemLog:
    """Counts problems by cause and reports each cause once. Safe to use from several threads.

    Args:
        say: takes the sentence of a cause that was not yet reported.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = Lock()
        self._said: set[str] = set()
        self._counts: dict[str, int] = {}

    def report(self, cause: str, sentence: str, count: int = 1) -> None:
        """Count ``count`` occurrences of ``cause`` and say ``sentence`` if it is the first."""
        with self._lock:
            self._counts[cause] = self._counts.get(cause, 0) + count
            first = cause not in self._said
            self._said.add(cause)
        if first:
            self._say(sentence)

    def counts(self) -> dict[str, int]:
        """Return how often each cause occurred so far, by cause, sorted."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def forget(self) -> None:
        """Allow every cause to be said once more; the counts stay."""
        with self._lock:
            self._said.clear()
