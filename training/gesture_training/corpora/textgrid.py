"""Reader of Praat TextGrid files (long text form): interval tiers by name."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import re

from gesture_node.exceptions import AudioError


@dataclass(frozen=True, slots=True)
class Interval:
    """A labelled interval [s]; an empty label is silence."""

    start_s: float
    end_s: float
    label: str


_INTERVAL = re.compile(
    r'xmin\s*=\s*([-\d.eE]+)\s*xmax\s*=\s*([-\d.eE]+)\s*text\s*=\s*"((?:[^"]|"")*)"')
_NAME = re.compile(r'name\s*=\s*"([^"]*)"')


def read_textgrid(path: Path) -> dict[str, list[Interval]]:
    """Return the interval tiers of a TextGrid by name.

    Raises:
        AudioError: the file is not a TextGrid in the long text form.
    """
    text = path.read_text(encoding='utf-8')
    if 'ooTextFile' not in text[:200]:
        raise AudioError(f'{path} is not a TextGrid in the long text form')
    tiers = {}
    for part in re.split(r'item \[\d+\]:', text)[1:]:
        name = _NAME.search(part)
        if name is None:
            raise AudioError(f'{path} has a tier without a name')
        tiers[name.group(1)] = [
            Interval(float(start), float(end), label.replace('""', '"'))
            for start, end, label in _INTERVAL.findall(part)]
    return tiers
