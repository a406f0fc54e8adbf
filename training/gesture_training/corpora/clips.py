"""The gesture clips: canonical motion with hand-marked sync times, ready to be placed in time.

Reads ``gestures_smartbody`` (301 BVH clips of SmartBody with the sync points of its animators) and
keeps what goes with speech: marks in order, a wrist that moves, at most five seconds. Which hands
a clip uses is measured from its wrists, not taken from its name.
"""
from __future__ import annotations

from dataclasses import dataclass, field, replace
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from gesture_node.motion.skeleton import (
    forward_kinematics,
    JOINT_INDEX,
    mirror_pose,
    project_pose,
    unpack_pose,
)
from gesture_node.types import Float64Array

from .bvh import read_bvh
from .skeleton_map import canonical_poses, load_map

MAX_CLIP_S = 5.5
MIN_EMPHASIS_S = 0.2
"""Earlier marks are the converter's default of clips that nobody marked."""
MIN_REACH_M = 0.08
OTHER_HAND_SHARE = 0.35
"""A hand takes part when its wrist reaches this share of what the other one does."""


@dataclass(frozen=True, slots=True)
class SyncTimes:
    """Marks of a clip [s] from its first frame, increasing."""

    ready: float
    stroke_start: float
    emphasis: float
    stroke_end: float
    relax: float
    end: float


@dataclass(frozen=True)
class Clip:
    """One gesture.

    Attributes:
        name: id in ``clips.json``, with ``~m`` appended when mirrored.
        category: kind of gesture, parsed from the clip's name.
        hand: ``left``, ``right`` or ``both``: which wrists move.
        fps: frame rate of the recording.
        poses: shape (T, 84), recorded frames.
        sync: marks.
    """

    name: str
    category: str
    hand: str
    fps: float
    poses: Float64Array
    sync: SyncTimes
    _spline: CubicSpline = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        grid = np.arange(len(self.poses)) / self.fps
        object.__setattr__(self, '_spline', CubicSpline(grid, self.poses))

    def at(self, times_s: Float64Array) -> Float64Array:
        """Return valid poses ``(N, 84)`` at clip times, held beyond both ends."""
        last = (len(self.poses) - 1) / self.fps
        return np.asarray(project_pose(self._spline(np.clip(times_s, 0.0, last))))


def wrist_positions(poses: Float64Array) -> Float64Array:
    """Return positions ``(T, 2, 3)`` [m] of the left and right wrist, pelvis frame."""
    positions, _ = forward_kinematics(unpack_pose(poses)[0])
    return np.asarray(positions[:, [JOINT_INDEX['left_wrist'], JOINT_INDEX['right_wrist']]])


def mirrored(clip: Clip) -> Clip:
    """Return the clip with left and right exchanged."""
    hand = {'left': 'right', 'right': 'left', 'both': 'both'}[clip.hand]
    poses = np.asarray(mirror_pose(clip.poses), dtype=np.float64)
    return replace(clip, name=f'{clip.name}~m', hand=hand, poses=poses)


def load_clips(data: Path) -> list[Clip]:
    """Return the usable co-speech clips of ``DATA/gestures_smartbody``, sorted by name."""
    folder = data / 'gestures_smartbody'
    records = json.loads((folder / 'clips.json').read_text(encoding='utf-8'))['clips']
    clips = [_load(folder, record) for record in records if _is_marked(record)]
    return sorted((clip for clip in clips if clip is not None), key=lambda clip: clip.name)


def load_motion(data: Path, name: str) -> tuple[Float64Array, float]:
    """Return poses ``(T, 84)`` and frame rate of any clip by its id."""
    folder = data / 'gestures_smartbody'
    records = json.loads((folder / 'clips.json').read_text(encoding='utf-8'))['clips']
    record = next(r for r in records if r['id'] == name)
    motion = read_bvh(folder / record['file'])
    return canonical_poses(motion, load_map()), motion.fps


def _is_marked(record: dict[str, Any]) -> bool:
    return bool(record['co_speech'] and record['sync_ordered']
                and record['sync']['emphasis'] >= MIN_EMPHASIS_S
                and record['seconds'] <= MAX_CLIP_S and record['category'] != 'nod')


def _load(folder: Path, record: dict[str, Any]) -> Clip | None:
    motion = read_bvh(folder / record['file'])
    poses = canonical_poses(motion, load_map())
    wrists = wrist_positions(poses)
    reach = np.max(np.linalg.norm(wrists - wrists[:1], axis=-1), axis=0)
    if reach.max() < MIN_REACH_M:
        return None
    uses = reach >= OTHER_HAND_SHARE * reach.max()
    hand = 'both' if uses.all() else ('left' if uses[0] else 'right')
    end = (len(poses) - 1) / motion.fps
    return Clip(record['id'], record['category'], hand, motion.fps, poses,
                _ordered(SyncTimes(**record['sync'], end=end)))


def _ordered(sync: SyncTimes) -> SyncTimes:
    """Return the marks at least 40 ms apart, the emphasis unmoved."""
    start = min(sync.stroke_start, sync.emphasis - 0.08)
    stop = max(sync.stroke_end, sync.emphasis + 0.04)
    relax = max(sync.relax, stop + 0.04)
    return SyncTimes(max(0.0, min(sync.ready, start - 0.04)), max(0.0, start), sync.emphasis, stop,
                     relax, max(sync.end, relax + 0.2))
