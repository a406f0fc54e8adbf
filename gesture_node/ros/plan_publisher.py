"""Says what is planned, and says it again while it may have been missed. Knows no ROS."""
from __future__ import annotations

from collections.abc import Callable

from ..config import OutputConfig
from ..motion.trajectory import TrajectoryMessage
from ..timeline import NS_PER_S

COPIES = 3
"""How often a change is said again at once, since a message may be lost. Of messages of which one
in twenty is lost, one change in 160 000 is never heard."""

COPY_NS = {'past': 20_000_000, 'future': 8_000_000}
"""Time between those, by stamp policy; with ``zero`` there are none, since every copy would begin
anew, as late as it is delivered."""

UNDERWAY_NS = 40_000_000
"""A copy whose stamp is nearer than this may come after it; some controllers then take it for now,
that is, for later."""


class PlanPublisher:
    """Remembers the last message, for its copies.

    Args:
        config: stamps and repetition.
        publish: takes messages; a copy is the same object as what it is a copy of.
    """

    def __init__(self, config: OutputConfig,
                 publish: Callable[[TrajectoryMessage], None]) -> None:
        self._config, self._publish = config, publish
        self._said: TrajectoryMessage | None = None
        self._said_ns = self._copies = 0

    def configure(self, config: OutputConfig) -> None:
        """Take other choices."""
        self._config = config

    def say(self, message: TrajectoryMessage | None, now_ns: int) -> bool:
        """Publish a message; return whether there was one."""
        if message is None:
            return False
        self._said, self._said_ns = message, now_ns
        self._publish(message)
        return True

    def say_change(self, message: TrajectoryMessage | None, now_ns: int, soon: bool) -> bool:
        """Publish a message that copies follow; return whether there was one.

        Args:
            message: of the plan as it has become.
            now_ns: ROS time.
            soon: whether it changes at the end of the frozen horizon. It is then said twice at
                once: a copy might come too late.
        """
        self._copies = COPIES
        is_said = self.say(message, now_ns)
        return is_said and (not soon or self._config.stamp_policy not in COPY_NS
                            or self.say(message, now_ns))

    def say_again(self, now_ns: int) -> bool:
        """Publish a copy if one is due; return whether the plan itself is to be said anew."""
        since_ns = now_ns - self._said_ns
        copy_ns = COPY_NS.get(self._config.stamp_policy)
        if self._copies and copy_ns is not None:
            if since_ns < copy_ns:
                return False
            self._copies -= 1
            if self._said is not None and self._is_in_time(self._said, now_ns):
                self.say(self._said, now_ns)
                return False
        return since_ns >= NS_PER_S / self._config.repeat_hz

    def drop_copies(self) -> None:
        """Say the last message no more: it is no longer right."""
        self._said, self._copies = None, 0

    def forget(self) -> None:
        """Forget what was said, and when."""
        self.drop_copies()
        self._said_ns = 0

    def _is_in_time(self, said: TrajectoryMessage, now_ns: int) -> bool:
        """Return whether a copy of a message does what the message itself would have done."""
        if self._config.stamp_policy == 'future':
            return said.stamp_ns - now_ns > UNDERWAY_NS
        return said.stamp_ns + said.times_from_start_ns[-1] - now_ns > UNDERWAY_NS
