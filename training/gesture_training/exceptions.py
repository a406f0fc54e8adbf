"""Errors of training that a user can cause or must act on."""
from __future__ import annotations

from gesture_node.exceptions import GestureError


class TrainingError(GestureError):
    """Training cannot start, go on or be exported."""
