"""The library of named gestures, read from YAML (``config/gestures.yaml``).

Keyframes are described once, for the right hand, by directions and angles a person can picture;
``docs/gestures.md`` explains every key. A library that was read is checked: it can be played.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..exceptions import RequestError, RobotError
from ..motion.profile_yaml import Node, read_yaml
from ..resources import share_path
from ..types import Float64Array

HANDS = ('right', 'left', 'both', 'either', 'none')
ARGUMENTS = ('none', 'number', 'target')
NEEDS = ('arm', 'head', 'trunk', 'fingers')
LEAST_S, MOST_S = 0.1, 3.0
LONGEST_S = 20.0
"""Of preparation and retraction; of all keyframes together."""
_KEYS = ('about', 'aliases', 'hand', 'needs', 'argument', 'preparation_s', 'retraction_s', 'keys')
_FRAME_KEYS = ('t', 'arm', 'shape', 'shrug_deg', 'head', 'trunk')
_NUMBER_SHAPE = 'count_N'
COUNTS = (1, 5)


@dataclass(frozen=True, slots=True)
class KeyArm:
    """An arm in a keyframe: directions [forward, outward, up], unit vectors of shape (3,)."""

    upper: Float64Array
    fore: Float64Array
    fingers: Float64Array
    palm: Float64Array
    lift_rad: float


@dataclass(frozen=True, slots=True)
class Key:
    """One keyframe; ``None`` is a part it does not name.

    Attributes:
        time_s: from the stroke.
        arm: of the hand or hands of the gesture.
        shape: name of a hand shape.
        head: turn to the left, nod, tilt to the right, shape (3,), [rad].
        trunk: the same.
    """

    time_s: float
    arm: KeyArm | None
    shape: str | None
    head: Float64Array | None
    trunk: Float64Array | None


@dataclass(frozen=True, slots=True)
class Gesture:
    """A named gesture.

    Attributes:
        name: by which it is asked for.
        about: one line for people.
        hand: ``right``, ``left``, ``both``, ``either`` or ``none``.
        needs: parts a robot must have, alternatives separated by ``|``.
        argument: ``none``, ``number`` or ``target``.
        preparation_s: from what was before to the first keyframe.
        retraction_s: from the last keyframe to what is then.
        keys: keyframes by time; the stroke is at 0.
        is_mirrored: whether head and trunk are mirrored, since the keys are of the other side.
    """

    name: str
    about: str
    hand: str
    needs: tuple[str, ...]
    argument: str
    preparation_s: float
    retraction_s: float
    keys: tuple[Key, ...]
    is_mirrored: bool = False


@dataclass(frozen=True, slots=True)
class GestureLibrary:
    """Named gestures and hand shapes.

    Attributes:
        gestures: by name, in the order of the file.
        aliases: other names.
        shapes: curls of thumb, four fingers and thumb opposition, shape (6,), in [0, 1].
    """

    gestures: Mapping[str, Gesture]
    aliases: Mapping[str, str]
    shapes: Mapping[str, Float64Array]

    def find(self, name: str) -> Gesture:
        """Return a gesture by its name or another name of it.

        Raises:
            RequestError: there is none.
        """
        known = self.aliases.get(name, name)
        if known not in self.gestures:
            raise RequestError(f'there is no gesture {name[:40]!r}; known: '
                               f'{", ".join(sorted(self.gestures))}')
        return self.gestures[known]


def load_library(path: str | Path = '') -> GestureLibrary:
    """Read a library of gestures.

    Args:
        path: YAML file; empty takes the one that ships.

    Raises:
        RequestError: it cannot be read, or something in it cannot be played.
    """
    try:
        file = Path(path).expanduser() if path else share_path('config', 'gestures.yaml')
        node = read_yaml(file).allow(('shapes', 'gestures'))
        shapes = {name: _shape(node.child('shapes'), name) for name in node.child('shapes')}
        return _library(node.child('gestures'), shapes)
    except (RobotError, RequestError) as error:
        # The reader of YAML speaks of robot profiles; here it is the file of gestures.
        raise RequestError(str(error).replace('robot profile', 'gesture library')) from error


def _library(node: Node, shapes: Mapping[str, Float64Array]) -> GestureLibrary:
    gestures: dict[str, Gesture] = {}
    aliases: dict[str, str] = {}
    for name in node:
        entry = node.child(name)
        if not entry.has('mirrors'):
            gestures[name] = _gesture(name, entry.allow(_KEYS), shapes)
            continue
        of = entry.allow(('mirrors', 'about')).text('mirrors')
        if of not in gestures or gestures[of].hand == 'both':
            raise RequestError(f'{entry.where}: mirrors must name a gesture above that is not '
                               f'made with both hands, got {of!r}')
        gestures[name] = _mirrored(gestures[of], name, entry.text('about'))
    for name in node:
        entry = node.child(name)
        for alias in entry.names('aliases') if entry.has('aliases') else ():
            if alias in gestures or alias in aliases:
                raise RequestError(f'{entry.where}: the name {alias!r} is taken')
            aliases[alias] = name
    return GestureLibrary(gestures, aliases, shapes)


def _mirrored(gesture: Gesture, name: str, about: str) -> Gesture:
    hand = {'right': 'left', 'left': 'right'}.get(gesture.hand, gesture.hand)
    return Gesture(name, about, hand, gesture.needs, gesture.argument, gesture.preparation_s,
                   gesture.retraction_s, gesture.keys, not gesture.is_mirrored)


def _gesture(name: str, node: Node, shapes: Mapping[str, Float64Array]) -> Gesture:
    hand = _choice(node, 'hand', HANDS, 'none')
    argument = _choice(node, 'argument', ARGUMENTS, 'none')
    needs = node.names('needs')
    for part in (part for need in needs for part in need.split('|')):
        if part not in NEEDS:
            raise RequestError(f'{node.where}: needs must name {", ".join(NEEDS)}, got {part!r}')
    keys = tuple(_key(item.allow(_FRAME_KEYS), shapes, argument) for item in node.children('keys'))
    _check_keys(node, keys, hand, argument)
    return Gesture(name, node.text('about'), hand, needs, argument,
                   _span(node, 'preparation_s'), _span(node, 'retraction_s'), keys)


def _check_keys(node: Node, keys: tuple[Key, ...], hand: str, argument: str) -> None:
    times = [key.time_s for key in keys]
    if 0.0 not in times or times != sorted(set(times)) or times[-1] - times[0] > LONGEST_S:
        raise RequestError(f'{node.where}: keys must be in order of t, one of them at 0, the '
                           f'stroke, within {LONGEST_S} s; got {times}')
    moves_arm = any(key.arm is not None or key.shape is not None for key in keys)
    if (hand == 'none') == (moves_arm or argument == 'target'):
        raise RequestError(f'{node.where}: hand must be none exactly if no key has arm or shape, '
                           f'got {hand!r}')
    if any(key.shape is not None for key in keys) and argument != 'target' and not any(
            key.arm is not None for key in keys):
        raise RequestError(f'{node.where}: a shape needs an arm that shows it')
    if not moves_arm and all(key.head is None and key.trunk is None for key in keys):
        raise RequestError(f'{node.where}: no key moves anything')


def _key(node: Node, shapes: Mapping[str, Float64Array], argument: str) -> Key:
    shape = node.text('shape') if node.has('shape') else None
    wanted = () if shape is None else _shapes_named(shape, argument)
    for name in wanted:
        if name not in shapes:
            raise RequestError(f'{node.where}: there is no shape {name!r}; known: '
                               f'{", ".join(shapes)}')
    return Key(node.number('t'), _arm(node) if node.has('arm') else None, shape,
               _angles(node, 'head'), _angles(node, 'trunk'))


def _shapes_named(shape: str, argument: str) -> tuple[str, ...]:
    if shape == _NUMBER_SHAPE and argument == 'number':
        return tuple(shape_of(shape, number) for number in range(COUNTS[0], COUNTS[1] + 1))
    return (shape,)


def shape_of(shape: str, number: int) -> str:
    """Return the name of the hand shape of a keyframe for the number that is asked for."""
    return f'count_{number}' if shape == _NUMBER_SHAPE else shape


def _arm(node: Node) -> KeyArm:
    arm = node.child('arm').allow(('upper', 'fore', 'fingers', 'palm'))
    fore = arm.direction('fore')
    lift_deg = node.number('shrug_deg') if node.has('shrug_deg') else 0.0
    _check_angle(node, 'shrug_deg', lift_deg, 30.0)
    return KeyArm(arm.direction('upper'), fore,
                  arm.direction('fingers') if arm.has('fingers') else fore,
                  arm.direction('palm'), float(np.radians(lift_deg)))


def _angles(node: Node, key: str) -> Float64Array | None:
    if not node.has(key):
        return None
    degrees = np.array(list(_numbers(node, key, 3)))
    for value in degrees:
        _check_angle(node, key, float(value), 80.0)
    return np.asarray(np.radians(degrees))


def _check_angle(node: Node, key: str, degrees: float, most: float) -> None:
    if abs(degrees) > most:
        raise RequestError(f'{node.where}: {key} must be within {most} degrees, got {degrees}')


def _shape(node: Node, name: str) -> Float64Array:
    curls = np.array(list(_numbers(node, name, 6)))
    if curls.min() < 0.0 or curls.max() > 1.0:
        raise RequestError(f'{node.where}: {name} must be numbers in [0, 1], got {curls.tolist()}')
    return curls


def _numbers(node: Node, key: str, count: int) -> Iterator[float]:
    value = node.numbers(key)
    if len(value) != count:
        raise RequestError(f'{node.where}: {key} must be {count} numbers, got {len(value)}')
    yield from value


def _span(node: Node, key: str) -> float:
    value = node.number(key)
    if not LEAST_S <= value <= MOST_S:
        raise RequestError(f'{node.where}: {key} must be in [{LEAST_S}, {MOST_S}] s, got {value}')
    return value


def _choice(node: Node, key: str, allowed: tuple[str, ...], default: str) -> str:
    value = node.text(key) if node.has(key) else default
    if value not in allowed:
        raise RequestError(f'{node.where}: {key} must be one of {", ".join(allowed)}, '
                           f'got {value!r}')
    return value
