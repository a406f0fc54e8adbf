"""Errors a user can cause, each a subclass of :class:`GestureError` with one clear sentence."""
from __future__ import annotations


class GestureError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(GestureError):
    """A parameter is unknown, of the wrong type, or out of range."""


class AudioError(GestureError):
    """Audio that cannot be used: wrong rate, wrong format, not decodable."""


class BundleError(GestureError):
    """A model bundle is missing, truncated, or does not match what the runtime expects."""


class RobotError(GestureError):
    """A robot profile or URDF is missing, malformed, or contradicts the other."""


class StreamError(GestureError):
    """A stream was used out of order, such as audio after ``finish``."""


class RequestError(GestureError):
    """A gesture was asked for that is unknown, impossible, or written wrongly."""


class SimulationError(GestureError):
    """The simulator or its renderer cannot do what was asked."""


class BlackBoxError(GestureError):
    """A black-box file that cannot be written, read or replayed."""
