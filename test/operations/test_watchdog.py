"""The watchdog: a stall is told once, and a pause of its own is no stall."""
from __future__ import annotations

from gesture_node.operations.watchdog import Watchdog

MS = 1_000_000


def looks(watchdog, busy_since_ns, first_ms, last_ms, step_ms=10):
    return [watchdog.look(busy_since_ns, now * MS) for now in range(first_ms, last_ms, step_ms)]


def test_a_stall_is_told_once_and_ends():
    watchdog = Watchdog(1.0)
    told = looks(watchdog, 5, 0, 3_000)
    assert told.count(True) == 1 and 95 <= told.index(True) <= 105
    assert watchdog.is_stalled and watchdog.stalls == 1 and watchdog.busy_s > 2.5
    assert not watchdog.look(7, 3_010 * MS) and not watchdog.is_stalled


def test_a_worker_that_goes_on_is_never_stalled():
    watchdog = Watchdog(1.0)
    assert not any(watchdog.look(now * MS, now * MS) for now in range(0, 10_000, 10))


def test_rest_is_no_stall():
    watchdog = Watchdog(1.0)
    assert not any(looks(watchdog, None, 0, 10_000))


def test_a_process_that_was_suspended_has_not_stalled():
    watchdog = Watchdog(1.0)
    looks(watchdog, 5, 0, 500)
    assert not watchdog.look(5, 60_000 * MS)
    assert not any(looks(watchdog, 5, 60_010, 60_300))


def test_a_second_stall_is_told_again():
    watchdog = Watchdog(0.5)
    assert sum(looks(watchdog, 5, 0, 1_000)) == 1
    assert sum(looks(watchdog, 6, 1_000, 2_000)) == 1 and watchdog.stalls == 2
