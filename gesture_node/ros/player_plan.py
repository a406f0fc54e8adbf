"""The plan that ``trajectory_player`` plays: spliced as a controller splices. Knows no ROS.

The rules of ``sim/controller.py`` decide what is commanded. Three things are added, because
behind a player there is nothing that interpolates or holds back any more:

* a step between what was commanded and what a new plan commands at the same time is eased out by
  a quintic; a plan that goes on where the last one was is followed to the last bit;
* a position beyond a limit and a step faster than the velocity limit are never given out;
* when ROS time jumps, and at the end, the robot brakes inside its limits on the machine's own
  clock.
"""
from __future__ import annotations

from collections.abc import Collection
from enum import Enum

import numpy as np

from ..motion.limits import JointLimits, MotionLimiter
from ..sim.controller import (
    JointCommand,
    TrajectoryController,
    TrajectoryMessage,
    TrajectoryPoint,
)
from ..timeline import NS_PER_S
from ..types import Float64Array
from .clock_guard import ClockGuard
from .player_ease import Ease, is_same
from .problems import ProblemLog

FAR_RAD = 0.1
"""Further beyond a limit than this a trajectory is refused; nearer it is cut off at the limit,
because a robot may have been found there."""
_CHANGED, _ROUNDING = 1e-6, 1e-9
_STILL = 1e-3
_LONGEST_STEP_NS = NS_PER_S // 10


class PlayerState(Enum):
    """What a player is doing."""

    WAITING = 'waiting'
    PLAYING = 'playing'
    HOLDING = 'holding'
    STARVED = 'starved'
    RELEASING = 'releasing'


