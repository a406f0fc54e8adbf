"""What the arms of a bundle are measured against: the composer, and motion that hears little.

* ``composer``: the procedural baseline that the bundle learnt from.
* ``static``: the idle pose.
* ``clip_loop``: one recorded clip a take, at random, over and over, whatever is said.
* ``loudness_to_arms``: both arms rise towards a gesture pose with the loudness of the voice.

Shuffled audio, the bundle's own motion of another take, is measured with the bundle.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gesture_node.measures.accents import vowel_energy_db
from gesture_node.measures.beats import wrist_beats, wrist_speeds
from gesture_node.measures.diversity import mean_distance_m
from gesture_node.motion.skeleton import project_pose
from gesture_node.pipeline import GesturePipeline
from gesture_node.timeline import BODY_RATE_HZ

from ..corpora.composer import compose_for
from ..corpora.composer_strokes import load_idle_pose, load_strokes
from .body import beat_figures, SEEDS, takes_of
from .human import (
    at_body_rate,
    human_clips,
    human_motion,
    motion_figures,
    moving_shares,
    wrist_positions,
)
from .settings import OTHER_SEED, Outcome, Settings
from .speech import BodyTake

Array = NDArray[np.float64]
_JOIN_FRAMES = 6
"""Frames over which a loop is blended into its own beginning."""
_QUIET_DB, _LOUD_DB = 25.0, 5.0
"""Below the loudest parts: where arms hang, and where they are up."""


def baselines(_pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return the figures of every baseline and of the recorded people."""
    takes, human = takes_of(settings), human_motion(settings.data)
    strokes, idle = load_strokes(settings.data), load_idle_pose(settings.data)
    clips, random = human_clips(settings.data), settings.random(6)
    raised = np.mean([s.clip.at(np.array([s.anchor_s]))[0] for s in strokes], axis=0)
    composed = [compose_for(take.features, strokes, idle, settings.seed + i)
                for i, take in enumerate(takes)]
    systems = {
        'composer': composed,
        'static': [np.repeat(idle[None], take.frames, axis=0) for take in takes],
        'clip_loop': [looped(at_body_rate(clips[int(random.integers(len(clips)))]), take.frames)
                      for take in takes],
        'loudness_to_arms': [follow_loudness(take, idle, raised) for take in takes]}
    figures = {name: {**beat_figures(takes, [wrist_positions(p) for p in poses]),
                      **motion_figures(poses, human)} for name, poses in systems.items()}
    short = takes[:settings.some(4, 1)]
    seeds = [np.stack([wrist_positions(compose_for(take.features, strokes, idle, seed))
                       for seed in range(OTHER_SEED, OTHER_SEED + SEEDS)]) for take in short]
    figures['composer']['diversity_m'] = float(np.mean([mean_distance_m(s) for s in seeds]))
    figures['human'] = {'clips': human.clips, 'minutes': human.minutes,
                        'jitter_mm': human.jitter_mm, **human.between_halves}
    times_s, speeds = wrist_speeds(wrist_positions(composed[0]), BODY_RATE_HZ)
    return Outcome(figures, {
        **{f'human_{name}': values for name, values in human.shares.items()},
        **{f'composer_{name}': values for name, values in moving_shares(composed).items()},
        'times': times_s,
        'speeds': speeds, 'accents': takes[0].accents_s,
        'beats': wrist_beats(wrist_positions(composed[0]), BODY_RATE_HZ).times_s})


def looped(poses: Array, frames: int) -> Array:
    """Return poses ``(frames, 84)``: a clip over and over, its end blended into its start."""
    body, tail = poses[:-_JOIN_FRAMES].copy(), poses[-_JOIN_FRAMES:]
    weight = (np.arange(1, _JOIN_FRAMES + 1) / (_JOIN_FRAMES + 1))[:, None]
    body[:_JOIN_FRAMES] = (1.0 - weight) * tail + weight * body[:_JOIN_FRAMES]
    rounds: Sequence[Array] = [body] * (frames // len(body) + 1)
    return np.asarray(project_pose(np.concatenate(rounds)[:frames]))


def follow_loudness(take: BodyTake, idle: Array, raised: Array) -> Array:
    """Return poses between idle and a gesture pose, as loud as the voice is."""
    energy = vowel_energy_db(take.features)[::2][:take.frames]
    top = float(np.percentile(energy, 98))
    share = np.clip((energy - top + _QUIET_DB) / (_QUIET_DB - _LOUD_DB), 0.0, 1.0)[:, None]
    return np.asarray(project_pose((1.0 - share) * idle + share * raised))
