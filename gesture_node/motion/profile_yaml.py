"""Reading YAML with named keys so that every mistake is one sentence with the path of the key."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..exceptions import RobotError
from ..types import Float64Array


class Node:
    """A mapping of a YAML file, read key by key.

    Args:
        value: what the file holds at this place.
        where: file name and path of keys, for messages.

    Raises:
        RobotError: the value is no mapping.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise RobotError(f'{where} must be a mapping of named keys, got {value!r}')
        self._values: dict[Any, Any] = value
        self._where = where

    def allow(self, keys: Iterable[str]) -> Node:
        """Return the node itself after checking that it has no other keys.

        Raises:
            RobotError: a key is unknown.
        """
        allowed = tuple(keys)
        for key in self._values:
            if key not in allowed:
                raise RobotError(f'{self._where} has the unknown key {key!r}; '
                                 f'allowed: {", ".join(allowed)}')
        return self

    def has(self, key: str) -> bool:
        """Return whether the key is there."""
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        """Yield the keys as text, in the order of the file."""
        return iter([str(key) for key in self._values])

    def child(self, key: str) -> Node:
        """Return the mapping under a key.

        Raises:
            RobotError: the key is missing or holds no mapping.
        """
        return Node(self._get(key), f'{self._where}: {key}')

    @property
    def where(self) -> str:
        """File name and path of keys, for messages."""
        return self._where

    def children(self, key: str) -> tuple[Node, ...]:
        """Return the mappings in the list under a key.

        Raises:
            RobotError: the key is missing or holds no list of mappings.
        """
        value = self._get(key)
        if not isinstance(value, list):
            raise RobotError(f'{self._where}: {key} must be a list, got {value!r}')
        return tuple(Node(item, f'{self._where}: {key}: {row}') for row, item in enumerate(value))

    def indices(self, key: str) -> tuple[int, ...]:
        """Return the whole number, or the list of them, under a key; none below 0.

        Raises:
            RobotError: the key is missing or holds anything else.
        """
        value = self._get(key)
        items = value if isinstance(value, list) else [value]
        if not all(type(item) is int and item >= 0 for item in items):
            raise RobotError(f'{self._where}: {key} must be whole numbers from 0, got {value!r}')
        return tuple(items)

    def text(self, key: str) -> str:
        """Return the text under a key.

        Raises:
            RobotError: the key is missing or holds no text.
        """
        value = self._get(key)
        if not isinstance(value, str) or not value.strip():
            raise RobotError(f'{self._where}: {key} must be text, got {value!r}')
        return value.strip()

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        """Return a text that is one of some.

        Raises:
            RobotError: it is another.
        """
        value = self.text(key)
        if value not in allowed:
            raise RobotError(f'{self.where}: {key} must be one of {", ".join(allowed)}, '
                             f'got {value!r}')
        return value

    def number(self, key: str) -> float:
        """Return the finite number under a key.

        Raises:
            RobotError: the key is missing or holds no finite number.
        """
        return self._number(self._get(key), key)

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return the list of finite numbers under a key.

        Raises:
            RobotError: the key is missing or holds anything else.
        """
        value = self._get(key)
        if not isinstance(value, list):
            raise RobotError(f'{self._where}: {key} must be a list of numbers, got {value!r}')
        return tuple(self._number(item, key) for item in value)

    def names(self, key: str) -> tuple[str, ...]:
        """Return the list of names under a key.

        Raises:
            RobotError: the key is missing or holds no list of names.
        """
        value = self._get(key)
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise RobotError(f'{self._where}: {key} must be a list of names, got {value!r}')
        return tuple(value)

    def direction(self, key: str) -> Float64Array:
        """Return the vector ``(3,)`` under a key, scaled to length 1.

        Raises:
            RobotError: the key is missing or holds no three numbers of which one is not zero.
        """
        value = self._get(key)
        if not isinstance(value, list) or len(value) != 3:
            raise RobotError(f'{self._where}: {key} must be three numbers, got {value!r}')
        vector = np.array([self._number(item, key) for item in value])
        length = float(np.linalg.norm(vector))
        if length < 1e-6:
            raise RobotError(f'{self._where}: {key} must not be zero, got {value!r}')
        return vector / length

    def _get(self, key: str) -> Any:
        if key not in self._values:
            raise RobotError(f'{self._where} lacks the key {key!r}')
        return self._values[key]

    def _number(self, value: Any, key: str) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise RobotError(f'{self._where}: {key} must be a finite number, got {value!r}')
        return float(value)


def read_yaml(path: Path) -> Node:
    """Return the mapping a YAML file holds.

    Raises:
        RobotError: the file cannot be read, is no YAML, or holds no mapping.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError) as error:
        raise RobotError(f'cannot read robot profile {str(path)!r}: {error}') from error
    except yaml.YAMLError as error:
        reason = ' '.join(str(error).split())
        raise RobotError(f'robot profile {str(path)!r} is not YAML: {reason}') from error
    return Node(value, f'robot profile {path.name}')
