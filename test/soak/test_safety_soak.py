"""All of the safety layer's contract, for every robot: random, adversarial and real motion.

Run by ``make soak``; ``SOAK_WINDOWS`` sets the number of windows of each robot, ``SOAK_SEED`` the
first seed, and ``SOAK_ROBOTS`` names robots, separated by commas.
"""
from __future__ import annotations

from functools import lru_cache
import math
import os
from pathlib import Path
import sys

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'motion'))
from safety_world import (
    CHOSEN,
    committed_violations,
    HOP,
    KINDS,
    layer_of,
    play,
    ROOT,
    STEP_S,
    TAIL,
    violations,
    wishes,
)

from gesture_node.cli.audio_file import read_audio_file
from gesture_node.cli.offline import generate
from gesture_node.config import GestureConfig
from gesture_node.latency import LatencyTracker
from gesture_node.motion.limits import MotionLimiter
from gesture_node.motion.safety_report import Interventions
from gesture_node.pipeline import GesturePipeline
from gesture_node.robot_output import RobotOutput
from gesture_node.types import BodyChunk

pytestmark = [pytest.mark.soak, pytest.mark.timeout(36_000)]

WINDOWS = int(os.environ.get('SOAK_WINDOWS', '10000'))
SEED = int(os.environ.get('SOAK_SEED', '0'))
HOPS, STOPS = 20, 10
BUNDLE, SPEECH = ROOT / 'bundles' / 'base', ROOT / 'examples' / 'hello.wav'


@lru_cache
def spoken() -> np.ndarray:
    """Return the poses that the shipped bundle makes of the example."""
    pipeline = GesturePipeline.from_bundle(str(BUNDLE))
    profile, _ = layer_of('humanoid')
    return generate(pipeline, read_audio_file(SPEECH), profile, GestureConfig()).poses


def judged(found: dict[str, int], total: dict[str, int]) -> None:
    for name, count in found.items():
        total[name] = total.get(name, 0) + count


def stopped(limiter: MotionLimiter, positions: np.ndarray, velocities: np.ndarray,
            knot: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the brake from a knot of some motion, that knot first."""
    accelerations = (velocities[knot] - velocities[knot - 1]) / STEP_S
    brake = limiter.brake(limiter.moving_state(positions[knot], velocities[knot], accelerations))
    return (np.concatenate([positions[knot][None], brake.positions]),
            np.concatenate([velocities[knot][None], brake.velocities]))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('robot', CHOSEN)
def test_no_window_breaks_the_contract(robot: str, kind: str) -> None:
    profile, layer = layer_of(robot)
    limiter, total, counts = layer.limiter(), {}, Interventions()
    limits = limiter.limits
    runs = math.ceil(WINDOWS / (len(KINDS) * HOPS))
    for seed in range(SEED, SEED + runs):
        random = np.random.default_rng([KINDS.index(kind), seed])
        wanted = wishes(kind, random, HOPS * HOP + TAIL, profile)
        positions, velocities, ends = play(layer, profile, wanted, counts)
        judged(committed_violations(positions, velocities, limits, layer.guard), total)
        for end in ends[int(random.integers(3))::3]:
            judged(violations(*end, limits, layer.guard), total)
        for knot in random.integers(1, len(positions), STOPS):
            judged(violations(*stopped(limiter, positions, velocities, knot), limits,
                              layer.guard), total)
    print(f'\n{robot} {kind}: {runs * HOPS} windows, {total}, {counts}')
    assert not any(total.values()), total


@pytest.mark.skipif(not BUNDLE.is_dir(), reason='the shipped bundle is not there')
@pytest.mark.parametrize('robot', CHOSEN)
def test_speech_keeps_the_contract_and_is_changed_little(robot: str) -> None:
    profile, layer = layer_of(robot)
    poses = spoken()
    output = RobotOutput(profile, GestureConfig(), poses[0])
    start = output.limiter.limits
    positions = [np.clip(profile.rest_positions, start.lower, start.upper)[None]]
    output.reset(positions[0][0])
    velocities = [np.zeros_like(positions[0])]
    for row in range(0, len(poses) - HOP - TAIL + 1, HOP):
        chunk = output.step(BodyChunk(row, poses[row:row + HOP + TAIL], HOP, 25),
                            LatencyTracker())
        positions.append(chunk.positions[:chunk.committed])
        velocities.append(chunk.velocities[:chunk.committed])
    found = committed_violations(np.concatenate(positions), np.concatenate(velocities),
                                 start, layer.guard)
    print(f'\n{robot} speech: {output.interventions}')
    assert not any(found.values()), found
    assert output.interventions.mean_change_rad < 0.05
