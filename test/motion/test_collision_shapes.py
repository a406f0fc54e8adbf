"""The guard against the real shapes: where coal says collision, the capsules must say so."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
import sys

import numpy as np
import pinocchio
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from safety_world import CHOSEN, layer_of, ROBOTS

from gesture_node.exceptions import RobotError
from gesture_node.motion.collision_capsules import read_capsules
from gesture_node.motion.collision_model import CollisionModel
from gesture_node.motion.collision_pairs import link_pair
from gesture_node.motion.collision_profile import read_collision
from gesture_node.motion.profile_yaml import Node
from gesture_node.motion.robot import RobotProfile

POSES = 12


class RealShapes:
    """The URDF's collision shapes as coal sees them, with commanded joints alone."""

    def __init__(self, profile: RobotProfile, allowed: dict[tuple[str, str], str]) -> None:
        path, names = str(profile.urdf_path), profile.joint_names
        full = pinocchio.buildModelFromUrdf(path)
        shapes = pinocchio.buildGeomFromUrdf(full, path, pinocchio.GeometryType.COLLISION)
        held = [full.getJointId(name) for name in full.names[1:] if name not in names]
        self.model, self.shapes = pinocchio.buildReducedModel(
            full, shapes, held, pinocchio.neutral(full))
        self.columns = [self.model.joints[self.model.getJointId(name)].idx_q for name in names]
        links = [shape.name.rsplit('_', 1)[0] for shape in self.shapes.geometryObjects]
        chains = {link: frozenset(profile.urdf.joints_to(link)) & frozenset(names)
                  for link in links}
        self.pairs = []
        for i, j in combinations(range(len(links)), 2):
            pair = link_pair(links[i], links[j])
            if chains[links[i]] != chains[links[j]] and pair not in allowed:
                self.shapes.addCollisionPair(pinocchio.CollisionPair(i, j))
                self.pairs.append(pair)
        self.data = self.model.createData(), self.shapes.createData()

    def colliding(self, pose: np.ndarray) -> set[tuple[str, str]]:
        coordinates = pinocchio.neutral(self.model)
        coordinates[self.columns] = pose
        pinocchio.computeCollisions(self.model, self.data[0], self.shapes, self.data[1],
                                    coordinates, False)
        return {pair for pair, result in zip(self.pairs, self.data[1].collisionResults)
                if result.isCollision()}


def said(model: CollisionModel, pose: np.ndarray) -> set[tuple[str, str]]:
    clearance = model.clearances(model.place(pose[None]))[0]
    return {link_pair(*(model.capsules[index].link for index in pair))
            for pair in model.pairs[clearance < 0.0]}


def sampled(profile: RobotProfile, count: int, seed: int) -> Iterator[np.ndarray]:
    random, limits = np.random.default_rng(seed), profile.limits
    for _ in range(count):
        yield random.uniform(limits.lower, limits.upper)


@pytest.mark.parametrize('robot', ROBOTS)
def test_capsules_see_every_collision_of_the_real_shapes(robot: str) -> None:
    profile, layer = layer_of(robot)
    model = layer.guard.model
    real = RealShapes(profile, model.allowed)
    assert len(real.pairs) > 50
    for pose in sampled(profile, POSES, seed=11):
        assert real.colliding(pose) <= said(model, pose)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize('robot', CHOSEN)
def test_capsules_see_every_collision_in_many_poses(robot: str) -> None:
    profile, layer = layer_of(robot)
    model = layer.guard.model
    real, hits = RealShapes(profile, model.allowed), 0
    for pose in sampled(profile, 1000, seed=12):
        found = real.colliding(pose)
        hits += len(found)
        assert found <= said(model, pose)
    print(f'\n{robot}: {hits} collisions of real shapes in 1000 poses, all seen')


def test_hands_that_reach_into_the_body_collide_in_both_worlds() -> None:
    profile, layer = layer_of('unitree_g1')
    model = layer.guard.model
    real = RealShapes(profile, model.allowed)
    hits = [pose for pose in sampled(profile, 60, seed=13) if said(model, pose)]
    assert hits and any(real.colliding(pose) for pose in hits[:25])


def test_an_arm_is_kept_from_itself_but_not_from_its_neighbours() -> None:
    _, layer = layer_of('unitree_g1')
    model = layer.guard.model
    watched = {link_pair(*(model.capsules[index].link for index in pair)) for pair in model.pairs}
    assert ('left_shoulder_pitch_link', 'left_wrist_yaw_link') in watched
    reason = model.allowed['left_elbow_link', 'left_wrist_roll_link']
    assert reason == 'within two joints of each other'
    assert watched.isdisjoint(pair for pair, why in model.allowed.items()
                              if why not in ('touching at rest', 'as near as at rest'))


def test_a_profile_names_capsules_and_pairs_that_may_touch() -> None:
    profile, _ = layer_of('humanoid')
    node = Node({
        'capsules': [{'link': 'head', 'start': {'x': 0, 'y': 0, 'z': 0},
                      'end': {'x': 0, 'y': 0, 'z': 0.2}, 'radius': 0.3}],
        'allowed': {'torso': ['left_hand']}}, 'robot profile x.yaml: collision')
    notes = read_collision(node, profile.urdf)
    assert notes.allowed == {('left_hand', 'torso')}
    from dataclasses import replace
    model = CollisionModel(replace(profile, collision=notes))
    heads = [capsule for capsule in model.capsules if capsule.link == 'head']
    assert [capsule.radius for capsule in heads] == [0.3]
    assert len(heads) < sum(shape.link == 'head' for shape in read_capsules(profile.urdf_path))
    watched = {link_pair(*(model.capsules[index].link for index in pair)) for pair in model.pairs}
    assert ('left_hand', 'torso') not in watched and ('right_hand', 'torso') in watched
    assert model.allowed['left_hand', 'torso'] == 'listed in the profile'


@pytest.mark.parametrize(('values', 'message'), [
    ({'allowed': {'torso': ['no_link']}}, "has no link 'no_link'"),
    ({'capsules': [{'link': 'head', 'start': {'x': 0, 'y': 0, 'z': 0},
                    'end': {'x': 0, 'y': 0, 'z': 0}, 'radius': 0}]}, 'radius must be above 0 m'),
    ({'spheres': []}, "unknown key 'spheres'")])
def test_what_a_profile_says_wrongly_is_refused(values: dict, message: str) -> None:
    profile, _ = layer_of('humanoid')
    with pytest.raises(RobotError, match=message):
        read_collision(Node(values, 'robot profile x.yaml: collision'), profile.urdf)
