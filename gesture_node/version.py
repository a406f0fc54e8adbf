"""The version of the package, read from ``package.xml``, the only place that states it."""
from __future__ import annotations

from functools import lru_cache
from xml.etree import ElementTree

from .resources import share_path


@lru_cache(maxsize=1)
def version() -> str:
    """Return the version, such as ``'1.2.3'``.

    Raises:
        ConfigError: the package's data files are missing.
    """
    element = ElementTree.parse(share_path('package.xml')).find('version')
    return element.text or '' if element is not None else ''
