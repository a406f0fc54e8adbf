"""Notices when ROS time jumps, by comparing it with the machine's steady clock. Knows no ROS."""
from __future__ import annotations

from ..timeline import NS_PER_S

MAX_BACKWARD_NS = NS_PER_S // 10
MAX_FORWARD_NS = 2 * NS_PER_S


class ClockGuard:
    """Compares two clocks at every tick.

    Simulated time may run slower or faster than real time, so only steps count: backwards by
    more than 0.1 s, or forwards by 2 s more than really passed.
    """

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None

    def has_jumped(self, ros_ns: int, steady_ns: int) -> bool:
        """Return whether ROS time jumped since the last call."""
        last, self._last = self._last, (ros_ns, steady_ns)
        if last is None:
            return False
        ros_step_ns, steady_step_ns = ros_ns - last[0], steady_ns - last[1]
        return ros_step_ns < -MAX_BACKWARD_NS or ros_step_ns > steady_step_ns + MAX_FORWARD_NS
