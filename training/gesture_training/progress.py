"""How a run is doing: one line now and then, and a CSV curve to plot."""
from __future__ import annotations

import csv
from pathlib import Path
import sys
import time

_SMOOTHING = 0.98


def format_duration(duration_s: float) -> str:
    """Return a duration [s] as ``1 h 05 min``, ``12 min`` or ``40 s``."""
    seconds = max(0, int(round(duration_s)))
    if seconds >= 3_600:
        return f'{seconds // 3_600} h {seconds % 3_600 // 60:02d} min'
    return f'{seconds // 60} min' if seconds >= 120 else f'{seconds} s'


class Progress:
    """Prints smoothed losses, throughput and time left, and appends them to a CSV file.

    Args:
        path: CSV file; appended to when it exists.
        every_s: time between lines.
    """

    def __init__(self, path: Path, every_s: float = 10.0) -> None:
        self._path, self._every_s = path, every_s
        self._smooth: dict[str, float] = {}
        self._count: dict[str, int] = {}
        self._last_s = self._first_s = time.monotonic()
        self._steps = 0

    def update(self, step: int, losses: dict[str, float], share: float, rate: float) -> None:
        """Take the losses of a step and report when it is time.

        Args:
            step: optimiser steps done in all.
            losses: terms by name, such as ``face.aperture``.
            share: how much of the run is done, in [0, 1].
            rate: learning rate.
        """
        for name, value in losses.items():
            self._count[name] = count = self._count.get(name, 0) + 1
            keep = min(_SMOOTHING, 1.0 - 1.0 / count)
            self._smooth[name] = keep * self._smooth.get(name, 0.0) + (1.0 - keep) * value
        self._steps += 1
        now_s = time.monotonic()
        if now_s - self._last_s >= self._every_s:
            self._report(step, share, rate, now_s)

    def _report(self, step: int, share: float, rate: float, now_s: float) -> None:
        per_s = self._steps / (now_s - self._last_s)
        ran_s = now_s - self._first_s
        self._share_start = getattr(self, '_share_start', share)
        done = share - self._share_start
        left = format_duration(ran_s * (1.0 - share) / done) if done > 0 else '?'
        shown = ' '.join(f'{name} {value:.4f}' for name, value in self._smooth.items())
        print(f'step {step} | {100 * share:.0f} % | {per_s:.2f} steps/s | {left} left | {shown}',
              flush=True, file=sys.stderr)
        self._append({'step': step, 'share': round(share, 5), 'steps_per_s': round(per_s, 4),
                      'learning_rate': rate, **{k: round(v, 6) for k, v in self._smooth.items()}})
        self._last_s, self._steps = now_s, 0

    def _append(self, row: dict[str, float]) -> None:
        fresh = not self._path.exists()
        with self._path.open('a', newline='', encoding='utf-8') as stream:
            writer = csv.DictWriter(stream, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)
