"""Human motion to compare with: the recorded co-speech clips, and how far two halves of them are.

The clips have no sound, so they tell how people move and not when.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gesture_node.measures.distributions import (
    EDGES,
    hellinger,
    log_histograms,
    wrist_kinematics,
)
from gesture_node.measures.frechet import Cloud, frechet_distance
from gesture_node.measures.jitter import jitter_mm
from gesture_node.motion.skeleton import forward_kinematics, JOINT_INDEX, unpack_pose
from gesture_node.timeline import BODY_RATE_HZ

from ..corpora.clips import Clip, load_clips
from .motion_code import cut_windows, MotionEncoder, WINDOW_FRAMES

Array = NDArray[np.float64]
_WRISTS = [JOINT_INDEX['left_wrist'], JOINT_INDEX['right_wrist']]
_STRIDE_FRAMES, _HUMAN_STRIDE_FRAMES = 10, 4
"""Clips are short: their windows overlap more, so that there are enough of them."""


@dataclass(frozen=True)
class Human:
    """How people move.

    Attributes:
        shares: histograms of the moving samples, see ``measures.distributions``.
        jitter_mm: power above 8 Hz of their wrists.
        cloud: codes of their motion.
        between_halves: the figures of one half of the clips against the other half: what is left
            between people and people.
        clips, minutes: how much of it there is.
    """

    shares: dict[str, Array]
    jitter_mm: float
    cloud: Cloud
    between_halves: dict[str, float]
    clips: int
    minutes: float


def wrist_positions(poses: NDArray[np.floating]) -> Array:
    """Return wrist positions ``(T, 2, 3)`` [m] of pose vectors ``(T, 84)``."""
    rotations, _ = unpack_pose(poses.astype(np.float64))
    return np.asarray(forward_kinematics(rotations)[0][:, _WRISTS])


def at_body_rate(clip: Clip) -> Array:
    """Return the poses of a clip at 25 fps; one shorter than a window is held at its end."""
    frames = max(int(clip.sync.end * BODY_RATE_HZ) + 1, WINDOW_FRAMES)
    return clip.at(np.arange(frames) / BODY_RATE_HZ)


@lru_cache(maxsize=1)
def human_clips(data: Path) -> tuple[Clip, ...]:
    """Return the recorded co-speech clips, in order of their names."""
    return tuple(load_clips(data))


@lru_cache(maxsize=1)
def human_motion(data: Path) -> Human:
    """Return the reference made of all recorded co-speech clips."""
    clips = human_clips(data)
    encoder = MotionEncoder.load()
    codes = [encoder(cut_windows(at_body_rate(clip), _HUMAN_STRIDE_FRAMES)) for clip in clips]
    kinematics = [wrist_kinematics(wrist_positions(clip.poses), clip.fps) for clip in clips]
    halves = [log_histograms(kinematics[part::2]) for part in (0, 1)]
    clouds = [Cloud.of(np.concatenate(codes[part::2])) for part in (0, 1)]
    between = {f'hellinger_{name}': hellinger(halves[0][name], halves[1][name]) for name in EDGES}
    return Human(
        shares=log_histograms(kinematics),
        jitter_mm=jitter_mm((wrist_positions(clip.poses), clip.fps) for clip in clips),
        cloud=Cloud.of(np.concatenate(codes)),
        between_halves={**between, 'frechet': frechet_distance(*clouds)}, clips=len(clips),
        minutes=sum(clip.sync.end for clip in clips) / 60.0)


def moving_shares(poses: Sequence[NDArray[np.floating]]) -> dict[str, Array]:
    """Return the histograms of moving samples of some motion at 25 fps."""
    return log_histograms(wrist_kinematics(wrist_positions(take), BODY_RATE_HZ)
                          for take in poses)


def motion_figures(poses: Sequence[NDArray[np.floating]], human: Human) -> dict[str, float]:
    """Return how far some motion at 25 fps is from human motion.

    Args:
        poses: per take the pose vectors ``(T, 84)``.
        human: from :func:`human_motion`.
    """
    shares = moving_shares(poses)
    encoder = MotionEncoder.load()
    codes = np.concatenate([encoder(cut_windows(np.asarray(take, np.float64), _STRIDE_FRAMES))
                            for take in poses])
    return {
        **{f'hellinger_{name}': hellinger(shares[name], human.shares[name]) for name in EDGES},
        'jitter_mm': jitter_mm((wrist_positions(take), float(BODY_RATE_HZ)) for take in poses),
        'frechet': frechet_distance(Cloud.of(codes), human.cloud)}
