"""Holds the plan of one robot and publishes it: on every change, and again while it moves.

Knows no ROS. Motion starts from where the robot is: where it was last commanded to be, if it is
still there, otherwise where ``joint_states`` says. Without fresh ``joint_states`` nothing begins,
and what has begun brakes and waits for them.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..config import OutputConfig
from ..dialogue.retraction import retraction
from ..motion.trajectory import TrajectoryMessage, TrajectoryPlan
from ..robot_output import RobotOutput
from ..timeline import frame_to_ns, KNOT_RATE_HZ, NS_PER_S
from ..types import Float64Array, JointChunk
from .clock_guard import MAX_BACKWARD_NS
from .inbox import MeasuredJoints
from .plan_publisher import PlanPublisher
from .problems import ProblemLog
from .yield_joints import YieldedJoints

MOVED_RAD = 0.15
"""Further from its last command than this, a resting robot was moved by somebody else."""

UNMEASURED_NS = NS_PER_S
"""A moving robot brakes when its joints were not measured for this much longer than fresh."""

SHORTEST_WAY_NS = 10_000_000
"""A change is not published if less than this is left of the frozen horizon to travel."""

TRIES = 5

HOLD_NS = NS_PER_S // 2
"""Time in which a robot is led to rest after a jump of the clock."""


class BodyOutput:
    """The plan of one robot, across all streams.

    Args:
        joint_names: commanded joints.
        config: horizon, stamps and repetition.
        joints: what was measured.
        publish: takes messages; a copy is the same object as what it is a copy of.
        problems: takes what is wrong.
        now_ns: reads ROS time [ns], to notice that a change waited too long on its way out;
            ``None`` trusts that none does.
    """

    def __init__(self, joint_names: tuple[str, ...], config: OutputConfig, joints: MeasuredJoints,
                 publish: Callable[[TrajectoryMessage], None], problems: ProblemLog,
                 now_ns: Callable[[], int] | None = None) -> None:
        self._names, self._config = joint_names, config
        self._joints, self._problems = joints, problems
        self._publish, self._publisher = publish, PlanPublisher(config, publish)
        self._now_ns = now_ns
        self._plan = self._new_plan(config)
        self._earlier_underruns = 0
        self._commanded: Float64Array | None = None
        self._robot: RobotOutput | None = None
        self._is_held = False
        self._must_rest = False
        self._ticked_ns = 0
        self._measured_ns: int | None = None
        self._yielded = YieldedJoints(joint_names)

    @property
    def yielded(self) -> frozenset[str]:
        """Joints that other nodes own."""
        return self._yielded.names

    @property
    def underruns(self) -> int:
        """Chunks that came too late to be played as computed."""
        return self._earlier_underruns + self._plan.underruns

    def configure(self, config: OutputConfig) -> None:
        """Take other choices; only while the robot is at rest."""
        if (config.frozen_horizon_s, config.accelerations) != (
                self._config.frozen_horizon_s, self._config.accelerations):
            self._earlier_underruns += self._plan.underruns
            self._commanded = self._end_of_plan()
            self._plan = self._new_plan(config)
        self._config = config
        self._publisher.configure(config)

    def _new_plan(self, config: OutputConfig) -> TrajectoryPlan:
        return TrajectoryPlan(self._names, KNOT_RATE_HZ, config.frozen_horizon_s,
                              config.accelerations)

    def begin(self, robot: RobotOutput | None, start_ns: int, now_ns: int) -> Float64Array | None:
        """Prepare for a new stream.

        Args:
            robot: robot half of the stream; ``None`` when only the face is wanted.
            start_ns: presentation time of stream time 0.
            now_ns: ROS time.

        Returns:
            Joint positions [rad] the stream starts from; ``None`` for its idle pose.
        """
        self._robot, self._is_held = robot, False
        if robot is None:
            return None
        measured = self._measured(now_ns)
        if measured is None and self._config.require_joint_states:
            self._is_held = True
            self._problems.report('joint_states', (
                f'no trajectory is published before joint_states hold {self._missing()}; '
                'or set output.require_joint_states to false'))
        return self._yielded.begin(robot, self._start_from(measured, start_ns, now_ns), measured)

    def carry_on(self, robot: RobotOutput | None, start_ns: int) -> None:
        """Let a stream that was reset go on from the motion that is under way when it begins."""
        joint_ns = start_ns - frame_to_ns(1, KNOT_RATE_HZ)
        if robot is not None and not self._plan.is_settled(joint_ns):
            state = self._plan.state(joint_ns)
            robot.rebase(state.positions, state.velocities, state.accelerations)

    def may_move(self, now_ns: int) -> bool:
        """Return whether motion may begin or go on: the joints are known, if they must be."""
        if self._must_rest or (self._is_held and not self._plan.is_settled(now_ns)):
            return False
        return not self._config.require_joint_states or self._measured(now_ns) is not None

    def _start_from(self, measured: Float64Array | None, start_ns: int,
                    now_ns: int) -> Float64Array | None:
        """Return where motion that starts at a time starts, and forget a plan that is not it."""
        commanded = self._commanded_at(start_ns)
        if measured is None or (commanded is not None and not self._was_moved(measured, now_ns)):
            return commanded
        self._plan.clear()
        self._commanded = None
        self._publisher.drop_copies()
        return measured

    def extend(self, chunk: JointChunk, start_ns: int, now_ns: int) -> bool:
        """Take in a chunk of the running stream and publish; return whether it was published."""
        if self._is_held or self._robot is None:
            return False
        robot, amended = self._robot, self._yielded.amended(chunk)
        motion = chunk if amended is None else amended

        def take(then_ns: int) -> None:
            result = self._plan.extend(motion, start_ns, then_ns, robot.limiter,
                                       anew=amended is not None)
            if result.late_knots:
                self._problems.report('underrun', (
                    f'motion was computed too late for {result.late_knots} knots and is eased '
                    'in; raise body.hop_s or output.presentation_delay_s, or free the processor'))
            if result.resume is not None:
                resume = result.resume
                robot.rebase(resume.positions, resume.velocities, resume.accelerations)

        return self._change(take, now_ns)

    def begin_window(self) -> None:
        """Note that the robot half computes from now on, not under the owner's lock."""
        self._yielded.begin_window()

    def end_window(self, robot: RobotOutput | None) -> None:
        """Note that a robot half has computed, and what it computed was taken or dropped.

        One whose window took too long may have been replaced meanwhile, and ends no other's.
        """
        if robot is self._robot:
            self._yielded.end_window(robot)

    def tick(self, now_ns: int) -> None:
        """Hold a robot while its joints are not known, let it go after, repeat the plan."""
        self._ticked_ns = now_ns
        if self._config.require_joint_states or self._is_held or self._must_rest:
            self._watch_joints(now_ns)
        self.repeat(now_ns)

    def repeat(self, now_ns: int) -> None:
        """Publish the plan again if that is due: a few times after a change, then now and then."""
        if now_ns < self._ticked_ns - MAX_BACKWARD_NS:
            # The clock jumped, and :meth:`forget` is yet to be called.
            return
        if self._publisher.say_again(now_ns) and not self._plan.is_settled(now_ns):
            self._publisher.say(self._plan.message(now_ns, self._config.stamp_policy), now_ns)

    def stop(self, now_ns: int) -> None:
        """Brake at once."""
        if self._robot is not None:
            limiter = self._robot.limiter
            self._change(lambda then_ns: self._plan.stop(then_ns, limiter), now_ns, soon=True)

    def retract(self, now_ns: int) -> None:
        """Go to the idle pose, jerk-limited, from whatever is going on; after :meth:`stop`."""
        robot = self._robot
        if robot is None or self._is_held or self._plan.is_empty:
            return
        limiter = robot.limiter
        goal = self._yielded.held(robot.idle_positions, self._end_of_plan())
        self._change(lambda then_ns: self._plan.lead(then_ns, limiter, lambda brake: retraction(
            brake, goal, limiter.limits, limiter.rate_hz)), now_ns, soon=True)

    def yield_joints(self, names: frozenset[str], now_ns: int) -> str:
        """Let other nodes own these joints and no others.

        Joints that are given up brake at once and hold; those that are taken back go on from
        where they are measured.

        Returns:
            Why joints could not be taken back; empty when all is as asked.
        """
        measured = self._measured(now_ns)
        back = self._yielded.to_take(names)
        refused = ''
        if back and measured is None and self._config.require_joint_states:
            refused = f'joints are taken back once joint_states hold {self._missing()}'
            back = []
        if back:
            self._publisher.drop_copies()
            self._yielded.take(self._robot, self._plan, back, measured,
                               self._commanded_at(now_ns), now_ns)
        known = self._end_of_plan() if measured is None else measured
        self._yielded.give(self._robot, self._plan, self._yielded.to_give(names), known,
                           lambda change: self._change(change, now_ns, soon=True))
        return refused

    def forget(self) -> None:
        """Drop the plan because its times mean nothing any more; call when ROS time jumped.

        A controller may still hold a plan for times to come again. A robot that was moving is
        therefore led to rest where it is measured, and the next motion starts from there.
        """
        self._must_rest = not self._plan.is_settled(self._ticked_ns)
        known = self._config.require_joint_states
        self._commanded = None if known else self._end_of_plan()
        self._plan.clear()
        self._publisher.forget()
        self._measured_ns = None
        self._ticked_ns = 0

    def is_moving(self, now_ns: int) -> bool:
        """Whether the plan has something left to play."""
        return not self._plan.is_settled(now_ns)

    def waiting_for(self, now_ns: int) -> str:
        """Return what motion waits for, empty for nothing."""
        if not self._names or not self._config.require_joint_states or (
                self._measured(now_ns) is not None):
            return ''
        return f'joint_states with {self._missing()}'

    def _watch_joints(self, now_ns: int) -> None:
        """Act on joints that are measured again, or no more."""
        measured = self._measured(now_ns)
        if measured is None:
            self._hold_if_unmeasured(now_ns)
            return
        self._measured_ns = now_ns
        if self._must_rest:
            self._must_rest, self._commanded = False, measured
            self._publish(TrajectoryMessage.hold(self._names, measured, HOLD_NS))
        if self._is_held and self._robot is not None and self._plan.is_settled(now_ns):
            self._robot.reset(self._start_from(measured, now_ns, now_ns))
            self._is_held = False

    def _hold_if_unmeasured(self, now_ns: int) -> None:
        if self._measured_ns is None:
            self._measured_ns = now_ns
        if self._is_held or self._robot is None or self._plan.is_settled(now_ns) or (
                now_ns - self._measured_ns < UNMEASURED_NS):
            return
        self._is_held = True
        self._problems.report('stale_joint_states', (
            f'joint_states no longer hold {self._missing()}; the robot brakes until they do'))
        self.stop(now_ns)

    def _change(self, change: Callable[[int], None], now_ns: int, soon: bool = False) -> bool:
        """Change the plan and publish it; return whether that was done.

        Whatever halts this thread in between (a full processor, a suspended process) would make
        the change arrive when it is already to be played, and the robot jump. It is then undone
        and made again for the time it has become.
        """
        for _ in range(TRIES):
            mark = self._plan.mark()
            change(now_ns)
            message = self._plan.message(now_ns, self._config.stamp_policy)
            spent_ns = 0 if self._now_ns is None else self._now_ns() - now_ns
            if spent_ns <= self._config.frozen_horizon_s * NS_PER_S - SHORTEST_WAY_NS:
                return self._publisher.say_change(message, now_ns, soon)
            self._plan.restore(mark)
            now_ns += spent_ns
        return False

    def _commanded_at(self, time_ns: int) -> Float64Array | None:
        if self._plan.is_empty:
            return self._commanded
        return self._plan.state(time_ns).positions

    def _end_of_plan(self) -> Float64Array | None:
        return self._commanded_at(self._plan.end_ns or 0)

    def _measured(self, now_ns: int) -> Float64Array | None:
        found = self._joints.fresh(self._names, now_ns)
        return None if found is None else np.array([found[name] for name in self._names])

    def _was_moved(self, measured: Float64Array, now_ns: int) -> bool:
        """Return whether a resting robot is elsewhere than commanded."""
        commanded = self._commanded_at(now_ns)
        return commanded is None or (self._plan.is_settled(now_ns) and bool(
            np.abs(measured - commanded).max(initial=0.0) > MOVED_RAD))

    def _missing(self) -> str:
        missing = self._joints.missing(self._names)
        if not missing:
            return 'fresh positions'
        more = f' and {len(missing) - 3} more' if len(missing) > 3 else ''
        return ', '.join(missing[:3]) + more
