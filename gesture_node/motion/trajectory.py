"""The plan of one robot: knots at absolute times, of which what was published never changes.

::

      played      frozen        may change               brake tail
    --x---x---x-|-x---x---x-|-x---x---x---x---x---x---x---x---x---x   velocity 0
               now     now + frozen horizon                       end

Chunks are placed at ``epoch + knot / rate``. Motion up to ``now + frozen horizon`` never changes,
and so no knot up to the one after it, because a controller may already run it; the rest is
replaced by every chunk. Every plan ends at rest, so when nothing more comes the robot stops
smoothly by what it already has.

A chunk that comes too late, or that does not continue the motion of the plan, is not spliced as
it is: its motion is limited again from the plan's own state (a limiter given), or left out. The
result then says where the next chunk must continue from.

No clock is read; all times are ROS time in integer nanoseconds, passed in. Not thread-safe: one
owner calls it, or callers hold a lock.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..timeline import frame_to_ns, NS_PER_S
from ..types import Float64Array, JointChunk
from .limits import LimitedMotion, MotionLimiter
from .trajectory_knots import Knots, KnotState
from .trajectory_message import STAMP_POLICIES, trajectory_message, TrajectoryMessage

__all__ = ['ExtendResult', 'KnotState', 'STAMP_POLICIES', 'TrajectoryMessage', 'TrajectoryPlan']

_CONTINUES_RAD = 1e-6
_CONTINUES_RAD_S2 = 1e-3
_HISTORY_NS = 2 * NS_PER_S
_JUMP_NS = NS_PER_S // 2
_TIME_TO_SAY_AGAIN_NS = 40_000_000
_LEADS, _ARRIVED_RAD = 4, 2e-3


@dataclass(frozen=True, slots=True)
class ExtendResult:
    """What became of a chunk.

    Attributes:
        late_knots: committed knots that could not be played as computed, because their time was
            frozen already; above 0 it is an underrun.
        replanned: the motion had to be limited again from the plan's state.
        refused: the chunk was left out; the plan runs on to its own rest.
        resume: the motion of the plan at the chunk's last committed knot, from which the next
            chunk must continue; ``None`` when the chunk was taken as it is.
    """

    late_knots: int = 0
    replanned: bool = False
    refused: bool = False
    resume: KnotState | None = None


class TrajectoryPlan:
    """Everything one robot is going to do.

    Args:
        joint_names: N joints, order of all columns.
        rate_hz: knots per second.
        frozen_horizon_s: knots nearer to now than this never change.
        smooth: whether messages carry accelerations, of a smoothed plan (``trajectory_smooth``).

    Attributes:
        underruns: chunks that came too late.
        late_knots: committed knots that could not be played as computed.
        clock_resets: backward jumps of time, each of which emptied the plan.
        changed_ns: ROS time up to which the last change left the plan as it was; messages from
            before the change are good until then.
        pending_ns: the newest ``future`` stamp; until then a controller may keep the message
            waiting and run an older one.
    """

    def __init__(self, joint_names: Sequence[str], rate_hz: int, frozen_horizon_s: float,
                 smooth: bool = False) -> None:
        self.joint_names, self._smooth = tuple(joint_names), smooth
        self.rate_hz = rate_hz
        self.underruns = self.late_knots = self.clock_resets = 0
        self._horizon_ns = round(frozen_horizon_s * NS_PER_S)
        self._step_ns = frame_to_ns(1, rate_hz)
        self.clear()

    def clear(self) -> None:
        """Forget the plan, as before anything was published; the counts stay."""
        self._knots = Knots.none(len(self.joint_names))
        self._frozen_ns = self._seen_ns = 0
        self.changed_ns = self.pending_ns = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever planned."""
        return not len(self._knots)

    @property
    def end_ns(self) -> int | None:
        """ROS time at which the plan comes to rest; ``None`` while it is empty."""
        return None if self.is_empty else int(self._knots.times_ns[-1])

    def is_settled(self, now_ns: int) -> bool:
        """Return whether the plan has nothing left to play."""
        return self.is_empty or int(self._knots.times_ns[-1]) <= now_ns

    def sample(self, time_ns: int) -> tuple[Float64Array, Float64Array]:
        """Return positions [rad] and velocities [rad/s] at a time, each of shape (N,).

        Knots are kept for two seconds after they were played.

        Raises:
            ValueError: the plan is empty.
        """
        state = self.state(time_ns)
        return state.positions, state.velocities

    def state(self, time_ns: int) -> KnotState:
        """Return the motion at a time, acceleration included; see :meth:`sample`."""
        return self._knots.state(time_ns)

    def message(self, now_ns: int, policy: str = 'past') -> TrajectoryMessage | None:
        """Return what to publish now, ``None`` when there is nothing left to play.

        What it contains up to ``now + frozen horizon`` is frozen from then on.

        Raises:
            ValueError: the stamp policy is unknown.
        """
        self._see(now_ns)
        future_ns = self._future_ns(now_ns)
        message = trajectory_message(self.joint_names, self._knots, now_ns, policy, self._step_ns,
                                     future_ns, self._smooth)
        if message is not None and policy == 'future':
            self.pending_ns = message.stamp_ns
        return message

    def extend(self, chunk: JointChunk, epoch_ns: int, now_ns: int,
               limiter: MotionLimiter | None = None, anew: bool = False) -> ExtendResult:
        """Take a chunk in; everything planned beyond it is replaced.

        Args:
            chunk: motion that ends at rest; its knot k is at ``epoch_ns + k / rate``.
            epoch_ns: ROS time of knot 0, when the first sample is heard.
            now_ns: ROS time.
            limiter: plans again from the plan's own state where the chunk does not fit.
            anew: plans again even where it does.

        Raises:
            ValueError: the chunk has other joints or another rate, is not finite, or does not
                end at rest.
        """
        new = Knots.of_chunk(chunk, self.joint_names, self.rate_hz, epoch_ns)
        self._see(now_ns)
        times, joint_ns = new.times_ns, int(new.times_ns[0]) - self._step_ns
        if self.is_empty:
            start = chunk.positions[0] - chunk.velocities[0] * (0.5 / self.rate_hz)
            self._knots = Knots.hold(min(joint_ns, now_ns), start)
        last_ns = int(times[chunk.committed - 1]) if chunk.committed else joint_ns
        late = int(np.count_nonzero(times[:chunk.committed] < self._frozen_ns + self._step_ns))
        if not anew and self._continues(joint_ns, new, limiter):
            self._knots = self._knots.until(joint_ns).then(new)
            self.changed_ns = joint_ns
            return ExtendResult()
        self.underruns += late > 0
        self.late_knots += late
        replanned = limiter is not None and self._replan(new, limiter)
        return ExtendResult(late_knots=late, replanned=replanned, refused=not replanned,
                            resume=self.state(last_ns))

    def mark(self) -> tuple[Knots, int]:
        """Return what :meth:`restore` takes to undo changes that were never published."""
        return self._knots, self.changed_ns

    def restore(self, mark: tuple[Knots, int]) -> None:
        """Undo every change since a mark; what time has frozen meanwhile stays frozen."""
        self._knots, self.changed_ns = mark

    def stop(self, now_ns: int, limiter: MotionLimiter) -> None:
        """Brake from the end of the frozen knots and drop everything later."""
        self._see(now_ns)
        if self.is_settled(now_ns):
            return
        kept = self._kept()
        if kept < len(self._knots):
            self._knots = self._knots.part(0, kept)
            self._follow(limiter, np.empty((0, len(self.joint_names))))

    def lead(self, now_ns: int, limiter: MotionLimiter,
             course: Callable[[LimitedMotion], Float64Array]) -> None:
        """Follow another course from the end of the frozen knots, and drop everything later.

        Args:
            now_ns: ROS time.
            limiter: makes the course safe.
            course: gives targets (K, N) [rad] at the knots after the frozen ones, from the brake
                that could begin there. Asked again where its goal was not come to, because a
                link was in the way.
        """
        self._see(now_ns)
        if self.is_empty:
            return
        if self.is_settled(self._frozen_ns):
            self._knots = Knots.hold(self._frozen_ns, self._knots.positions[-1])
        kept = self._kept()
        self._knots = self._knots.part(0, kept)
        changed_ns = int(self._knots.times_ns[-1])
        for _ in range(_LEADS):
            start = self._knots.state(int(self._knots.times_ns[-1]))
            brake = limiter.brake(limiter.moving_state(
                start.positions, start.velocities, start.accelerations))
            targets = course(brake)
            self._follow(limiter, targets)
            end = self._knots.positions[-1]
            if np.abs(end - targets[-1]).max(initial=0.0) < _ARRIVED_RAD or (
                    np.abs(end - brake.positions[-1]).max(initial=0.0) < _ARRIVED_RAD):
                break
        self.changed_ns = changed_ns

    def brake_joints(self, now_ns: int, limiter: MotionLimiter,
                     columns: Sequence[int]) -> Float64Array:
        """Brake some joints from the end of the frozen knots; the others go on if they may.

        Returns:
            Where those joints come to rest, one for each column [rad].

        Raises:
            ValueError: the plan is empty.
        """
        self._see(now_ns)
        rows = list(columns)
        if self.is_settled(self._frozen_ns):
            return np.array(self._knots.state(self._frozen_ns).positions[rows])
        kept = self._kept()
        start = self._knots.state(int(self._knots.times_ns[kept - 1]))
        brake = limiter.brake(limiter.moving_state(
            start.positions, start.velocities, start.accelerations))
        missing = len(brake.positions) + kept - len(self._knots)
        if missing > 0:
            end_ns = int(self._knots.times_ns[-1]) + missing * self._step_ns
            self._knots = self._knots.held_until(end_ns, self._step_ns)
        positions, velocities = self._knots.positions.copy(), self._knots.velocities.copy()
        end = kept + len(brake.positions)
        positions[kept:end, rows] = brake.positions[:, rows]
        velocities[kept:end, rows] = brake.velocities[:, rows]
        positions[end:, rows], velocities[end:, rows] = brake.positions[-1, rows], 0.0
        if not limiter.allows(positions[kept - 1:], velocities[kept - 1:]):
            # Others would run into joints that stay behind, say: all brake together.
            positions[kept:end], velocities[kept:end] = brake.positions, brake.velocities
            positions[end:], velocities[end:] = brake.positions[-1], 0.0
        self._knots = Knots(self._knots.times_ns, positions, velocities)
        self.changed_ns = start.time_ns
        return np.array(brake.positions[-1, rows])

    def rest_of_moving(self, now_ns: int) -> Float64Array:
        """Return where each joint that still moves comes to rest, (N,) [rad]; NaN for others."""
        return self._knots.rest_of_moving(now_ns)

    def place_joints(self, columns: Sequence[int], positions: Float64Array) -> None:
        """Put joints that nobody was told to move, one position each [rad], and at rest.

        Frozen knots change too: what was frozen for these joints no controller runs.
        """
        self._knots = self._knots.placed(list(columns), positions)

    def _kept(self) -> int:
        """Return how many knots may not change; the first never does."""
        return max(int(np.searchsorted(self._knots.times_ns, self._frozen_ns, side='right')), 1)

    def _future_ns(self, now_ns: int) -> int:
        """Return when a message may begin that controllers keep waiting until then.

        Until then they run older messages, which are right only until the last change; and the
        stamp of one that still waits stays, since the new one may take its place.
        """
        begins_ns = now_ns + self._horizon_ns + _TIME_TO_SAY_AGAIN_NS
        for bound_ns in (self.changed_ns, self.pending_ns):
            if bound_ns > now_ns:
                begins_ns = min(begins_ns, bound_ns)
        return begins_ns

    def _see(self, now_ns: int) -> None:
        """Freeze what is near, forget what is long past, and notice when time went back."""
        if now_ns < self._seen_ns - _JUMP_NS:
            self.clear()
            self.clock_resets += 1
        self._seen_ns = max(self._seen_ns, now_ns)
        frozen_ns = now_ns + self._horizon_ns
        after = int(np.searchsorted(self._knots.times_ns, frozen_ns))
        if after < len(self._knots):
            # The way to the knot after it begins before it.
            frozen_ns = int(self._knots.times_ns[after])
        self._frozen_ns = max(self._frozen_ns, frozen_ns)
        old = int(np.searchsorted(self._knots.times_ns, now_ns - _HISTORY_NS)) - 1
        if old > 0:
            self._knots = self._knots.part(old, len(self._knots))

    def _continues(self, joint_ns: int, new: Knots, limiter: MotionLimiter | None) -> bool:
        """Return whether new knots are in time and go on from the plan by a parabola.

        Motion that a limiter continued from the plan's own state does; with a limiter given, the
        step of acceleration is checked too.
        """
        if joint_ns < self._frozen_ns:
            return False
        state = self._knots.state(joint_ns)
        expected = state.positions + (state.velocities + new.velocities[0]) * (0.5 / self.rate_hz)
        if np.abs(expected - new.positions[0]).max(initial=0.0) > _CONTINUES_RAD:
            return False
        if limiter is None:
            return True
        step = (new.velocities[0] - state.velocities) * self.rate_hz - state.accelerations
        allowed = limiter.limits.jerk / self.rate_hz + _CONTINUES_RAD_S2
        return bool((np.abs(step) <= allowed).all())

    def _replan(self, new: Knots, limiter: MotionLimiter) -> bool:
        """Follow what is left of new knots from the plan's own state; false if nothing is."""
        left = int(np.searchsorted(new.times_ns, self._frozen_ns + self._step_ns))
        if left >= len(new):
            return False
        self._knots = self._knots.until(int(new.times_ns[left]) - self._step_ns)
        self._follow(limiter, new.positions[left:])
        return True

    def _follow(self, limiter: MotionLimiter, targets: Float64Array) -> None:
        """Append limited motion towards targets, then the brake, to the last knot."""
        start = self._knots.state(int(self._knots.times_ns[-1]))
        self.changed_ns = start.time_ns
        motion = limiter.follow(limiter.moving_state(
            start.positions, start.velocities, start.accelerations), targets)
        brake = limiter.brake(motion.state)
        positions = np.concatenate([motion.positions, brake.positions])
        velocities = np.concatenate([motion.velocities, brake.velocities])
        times = start.time_ns + self._step_ns * np.arange(1, len(positions) + 1, dtype=np.int64)
        self._knots = self._knots.then(Knots(times, positions, velocities))
