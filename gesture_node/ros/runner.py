"""Runs one node as a process: spin, stop cleanly on a signal, one sentence on a user's error.

rclpy's own signal handlers shut the context down at once, after which nothing can be published.
Here SIGINT and SIGTERM only end the loop, so that a node may still send a last brake.
"""
from __future__ import annotations

from collections.abc import Callable
import signal
import sys
import time
from typing import Protocol

import rclpy
from rclpy.executors import (
    Executor,
    ExternalShutdownException,
    SingleThreadedExecutor,
    TimeoutException,
)
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ..exceptions import GestureError
from ..operations.processor import compute_on_own_threads

_POLL_S = 0.1


class RunnableNode(Protocol):
    """What a node must offer to be run here."""

    @property
    def done(self) -> bool:
        """Whether the process may end by itself."""

    def start(self) -> None:
        """Do what may fail for a user's mistake; called once before spinning."""

    def close(self) -> None:
        """Come to rest; publishing still works."""


def run_node(make: Callable[[], RunnableNode], arguments: list[str] | None = None,
             rest_s: float = 0.0) -> int:
    """Make a node, spin it until it is done or a signal comes, and return the exit code.

    Args:
        make: constructs the node; called after ``rclpy.init``.
        arguments: command line; ``sys.argv`` when ``None``.
        rest_s: pause [s] between looks for what has arrived. Waking up costs rclpy more than a
            small callback does, so a node that need not answer at once leaves others more of the
            processor. 0 wakes up for every message.

    Returns:
        0 after a clean end, also by SIGINT or SIGTERM; 1 after an error a user can cause, which
        is written to stderr as one sentence.
    """
    compute_on_own_threads()
    stopping = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopping
        stopping = True

    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    node: RunnableNode | None = None
    executor = SingleThreadedExecutor()
    try:
        node = make()
        assert isinstance(node, Node)
        executor.add_node(node)
        node.start()
        while not (stopping or node.done):
            if rest_s > 0.0:
                _spin_ready(executor)
                time.sleep(rest_s)
            else:
                executor.spin_once(timeout_sec=_POLL_S)
        return 0
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except ExternalShutdownException:
        return 0
    finally:
        if isinstance(node, Node):
            _close(node)
            executor.shutdown()
            node.destroy_node()
        rclpy.try_shutdown()


def _spin_ready(executor: Executor) -> None:
    """Run the callbacks of everything that has arrived, and wait for nothing."""
    found = False
    while True:
        try:
            handler, _, _ = executor.wait_for_ready_callbacks(timeout_sec=0.0)
        except TimeoutException:
            # One look gives one message of each topic; more may wait behind it.
            if not found:
                return
            found = False
            continue
        found = True
        handler()
        error = handler.exception()
        if error is not None:
            raise error


def _close(node: RunnableNode) -> None:
    """Let the node come to rest; what it cannot finish is said, not raised."""
    try:
        node.close()
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
