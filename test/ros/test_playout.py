"""Items leave when they are due."""
from gesture_node.ros.playout import PlayoutQueue


def test_items_leave_in_order_when_due():
    queue = PlayoutQueue[str]()
    for due, item in ((10, 'a'), (20, 'b'), (30, 'c')):
        queue.put(due, item)
    assert queue.take_due(9) == []
    assert queue.take_due(20) == [(10, 'a'), (20, 'b')]
    assert len(queue) == 1


def test_late_items_are_dropped_and_counted():
    queue = PlayoutQueue[str](max_late_ns=5)
    queue.put(10, 'late')
    queue.put(20, 'in time')
    assert queue.take_due(25) == [(20, 'in time')]
    assert queue.late == 1


def test_an_item_may_be_of_use_for_longer_than_others():
    queue = PlayoutQueue[str](max_late_ns=5)
    queue.put(10, 'long', until_ns=40)
    queue.put(20, 'short')
    assert queue.take_due(40) == [(10, 'long')] and queue.late == 1


def test_without_a_limit_nothing_is_lost():
    queue = PlayoutQueue[str]()
    queue.put(10, 'old')
    assert queue.take_due(10_000) == [(10, 'old')] and queue.late == 0


def test_clear_forgets():
    queue = PlayoutQueue[str]()
    queue.put(1, 'x')
    queue.clear()
    assert queue.take_due(5) == []
