"""Joint maps: which joint of a rig shows which segment of the canonical upper body.

A map is a YAML file (``training/config/skeletons/*.yaml``, or the user's own)::

    up: [0, 1, 0]                 axes of the file; the third one follows
    forward: [0, 0, 1]
    bind: auto                    the pose that joint rotations are measured against, see below
    skip_frames: 0                leading frames that are no motion (a calibration pose)
    sides: {left: Left, right: Right}
    root: Hips
    leg: '{side}UpLeg'            optional; tells left from right in rigs without collar bones
    segments: {spine: Spine1, chest: [Spine3, Spine2], neck: Neck, head: Head,
               clavicle: '{side}Shoulder'}
    arm: {upper: '{side}Arm', fore: '{side}ForeArm', hand: '{side}Hand'}
    fingers: {thumb: ['{side}HandThumb1', ...], index: [...], middle: ..., ring: ..., little: ...}

Where several names are given the first one that a file has is used. ``{side}`` is the word of
``sides``, ``{initial}`` its first letter. Neck, clavicle, leg and fingers may be left out.

``bind`` is one of

* ``zero``: at all-zero rotation the person stands upright in a T or A pose;
* ``straight``: at all-zero rotation trunk and arms are straight, but whole limbs may point
  anywhere (bones lie along a fixed axis of their joints, whose frames agree within a limb);
* ``first_frame``: the recording begins in a T or A pose;
* ``auto``: ``zero`` where the zero pose is one a person could stand in, whichever axis is up in
  it, else ``straight``.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from gesture_node.types import Float64Array

from .problems import CatalogueError

MAPS = Path(__file__).resolve().parents[2] / 'config' / 'skeletons'
BINDS = ('zero', 'straight', 'first_frame', 'auto')
FINGERS = ('thumb', 'index', 'middle', 'ring', 'little')
SIDES = ('left', 'right')
_KEYS = {'up', 'forward', 'bind', 'skip_frames', 'sides', 'root', 'leg', 'segments', 'arm',
         'fingers'}
_SEGMENTS = {'spine': True, 'chest': True, 'neck': False, 'head': True, 'clavicle': False}

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SkeletonMap:
    """A joint map; every joint is a tuple of names, of which the first one present counts.

    Attributes:
        name: of the map, for messages.
        axes: shape (3, 3), rows are forward, left and up in the axes of the file.
        bind: one of ``BINDS``.
        skip_frames: leading frames to leave out.
        root: the hips.
        segments: spine, chest, head and, where the rig has them, neck, left_clavicle,
            right_clavicle.
        legs: upper leg by side; empty where the map names none.
        arms: upper, fore and hand by side.
        fingers: joints of each finger from the knuckle on, by side.
    """

    name: str
    axes: Float64Array
    bind: str
    skip_frames: int
    root: Names
    segments: dict[str, Names]
    legs: dict[str, Names]
    arms: dict[str, dict[str, Names]]
    fingers: dict[str, dict[str, tuple[Names, ...]]]


def load_map(name: str | Path = 'smartbody') -> SkeletonMap:
    """Read a joint map.

    Args:
        name: of a shipped map (``beat``, ``cmu``, ...), or the path of a YAML file.

    Raises:
        CatalogueError: there is no such map, or it is not one.
    """
    path = MAPS / f'{name}.yaml' if '.' not in str(name) else Path(name)
    if not path.is_file():
        shipped = ', '.join(sorted(p.stem for p in MAPS.glob('*.yaml')))
        raise CatalogueError(f'there is no joint map {str(name)!r}; shipped are {shipped}, and '
                             'the path of a .yaml file is allowed')
    data: Any = yaml.safe_load(path.read_text(encoding='utf-8'))
    if not isinstance(data, dict):
        raise CatalogueError(f'joint map {path} must hold a mapping')
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise CatalogueError(f'joint map {path} has an unknown key {unknown[0]!r}; allowed are '
                             f'{", ".join(sorted(_KEYS))}')
    try:
        return _checked(path, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CatalogueError(f'joint map {path} is incomplete or malformed ({error})') from None


def _checked(path: Path, data: dict[str, Any]) -> SkeletonMap:
    bind = data.get('bind', 'auto')
    if bind not in BINDS:
        raise CatalogueError(f'joint map {path}: bind must be one of {", ".join(BINDS)}, '
                             f'got {bind!r}')
    words = {side: str(data.get('sides', {}).get(side, side)) for side in SIDES}
    segments = {}
    for key, needed in _SEGMENTS.items():
        if key not in data['segments']:
            if needed:
                raise CatalogueError(f'joint map {path} names no {key}')
            continue
        if key == 'clavicle':
            segments |= {f'{side}_{key}': _names(data['segments'][key], words[side])
                         for side in SIDES}
        else:
            segments[key] = _names(data['segments'][key], '')
    arms = {side: {part: _names(data['arm'][part], words[side])
                   for part in ('upper', 'fore', 'hand')} for side in SIDES}
    fingers = {side: {finger: tuple(_names(joint, words[side]) for joint in joints)
                      for finger, joints in (data.get('fingers') or {}).items()}
               for side in SIDES}
    wrong = sorted(set(fingers['left']) - set(FINGERS))
    if wrong:
        raise CatalogueError(f'joint map {path} names a finger {wrong[0]!r}; allowed are '
                             f'{", ".join(FINGERS)}')
    legs = {side: _names(data['leg'], words[side]) for side in SIDES} if 'leg' in data else {}
    return SkeletonMap(path.stem, _axes(path, data['up'], data['forward']), bind,
                       int(data.get('skip_frames', 0)), _names(data['root'], ''), segments, legs,
                       arms, fingers)


def _names(value: str | list[str], word: str) -> Names:
    choices = [value] if isinstance(value, str) else value
    return tuple(choice.format(side=word, initial=word[:1]) for choice in choices)


def _axes(path: Path, up: list[float], forward: list[float]) -> Float64Array:
    """Return the rows forward, left and up of a right-handed frame."""
    rows = np.array([forward, np.cross(up, forward), up], dtype=np.float64)
    if not np.allclose(rows @ rows.T, np.eye(3), atol=1e-6):
        raise CatalogueError(f'joint map {path}: up {up} and forward {forward} must be unit '
                             'vectors at a right angle')
    return rows
