"""Nodes as processes of a test, and the worlds around them, in a ROS domain of their own."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / 'test' / 'data' / 'tiny_bundle'
"""Networks too small to gesture, but quick."""


def environment(domain: int) -> dict[str, str]:
    """Return the environment of processes that hear nobody else and leave cores to others."""
    return {**os.environ, 'ROS_DOMAIN_ID': str(domain), 'ROS_LOCALHOST_ONLY': '1',
            'OMP_NUM_THREADS': '1',
            'PYTHONPATH': os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])}


def ros_arguments(*parameters: str, remaps: Sequence[str] = ()) -> list[str]:
    """Return what follows the name of an executable, from ``name:=value`` of each."""
    return ['--ros-args', *(part for parameter in parameters for part in ('-p', parameter)),
            *(part for remap in remaps for part in ('-r', remap))]


def command(module: str, *parameters: str, remaps: Sequence[str] = ()) -> list[str]:
    """Return what starts ``gesture_node.ros.MODULE``."""
    return [sys.executable, '-m', f'gesture_node.ros.{module}',
            *ros_arguments(*parameters, remaps=remaps)]


def start(arguments: Sequence[str], surroundings: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a process whose output and errors are one text."""
    return subprocess.Popen(arguments, env=surroundings, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def show(node: subprocess.Popen[str], surroundings: Mapping[str, str], world: Path,
         *arguments: str, limit_s: float) -> tuple[Any, str]:
    """Run the world around a node, then end the node as Ctrl-C does.

    Args:
        node: has been started.
        surroundings: environment of the world.
        world: script whose last line is JSON of what it saw.
        arguments: of the script.
        limit_s: within which the world must have come to its end [s].

    Returns:
        what the world saw, and what the node said.
    """
    try:
        done = subprocess.run([sys.executable, str(world), *arguments], env=surroundings,
                              capture_output=True, text=True, timeout=limit_s, check=False)
        node.send_signal(signal.SIGINT)
        log, _ = node.communicate(timeout=60.0)
    finally:
        node.kill()
    assert done.returncode == 0, done.stderr + log
    return json.loads(done.stdout.splitlines()[-1]), log
