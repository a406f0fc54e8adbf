"""What an engine does to its process."""
from __future__ import annotations

import gc
from importlib.util import find_spec
import weakref

import pytest

pytestmark = pytest.mark.skipif(find_spec('rclpy') is None, reason='needs ROS 2')


class _Knot:
    """Refers to itself, so that only a garbage collection can free it."""

    def __init__(self) -> None:
        self.itself = self


def test_collections_leave_out_what_is_loaded_and_free_the_rest() -> None:
    from gesture_node.ros.engine import leave_out_of_collections

    garbage = weakref.ref(_Knot())
    kept = _Knot()
    leave_out_of_collections()
    try:
        assert garbage() is None
        assert not any(found is kept for found in gc.get_objects())
        later = weakref.ref(_Knot())
        gc.collect()
        assert later() is None
    finally:
        gc.unfreeze()
    assert any(found is kept for found in gc.get_objects())
