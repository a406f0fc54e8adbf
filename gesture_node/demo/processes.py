"""Processes of the demo: started together, watched, and ended in order.

Each writes its output to a log of its own. A process that ends on its own with an error ends the
demo, and the error shows the last lines it wrote.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import signal
import subprocess
import time

from ..exceptions import SimulationError

_POLL_S = 0.1
_LINES_SHOWN = 12


@dataclass(slots=True)
class _Process:
    popen: subprocess.Popen[bytes]
    log: Path


class ProcessGroup:
    """A set of processes; a context manager that leaves none behind.

    Args:
        environment: environment of every process.
        logs: folder for ``<name>.log``.
    """

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = dict(environment)
        self._logs = logs
        self._processes: dict[str, _Process] = {}

    def __enter__(self) -> ProcessGroup:
        return self

    def __exit__(self, *error: object) -> None:
        for name in reversed(list(self._processes)):
            self._end(name)

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process."""
        log = self._logs / f'{name}.log'
        with log.open('wb') as file:
            popen = subprocess.Popen(command, env=self._environment, stdout=file,
                                     stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                     start_new_session=True, preexec_fn=_hear_interrupts)
        self._processes[name] = _Process(popen, log)

    def check(self) -> None:
        """Look after every process.

        Raises:
            SimulationError: one has ended with an error; its last lines are in the message.
        """
        for name in self._processes:
            code = self._processes[name].popen.poll()
            if code:
                raise SimulationError(f'{name} ended with code {code}; {self.last_lines(name)}')

    def is_running(self, name: str) -> bool:
        """Return whether a process has not ended yet."""
        return self._processes[name].popen.poll() is None

    def wait(self, seconds: float) -> None:
        """Let time pass while looking after every process.

        Raises:
            SimulationError: one has ended with an error.
        """
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.check()
            time.sleep(min(_POLL_S, max(0.0, end_s - time.monotonic())))

    def wait_for_log(self, name: str, text: str, timeout_s: float) -> None:
        """Wait until a process has written some words.

        Raises:
            SimulationError: it did not in time, or a process ended.
        """
        end_s = time.monotonic() + timeout_s
        while text not in self._log(name):
            self.check()
            if not self.is_running(name):
                raise SimulationError(f'{name} ended too early; {self.last_lines(name)}')
            if time.monotonic() > end_s:
                raise SimulationError(f'{name} was not ready after {timeout_s:g} s; '
                                      f'{self.last_lines(name)}')
            time.sleep(_POLL_S)

    def wait_for_end(self, name: str, timeout_s: float) -> None:
        """Wait until a process ends by itself.

        Raises:
            SimulationError: it did not in time, or a process ended with an error.
        """
        end_s = time.monotonic() + timeout_s
        while self.is_running(name):
            self.check()
            if time.monotonic() > end_s:
                raise SimulationError(f'{name} did not end within {timeout_s:g} s; '
                                      f'{self.last_lines(name)}')
            time.sleep(_POLL_S)
        self.check()

    def interrupt(self, name: str, timeout_s: float) -> None:
        """Ask a process to end as Ctrl-C does, and wait until it has.

        Raises:
            SimulationError: it did not end in time or ended with an error.
        """
        process = self._processes[name]
        if process.popen.poll() is None:
            process.popen.send_signal(signal.SIGINT)
            try:
                process.popen.wait(timeout_s)
            except subprocess.TimeoutExpired as error:
                self._end(name)
                raise SimulationError(f'{name} did not end within {timeout_s:g} s; '
                                      f'{self.last_lines(name)}') from error
        self.check()

    def last_lines(self, name: str) -> str:
        """Return the last lines a process wrote, for an error message."""
        lines = self._log(name).splitlines()[-_LINES_SHOWN:]
        return 'its last lines:\n  ' + '\n  '.join(lines) if lines else 'it wrote nothing'

    def lines_with(self, name: str, text: str) -> list[str]:
        """Return the lines of a process's log that hold some words."""
        return [line for line in self._log(name).splitlines() if text in line]

    def _log(self, name: str) -> str:
        return self._processes[name].log.read_text(encoding='utf-8', errors='replace')

    def _end(self, name: str) -> None:
        """End a process by force if it must be, without waiting long."""
        popen = self._processes[name].popen
        if popen.poll() is not None:
            return
        popen.terminate()
        try:
            popen.wait(5.0)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait(5.0)


def _hear_interrupts() -> None:
    """Undo an inherited "ignore": shells start background jobs deaf to interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
