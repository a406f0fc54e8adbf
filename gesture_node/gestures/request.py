"""What a request says: a small syntax, or JSON; ``docs/gestures.md`` has examples of both.

::

    request  = NAME [number...] [key=value...]        greet
                                                      count 3 hand=left
                                                      point_at 1.0 0.3 1.2 frame=base_link at=0.5u

Any text is either understood or refused with one sentence.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import json
import math
import re
from typing import Any

from ..exceptions import RequestError

MOST_CHARACTERS = 2_000
AMPLITUDE = (0.3, 1.2)
FARTHEST_S = 600.0
LONGEST_UTTERANCE_S = 3_600.0
FARTHEST_M = 100.0
_NAME = re.compile(r'[a-z][a-z0-9_]{0,39}')
_HANDS = ('left', 'right', 'both')
_MOST_ARGUMENTS = 3
_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class GestureRequest:
    """A gesture that is asked for.

    At most one of ``in_s``, ``fraction`` and ``stamp_s`` is given; none means as soon as possible.

    Attributes:
        gesture: name.
        arguments: x, y, z [m] of ``point_at``, the number of ``count``.
        in_s: time of the stroke, from when the request arrives [s].
        fraction: time of the stroke as a share of the current utterance, in [0, 1].
        utterance_s: length of that utterance if the asker knows it, [s].
        stamp_s: time of the stroke, ROS time [s].
        amplitude: size against what is written in the library.
        hand: ``left``, ``right``, ``both``, or empty for the gesture's own choice.
        frame: tf frame of a target; empty for the robot's root link.
        id: comes back with every answer.
    """

    gesture: str
    arguments: tuple[float, ...] = ()
    in_s: float | None = None
    fraction: float | None = None
    utterance_s: float | None = None
    stamp_s: float | None = None
    amplitude: float = 1.0
    hand: str = ''
    frame: str = ''
    id: str = ''


def parse_request(text: str) -> GestureRequest:
    """Return what a text asks for.

    Args:
        text: JSON object, or ``NAME numbers key=value``.

    Raises:
        RequestError: saying in one sentence what is wrong.
    """
    if len(text) > MOST_CHARACTERS:
        raise RequestError(f'a request has at most {MOST_CHARACTERS} characters, got {len(text)}')
    stripped = text.strip()
    if not stripped:
        raise RequestError('the request is empty; write the name of a gesture, such as greet')
    values = _from_json(stripped) if stripped.startswith('{') else _from_words(stripped.split())
    return _checked(values)


def _from_words(words: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {'gesture': words[0]}
    arguments = []
    for word in words[1:]:
        key, equals, value = word.partition('=')
        if not equals:
            arguments.append(_number(word, 'argument'))
            continue
        if key == 'at':
            key, value = _at(value)
        elif key == 'of':
            key, value = 'utterance_s', value.removesuffix('s')
        if key not in _READ or key in ('gesture', 'arguments'):
            raise RequestError(f'there is no key {_short(key)}; known: at, of, stamp, amplitude, '
                               'hand, frame, id')
        if key in values:
            raise RequestError(f'{key} is given twice')
        values[key] = value if key in _TEXTS else _number(value, key)
    return {**values, 'arguments': arguments}


def _at(value: str) -> tuple[str, str]:
    """Return the key and the number of ``at=``: seconds from now, or with ``u`` a fraction."""
    if value.endswith('u'):
        return 'fraction', value[:-1]
    return 'in_s', value.removesuffix('s')


def _from_json(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise RequestError(f'the request is not JSON: {" ".join(str(error).split())[:100]}'
                           ) from error
    for key, other in (('at_s', 'in_s'), ('at_fraction', 'fraction'), ('of_s', 'utterance_s')):
        if key in values:
            values[other] = values.pop(key)
    if 'target' in values:
        values['arguments'] = values.pop('target')
    if 'number' in values:
        values['arguments'] = [values.pop('number')]
    for key in values:
        if key not in _READ:
            raise RequestError(f'there is no key {_short(key)}; known: gesture, target, number, '
                               'at_s, at_fraction, of_s, stamp, amplitude, hand, frame, id')
    if 'gesture' not in values:
        raise RequestError('the request lacks the key "gesture"')
    return dict(values)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError('a key is given twice')
    return values


def _checked(values: dict[str, Any]) -> GestureRequest:
    read = {_FIELDS.get(key, key): _READ[key](value, key) for key, value in values.items()
            if value is not None}
    times = [key for key in ('in_s', 'fraction', 'stamp_s') if key in read]
    if len(times) > 1:
        raise RequestError('one time is enough: seconds from now, a fraction of the utterance or '
                           'a stamp')
    if 'utterance_s' in read and 'fraction' not in read:
        raise RequestError('the length of the utterance is only of use with a fraction of it, '
                           'such as at=0.5u')
    if 'gesture' not in read:
        raise RequestError('the request names no gesture')
    return GestureRequest(**read)


def _number(value: Any, key: str) -> float:
    """Return a finite number; from text, or as it is."""
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(
            value, (int, float, str)) else float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise RequestError(f'{key} must be a number, got {_short(value)}')
    return number


def _within(low: float, high: float, unit: str = '') -> Callable[[Any, str], float]:
    def read(value: Any, key: str) -> float:
        number = _number(value, key)
        if not low <= number <= high:
            raise RequestError(f'{key} must be in [{low:g}, {high:g}]{unit}, got {number:g}')
        return number
    return read


def _gesture(value: Any, key: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise RequestError('the name of a gesture is made of small letters, digits and _, '
                           f'got {_short(value)}')
    return value


def _arguments(value: Any, key: str) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) > _MOST_ARGUMENTS:
        raise RequestError(f'a gesture takes at most {_MOST_ARGUMENTS} numbers, '
                           f'got {_short(value)}')
    return tuple(_within(-FARTHEST_M, FARTHEST_M)(item, 'argument') for item in value)


def _hand(value: Any, key: str) -> str:
    if value not in _HANDS:
        raise RequestError(f'hand must be one of {", ".join(_HANDS)}, got {_short(value)}')
    return str(value)


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or len(value) > 100 or not value.isprintable():
        raise RequestError(f'{key} must be a line of at most 100 characters, got {_short(value)}')
    return value


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f'{shown[:_SHOWN]}...'


_READ: dict[str, Callable[[Any, str], Any]] = {
    'gesture': _gesture, 'arguments': _arguments,
    'in_s': _within(0.0, FARTHEST_S, ' s'), 'fraction': _within(0.0, 1.0),
    'utterance_s': _within(0.1, LONGEST_UTTERANCE_S, ' s'), 'stamp': _within(0.0, 1e10, ' s'),
    'amplitude': _within(*AMPLITUDE), 'hand': _hand, 'frame': _text, 'id': _text}
_TEXTS = ('hand', 'frame', 'id')
_FIELDS = {'stamp': 'stamp_s'}
