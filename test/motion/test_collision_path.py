"""Motion between knots: what is called free is free at every look, and what is not is found."""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from safety_world import dense, layer_of

from gesture_node.motion.collision_path import PathClearance


@pytest.mark.parametrize('robot', ['humanoid', 'nao', 'tiago_pro'])
def test_no_clearance_changes_faster_than_reach_says(robot: str) -> None:
    profile, layer = layer_of(robot)
    model, limits = layer.guard.model, profile.limits
    poses = np.random.default_rng(0).uniform(limits.lower, limits.upper, (8, len(limits.lower)))
    before = model.clearances(model.place(poses))
    for joint in range(poses.shape[1]):
        turned = poses.copy()
        turned[:, joint] += 1e-5
        slope = np.abs(model.clearances(model.place(turned)) - before).max(axis=0) / 1e-5
        assert (slope <= model.reach[:, joint] + 1e-5).all()
        assert (slope[model.reach[:, joint] == 0.0] < 1e-5).all()


def test_what_is_free_is_free_at_every_look_and_no_knot_tells() -> None:
    profile, layer = layer_of('humanoid')
    guard, limits = layer.guard, profile.limits
    path = PathClearance(guard.model, 50)
    random = np.random.default_rng(4)
    free = hidden = 0
    for _ in range(150):
        ends = random.uniform(limits.lower, limits.upper, (2, len(limits.lower)))
        ends[1] = ends[0] + random.choice([0.05, 1.0, 1.0]) * (ends[1] - ends[0])
        speed = np.tile((ends[1] - ends[0]) * 50, (2, 1))
        if not guard.keeps(ends, 0.002).all():
            continue
        worst = guard.clearance(dense(ends, speed)[0].reshape(-1, ends.shape[1])).min()
        if path.keeps(ends, speed, 0.002):
            free += 1
            assert worst >= 0.0
        else:
            hidden += worst < 0.0
    assert free > 3 and hidden > 0


def test_slow_motion_past_a_link_is_not_refused() -> None:
    profile, layer = layer_of('humanoid')
    path, guard = PathClearance(layer.guard.model, 50), layer.guard
    knots = 40
    positions = np.tile(profile.rest_positions, (knots, 1))
    column = profile.joint_names.index('left_elbow')
    time_s = np.arange(knots) / 50
    positions[:, column] += 0.4 * (1.0 - np.cos(4.0 * time_s))
    velocities = np.zeros_like(positions)
    velocities[:, column] = 1.6 * np.sin(4.0 * time_s)
    assert path.keeps(positions, velocities, 0.002)
    room = float(guard.clearance(positions).min())
    assert not path.keeps(positions, velocities, room + 0.002)


def test_a_single_pose_and_contact_are_judged_by_themselves() -> None:
    profile, layer = layer_of('humanoid')
    path = PathClearance(layer.guard.model, 50)
    rest = profile.rest_positions[None]
    room = float(layer.guard.clearance(rest)[0])
    still = np.zeros_like(rest)
    assert path.keeps(rest, still, room - 1e-6)
    # The first knot was taken already: it need not keep the reserve, only be free.
    assert path.keeps(np.repeat(rest, 9, axis=0), np.repeat(still, 9, axis=0), room - 1e-6)
    assert not path.keeps(np.repeat(rest, 9, axis=0), np.repeat(still, 9, axis=0), room + 1e-3)
