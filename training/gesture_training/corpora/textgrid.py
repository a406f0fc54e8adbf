"""Reader of Praat TextGrid files, long or short text form: interval tiers by name.

Both forms are the same sequence of numbers and quoted strings; the long one has names before
them, and running numbers in brackets, which Praat itself does not read either.
"""
from __future__ import annotations

from collections.abc import Iterator
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


_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<![\w.])([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w])')
_BRACKETS = re.compile(r'\[\s*\d*\s*\]:?')
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def read_textgrid(path: Path) -> dict[str, list[Interval]]:
    """Return the interval tiers of a TextGrid by name; tiers of points are left out.

    Raises:
        AudioError: the file is not a TextGrid in a text form, or ends too early.
    """
    text = _decode(path)
    head, found, body = text.partition('"TextGrid"')
    if not found or 'ooTextFile' not in head[:200]:
        raise AudioError(f'{path} is not a TextGrid in a text form')
    try:
        return _tiers(_tokens(body))
    except (StopIteration, ValueError, TypeError, RuntimeError):
        raise AudioError(f'{path} is a TextGrid that ends too early or is malformed') from None


def _decode(path: Path) -> str:
    """Return the text of a file; Praat writes UTF-16 where a label needs it."""
    try:
        raw = path.read_bytes()
        return raw.decode('utf-16' if raw[:2] in (b'\xff\xfe', b'\xfe\xff') else 'utf-8-sig')
    except (OSError, UnicodeDecodeError) as error:
        raise AudioError(f'cannot read {path}: {error}') from None


def _tokens(body: str) -> Iterator[str | float]:
    """Yield numbers and strings; brackets outside of quotes are dropped first."""
    at = 0
    plain = []
    for quoted in _QUOTED.finditer(body):
        plain += [_BRACKETS.sub(' ', body[at:quoted.start()]), quoted.group()]
        at = quoted.end()
    plain.append(_BRACKETS.sub(' ', body[at:]))
    for match in _TOKEN.finditer(''.join(plain)):
        yield match[1].replace('""', '"') if match[1] is not None else float(match[2])


def _tiers(tokens: Iterator[str | float]) -> dict[str, list[Interval]]:
    tiers: dict[str, list[Interval]] = {}
    _, _, count = (_number(tokens) for _ in range(3))
    for _ in range(int(count)):
        kind, name = _string(tokens), _string(tokens)
        _, _, entries = (_number(tokens) for _ in range(3))
        if kind == 'IntervalTier':
            tiers[name] = [Interval(_number(tokens), _number(tokens), _string(tokens))
                           for _ in range(int(entries))]
        else:
            for _ in range(2 * int(entries)):
                next(tokens)
    return tiers


def _number(tokens: Iterator[str | float]) -> float:
    token = next(tokens)
    if isinstance(token, str):
        raise ValueError(f'expected a number, found {token!r}')
    return token


def _string(tokens: Iterator[str | float]) -> str:
    token = next(tokens)
    if not isinstance(token, str):
        raise ValueError(f'expected a string, found {token}')
    return token
