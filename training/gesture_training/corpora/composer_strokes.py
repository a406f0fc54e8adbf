"""The library of strokes: clips with what placing them needs, measured from their wrists.

The *anchor* of a clip is the apex of the wrist nearest its hand-set ``emphasis`` mark (the mark
itself when no apex is within 0.25 s): the apex is what :mod:`gesture_node.measures.beats` sees.
The *start* of the stroke is the last rest of the wrists before it, at most 0.45 s earlier. The
*hold* is the last moment before which the wrists have stayed within 12 cm of the anchor.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gesture_node.measures.beats import wrist_beats
from gesture_node.motion.skeleton import mirror_pose, project_pose
from gesture_node.types import Float64Array

from .clips import Clip, load_clips, load_motion, mirrored, wrist_positions

IDLE_CLIP = 'ChrRachel__ChrBrad_Idle01'
HOLD_RADIUS_M = 0.12
ANCHOR_REACH_S = 0.25
MAX_HOLD_S = 0.8
MAX_STROKE_S = 0.45
LEFT_OUT = ('think', 'shrug')
"""Categories whose hands go to the face or hardly move."""

_RATE_HZ = 100.0
_REST_SHARE = 0.25


@dataclass(frozen=True)
class Stroke:
    """One gesture ready to be placed.

    Attributes:
        name: clip without its mirroring mark.
        category: kind of gesture.
        hand: ``left``, ``right`` or ``both``.
        clip: motion.
        anchor_s: clip time of the apex that falls on an accent [s].
        hold_s: clip time up to which the hands stay there [s].
        reach_m: how far the further wrist is from idle at the anchor [m].
        start_s: clip time at which the last movement towards the anchor starts [s].
        start_m: shape (2, 3), wrists there [m].
        anchor_m: shape (2, 3), wrists at the anchor [m].
        hold_path_m: the longer way of the wrists from anchor to hold [m].
    """

    name: str
    category: str
    hand: str
    clip: Clip
    anchor_s: float
    hold_s: float
    reach_m: float
    start_s: float
    start_m: Float64Array
    anchor_m: Float64Array
    hold_path_m: float


def load_strokes(data: Path) -> list[Stroke]:
    """Return all strokes and their mirror images."""
    strokes = []
    idle = wrist_positions(load_idle_pose(data)[None])[0]
    for clip in load_clips(data):
        if clip.category not in LEFT_OUT:
            for version in (clip, mirrored(clip)):
                strokes.append(make_stroke(clip.name, version, idle))
    return strokes


def load_idle_pose(data: Path) -> Float64Array:
    """Return the idle pose ``(84,)``: the mean of a recorded stance, made symmetric.

    Arms hang slightly bent, palms turned half back; the trunk is upright and looks ahead.
    """
    poses, _ = load_motion(data, IDLE_CLIP)
    mean = project_pose(poses.mean(axis=0))
    return np.asarray(project_pose(0.5 * (mean + mirror_pose(mean))))


def make_stroke(name: str, clip: Clip, idle: Float64Array) -> Stroke:
    """Return a clip ready to be placed.

    Args:
        name: of the clip, without its mirroring mark.
        clip: the gesture.
        idle: shape (2, 3), wrists in the idle pose [m].
    """
    times_s = np.arange(0.0, clip.sync.end, 1.0 / _RATE_HZ)
    wrists = wrist_positions(clip.at(times_s))
    beats = wrist_beats(wrists, _RATE_HZ).times_s
    near = beats[np.abs(beats - clip.sync.emphasis) <= ANCHOR_REACH_S]
    anchor = float(near[np.argmin(np.abs(near - clip.sync.emphasis))]) if len(near) else (
        clip.sync.emphasis)
    at = min(int(anchor * _RATE_HZ), len(wrists) - 1)
    away = np.linalg.norm(wrists[at:] - wrists[at], axis=-1).max(axis=1) > HOLD_RADIUS_M
    stay_s = float(np.argmax(away)) / _RATE_HZ if away.any() else MAX_HOLD_S
    stay_s = float(np.clip(stay_s, 0.05, MAX_HOLD_S))
    arms = {'left': [0], 'right': [1], 'both': [0, 1]}[clip.hand]
    reach = float(np.linalg.norm(wrists[at] - idle, axis=-1)[arms].max())
    steps = np.linalg.norm(np.diff(wrists, axis=0), axis=-1)
    start = _start(steps[:, arms].max(axis=1) * _RATE_HZ, at)
    path = steps[at:at + int(stay_s * _RATE_HZ)].sum(axis=0)
    return Stroke(name, clip.category, clip.hand, clip, anchor, anchor + stay_s, reach,
                  start / _RATE_HZ, wrists[start], wrists[at], float(path[arms].max()))


def _start(speeds: Float64Array, anchor: int) -> int:
    """Return the frame of the last rest of the wrists before the anchor's own speed peak."""
    first = max(anchor - int(MAX_STROKE_S * _RATE_HZ), 0)
    if anchor - first < 3:
        return first
    peak = anchor - 1 - int(np.argmax(speeds[first:anchor][::-1]))
    low = np.flatnonzero(speeds[first:peak + 1] < _REST_SHARE * speeds[peak])
    return first + int(low[-1]) if len(low) else first
