"""``gesture_node`` whose worker can be harmed from outside; started instead of it by tests.

SIGUSR1 stalls the next window for 2 s, SIGUSR2 for 3.5 s (which the watchdog notices), SIGRTMIN
lets it raise an error. What is done when is appended to the file that ``STALLING_LOG`` names, a
word and the steady time in ns a line. Everything else is the node as it ships.
"""
from __future__ import annotations

import os
from pathlib import Path
import signal
import sys
import time

from gesture_node.ros.node import main
from gesture_node.stream import GestureStream
from gesture_node.types import StepResult

STALLS_S = {signal.SIGUSR1: 2.0, signal.SIGUSR2: 3.5}


class Injected(Exception):
    """An error that no network raises."""


class Sabotage:
    """Stands in the way of windows.

    Args:
        log: file that is told; ``None`` tells nobody.
    """

    def __init__(self, log: Path | None) -> None:
        self._log = log
        self._stall_s = 0.0
        self._fails = False
        self._step = GestureStream.step

    def install(self) -> None:
        def step(stream: GestureStream) -> StepResult:
            self.harm()
            return self._step(stream)

        GestureStream.step = step
        for number in STALLS_S:
            signal.signal(number, self._stall)
        signal.signal(signal.SIGRTMIN, self._fail)

    def harm(self) -> None:
        """Do what was asked for, in the worker's thread; other threads go on."""
        stall_s, self._stall_s = self._stall_s, 0.0
        if stall_s:
            self._tell('stalled')
            time.sleep(stall_s)
            self._tell('back')
        if self._fails:
            self._fails = False
            self._tell('failed')
            raise Injected('a window was spoilt')

    def _tell(self, word: str) -> None:
        if self._log is not None:
            with self._log.open('a') as file:
                file.write(f'{word} {time.monotonic_ns()}\n')

    def _stall(self, number: int, frame: object) -> None:
        self._stall_s = STALLS_S[signal.Signals(number)]

    def _fail(self, number: int, frame: object) -> None:
        self._fails = True


if __name__ == '__main__':
    log = os.environ.get('STALLING_LOG')
    Sabotage(Path(log) if log else None).install()
    sys.exit(main())
