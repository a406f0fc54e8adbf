"""A sound device for ``gesture_node`` on a machine without one: a converter that keeps its pace.

Every block leaves the converter ``LATENCY_S`` after its place in time, whenever the callback came.
What is heard, and when, is appended to the file named by ``FAKE_SPEAKER``: per block its time on
the wall [ns], its length, and its samples.
"""
from __future__ import annotations

from collections.abc import Callable
import os
import struct
import sys
from threading import Event, Thread
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

RATE, BLOCK = 48_000, 480
LATENCY_S = 0.15
BLOCK_S = BLOCK / RATE


class OutputStream:
    """As much of ``sounddevice.OutputStream`` as the node uses."""

    latency = 0.2
    """What the driver says of itself, which is not quite true, as it is of real ones."""

    def __init__(self, samplerate: int, dtype: str, device: Any, channels: int,
                 callback: Callable[[Any, int, Any, Any], None]) -> None:
        assert (samplerate, dtype) == (RATE, 'float32')
        self._channels, self._callback = channels, callback
        self._ended = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def close(self) -> None:
        """Be silent."""
        self._ended.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        wall_ns = time.time_ns() - time.monotonic_ns()
        due_s = time.monotonic()
        with open(os.environ['FAKE_SPEAKER'], 'ab') as file:
            while not self._ended.is_set():
                time.sleep(max(0.0, due_s - time.monotonic()))
                now_s = time.monotonic()
                if now_s > due_s + LATENCY_S:
                    # The buffer ran empty; the device begins again.
                    due_s = now_s
                block = np.zeros((BLOCK, self._channels), np.float32)
                heard_s = due_s + LATENCY_S
                self._callback(block, BLOCK, SimpleNamespace(
                    currentTime=now_s, outputBufferDacTime=heard_s), None)
                file.write(struct.pack('<qi', wall_ns + round(heard_s * 1e9), BLOCK))
                file.write(block[:, 0].astype('<f4').tobytes())
                due_s += BLOCK_S
            file.flush()


def install() -> None:
    """Let ``import sounddevice`` find this device."""
    sys.modules['sounddevice'] = SimpleNamespace(  # type: ignore[assignment]
        OutputStream=OutputStream, query_devices=lambda device, kind: {
            'default_samplerate': float(RATE), 'max_output_channels': 2})


def heard(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Return when each sample was heard [ns on the wall], and the samples, from a file."""
    times, samples = [], []
    with open(path, 'rb') as file:
        while len(head := file.read(12)) == 12:
            at_ns, count = struct.unpack('<qi', head)
            times.append(at_ns + np.arange(count) * 1_000_000_000 // RATE)
            samples.append(np.frombuffer(file.read(4 * count), '<f4'))
    return np.concatenate(times), np.concatenate(samples)
