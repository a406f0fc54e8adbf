"""The clock of timers that must run whatever ROS time does."""
from __future__ import annotations

# Humble has ClockType only here; newer versions only pass it on.
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]


def steady_clock() -> Clock:
    """Return a clock that never jumps; it also runs while a simulated clock stands still."""
    return Clock(clock_type=ClockType.STEADY_TIME)
