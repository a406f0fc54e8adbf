"""Readers of recorded ARKit weights: JSON as in BEAT, CSV of Live Link Face, CSV with times.

* JSON: ``{"names": [...], "frames": [{"weights": [...], "time": s, "rotation": [...]}, ...]}``;
  BEAT has 51 names (no tongue), ``rotation`` may be missing or empty.
* Live Link Face: ``Timecode,BlendShapeCount,EyeBlinkLeft,...``, names capitalised, order of the
  app, then head and eye angles. A timecode is ``HH:MM:SS:FF.fff``, FF whole frames in the second.
* CSV with times: a ``time`` column [s] and one column per weight, as ``gesture_from_file`` writes.

Names are matched without regard to case, with ``_L``/``_R`` for Left and Right. Weights that a
file lacks are 0, but the jaw must be there.
"""
from __future__ import annotations

import csv
from dataclasses import dataclass
import json
from pathlib import Path
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesture_node.motion.face import BLENDSHAPE_NAMES, FACE_DIM

from ..problems import UnusableFile
from .resample import check_times

Array = NDArray[np.float64]
HEAD_NAMES = ('headyaw', 'headpitch', 'headroll')
HEAD_UNITS_RAD = {'half_turn': float(np.pi), 'degree': float(np.pi) / 180.0, 'radian': 1.0}
"""Unreal's ARKit plugin divides angles by 180 degrees, so half turns are the default."""
HIGHEST_WEIGHT = 1.5
"""Trackers overshoot 1 a little; values beyond this are in another unit."""
_IGNORED = re.compile(r'(left|right)eye(yaw|pitch|roll)|_?neutral|time|timecode|blendshapecount|'
                      r'frame')
_TIMECODE = re.compile(r'(\d+):(\d+):(\d+)[:;](\d+(?:\.\d+)?)$')
_RATES = (24, 25, 30, 48, 50, 60, 120, 240)
_KNOWN = {name.lower(): i for i, name in enumerate(BLENDSHAPE_NAMES)}


@dataclass(frozen=True, slots=True)
class FaceRecording:
    """Recorded weights at their own times.

    Attributes:
        times_s: shape (T,), increasing, the first frame at 0.
        weights: shape (T, 52), Apple's order.
        head_rad: shape (T, 3), yaw, pitch and roll of the head, or None. Signs are the app's.
    """

    times_s: Array
    weights: Array
    head_rad: Array | None = None


def read_face(path: Path, scale: float = 1.0, head_unit: str = 'half_turn') -> FaceRecording:
    """Read recorded weights, JSON or CSV by the name of the file.

    Args:
        path: the file.
        scale: factor on the weights (0.01 for percent).
        head_unit: unit of head angles, a key of ``HEAD_UNITS_RAD``.

    Raises:
        UnusableFile: the file does not follow its format, names unknown weights, or holds values
            out of range.
    """
    if head_unit not in HEAD_UNITS_RAD:
        raise UnusableFile(f'head_unit must be one of {", ".join(HEAD_UNITS_RAD)}, '
                           f'got {head_unit!r}')
    read = _read_json if path.suffix.lower() == '.json' else _read_csv
    names, times_s, table = read(path)
    times_s = times_s - times_s[0] if len(times_s) else times_s
    check_times(times_s, str(path))
    if not np.isfinite(table).all():
        raise UnusableFile(f'{path} holds values that are not numbers')
    weights, head = _columns(path, names, table)
    weights = weights * scale
    if weights.max() > HIGHEST_WEIGHT or weights.min() < -0.5:
        raise UnusableFile(f'{path}: weights reach from {weights.min():.3g} to '
                           f'{weights.max():.3g}; they must lie in [0, 1] (in percent? set scale)')
    head_rad = None if head is None else head * HEAD_UNITS_RAD[head_unit]
    return FaceRecording(times_s, np.clip(weights, 0.0, 1.0), head_rad)


def weight_index(name: str) -> int | None:
    """Return the index of a weight by any of its spellings, None if it is no ARKit weight."""
    plain = name.strip().lower()
    plain = re.sub(r'_l$', 'left', re.sub(r'_r$', 'right', plain)).replace('_', '')
    return _KNOWN.get(plain)


