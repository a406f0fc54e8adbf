"""What a figure was measured on: processor, cores, versions."""
from __future__ import annotations

from importlib import metadata
import os
from pathlib import Path
import platform
from typing import Any

from ..version import version

_LIBRARIES = ('mujoco', 'numpy', 'onnxruntime', 'pin', 'scipy', 'soxr')


def machine() -> dict[str, Any]:
    """Return processor, cores, memory and system of this machine; names no host."""
    return {'cpu': _cpu_model(), 'cores': _cores(), 'memory_gb': _memory_gb(),
            'system': f'{platform.system()} {platform.machine()}'}


def versions() -> dict[str, str]:
    """Return the versions of Python, of this package and of the libraries that compute."""
    found = {'python': platform.python_version(), 'gesture_node': version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def resident_mb() -> float:
    """Return the resident memory of this process [MB]; 0 where the system does not tell."""
    status = Path('/proc/self/status')
    if not status.exists():
        return 0.0
    for line in status.read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) / 1024.0
    return 0.0


def _cpu_model() -> str:
    info = Path('/proc/cpuinfo')
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or 'unknown'


def _cores() -> int:
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_gb() -> float:
    return round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9, 1)
