"""Which links of a robot must keep apart, and which may touch, with the reason.

Every two links that commanded joints move against each other are watched, except

- links within two joints of each other: they share a housing, and position limits part them;
- links of one hand: fingers may close on each other;
- shapes that touch when the robot stands at rest, which are housings too;
- pairs that the profile lists.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .collision_capsules import Capsule
from .urdf import Urdf

_NEIGHBOUR_JOINTS = 2
LinkPair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CollisionNotes:
    """What a profile says of collisions, beyond its URDF.

    Attributes:
        capsules: capsules that replace the URDF's shapes of their links; for links of which the
            URDF has only meshes.
        allowed: pairs of links that may touch, each sorted.
    """

    capsules: tuple[Capsule, ...] = ()
    allowed: frozenset[LinkPair] = frozenset()


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched.

    Attributes:
        pairs: shape (P, 2), indices of capsules that must keep apart.
        allowed: reason by pair of links, sorted, that commanded joints move against each other
            but that may touch.
    """

    pairs: NDArray[np.intp]
    allowed: dict[LinkPair, str] = field(default_factory=dict)


def link_pair(first: str, second: str) -> LinkPair:
    """Return two links in the order in which pairs are listed."""
    return (first, second) if first <= second else (second, first)


def watched_pairs(capsules: Sequence[Capsule], urdf: Urdf, joint_names: Sequence[str],
                  arms: Sequence[Any], listed: frozenset[LinkPair]) -> Watch:
    """Return the pairs of capsules to watch, before the rest pose was looked at.

    Args:
        capsules: C capsules.
        urdf: the robot.
        joint_names: commanded joints.
        arms: arms of the profile, for which links are a hand.
        listed: pairs of links that the profile allows to touch.
    """
    links = sorted({capsule.link for capsule in capsules})
    chains = {link: urdf.joints_to(link) for link in links}
    hands = [frozenset(link for link in links if arm.joints[-1] in chains[link]) for arm in arms]
    allowed: dict[LinkPair, str] = {}
    watched: set[LinkPair] = set()
    for index, first in enumerate(links):
        for second in links[index + 1:]:
            between = set(chains[first]) ^ set(chains[second])
            if between.isdisjoint(joint_names):
                continue
            reason = _reason(link_pair(first, second), between, urdf, hands, listed)
            if reason:
                allowed[link_pair(first, second)] = reason
            else:
                watched.add(link_pair(first, second))
    pairs = [(i, j) for i in range(len(capsules)) for j in range(i + 1, len(capsules))
             if link_pair(capsules[i].link, capsules[j].link) in watched]
    return Watch(np.array(pairs, dtype=np.intp).reshape(-1, 2), allowed)


def _reason(pair: LinkPair, between: set[str], urdf: Urdf, hands: Sequence[frozenset[str]],
            listed: frozenset[LinkPair]) -> str:
    """Return why two links may touch; empty when they may not."""
    if pair in listed:
        return 'listed in the profile'
    if sum(urdf.joints[name].kind != 'fixed' for name in between) <= _NEIGHBOUR_JOINTS:
        return 'within two joints of each other'
    if any(hand.issuperset(pair) for hand in hands):
        return 'of one hand'
    return ''


def with_profile(shapes: Sequence[Capsule], own: Sequence[Capsule]) -> tuple[Capsule, ...]:
    """Return the URDF's capsules, those of a link replaced where the profile has its own."""
    replaced = {capsule.link for capsule in own}
    return (*(shape for shape in shapes if shape.link not in replaced), *own)


def reaches(model: Any, frames: Sequence[tuple[int, Any, float]], columns: Mapping[int, int],
            strokes_m: Sequence[float]) -> NDArray[np.float64]:
    """Return how far points of capsules can be from the joints that carry them.

    Args:
        model: Pinocchio model.
        frames: for each capsule its parent joint, placement of the link in it, and the greatest
            distance of the capsule's segment from the link's origin [m].
        columns: index of the commanded joint by its index in the model.
        strokes_m: greatest distance of a sliding joint from its zero, by commanded joint.

    Returns:
        Shape (C, N): most that a point of the capsule moves when the joint turns by one radian,
        [m/rad]; 1 for a sliding joint, 0 where the joint does not carry the capsule.
    """
    found = np.zeros((len(frames), len(columns)))
    for row, (parent, placement, extent_m) in enumerate(frames):
        reach, joint = extent_m + float(np.linalg.norm(placement.translation)), parent
        while joint > 0:
            slides = model.joints[joint].shortname().startswith('JointModelP')
            if joint in columns:
                found[row, columns[joint]] = 1.0 if slides else reach
                reach += strokes_m[columns[joint]] if slides else 0.0
            reach += float(np.linalg.norm(model.jointPlacements[joint].translation))
            joint = int(model.parents[joint])
    return found
