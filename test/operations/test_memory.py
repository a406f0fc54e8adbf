"""What was freed is given back to the system."""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import pytest

from gesture_node.operations.memory import _library, give_back_memory

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


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('gesture_node.operations.memory._library', lambda: None)
    give_back_memory()
