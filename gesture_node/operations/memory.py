"""Keeps a process that runs all day from growing. Knows no ROS."""
from __future__ import annotations

import ctypes
from functools import cache

_M_ARENA_MAX, _HEAPS = -8, 2


def share_heaps() -> bool:
    """Let all threads of this process allocate from two heaps, where the C library can (glibc).

    It gives every thread a heap of its own otherwise, eight for each core at most, and what is
    freed in one is of no use to another: a worker that takes over from a stalled one would cost
    tens of megabytes for good. Call it before threads are begun.

    Returns:
        Whether it is so.
    """
    library = _library()
    return library is not None and bool(library.mallopt(_M_ARENA_MAX, _HEAPS))


def give_back_memory() -> None:
    """Return what was freed to the system, where the C library can (glibc).

    Making a stream takes tens of megabytes for a moment, in the heap of whichever thread makes it.
    glibc keeps them, so a process in which streams are made now and then would seem to grow. Takes
    about 10 ms, in which other threads go on.
    """
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
        library.malloc_trim.argtypes = [ctypes.c_size_t]
        library.mallopt.argtypes = [ctypes.c_int, ctypes.c_int]
    except (OSError, AttributeError, TypeError):  # another C library has no such thing
        return None
    return library
