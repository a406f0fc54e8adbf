"""How a run is doing: one line now and then, and a CSV curve to plot.

The curve has a row per line: step, share of the budget done, optimiser steps and windows per
second, learning rate, and every loss term, smoothed.
"""
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
        path: CSV file; appended to when it exists. One with other columns is set aside.
        windows: windows per optimiser step, over all processes; 0 to leave them out.
        every_s: time between lines.
    """

    def __init__(self, path: Path, windows: int = 0, every_s: float = 10.0) -> None:
        self._path, self._windows, self._every_s = path, windows, every_s
        self._share_start: float | None = None
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
        if self._share_start is None:
            self._share_start = share
        if now_s - self._last_s >= self._every_s:
            self._report(step, share, rate, now_s)
        self._latest = step, share, rate

    def finish(self) -> None:
        """Report what was done since the last line, so that a short run has a curve too."""
        if self._steps:
            self._report(*self._latest, max(time.monotonic(), self._last_s + 1e-3))

    def _report(self, step: int, share: float, rate: float, now_s: float) -> None:
        per_s = self._steps / (now_s - self._last_s)
        ran_s = now_s - self._first_s
        done = share - (share if self._share_start is None else self._share_start)
        left = format_duration(ran_s * (1.0 - share) / done) if done > 0 else '?'
        shown = ' '.join(f'{name} {value:.4f}' for name, value in self._smooth.items())
        speed = {'steps_per_s': per_s}
        if self._windows:
            speed['windows_per_s'] = per_s * self._windows
        fast = ' '.join(f'{value:.4g} {name.replace("_per_", "/")}'
                        for name, value in speed.items())
        print(f'step {step} | {100 * share:.0f} % | {fast} | {left} left | {shown}',
              flush=True, file=sys.stderr)
        self._append({'step': step, 'share': round(share, 5),
                      **{k: round(v, 4) for k, v in speed.items()}, 'learning_rate': rate,
                      **{k: round(v, 6) for k, v in self._smooth.items()}})
        self._last_s, self._steps = now_s, 0

    def _append(self, row: dict[str, float]) -> None:
        fresh = not self._path.exists()
        if not fresh and self._columns() != list(row):
            number = 1
            while (aside := self._path.with_suffix(f'.{number}.csv')).exists():
                number += 1
            self._path.rename(aside)
            fresh = True
        with self._path.open('a', newline='', encoding='utf-8') as stream:
            writer = csv.DictWriter(stream, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)

    def _columns(self) -> list[str]:
        with self._path.open(newline='', encoding='utf-8') as stream:
            return next(csv.reader(stream), [])
