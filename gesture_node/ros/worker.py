"""The one thread that computes motion. Knows no ROS.

An error in it is said once, the robot brakes, and the next speech gets a new stream: the thread
never ends by itself and never floods the log.
"""
from __future__ import annotations

from collections.abc import Callable
from threading import Thread
import time

from ..operations.memory import give_back_memory
from .clock_guard import ClockGuard
from .inbox import AudioInbox
from .problems import ProblemLog
from .stream_driver import StreamDriver

_ACTIVE_WAIT_S = 0.01
_IDLE_WAIT_S = 0.2
_RETRY_WAIT_S = 0.5
_HALT_S, _BACKLOG_S = 0.75, 0.1
_RECENT_NS = 1_000_000_000
_LATENCY_PERIOD_NS = 1_000_000_000
_MEMORY_PERIOD_NS = 10_000_000_000
"""A stream that was replaced is freed when the robot next moves, so not at a known time."""
RECENT_NS = 10_000_000_000
"""An error counts as recent, for the diagnostics, for this long."""


class GestureWorker:
    """Runs a driver in its own thread.

    Args:
        driver: what to run.
        inbox: where audio arrives.
        now_ns: reads ROS time [ns]; 0 while a simulated clock has not started.
        problems: takes errors.

    Attributes:
        latency: percentiles of durations [s] by stage, renewed once a second.
        failures, clock_jumps: how many there were.
        busy_since_ns: steady time at which it began what it is doing; ``None`` while it waits.
    """

    def __init__(self, driver: StreamDriver, inbox: AudioInbox, now_ns: Callable[[], int],
                 problems: ProblemLog) -> None:
        self.latency: dict[str, dict[str, float]] = {}
        self.failures = 0
        self.clock_jumps = 0
        self.busy_since_ns: int | None = None
        self._driver, self._inbox, self._now_ns = driver, inbox, now_ns
        self._problems = problems
        self._guard = ClockGuard()
        self._stopping = False
        self._looped_s = 0.0
        self._failed_ns: int | None = None
        self._latency_ns = self._memory_ns = 0
        self._thread = Thread(target=self._run, name='gesture_worker', daemon=True)

    @property
    def failed_recently(self) -> bool:
        """Whether an error happened in the last seconds."""
        return self._failed_ns is not None and (
            time.monotonic_ns() - self._failed_ns < RECENT_NS)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> bool:
        """End the thread; return whether it ended in time."""
        self._stopping = True
        self._inbox.wake()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def succeed(self) -> GestureWorker:
        """Start another in the place of one that does not come back; it ends if it ever does."""
        self._stopping = True
        other = GestureWorker(self._driver, self._inbox, self._now_ns, self._problems)
        other.failures, other.clock_jumps = self.failures, self.clock_jumps
        other.latency = self.latency
        other.start()
        return other

    def _run(self) -> None:
        self._looped_s = time.monotonic()
        while not self._stopping:
            self._hear_out()
            wait_s = 0.0
            self.busy_since_ns = time.monotonic_ns()
            try:
                if not self._work():
                    wait_s = _ACTIVE_WAIT_S if self._driver.is_busy else _IDLE_WAIT_S
            except Exception as error:
                if self._stopping:
                    return
                # Whatever it is: the robot must come to rest and the node must stay reachable.
                self._fail(error)
                wait_s = _RETRY_WAIT_S
            if wait_s:
                self.busy_since_ns = None
                self._inbox.wait(wait_s)

    def _hear_out(self) -> None:
        """After a halt of the process, wait until callbacks have brought what waits.

        A stream that is ticked before would take the halt for silence and end, and the next one
        would begin with old audio and be late for good.
        """
        halted_s = time.monotonic() - self._looped_s
        if halted_s > _HALT_S:
            time.sleep(_BACKLOG_S)
        self._looped_s = time.monotonic()

    def _work(self) -> bool:
        """Do what is due; return whether there is more at once."""
        now_ns = self._now_ns()
        steady_ns = time.monotonic_ns()
        waiting = self._inbox.take()
        if now_ns == 0:
            if waiting:
                self._problems.report('no_clock', 'audio arrives before the simulated clock '
                                                  'started; it is dropped', len(waiting))
            return False
        if self._guard.has_jumped(now_ns, steady_ns):
            self.clock_jumps += 1
            self._problems.report('clock_jump', 'ROS time jumped; the plan is dropped')
            self._driver.forget_time()
            # What arrived in another time would begin a stream in that time.
            waiting = [audio for audio in waiting if abs(now_ns - audio.arrival_ns) < _RECENT_NS]
        for audio in waiting:
            self._driver.hear(audio, now_ns)
        more = self._driver.tick(now_ns)
        if steady_ns - self._memory_ns > _MEMORY_PERIOD_NS:
            self._memory_ns = steady_ns
            give_back_memory()
        if steady_ns - self._latency_ns > _LATENCY_PERIOD_NS:
            self._latency_ns = steady_ns
            self.latency = self._driver.stream.latency.percentiles()
        return more

    def _fail(self, error: Exception) -> None:
        self.failures += 1
        self._failed_ns = time.monotonic_ns()
        lines = str(error).splitlines() or ['no message']
        self._problems.report(f'worker_{type(error).__name__}', (
            f'motion cannot be computed, the robot brakes: {type(error).__name__}: '
            f'{lines[0][:300]}'))
        self._driver.fail(self._now_ns())
