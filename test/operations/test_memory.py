"""What was freed is given back to the system."""
from __future__ import annotations

from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from gesture_node.operations.memory import _library, give_back_memory, share_heaps

PIECES, PIECE = 20_000, 2_000


def resident_mb() -> float:
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4_096 / 1e6


@pytest.mark.skipif(not sys.platform.startswith('linux') or _library() is None,
                    reason='needs glibc')
def test_freed_pieces_are_given_back() -> None:
    # Every piece is small enough for the heap, and the last one holds the heap where it is.
    pieces = [np.ones(PIECE, np.uint8) for _ in range(PIECES)]
    held = pieces.pop()
    full_mb = resident_mb()
    pieces.clear()
    give_back_memory()
    assert full_mb - resident_mb() > 0.5 * PIECES * PIECE / 1e6 and held.all()


THREADS = """
import ctypes, sys, threading
from gesture_node.operations.memory import share_heaps
if sys.argv[1] == 'shared':
    assert share_heaps()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
found = []
meet = threading.Barrier(6)
def allocate():
    meet.wait()
    # Heaps of threads lie apart, on boundaries of 64 MiB.
    found.extend(library.malloc(1_000) >> 26 for _ in range(50))
    meet.wait()
threads = [threading.Thread(target=allocate) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(set(found)))
"""


@pytest.mark.skipif(not sys.platform.startswith('linux') or _library() is None,
                    reason='needs glibc')
def test_threads_share_heaps() -> None:
    own, shared = (int(subprocess.run([sys.executable, '-c', THREADS, how], check=True,
                                      capture_output=True, text=True).stdout)
                   for how in ('own', 'shared'))
    assert shared <= 2 < own


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('gesture_node.operations.memory._library', lambda: None)
    give_back_memory()
    assert not share_heaps()
