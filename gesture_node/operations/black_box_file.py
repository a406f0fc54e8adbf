"""Black boxes on disk: one ``.npz`` of plain arrays, with a header of JSON; nothing is unpickled.

All arrays of one type lie one behind the other in one array; where the header means an array it
says ``{"$array": [type, offset, shape]}``.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Mapping
import json
import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..config import LimitsConfig, walk, with_values
from ..exceptions import BlackBoxError, ConfigError
from ..motion.trajectory_message import TrajectoryMessage
from .black_box import arrays_of, Call, first_frame, Snapshot, Take

FORMAT = 1
_TYPES = ('float32', 'float64', 'int16', 'int32', 'int64', 'uint8')
_MOST_BYTES = 2_000_000_000


class _Packer:
    """Collects arrays by type and returns what stands for them in JSON."""

    def __init__(self) -> None:
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._ends: dict[str, int] = {}

    def pack(self, value: Any) -> Any:
        """Return a value as JSON can say it.

        Raises:
            BlackBoxError: it is of a kind that is not known.
        """
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, (np.integer, np.floating)):
            return value.item()
        if isinstance(value, np.ndarray) and str(value.dtype) in _TYPES:
            kind, start = str(value.dtype), self._ends.get(str(value.dtype), 0)
            self._parts.setdefault(kind, []).append(np.ascontiguousarray(value).ravel())
            self._ends[kind] = start + value.size
            return {'$array': [kind, start, list(value.shape)]}
        if isinstance(value, LimitsConfig):
            return {'$limits': {name: leaf for name, leaf, _ in walk(value)}}
        if isinstance(value, Mapping):
            return {'$map': [[str(key), self.pack(item)] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            return [self.pack(item) for item in value]
        raise BlackBoxError(f'a {type(value).__name__} cannot be kept in a black box')

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays of each type as one."""
        return {kind: np.concatenate(parts) for kind, parts in self._parts.items()}


def save_black_box(path: Path, snapshot: Snapshot, header: dict[str, Any]) -> None:
    """Write what a black box held; the file is there whole or not at all.

    Raises:
        BlackBoxError: it cannot be written.
    """
    packer = _Packer()
    data = {'format': FORMAT, 'header': header, 'steady_ns': snapshot.steady_ns,
            'takes': [_take_json(take, packer) for take in snapshot.takes],
            'plans': [[at_ns, list(plan.joint_names), plan.stamp_ns,
                       packer.pack(np.array(plan.times_from_start_ns, np.int64)),
                       packer.pack(plan.positions), packer.pack(plan.velocities)]
                      for at_ns, plan in snapshot.plans]}
    text = np.frombuffer(json.dumps(data).encode(), np.uint8)
    partial = path.with_name(f'.{path.name}.partial')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open('wb') as file:
            arrays: dict[str, Any] = {f'all_{kind}': array
                                      for kind, array in packer.arrays().items()}
            np.savez_compressed(file, json=text, **arrays)
        os.replace(partial, path)
    except OSError as error:
        raise BlackBoxError(f'cannot write the black box {str(path)!r}: '
                            f'{error.strerror or error}') from error


def _take_json(take: Take, packer: _Packer) -> dict[str, Any]:
    calls, why_not = [], take.why_not
    for call in take.calls:
        try:
            calls.append([call.at_ns, call.name, [packer.pack(item) for item in call.arguments],
                          packer.pack(call.named)])
        except BlackBoxError as error:
            why_not = why_not or f'{call.name}: {error}'
    results = [[at_ns, step, first_frame(result),
                {name: packer.pack(array) for name, array in (
                    *arrays_of(result).items(),
                    *(() if result.heard is None else [('features', result.heard)]))}]
               for at_ns, step, result in take.results]
    return {'settings': {key: packer.pack(value) for key, value in take.settings.items()},
            'calls': calls, 'digests': take.digests, 'results': results, 'why_not': why_not,
            'closed': take.is_closed}


class BlackBoxFile:
    """A file that was read.

    Args:
        path: what :func:`save_black_box` wrote.

    Attributes:
        header: machine, versions, bundle, robot, reason and times.
        takes: streams, oldest first; results have motion and features by name instead.
        results: for each take, (steady time [ns], number of the step, first frame, arrays).
        plans: (steady time [ns], plan).

    Raises:
        BlackBoxError: it is none, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        try:
            with np.load(path, allow_pickle=False) as file:
                if sum(item.file_size for item in file.zip.infolist()) > _MOST_BYTES:
                    raise BlackBoxError(f'{path} is larger than any black box')
                self._arrays = {name.removeprefix('all_'): file[name] for name in file.files}
            data = json.loads(self._arrays.pop('json').tobytes())
            if data['format'] != FORMAT:
                raise BlackBoxError(f'{path}: format must be {FORMAT}, got {data["format"]!r}')
            self.header: dict[str, Any] = dict(data['header'])
            self.steady_ns = int(data['steady_ns'])
            self.takes = [self._take(item) for item in data['takes']]
            self.results = [[(int(at_ns), int(step), int(frame), {
                str(name): self._unpack(value) for name, value in arrays.items()})
                for at_ns, step, frame, arrays in item['results']] for item in data['takes']]
            self.plans = [(int(at_ns), TrajectoryMessage(
                tuple(map(str, names)), int(stamp_ns),
                tuple(int(time) for time in self._unpack(times)), self._unpack(positions),
                self._unpack(velocities)))
                for at_ns, names, stamp_ns, times, positions, velocities in data['plans']]
        except OSError as error:
            raise BlackBoxError(f'cannot read the black box {str(path)!r}: '
                                f'{error.strerror or error}') from error
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, BadZipFile, EOFError,
                NotImplementedError, RecursionError, ConfigError, MemoryError, RuntimeError,
                OverflowError) as error:
            reason = (str(error).splitlines() or [''])[0][:200]
            raise BlackBoxError(f'{path} is no black box or damaged: {type(error).__name__}: '
                                f'{reason}') from None
        except Exception as error:
            if isinstance(error, BlackBoxError) or type(error).__name__ != 'error':
                raise
            raise BlackBoxError(f'{path} is damaged: {error}') from None  # zlib.error

    def _take(self, item: dict[str, Any]) -> Take:
        calls = deque(Call(int(at_ns), str(name), tuple(self._unpack(one) for one in arguments),
                           self._unpack(named))
                      for at_ns, name, arguments, named in item['calls'])
        settings = {str(key): self._unpack(value) for key, value in item['settings'].items()}
        return Take(settings, calls, [str(digest) for digest in item['digests']],
                    why_not=str(item['why_not']), is_closed=bool(item['closed']))

    def _unpack(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._unpack(item) for item in value]
        if not isinstance(value, dict):
            return value
        if '$map' in value:
            return {str(key): self._unpack(item) for key, item in value['$map']}
        if '$limits' in value:
            return with_values(LimitsConfig(), value['$limits'])
        kind, start, shape = value['$array']
        size = int(np.prod(shape, dtype=np.int64)) if shape else 1
        if start < 0 or size < 0 or start + size > len(self._arrays[kind]):
            raise ValueError('an array lies outside of the file')
        return self._arrays[kind][start:start + size].reshape(shape)
