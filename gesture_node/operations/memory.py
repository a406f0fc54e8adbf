"""Gives memory that was freed back to the system. Knows no ROS."""
from __future__ import annotations

import ctypes
from functools import cache


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
    except (OSError, AttributeError, TypeError):  # another C library has no such thing
        return None
    return library
