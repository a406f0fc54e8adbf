"""Which joints of a robot other nodes own, across all of its streams. Knows no ROS."""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..motion.trajectory import TrajectoryPlan
from ..robot_output import RobotOutput
from ..types import Float64Array

Change = Callable[[Callable[[int], None]], bool]

STILL_RAD = 0.02
"""A joint measured nearer than this to where it was left was not moved by anybody."""


class YieldedJoints:
    """Remembers them, and tells the robot half of every stream.

    Args:
        joint_names: the N commanded joints.
    """

    def __init__(self, joint_names: Sequence[str]) -> None:
        self._joint_names = tuple(joint_names)
        self._columns: set[int] = set()

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
            robot.ramp.give(columns, places)
            robot.place(columns, places)

    def take(self, robot: RobotOutput | None, plan: TrajectoryPlan, columns: list[int],
             measured: Float64Array | None, commanded: Float64Array | None) -> None:
        """Take joints back: they go on from where they are measured.

        Args:
            robot: of the running stream.
            plan: of the robot.
            columns: which.
            measured: shape (N,), where the joints are [rad], if that is known.
            commanded: shape (N,), where they were commanded to be [rad]; changed in place.
        """
        self._columns.difference_update(columns)
        known = commanded if measured is None else measured
        if known is None:
            return
        if commanded is not None:
            known = np.where(np.abs(known - commanded) > STILL_RAD, known, commanded)
            commanded[columns] = known[columns]
        if not plan.is_empty:
            plan.place_joints(columns, known[columns])
        if robot is not None:
            robot.ramp.take(columns, known[columns])
            robot.place(columns, known[columns])

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
