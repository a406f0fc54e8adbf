"""Message classes of packages that need not be installed, recognised by their fields."""
from __future__ import annotations

import importlib
from typing import Any

from ..exceptions import GestureError


class MissingMessageError(GestureError):
    """A message class is not installed, or a namesake is."""


def load_message(ros_type: str, marker: str) -> type[Any]:
    """Return a message class.

    Args:
        ros_type: name in the ROS graph, such as ``'hri_msgs/msg/Expression'``.
        marker: a field the class must have, which tells namesakes apart.

    Raises:
        MissingMessageError: the package is not installed, or it is another one of that name.
    """
    package, _, name = ros_type.split('/')
    try:
        module = importlib.import_module(f'{package}.msg')
    except ImportError:
        raise MissingMessageError(f'{ros_type} needs the package {package}, which is not '
                                  'installed') from None
    loaded: type[Any] | None = getattr(module, name, None)
    if loaded is None or marker not in loaded.get_fields_and_field_types():
        raise MissingMessageError(
            f'{ros_type} is not in the installed package {package}, which is another one of the '
            f'same name (no {name} with a field {marker!r})')
    return loaded
