"""Keeps a process to the processor time that it needs. Knows no ROS."""
from __future__ import annotations

import os

from threadpoolctl import threadpool_limits

_VARIABLE = 'OPENBLAS_NUM_THREADS'


def compute_on_own_threads() -> None:
    """Let linear algebra of numpy and scipy compute on the thread that asks for it.

    OpenBLAS begins a thread for each core otherwise, shares out products of matrices as small as a
    window's to them, and lets them spin between two: that doubles the processor time of a file and
    makes it take longer, since networks want the other cores. It holds for the process, so it is
    for programs; a library leaves the choice to whoever uses it. Who sets
    ``OPENBLAS_NUM_THREADS`` has chosen.
    """
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = '1'  # for libraries that are loaded later
        threadpool_limits(limits=1, user_api='blas')
