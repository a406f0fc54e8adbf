"""Programs compute their linear algebra on the threads that ask for it, and on no others."""
from __future__ import annotations

from importlib.util import find_spec
import os
import subprocess
import sys

import pytest

SETUP = """
from threadpoolctl import threadpool_info, threadpool_limits
import numpy as np
def threads():
    return {pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas'}
# So many as no machine has cores, whatever this one has.
threadpool_limits(limits=3, user_api='blas')
"""
PROGRAMS = {
    'function': 'from gesture_node.operations.processor import compute_on_own_threads\n'
                'compute_on_own_threads()',
    'gesture_from_file': 'from gesture_node.cli.gesture_from_file import main\n'
                         'assert main(["none.wav", "--out", "none"]) == 1',
    'gesture_bench': 'from gesture_node.cli.gesture_bench import main\n'
                     'assert main(["--robot", "none"]) == 1',
    'gesture_replay': 'from gesture_node.cli.gesture_replay import main\n'
                      'assert main(["none.npz"]) == 1',
    'node': 'from gesture_node.ros import runner\n'
            'def none():\n    raise runner.GestureError("no node")\n'
            'assert runner.run_node(none, []) == 1',
}


def threads_of(program: str, **variables: str) -> set[int]:
    """Return how many threads each library of linear algebra uses after a program has begun."""
    plain = {name: value for name, value in os.environ.items() if 'NUM_THREADS' not in name}
    # scipy brings a library of its own, and is loaded when it is used.
    whole = f'{SETUP}{program}\nimport scipy.linalg\nprint(*threads())'
    found = subprocess.run([sys.executable, '-c', whole], env={**plain, **variables}, check=True,
                           capture_output=True, text=True)
    return {int(number) for number in found.stdout.split()}


@pytest.mark.parametrize('name', PROGRAMS)
def test_programs_compute_on_their_own_threads(name: str) -> None:
    if name == 'node' and find_spec('rclpy') is None:
        pytest.skip('needs ROS 2')
    assert threads_of(PROGRAMS[name]) == {1}


def test_who_sets_the_variable_has_chosen() -> None:
    assert 3 in threads_of(PROGRAMS['function'], OPENBLAS_NUM_THREADS='2')


def test_importing_the_library_changes_nothing() -> None:
    assert 3 in threads_of('import gesture_node, gesture_node.pipeline')
