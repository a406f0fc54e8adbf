"""From canonical poses to safe robot motion on the knot grid."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .config import GestureConfig, LimitsConfig
from .dialogue.joint_ramp import JointRamp
from .exceptions import RobotError
from .latency import LatencyTracker
from .motion.limits import MotionLimiter
from .motion.retarget import Retargeter
from .motion.robot import RobotProfile
from .motion.safety import SafetyLayer, SafetyState
from .motion.safety_report import Interventions
from .motion.skeleton import POSE_DIM
from .timeline import BODY_RATE_HZ, convert_frame, KNOT_RATE_HZ, s_to_frames
from .types import BodyChunk, Float64Array, JointChunk

__all__ = ['Interventions', 'RobotOutput']

_KNOTS_PER_FRAME = KNOT_RATE_HZ // BODY_RATE_HZ
LEAST_TAIL_FRAMES = 2
"""Committed motion looks so far ahead; a shorter tail would change it, a longer one does not.
With so few the provisional motion is a brake."""


class RobotOutput:
    """Retargets the body of one stream and makes its motion safe.

    Args:
        profile: the robot.
        config: limits and tail length.
        idle_pose: shape (84,), where motion starts when nothing was measured.

    Attributes:
        ramp: joints that somebody else owns, or that come back little by little.
        idle_positions: the idle pose as this robot shows it, shape (N,), [rad].
        hand_speed_m_s: cap on the speed of hands, of the config or of :meth:`retune`.
    """

    def __init__(self, profile: RobotProfile, config: GestureConfig,
                 idle_pose: NDArray[np.floating]) -> None:
        self.profile = profile
        self.interventions = Interventions()
        self._config = config
        self._idle_pose = idle_pose
        self._retargeter = Retargeter(profile)
        self._workspace = self._retargeter.workspace()
        self._safety = SafetyLayer(profile, config.limits)
        self.hand_speed_m_s = config.limits.hand_speed_m_s
        self.ramp = JointRamp(len(profile.joint_names))
        self.tail_frames = s_to_frames(config.output.tail_s, BODY_RATE_HZ)
        self._pose = idle_pose.astype(np.float64)
        self.reset()

    def reset(self, positions: Mapping[str, float] | NDArray[np.floating] | None = None,
              gently: bool = False) -> None:
        """Start again at rest, at the given joint positions [rad] or in the idle pose.

        Args:
            positions: where; ``None`` is the idle pose.
            gently: whether motion goes over little by little to what is wanted.

        Raises:
            RobotError: a commanded joint is missing or a position is not finite.
        """
        self._retarget_state = self._retargeter.initial_state()
        still = np.repeat(self._idle_pose[None].astype(np.float64), 2, axis=0)
        idle, self._retarget_state = self._retargeter.retarget(still, self._retarget_state)
        self.idle_positions: Float64Array = idle[-1]
        start = idle[-1] if positions is None else self._ordered(positions)
        self.ramp.follow_at_once()
        if gently:
            self.ramp.start_from(start)
        still_ones = self.ramp.yielded
        target = start.copy() if gently else idle[-1].copy()
        target[still_ones] = start[still_ones]
        self._state = self._safety.at_rest(start, target, is_measured=positions is not None)

    def rebase(self, positions: Float64Array, velocities: Float64Array,
               accelerations: Float64Array | None = None) -> None:
        """Go on from the state the robot is really commanded to, after a late chunk."""
        self._state = self._safety.moved(self._state, positions, velocities, accelerations)

    def place(self, columns: Sequence[int], positions: Float64Array) -> None:
        """Go on with some joints at rest elsewhere, one position each [rad]; the others as before.

        For joints that somebody else has moved, or that were told to brake.
        """
        rows, limiter = list(columns), self._state.limiter
        changed = {name: getattr(limiter, name).copy() for name in (
            'before', 'after', 'accelerations', 'reference_before', 'reference_after', 'target',
            'speed_scale')}
        for name in ('before', 'after'):
            changed[name][rows] = positions
        changed['accelerations'][rows] = 0.0
        for name in ('reference_before', 'reference_after', 'target'):
            changed[name][rows] = np.nan
        target = self._state.target.copy()
        target[rows] = positions
        self._state = SafetyState(replace(limiter, **changed), target)

    def skip(self, frames: int) -> None:
        """Go on after some more body frames than were committed.

        Meanwhile the robot plays the provisional motion of the last chunk and then rests, or
        brakes if the plan was taken over by :meth:`rebase`.
        """
        self._state = self._safety.skipped(self._state, frames * _KNOTS_PER_FRAME)
        self.ramp.skip(frames)

    def retune(self, limits: LimitsConfig) -> None:
        """Take another cap on the speed of hands, from the next step on; all else stays."""
        self.hand_speed_m_s = limits.hand_speed_m_s

    @property
    def limiter(self) -> MotionLimiter:
        """A limiter that keeps links apart too, for brakes and late chunks."""
        return self._safety.limiter(self.hand_speed_m_s)

    def step(self, body: BodyChunk, latency: LatencyTracker) -> JointChunk:
        """Return the joint motion of a body chunk: committed knots, then a tail to rest."""
        committed = body.committed
        tail = min(self.tail_frames, len(body.poses) - committed)
        finite = self._finite(body.poses[:committed + tail].astype(np.float64))
        self._pose = finite[committed - 1] if committed else self._pose
        poses = finite if body.scaled else self._scaled(finite)
        with latency.measure('retarget'):
            wanted, self._retarget_state = self._retargeter.retarget(
                poses, self._retarget_state, tail, self._workspace)
        wanted = self.ramp.apply(wanted, committed)
        moved = self._safety.step(self._state, wanted, committed, self.interventions,
                                  self.hand_speed_m_s, latency.measure,
                                  self.tail_frames <= LEAST_TAIL_FRAMES)
        self._state = moved.state
        parts = (moved.committed, moved.ahead)
        return JointChunk(
            joint_names=self.profile.joint_names,
            first_knot=convert_frame(body.first_frame, BODY_RATE_HZ, KNOT_RATE_HZ),
            positions=np.concatenate([part.positions for part in parts]),
            velocities=np.concatenate([part.velocities for part in parts]),
            accelerations=np.concatenate([part.accelerations for part in parts]),
            committed=committed * _KNOTS_PER_FRAME, rate_hz=KNOT_RATE_HZ,
            generation=body.generation)

    def _scaled(self, wide: Float64Array) -> Float64Array:
        """Return poses with gestures scaled about the idle pose by ``body.amplitude``."""
        amplitude = self._config.body.amplitude
        if amplitude == 1.0 or wide.shape[1:] != (POSE_DIM,):
            return wide
        return self._idle_pose + amplitude * (wide - self._idle_pose)

    def _finite(self, poses: Float64Array) -> Float64Array:
        """Return poses, the last finite one in place of any that is not."""
        for row in np.flatnonzero(~np.isfinite(poses).all(axis=1)):
            self.interventions.nonfinite += int(np.count_nonzero(~np.isfinite(poses[row])))
            poses[row] = poses[row - 1] if row else self._pose
        return poses

    def _ordered(self, positions: Mapping[str, float] | NDArray[np.floating]) -> Float64Array:
        names = self.profile.joint_names
        if isinstance(positions, Mapping):
            missing = [name for name in names if name not in positions]
            if missing:
                raise RobotError(f'joint positions lack {missing[0]!r} of robot '
                                 f'{self.profile.name}; given: {", ".join(sorted(positions))}')
            positions = np.array([positions[name] for name in names])
        array = np.asarray(positions, np.float64)
        if array.shape != (len(names),) or not np.isfinite(array).all():
            raise RobotError(f'robot {self.profile.name} needs {len(names)} finite joint '
                             f'positions, got shape {array.shape}')
        return array
