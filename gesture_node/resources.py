"""Where the files that are not Python live: profiles, models, launch files, the shipped bundle.

The same tree stands in three kinds of place, told apart by a ``package.xml`` at its top::

    <checkout>/                       a clone, or ``pip install -e .``
    <prefix>/share/gesture_node/      ``pip install .`` into any prefix, or ``colcon build``
    <AMENT_PREFIX_PATH>/share/...     an overlay that is sourced but not the running prefix

Below it the paths are the same everywhere: ``config/robots/nao.yaml``, ``bundles/base``.
"""
from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
import os
from pathlib import Path
import sys

from .exceptions import ConfigError

PACKAGE_NAME = 'gesture_node'


def share_path(*parts: str) -> Path:
    """Return the absolute path of a file or folder that ships with the package.

    Args:
        parts: path below the share folder, such as ``'config', 'robots', 'nao.yaml'``; none
            gives the share folder itself.

    Raises:
        ConfigError: the share folder, or the path in it, does not exist.
    """
    path = _share_root().joinpath(*parts)
    if not path.exists():
        raise ConfigError(f'{"/".join(parts)!r} is not among the files of {PACKAGE_NAME} '
                          f'in {_share_root()}; install the package again')
    return path


@lru_cache(maxsize=1)
def _share_root() -> Path:
    for candidate in _candidates():
        if (candidate / 'package.xml').is_file() and (candidate / 'config').is_dir():
            return candidate
    raise ConfigError(f'the data files of {PACKAGE_NAME} were not found in '
                      f'share/{PACKAGE_NAME} of {sys.prefix} or of AMENT_PREFIX_PATH; '
                      f'install the package again')


def _candidates() -> Iterator[Path]:
    """Yield the folders to try, nearest to the running code first."""
    package = Path(__file__).resolve().parent
    yield package.parent
    for prefix in (*package.parents, Path(sys.prefix)):
        yield prefix / 'share' / PACKAGE_NAME
    for prefix_name in filter(None, os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)):
        yield Path(prefix_name) / 'share' / PACKAGE_NAME