def _columns(path: Path, names: list[str], table: Array) -> tuple[Array, Array | None]:
    """Return weights ``(T, 52)`` and head angles ``(T, 3)`` of named columns."""
    weights = np.zeros((len(table), FACE_DIM))
    found, head = set(), {}
    for column, name in enumerate(names):
        index = weight_index(name)
        plain = name.strip().lower()
        if index is not None:
            weights[:, index] = table[:, column]
            found.add(BLENDSHAPE_NAMES[index])
        elif plain in HEAD_NAMES:
            head[plain] = table[:, column]
        elif not _IGNORED.fullmatch(plain):
            raise UnusableFile(f'{path} names {name!r}, which is no ARKit weight')
    if 'jawOpen' not in found:
        raise UnusableFile(f'{path} has no weight jawOpen (found {len(found)} of 52)')
    if len(head) < len(HEAD_NAMES):
        return weights, None
    return weights, np.stack([head[name] for name in HEAD_NAMES], axis=1)


def _read_json(path: Path) -> tuple[list[str], Array, Array]:
    try:
        data: Any = json.loads(path.read_text(encoding='utf-8'))
        names = [str(name) for name in data['names']]
        frames = data['frames']
        times_s = np.array([frame['time'] for frame in frames], dtype=np.float64)
        table = np.array([frame['weights'] for frame in frames], dtype=np.float64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableFile(f'{path}: not a file of names and frames with weights and time '
                           f'({type(error).__name__}: {error})') from None
    if table.ndim != 2 or table.shape[1] != len(names):
        raise UnusableFile(f'{path}: frames must hold {len(names)} weights each, found an array '
                           f'of shape {table.shape}')
    angles = [frame.get('rotation') for frame in frames]
    if all(isinstance(angle, list) and len(angle) == 3 for angle in angles):
        names = names + list(HEAD_NAMES)
        table = np.concatenate([table, np.array(angles, dtype=np.float64)], axis=1)
    return names, times_s, table


def _read_csv(path: Path) -> tuple[list[str], Array, Array]:
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableFile(f'{path}: cannot be read as CSV ({error})') from None
    if len(rows) < 2:
        raise UnusableFile(f'{path} holds no frames')
    names, body = [name.strip() for name in rows[0]], rows[1:]
    uneven = next((i for i, row in enumerate(body) if len(row) != len(names)), None)
    if uneven is not None:
        if uneven < len(body) - 1:
            raise UnusableFile(f'{path}: row {uneven + 2} has {len(body[uneven])} cells, the '
                               f'header {len(names)}')
        body = body[:-1]   # A recording that was cut off in the middle of its last row.
    lower = [name.lower() for name in names]
    if 'timecode' in lower:
        times_s = timecode_times([row[lower.index('timecode')] for row in body], str(path))
        first = lower.index('timecode') + 1
    elif 'time' in lower:
        times_s, first = _numbers(path, [[row[lower.index('time')]] for row in body])[:, 0], 0
    else:
        raise UnusableFile(f'{path} has neither a column Timecode nor time')
    keep = [i for i in range(first, len(names)) if not _IGNORED.fullmatch(lower[i])]
    table = _numbers(path, [[row[i] for i in keep] for row in body])
    # The app writes a frame twice when the camera is slower than the clock: the later one counts.
    fresh = np.append(np.diff(times_s) != 0.0, True)
    return [names[i] for i in keep], times_s[fresh], table[fresh]


def _numbers(path: Path, rows: list[list[str]]) -> Array:
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise UnusableFile(f'{path} holds a cell that is not a number ({error})') from None


def timecode_times(codes: list[str], what: str) -> Array:
    """Return times [s] ``(T,)`` of timecodes ``HH:MM:SS:FF.fff``; midnight may pass.

    The frame rate is the smallest usual one that the frame numbers fit into.

    Raises:
        UnusableFile: a code does not follow the format.
    """
    whole, frames = [], []
    for code in codes:
        match = _TIMECODE.match(code.strip())
        if match is None:
            raise UnusableFile(f'{what}: {code!r} is no timecode HH:MM:SS:FF.fff')
        hours, minutes, seconds = (int(match[i]) for i in (1, 2, 3))
        whole.append(3600.0 * hours + 60.0 * minutes + seconds)
        frames.append(float(match[4]))
    rate = next((rate for rate in _RATES if max(frames, default=0.0) < rate), None)
    if rate is None:
        raise UnusableFile(f'{what}: timecodes count up to frame {max(frames):.0f} in a second; '
                           f'at most {_RATES[-1]} are known')
    times_s = np.array(whole) + np.array(frames) / rate
    return np.asarray(times_s + 86_400.0 * np.cumsum(np.diff(times_s, prepend=times_s[:1])
                                                    < -43_200.0))
