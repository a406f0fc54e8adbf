"""Name and memory of the GPU, from NVIDIA's management library if there is one."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache

_LIBRARY = 'libnvidia-ml.so.1'
_NAME_BYTES = 96


@dataclass(frozen=True, slots=True)
class GpuState:
    """One GPU: its name, and its memory in use by whomever and in all [MB]."""

    name: str
    used_mb: float
    total_mb: float


class _Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ('total', 'free', 'used')]


def gpu_state(index: int = 0) -> GpuState | None:
    """Return the state of a GPU, ``None`` where there is none or nobody can tell."""
    library = _library()
    return None if library is None else _read(library, index)


@cache
def _library() -> ctypes.CDLL | None:
    """Return the library, opened once: that takes long enough to be noticed."""
    try:
        library = ctypes.CDLL(_LIBRARY)
        return library if library.nvmlInit_v2() == 0 else None
    except (OSError, AttributeError):  # there is none, or it is too old
        return None


def _read(library: ctypes.CDLL, index: int) -> GpuState | None:
    device, memory = ctypes.c_void_p(), _Memory()
    name = ctypes.create_string_buffer(_NAME_BYTES)
    if library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(device)) != 0:
        return None
    if library.nvmlDeviceGetName(device, name, ctypes.c_uint(_NAME_BYTES)) != 0 or (
            library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)) != 0):
        return None
    return GpuState(name.value.decode(errors='replace'), memory.used / 1e6, memory.total / 1e6)
