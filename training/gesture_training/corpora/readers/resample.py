"""Recordings of any frame rate on the clock of the pack: by time, never by counting frames.

A recorded frame ``i`` of a regular recording is at ``i / fps``; frame ``k`` of the pack at
``k / rate``. Between two recorded frames rotations turn the shortest way and numbers are linear.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gesture_node.motion.face import project_face
from gesture_node.motion.rotations import slerp
from gesture_node.motion.skeleton import pack_pose, unpack_pose
from gesture_node.timeline import BODY_RATE_HZ, FACE_RATE_HZ

from ..problems import UnusableFile

Array = NDArray[np.float64]
LARGEST_GAP_S = 0.5
"""Frames further apart than this are missing, not slow."""


def regular_times(frames: int, fps: float) -> Array:
    """Return the times [s] ``(frames,)`` of a recording with a fixed rate."""
    return np.asarray(np.arange(frames) / fps)


def check_times(times_s: Array, what: str) -> None:
    """Refuse times that go back or leave a gap.

    Raises:
        UnusableFile: naming ``what`` and the place.
    """
    if not len(times_s) or not np.isfinite(times_s).all():
        raise UnusableFile(f'{what} has no frames, or times that are not numbers')
    steps = np.diff(times_s)
    if len(steps) and steps.min() <= 0.0:
        at = int(np.argmin(steps)) + 1
        raise UnusableFile(f'{what}: frame {at} is not later than the one before it '
                           f'({times_s[at]:.3f} s after {times_s[at - 1]:.3f} s)')
    if len(steps) and steps.max() > LARGEST_GAP_S:
        at = int(np.argmax(steps))
        raise UnusableFile(f'{what} has a gap of {steps[at]:.2f} s at {times_s[at]:.2f} s; at '
                           f'most {LARGEST_GAP_S} s are allowed')


def whole_frames(times_s: Array, rate_hz: int) -> int:
    """Return how many frames at ``rate_hz`` lie between zero and the last recorded one."""
    return max(0, int(np.floor(times_s[-1] * rate_hz + 1e-6)) + 1)


def resample_poses(times_s: Array, poses: Array, frames: int,
                   rate_hz: int = BODY_RATE_HZ) -> Array:
    """Return poses ``(frames, 84)`` at ``k / rate_hz``, held beyond both ends.

    Args:
        times_s: shape (T,), increasing.
        poses: shape (T, 84).
        frames: number of frames wanted.
        rate_hz: their rate.
    """
    rotations, fingers = unpack_pose(poses)
    if len(poses) == 1:
        return np.repeat(np.asarray(poses, dtype=np.float64), frames, axis=0)
    wanted = np.clip(np.arange(frames) / rate_hz, times_s[0], times_s[-1])
    after = np.clip(np.searchsorted(times_s, wanted, side='right'), 1, len(times_s) - 1)
    before = after - 1
    share = (wanted - times_s[before]) / (times_s[after] - times_s[before])
    between = slerp(rotations[before], rotations[after], share[:, None])
    curls = fingers[before] + share[:, None] * (fingers[after] - fingers[before])
    return np.asarray(pack_pose(between, curls))


def resample_weights(times_s: Array, weights: Array, frames: int,
                     rate_hz: int = FACE_RATE_HZ) -> NDArray[np.float32]:
    """Return blendshape weights ``(frames, 52)`` at ``k / rate_hz``, held beyond both ends.

    Args:
        times_s: shape (T,), increasing.
        weights: shape (T, 52); the result lies in [0, 1].
        frames: number of frames wanted.
        rate_hz: their rate.
    """
    wanted = np.arange(frames) / rate_hz
    columns = [np.interp(wanted, times_s, column) for column in weights.T]
    return project_face(np.stack(columns, axis=1)).astype(np.float32)
