"""What is told of a GPU, where there is one."""
from __future__ import annotations

from gesture_node.operations import gpu


def test_a_gpu_has_a_name_and_memory_or_there_is_none():
    state = gpu.gpu_state()
    assert state is None or (state.name and 0.0 <= state.used_mb <= state.total_mb)


def test_a_gpu_that_is_not_there_is_none():
    assert gpu.gpu_state(977) is None


def test_without_the_library_there_is_none(monkeypatch):
    gpu._library.cache_clear()
    monkeypatch.setattr(gpu, '_LIBRARY', 'libnone-of-this-name.so')
    try:
        assert gpu.gpu_state() is None
    finally:
        gpu._library.cache_clear()
