"""Whether this machine can render with MuJoCo, found out without risking this process.

MuJoCo picks its OpenGL platform when it is imported, from ``MUJOCO_GL``, and a broken driver can
end the process. So this module decides the platform before the first import, and creates the
first context in a process of its own.
"""
from __future__ import annotations

import ctypes
from functools import lru_cache
import os
import subprocess
import sys

INSTALL_COMMAND = 'apt-get install libegl1'
"""What makes rendering work on Debian and Ubuntu; it brings a software driver along."""

_PROBE = """
import mujoco
spec = mujoco.MjSpec()
spec.worldbody.add_geom(size=[0.1, 0, 0])
renderer = mujoco.Renderer(spec.compile(), 16, 16)
renderer.render()
"""
_PROBE_LIMIT_S = 180.0
"""A machine that computes something else takes a minute for what takes 2 s alone."""


def choose_platform() -> None:
    """Set ``MUJOCO_GL`` for headless use on Linux unless the user set it; call before MuJoCo.

    Without an EGL library it is set to ``off``, because importing MuJoCo would fail.
    """
    if 'MUJOCO_GL' in os.environ or not sys.platform.startswith('linux'):
        return
    try:
        ctypes.CDLL('libEGL.so.1')
    except OSError:
        os.environ['MUJOCO_GL'] = 'off'
    else:
        os.environ['MUJOCO_GL'] = 'egl'


@lru_cache(maxsize=1)
def why_no_gl() -> str | None:
    """Return why MuJoCo cannot render here, one sentence with the remedy; ``None`` if it can."""
    choose_platform()
    platform = os.environ.get('MUJOCO_GL', '')
    remedy = f'install it with: {INSTALL_COMMAND}'
    if platform.lower() in ('off', 'disable', 'disabled', 'false', '0'):
        return f'no OpenGL library for pictures (MUJOCO_GL={platform}); {remedy}'
    try:
        probe = subprocess.run([sys.executable, '-c', _PROBE], capture_output=True, text=True,
                               timeout=_PROBE_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return (f'no OpenGL context for pictures within {_PROBE_LIMIT_S:.0f} s; try again, or '
                f'{remedy}')
    except OSError as error:
        return f'no OpenGL context for pictures ({type(error).__name__}); {remedy}'
    if probe.returncode == 0:
        return None
    lines = probe.stderr.strip().splitlines() or [f'exit status {probe.returncode}']
    return f'no OpenGL context for pictures ({lines[-1].strip()}); {remedy}'
