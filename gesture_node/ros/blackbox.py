"""Writes black-box files in the background, on request or after a fault. Knows no ROS."""
from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
import os
from pathlib import Path
import platform
from threading import Thread
import time
from typing import Any

import numpy as np

from ..exceptions import GestureError
from ..operations.black_box import BlackBox
from ..operations.black_box_file import save_black_box
from ..version import version

FAULT_FILES = 5
FAULT_PAUSE_S = 60.0
"""A fault that comes again and again is written once in this time."""


def black_box_folder(given: str) -> Path:
    """Return the folder of black-box files: the one given, or that of ROS."""
    if given:
        return Path(given).expanduser()
    home = os.environ.get('ROS_HOME') or '~/.ros'
    return Path(home).expanduser() / 'gesture_node'


class BlackBoxWriter:
    """Writes what a black box holds.

    Args:
        box: the black box.
        node_name: fully qualified name of the node, part of the names of files.
        facts: what else the header of a file says.
        say: takes a sentence for the log.
    """

    def __init__(self, box: BlackBox, node_name: str, facts: Callable[[], dict[str, Any]],
                 say: Callable[[str], None]) -> None:
        self.written = 0
        self._box, self._facts, self._say = box, facts, say
        self._stem = node_name.strip('/').replace('/', '_')
        self._thread: Thread | None = None
        self._fault_s = float('-inf')

    def request(self, folder: Path, reason: str = 'requested') -> tuple[bool, str]:
        """Begin to write; return whether that was begun, and the path or why it was not."""
        if not self._box.is_on:
            return False, 'operations.black_box_s is 0: nothing is remembered'
        if self._thread is not None and self._thread.is_alive():
            return False, 'another black-box file is being written'
        now = datetime.now(timezone.utc).strftime('%Y%m%dT%H%M%S%fZ')
        path = folder / f'{self._stem}_{"fault" if reason != "requested" else "dump"}_{now}.npz'
        snapshot = self._box.snapshot()
        header = {'reason': reason, 'written': now, 'node': self._stem, 'version': version(),
                  'machine': platform.machine(), 'python': platform.python_version(),
                  'numpy': np.__version__, **self._facts()}

        def write() -> None:
            try:
                save_black_box(path, snapshot, header)
            except GestureError as error:
                self._say(str(error))
                return
            self.written += 1
            self._say(f'black box written to {path} ({reason})')
            if reason != 'requested':
                _keep_newest(folder, f'{self._stem}_fault_*.npz')

        self._thread = Thread(target=write, name='black_box', daemon=True)
        self._thread.start()
        return True, str(path)

    def note_fault(self, folder: Path, reason: str) -> bool:
        """Write after a fault, unless one was written a short while ago; return whether it is."""
        now_s = time.monotonic()
        if now_s - self._fault_s < FAULT_PAUSE_S:
            return False
        self._fault_s = now_s
        return self.request(folder, reason)[0]

    def finish(self, timeout_s: float = 5.0) -> None:
        """Wait for a file that is being written."""
        if self._thread is not None:
            self._thread.join(timeout_s)


def _keep_newest(folder: Path, pattern: str) -> None:
    for path in sorted(folder.glob(pattern))[:-FAULT_FILES]:
        path.unlink(missing_ok=True)