class PlayedPlan:
    """What the joints of a player are commanded to do at any time.

    Args:
        joint_names: the N joints that are played, order of every array.
        known_names: joints that a trajectory may hold besides; they are passed over.
        limits: what the N joints may do.
        stale_s: a plan that still moves so long after its arrival is starved; 0 for never.
        problems: takes what is wrong.
    """

    def __init__(self, joint_names: tuple[str, ...], known_names: Collection[str],
                 limits: JointLimits, stale_s: float, problems: ProblemLog) -> None:
        self.state = PlayerState.WAITING
        self.accepted = 0
        self._names, self._limits, self._problems = joint_names, limits, problems
        self._known = frozenset(known_names) | frozenset(joint_names)
        self._stale_ns = round(stale_s * NS_PER_S)
        self._clock = ClockGuard()
        self._next: TrajectoryMessage | None = None
        self._controller: TrajectoryController | None = None
        self._ease: Ease | None = None
        self._end_ns = self._begun_ns = 0
        self._end_positions = np.zeros(len(joint_names))
        self._now_ns = self._steady_ns = 0
        self._step_ns = 0
        self._freewheels = False
        self._given: JointCommand | None = None
        self._is_held_back = self._is_behind = False

    def accept(self, message: TrajectoryMessage, now_ns: int) -> bool:
        """Take a trajectory over at the next sample, or say once per cause why not."""
        if self.state is PlayerState.RELEASING:
            return False
        if not now_ns:
            return self._refuse('clock', 'ROS time has not started')
        reason = TrajectoryController(message.joint_names, np.zeros(len(message.joint_names))
                                      ).accept(message, now_ns)
        if reason is not None:
            return self._refuse(reason.name.lower(), reason.value)
        for name in message.joint_names:
            if name not in self._known:
                return self._refuse('unknown_joint', f'it names the joint {name!r}, which the '
                                                     f'robot does not command')
        for name in self._names:
            if name not in message.joint_names:
                return self._refuse('joint_count', f'it leaves out the joint {name!r}')
        selected = self._selected(message)
        far = self._far_beyond(selected)
        if far:
            return self._refuse('position', far)
        self._next = selected
        self.accepted += 1
        return True

    def sample(self, ros_ns: int, steady_ns: int,
               measured: Float64Array | None = None) -> JointCommand | None:
        """Return what to command now; ``None`` before there is anything.

        Args:
            ros_ns: ROS time; 0 while a simulated clock has not started.
            steady_ns: the machine's own clock.
            measured: positions (N,) [rad] from which the first plan starts, if they are known.
        """
        self._advance(ros_ns, steady_ns)
        if self._next is not None:
            self._splice(ros_ns, measured)
        command = self._planned()
        if command is None:
            return None
        self._given = self._held_back(command)
        self._note_state(command)
        return self._given

    def brake(self) -> None:
        """Come to rest as fast as the limits allow and take no trajectory any more."""
        self._next = None
        self._stop()
        self.state = PlayerState.RELEASING

    @property
    def is_at_rest(self) -> bool:
        """Whether the plan has been played to its end."""
        return self._controller is None or (
            self._now_ns >= self._end_ns
            and (self._ease is None or self._now_ns >= self._ease.end_ns)
            and not self._is_behind)

    def _refuse(self, cause: str, words: str) -> bool:
        self._problems.report(f'trajectory_{cause}', f'a trajectory is refused: {words}')
        return False

    def _selected(self, message: TrajectoryMessage) -> TrajectoryMessage:
        """Return the part of a valid message that concerns the joints played, in their order."""
        columns = [message.joint_names.index(name) for name in self._names]
        return TrajectoryMessage(self._names, message.stamp_ns, tuple(
            TrajectoryPoint(point.time_from_start_ns, *(
                values[columns] if len(values) else values
                for values in (point.positions, point.velocities, point.accelerations)))
            for point in message.points))

    def _far_beyond(self, message: TrajectoryMessage) -> str:
        """Return which joint would go far beyond its limits, empty if none."""
        positions = np.stack([point.positions for point in message.points])
        lower, upper = self._limits.lower, self._limits.upper
        outside = np.maximum(lower - positions, positions - upper)
        row, joint = np.unravel_index(int(outside.argmax()), outside.shape)
        if outside[row, joint] <= FAR_RAD:
            return ''
        return (f'joint {self._names[joint]!r} would go to {positions[row, joint]:.3f} rad, '
                f'allowed are {lower[joint]:.3f} to {upper[joint]:.3f}')

    def _advance(self, ros_ns: int, steady_ns: int) -> None:
        """Move the time of the plan on: with ROS time, or with the machine's after a jump."""
        steady_step = max(0, steady_ns - self._steady_ns)
        jumped = self._clock.has_jumped(ros_ns, steady_ns)
        if jumped and self._given is not None and not self._freewheels:
            self._problems.report('clock', 'ROS time jumped; the robot brakes and waits for the '
                                           'next trajectory')
            self._stop()
        before_ns = self._now_ns
        if self._freewheels:
            self._now_ns += steady_step
        else:
            self._now_ns = max(self._now_ns, ros_ns)
        self._step_ns = self._now_ns - before_ns
        self._steady_ns = steady_ns

    def _stop(self) -> None:
        """Play a brake from here on, on the machine's own clock."""
        self._freewheels = True
        command = self._given if self._is_held_back else self._planned()
        if command is None or self._controller is None:
            return
        limiter = MotionLimiter(self._limits)
        motion = limiter.brake(limiter.moving_state(
            command.positions, command.velocities, command.accelerations))
        spacing_ns = NS_PER_S // limiter.rate_hz
        points = (TrajectoryPoint(0, command.positions, command.velocities), *(
            TrajectoryPoint((row + 1) * spacing_ns, positions, velocities)
            for row, (positions, velocities) in enumerate(
                zip(motion.positions, motion.velocities))))
        self._ease = None
        self._run(TrajectoryMessage(self._names, self._now_ns, points), command)

    def _splice(self, ros_ns: int, measured: Float64Array | None) -> None:
        """Begin the waiting trajectory, without a step if it is known where the robot is."""
        assert self._next is not None
        message, old = self._next, self._planned()
        zero = np.zeros(len(self._names))
        if self._is_held_back:
            old = self._given
        elif old is None and measured is not None:
            old = self._given = JointCommand(measured, zero, zero)
        if not message.stamp_ns:
            self._next = message = TrajectoryMessage(message.joint_names, ros_ns, message.points)
        if old is None and ros_ns < message.stamp_ns + message.points[0].time_from_start_ns:
            return  # Nobody knows where the robot is before the plan begins.
        self._next = None
        if self._freewheels or self._controller is None:
            self._freewheels, self._now_ns, self._controller = False, ros_ns, None
        plain_old = None if self._controller is None else self._unoffset()
        new = self._run(message, old)
        if old is not None and (plain_old is None or self._is_held_back
                                or not is_same(plain_old, new)):
            self._ease = Ease.between(old, new, self._now_ns, self._limits)
        self.state = PlayerState.PLAYING

    def _run(self, message: TrajectoryMessage, old: JointCommand | None) -> JointCommand:
        """Hand a trajectory to the controller, and return what it commands now."""
        zero = np.zeros(len(self._names))
        if old is None:
            old = JointCommand(message.points[0].positions, zero, zero)
        if self._controller is None:
            self._controller = TrajectoryController(self._names, old.positions,
                                                    interpolate_from_desired=True)
        refused = self._controller.accept(message, message.stamp_ns)
        assert refused is None
        self._begun_ns = self._now_ns
        self._end_ns = message.stamp_ns + message.points[-1].time_from_start_ns
        self._end_positions = message.points[-1].positions
        return self._controller.sample(self._now_ns, old.positions, old.velocities)

    def _unoffset(self) -> JointCommand:
        """Return what the plan alone commands now."""
        assert self._controller is not None
        still = np.zeros(len(self._names))
        return self._controller.sample(self._now_ns, still, still)

    def _planned(self) -> JointCommand | None:
        """Return what the plan with its offset commands now; ``None`` without a plan."""
        if self._controller is None:
            return None
        command = self._unoffset()
        if self._ease is None:
            return command
        if self._now_ns >= self._ease.end_ns:
            self._ease = None
            return command
        return self._ease.added_to(command, self._now_ns)

    def _held_back(self, command: JointCommand) -> JointCommand:
        """Return the command inside position limits and in reach of the last one."""
        allowed = np.clip(command.positions, self._limits.lower, self._limits.upper)
        positions = allowed
        step_s = min(self._step_ns, _LONGEST_STEP_NS) / NS_PER_S
        if self._given is not None:
            reach = self._limits.velocity * step_s * (1.0 + _ROUNDING) + _ROUNDING
            last = self._given.positions
            positions = last + np.clip(allowed - last, -reach, reach)
        self._is_behind = bool(np.abs(positions - allowed).max(initial=0.0) > _CHANGED)
        changed = np.abs(positions - command.positions)
        self._is_held_back = bool(changed.max(initial=0.0) > _CHANGED)
        if not self._is_held_back:
            return command
        joint = int(changed.argmax())
        self._problems.report('limit', (
            f'joint {self._names[joint]!r} is held back: the trajectory leaves its limits or '
            f'moves faster than {self._limits.velocity[joint]:.2f} rad/s'))
        velocities = np.clip(command.velocities, -self._limits.velocity, self._limits.velocity)
        if self._given is not None:
            moved = positions - self._given.positions
            velocities = moved / step_s if step_s else np.zeros(len(moved))
        return JointCommand(positions, velocities, np.zeros(len(positions)))

    def _note_state(self, command: JointCommand) -> None:
        """Notice the end of the plan, and that it moves on without anybody planning."""
        if self.state is not PlayerState.PLAYING:
            return
        if self.is_at_rest:
            self.state = PlayerState.HOLDING
        elif self._stale_ns and self._now_ns - self._begun_ns > self._stale_ns and (
                self._has_motion_left(command)):
            self.state = PlayerState.STARVED
            self._problems.report('starved', (
                f'no trajectory came for {self._stale_ns / NS_PER_S:g} s while the robot moves; '
                'it goes on to the end of the last one and holds'))

    def _has_motion_left(self, command: JointCommand) -> bool:
        left = np.abs(self._end_positions - command.positions)
        return bool(max(left.max(initial=0.0), np.abs(command.velocities).max(initial=0.0))
                    > _STILL)
