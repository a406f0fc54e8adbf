"""A driver whose robot is always where its plan says, and what must hold of what it is told."""
from driver_bench import DriverBench, MS, PROFILE
import numpy as np

from gesture_node.ros.dialogue_config import DialogueConfig

NAMES = PROFILE.joint_names


class Bench(DriverBench):
    """A driver and a robot that is always where its plan says."""

    def __init__(self, interruptible=False, robot=PROFILE, gesture=None, **dialogue):
        self.shown, self.others = {}, {}
        super().__init__(gesture, robot, dialogue=DialogueConfig(**dialogue),
                         interruptible=interruptible)

    def move(self):
        """Be where the last message says, but for joints that others move."""
        if not self.plans:
            self.positions |= self.others
            return
        _, plan = self.plans[-1]
        times = plan.stamp_ns + np.array(plan.times_from_start_ns)
        row = max(int(np.searchsorted(times, self.now, side='right')) - 1, 0)
        self.positions = dict(zip(NAMES, plan.positions[row])) | self.others
        self.shown[self.now] = plan.positions[row], plan.velocities[row]

    def knots(self):
        """Return times [ns], positions and velocities of what was played."""
        found = {}
        for _, plan in self.plans:
            found = {time_ns: knot for time_ns, knot in found.items() if time_ns < plan.stamp_ns}
            for after_ns, row, speed in zip(plan.times_from_start_ns, plan.positions,
                                            plan.velocities):
                found[plan.stamp_ns + after_ns] = row, speed
        times = np.array(sorted(found))
        return (times, np.array([found[t][0] for t in times]),
                np.array([found[t][1] for t in times]))


def assert_each_message_is_within_limits(bench):
    """Check velocity, acceleration and jerk of every message that was published."""
    limits = PROFILE.limits
    for _, plan in bench.plans:
        gaps_s = np.diff(plan.times_from_start_ns)[:, None] / 1e9
        assert (np.abs(plan.velocities) <= limits.velocity + 1e-9).all()
        assert (plan.positions >= limits.lower - 1e-9).all()
        assert (plan.positions <= limits.upper + 1e-9).all()
        if not len(gaps_s):
            continue
        accelerations = np.diff(plan.velocities, axis=0) / gaps_s
        assert (np.abs(accelerations) <= limits.acceleration + 1e-6).all()
        even = (np.abs(gaps_s[1:] - 0.02) < 1e-7) & (np.abs(gaps_s[:-1] - 0.02) < 1e-7)
        steps = np.abs(np.diff(accelerations, axis=0)) * even
        assert (steps <= 0.02 * limits.jerk + 1e-5).all()


def assert_frozen_knots_never_change(bench, joints=slice(None)):
    promised = {}
    for at, plan in bench.plans:
        for after_ns, position in zip(plan.times_from_start_ns, plan.positions):
            time_ns = plan.stamp_ns + after_ns
            if time_ns in promised:
                assert np.abs(promised[time_ns] - position)[joints].max() < 1e-9
            if time_ns <= at + 60 * MS:
                promised[time_ns] = position
