"""From canonical poses to limited robot motion on the knot grid."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .config import GestureConfig
from .exceptions import RobotError
from .latency import LatencyTracker
from .motion.collision import SelfCollisionGuard
from .motion.collision_follow import CollisionFreeLimiter
from .motion.limits import LimitedMotion, MotionLimiter
from .motion.retarget import Retargeter
from .motion.robot import RobotProfile
from .motion.skeleton import POSE_DIM
from .timeline import BODY_RATE_HZ, convert_frame, KNOT_RATE_HZ, s_to_frames
from .types import BodyChunk, Float64Array, JointChunk

_KNOTS_PER_FRAME = KNOT_RATE_HZ // BODY_RATE_HZ
_TAIL_FRAMES_FOR_SLOPE = 2
_APPROACH_SPEED = 0.3
"""Fraction of the velocity limits with which a measured posture is left."""


@dataclass(slots=True)
class Interventions:
    """How often, and how much, the safety layer changed the motion that was committed.

    Attributes:
        knots: committed knots so far.
        limited_knots: knots where a limit changed the motion by more than 0.01 rad.
        max_change_rad: largest change.
        collision_frames: body frames pulled back by the self-collision guard.
    """

    knots: int = 0
    limited_knots: int = 0
    max_change_rad: float = 0.0
    collision_frames: int = 0


class RobotOutput:
    """Retargets, guards and limits the body of one stream.

    Args:
        profile: the robot.
        config: limits and tail length.
        idle_pose: shape (84,), where motion starts when nothing was measured.
    """

    def __init__(self, profile: RobotProfile, config: GestureConfig,
                 idle_pose: NDArray[np.floating]) -> None:
        self.profile = profile
        self.interventions = Interventions()
        self._config = config
        self._idle_pose = idle_pose
        self._retargeter = Retargeter(profile)
        self._workspace = self._retargeter.workspace()
        self._guard = SelfCollisionGuard(profile)
        self._limiter = MotionLimiter(profile.limits.scaled(
            velocity=config.limits.velocity_scale, acceleration=config.limits.acceleration_scale,
            margin_rad=config.limits.position_margin_rad), rate_hz=KNOT_RATE_HZ)
        self._follower = CollisionFreeLimiter(self._limiter, self._guard)
        self.reset()

    def reset(self, positions: Mapping[str, float] | NDArray[np.floating] | None = None) -> None:
        """Start again at rest, at the given joint positions [rad] or in the idle pose.

        Raises:
            RobotError: a commanded joint is missing or a position is not finite.
        """
        self._retarget_state = self._retargeter.initial_state()
        still = np.repeat(self._idle_pose[None].astype(np.float64), 2, axis=0)
        idle, self._retarget_state = self._retargeter.retarget(still, self._retarget_state)
        start = idle[-1] if positions is None else self._ordered(positions)
        # From a posture that somebody else left the robot in, the first approach is gentle.
        speed_scale = 1.0 if positions is None else _APPROACH_SPEED
        self._limiter_state = self._limiter.rest_state(start, speed_scale)
        self._previous = idle[-1]
        self._ahead: LimitedMotion | None = None

    def rebase(self, positions: Float64Array, velocities: Float64Array,
               accelerations: Float64Array | None = None) -> None:
        """Go on from the state the robot is really commanded to, after a late chunk."""
        self._limiter_state = self._limiter.moving_state(positions, velocities, accelerations)
        self._ahead = None

    def skip(self, frames: int) -> None:
        """Go on after some more body frames than were committed.

        Meanwhile the robot plays the provisional motion of the last chunk and then rests, or
        brakes if the plan was taken over by :meth:`rebase`.
        """
        state, knots = self._limiter_state, frames * _KNOTS_PER_FRAME
        ahead = self._ahead or self._limiter.brake(state)
        row = min(knots, len(ahead.positions)) - 1
        reached = self._limiter.moving_state(
            ahead.positions[row], ahead.velocities[row], ahead.accelerations[row])
        self._limiter_state = replace(reached, speed_scale=state.speed_scale)
        self._ahead = ahead.after(row)
        self._previous = reached.positions

    @property
    def limiter(self) -> MotionLimiter:
        """The limiter, for brakes."""
        return self._limiter

    def step(self, body: BodyChunk, latency: LatencyTracker) -> JointChunk:
        """Return the joint motion of a body chunk: committed knots, then a tail to rest."""
        committed = body.committed
        tail = min(s_to_frames(self._config.output.tail_s, BODY_RATE_HZ),
                   len(body.poses) - committed)
        poses = self._scaled(body.poses[:committed + tail])
        with latency.measure('retarget'):
            wanted, self._retarget_state = self._retargeter.retarget(
                poses, self._retarget_state, tail, self._workspace)
        with latency.measure('collision'):
            positions, collisions = self._guard.guard(wanted, self._previous)
        with latency.measure('limits'):
            targets = _to_knots(np.concatenate([self._previous[None], positions]))
            done_free = self._follower.follow(self._limiter_state,
                                              targets[:committed * _KNOTS_PER_FRAME])
            final = done_free.motion
            rest = self._follower.follow(
                final.state, targets[committed * _KNOTS_PER_FRAME:])
        self._limiter_state = final.state
        self._previous = positions[committed - 1]
        self._count(final, targets, int(collisions) + int(done_free.parted))
        self._ahead = rest.motion.then(rest.brake)
        parts = (final, self._ahead)
        return JointChunk(
            joint_names=self.profile.joint_names,
            first_knot=convert_frame(body.first_frame, BODY_RATE_HZ, KNOT_RATE_HZ),
            positions=np.concatenate([part.positions for part in parts]),
            velocities=np.concatenate([part.velocities for part in parts]),
            accelerations=np.concatenate([part.accelerations for part in parts]),
            committed=committed * _KNOTS_PER_FRAME, rate_hz=KNOT_RATE_HZ,
            generation=body.generation)

    def _scaled(self, poses: NDArray[np.floating]) -> Float64Array:
        """Return poses with gestures scaled about the idle pose by ``body.amplitude``."""
        wide = poses.astype(np.float64)
        amplitude = self._config.body.amplitude
        if amplitude == 1.0 or wide.shape[1:] != (POSE_DIM,):
            return wide
        return self._idle_pose + amplitude * (wide - self._idle_pose)

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

    def _count(self, motion: LimitedMotion, targets: Float64Array, collisions: int) -> None:
        change = np.abs(motion.positions - targets[:len(motion.positions)]).max(axis=1)
        counts = self.interventions
        counts.knots += len(change)
        counts.limited_knots += int((change > 0.01).sum())
        counts.max_change_rad = max(counts.max_change_rad, float(change.max(initial=0.0)))
        counts.collision_frames += collisions


def _to_knots(positions: Float64Array) -> Float64Array:
    """Return knots ``(2 T, N)`` at 50 Hz from frames ``(1 + T, N)`` at 25 Hz, the first before.

    Knots between frames are four-point cubic; past the last frame it is repeated.
    """
    padded = np.concatenate([positions, np.repeat(positions[-1:], _TAIL_FRAMES_FOR_SLOPE, axis=0)])
    before, here, after, beyond = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    between = (9.0 * (here + after) - before - beyond) / 16.0
    knots = np.empty((2 * len(here), positions.shape[1]))
    knots[0::2], knots[1::2] = here, between
    return knots
