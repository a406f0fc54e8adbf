"""Rows of the report: what must be reached, the figure, whether it is, what stands beside it."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import math
from typing import Any

_NOTHING = 'none'


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report.

    Attributes:
        key: short unique name, by which the table of seeds and the JSON file refer to it.
        group: heading under which it stands.
        what: what is measured.
        target: what must be reached, in words.
        value: the number that is compared; nan when it was not measured.
        figure: the number as people read it.
        met: whether the target is reached; None when it was not measured.
        beside: ceilings and baselines, or why nothing was measured.
    """

    key: str
    group: str
    what: str
    target: str
    value: float
    figure: str
    met: bool | None
    beside: str = ''


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of all sections, looked up by path."""

    sections: Mapping[str, Mapping[str, Any]]

    def __call__(self, path: str) -> float:
        """Return a number by ``section.name.name``; nan when it is not there."""
        found = self.find(path)
        number = isinstance(found, int | float)
        return float(found) if number else math.nan

    def find(self, path: str) -> Any:
        """Return anything by its path; None when it is not there."""
        found: Any = self.sections
        for name in path.split('.'):
            if not isinstance(found, Mapping) or name not in found:
                return None
            found = found[name]
        return found


Format = Callable[[float], str]


def percent(value: float) -> str:
    """Return a share as a percentage."""
    return _NOTHING if math.isnan(value) else f'{100 * value:.1f} %'


def plain(value: float) -> str:
    """Return a number with three digits."""
    if math.isnan(value):
        return _NOTHING
    return f'{value:.3g}' if abs(value) < 100 else f'{value:.0f}'


def milliseconds(value: float) -> str:
    """Return seconds as signed milliseconds."""
    if math.isnan(value):
        return _NOTHING
    whole = round(1e3 * value)
    return f'{whole:+d} ms' if whole else '0 ms'


def unit(name: str) -> Format:
    """Return a format of numbers with a unit."""
    return lambda value: f'{plain(value)} {name}' if not math.isnan(value) else _NOTHING


def at_least(limit: float, show: Format) -> tuple[str, Callable[[float], bool]]:
    """Return target and test of a figure that must not be smaller."""
    return f'≥ {show(limit)}', lambda value: value >= limit


def at_most(limit: float, show: Format) -> tuple[str, Callable[[float], bool]]:
    """Return target and test of a figure that must not be larger."""
    return f'≤ {show(limit)}', lambda value: value <= limit


def below(limit: float, show: Format) -> tuple[str, Callable[[float], bool]]:
    """Return target and test of a figure that must be smaller."""
    return f'< {show(limit)}', lambda value: value < limit


def above(limit: float, show: Format) -> tuple[str, Callable[[float], bool]]:
    """Return target and test of a figure that must be larger."""
    return f'> {show(limit)}', lambda value: value > limit


def within(low: float, high: float, show: Format) -> tuple[str, Callable[[float], bool]]:
    """Return target and test of a figure that must lie in a range."""
    return f'{show(low)} to {show(high)}', lambda value: low <= value <= high


def row(group: str, key: str, what: str, value: float,
        target: tuple[str, Callable[[float], bool]], show: Format, beside: str = '',
        figure: str | None = None) -> Row:
    """Return a row; a value that is nan is neither met nor missed.

    Args:
        group: heading.
        key: unique name.
        what: what is measured.
        value: what is compared.
        target: from :func:`at_least` and its like.
        show: how the value is written.
        beside: ceilings and baselines.
        figure: other words for the value.
    """
    words, reached = target
    if math.isnan(value):
        # Words around numbers that are missing too say nothing.
        return Row(key, group, what, words, value, 'not measured', None,
                   '' if _NOTHING in beside else beside)
    return Row(key, group, what, words, value, figure or show(value), bool(reached(value)),
               beside)


def listed(parts: Mapping[str, float], show: Format) -> str:
    """Return names with numbers in one line; those that were not measured are left out."""
    return ', '.join(f'{name} {show(value)}' for name, value in parts.items()
                     if not math.isnan(value))
