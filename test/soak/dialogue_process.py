"""The node of the dialogue soak as a process: started, harmed, watched, ended."""
from __future__ import annotations

from dataclasses import dataclass, field
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

NODE = Path(__file__).parents[1] / 'ros' / 'stalling_node.py'


@dataclass
class NodeProcess:
    """One life of the node.

    Args:
        arguments: its command line.
        folder: where its log goes.
        number: of this life.
    """

    arguments: list[str]
    folder: Path
    number: int
    rss_mb: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = self.folder / f'node_{self.number}.log'
        self.told = self.folder / f'harm_{self.number}.log'
        self.told.touch()
        with self.log.open('w') as log:
            self._process = subprocess.Popen(
                [sys.executable, str(NODE), *self.arguments], stdout=log, stderr=log,
                env={**os.environ, 'STALLING_LOG': str(self.told)})
        self.born_s = time.monotonic()
        self.is_expected_to_live = True

    @property
    def has_crashed(self) -> bool:
        """Whether it ended although nobody wanted that."""
        return self.is_expected_to_live and self._process.poll() is not None

    def harm(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def words(self) -> list[str]:
        """Return what was done to it so far: ``stalled``, ``back``, ``failed``."""
        return [line.split()[0] for line in self.told.read_text().splitlines()]

    def look(self) -> None:
        """Note its resident memory."""
        try:
            status = Path(f'/proc/{self._process.pid}/status').read_text()
        except OSError:
            return
        for line in status.splitlines():
            if line.startswith('VmRSS'):
                self.rss_mb.append((time.monotonic() - self.born_s, int(line.split()[1]) / 1024))

    def end(self, ending: str) -> bool:
        """End it; return whether it ended as it should."""
        self.is_expected_to_live = False
        if ending == 'kill':
            self._process.kill()
            self._process.wait()
            return True
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(timeout=20.0) == 0
        except subprocess.TimeoutExpired:
            self._process.kill()
            return False

    def growth(self, warm_s: float) -> float | None:
        """Return by which share memory grew since it was warm; ``None`` for a short life.

        What lies between the medians of the first and the last quarter, which is three quarters
        of it: from moment to moment it rises and falls by what a stream holds.
        """
        warm = [mb for at_s, mb in self.rss_mb if at_s >= warm_s]
        if not warm or self.rss_mb[-1][0] < 2.0 * warm_s:
            return None
        span = max(1, len(warm) // 4)
        return (_median(warm[-span:]) / _median(warm[:span]) - 1.0) / 0.75


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
