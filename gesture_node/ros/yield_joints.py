"""Which joints of a robot other nodes own, across all of its streams. Knows no ROS.

The plan of a robot changes at once. Its robot half may be computing a window meanwhile, in another
thread and without these joints being owned: it is told when that window is done, and the motion
of the window is amended before the plan takes it.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..motion.trajectory import TrajectoryPlan
from ..robot_output import RobotOutput
from ..types import Float64Array, JointChunk

Change = Callable[[Callable[[int], None]], bool]

STILL_RAD = 0.02
"""A joint measured nearer than this to where it was left was not moved by anybody."""


@dataclass(frozen=True, slots=True)
class _Transfer:
    """Joints that change hands, and where each of them is [rad]."""

    columns: list[int]
    places: Float64Array
    is_given: bool


class YieldedJoints:
    """Remembers them, and tells the robot half of every stream.

    Args:
        joint_names: the N commanded joints.
    """

    def __init__(self, joint_names: Sequence[str]) -> None:
        self._joint_names = tuple(joint_names)
        self._columns: set[int] = set()
        self._is_computing = False
        self._waiting: list[_Transfer] = []

    @property
    def names(self) -> frozenset[str]:
        """The joints that others own."""
        return frozenset(self._joint_names[column] for column in self._columns)

    def to_give(self, names: frozenset[str]) -> list[int]:
        """Return the columns of joints that are asked for and not yet yielded."""
        return [column for column, name in enumerate(self._joint_names)
                if name in names and column not in self._columns]

    def to_take(self, names: frozenset[str]) -> list[int]:
        """Return the columns of joints that are yielded and no longer asked for."""
        return [column for column in sorted(self._columns)
                if self._joint_names[column] not in names]

    def give(self, robot: RobotOutput | None, plan: TrajectoryPlan, columns: list[int],
             known: Float64Array | None, change: Change) -> None:
        """Yield joints: they brake at once and hold.

        Args:
            robot: of the running stream.
            plan: of the robot.
            columns: which.
            known: shape (N,), where the joints are, for a robot at rest [rad].
            change: changes the plan and publishes it.
        """
        if not columns:
            return
        stops: list[Float64Array] = []
        if robot is not None and not plan.is_empty:
            limiter = robot.limiter
            change(lambda then_ns: stops.append(plan.brake_joints(then_ns, limiter, columns)))
        self._columns.update(columns)
        if robot is not None and (stops or known is not None):
            places = stops[-1] if stops else np.asarray(known)[columns]
            self._transfer(robot, _Transfer(columns, places, True))

    def take(self, robot: RobotOutput | None, plan: TrajectoryPlan, columns: list[int],
             measured: Float64Array | None, commanded: Float64Array | None,
             now_ns: int) -> None:
        """Take joints back: they go on from where they are measured.

        Joints that still brake were moved by nobody else, wherever they are measured, and go on
        from where they come to rest.

        Args:
            robot: of the running stream.
            plan: of the robot.
            columns: which.
            measured: shape (N,), where the joints are [rad], if that is known.
            commanded: shape (N,), where they were commanded to be [rad]; changed in place.
            now_ns: ROS time.
        """
        self._columns.difference_update(columns)
        known = commanded if measured is None else measured
        if known is None:
            return
        if commanded is not None:
            known = np.where(np.abs(known - commanded) > STILL_RAD, known, commanded)
            commanded[columns] = known[columns]
        if not plan.is_empty:
            rest = plan.rest_of_moving(now_ns)
            known = np.where(np.isnan(rest), known, rest)
            still = [column for column in columns if np.isnan(rest[column])]
            plan.place_joints(still, known[still])
        if robot is not None:
            self._transfer(robot, _Transfer(columns, known[columns], False))

    def begin_window(self) -> None:
        """Note that the robot half is about to compute a window: it is left alone until then."""
        self._is_computing = True

    def amended(self, chunk: JointChunk) -> JointChunk | None:
        """Return the motion of that window with joints standing still that changed hands since.

        ``None`` when none did. How the other joints move was decided without that, so the result
        has to be limited again.
        """
        if not self._waiting:
            return None
        positions, velocities = chunk.positions.copy(), chunk.velocities.copy()
        accelerations = chunk.accelerations.copy()
        for transfer in self._waiting:
            positions[:, transfer.columns] = transfer.places
            velocities[:, transfer.columns] = accelerations[:, transfer.columns] = 0.0
        return replace(chunk, positions=positions, velocities=velocities,
                       accelerations=accelerations)

    def end_window(self, robot: RobotOutput | None) -> None:
        """Tell the robot half of the running stream what changed meanwhile."""
        self._is_computing = False
        waiting, self._waiting = self._waiting, []
        for transfer in waiting:
            if robot is not None:
                self._transfer(robot, transfer)

    def _transfer(self, robot: RobotOutput, transfer: _Transfer) -> None:
        if self._is_computing:
            self._waiting.append(transfer)
        else:
            hand = robot.ramp.give if transfer.is_given else robot.ramp.take
            hand(transfer.columns, transfer.places)
            robot.place(transfer.columns, transfer.places)

    def begin(self, robot: RobotOutput, start: Float64Array | None,
              measured: Float64Array | None) -> Float64Array | None:
        """Tell the robot half of a new stream what it may not move.

        Args:
            robot: of the new stream.
            start: shape (N,), where it starts [rad]; ``None`` for its idle pose.
            measured: shape (N,), where the joints are [rad], if that is known.

        Returns:
            Where it starts, yielded joints where they are.
        """
        self._is_computing, self._waiting = False, []
        columns = sorted(self._columns)
        if not columns:
            return start
        start = robot.idle_positions.copy() if start is None else start.copy()
        if measured is not None:
            start[columns] = measured[columns]
        robot.ramp.give(columns, start[columns])
        return start

    def held(self, goal: Float64Array, where: Float64Array | None) -> Float64Array:
        """Return a goal (N,) [rad] in which yielded joints stay where they are."""
        if where is None or not self._columns:
            return goal
        columns, goal = sorted(self._columns), goal.copy()
        goal[columns] = where[columns]
        return goal
