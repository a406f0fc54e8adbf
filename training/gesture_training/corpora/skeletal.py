"""Motion of any skeleton: a tree of joints, their local rotations over time, nothing converted.

What every body reader returns (BVH, SMPL-X), and what ``skeleton_map.py`` turns into the
canonical upper body. Units and axes are those of the file.
"""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gesture_node.types import Float64Array

from .problems import UnusableFile


@dataclass(frozen=True, slots=True)
class Joint:
    """One joint, or the end site of a chain.

    Attributes:
        name: joint name; an end site is ``<parent>_end``.
        parent: index of the parent joint, -1 for the root.
        offset: shape (3,), position in the parent's frame at all-zero rotation, file units.
        channels: channel names in file order; empty for an end site.
    """

    name: str
    parent: int
    offset: Float64Array
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkeletalMotion:
    """A recording.

    Attributes:
        joints: J joints and end sites, parents before children.
        rotations: shape (T, J, 3, 3), local rotations; identity for end sites.
        root_positions: shape (T, 3), position of the root without its offset.
        fps: frames per second.
        named: index of each joint by its name without namespace (``rig:Hips`` is ``Hips``).
    """

    joints: tuple[Joint, ...]
    rotations: Float64Array
    root_positions: Float64Array
    fps: float
    named: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named: dict[str, int] = {}
        for i, joint in enumerate(self.joints):
            named.setdefault(joint.name.rpartition(':')[2], i)
        object.__setattr__(self, 'named', named)

    @property
    def duration_s(self) -> float:
        """Length from the first to the last frame."""
        return (len(self.rotations) - 1) / self.fps

    def index(self, name: str) -> int:
        """Return the index of a joint.

        Raises:
            UnusableFile: there is no joint of that name.
        """
        if name not in self.named:
            raise UnusableFile(f'no joint {name!r}; joints are: {", ".join(self.named)}')
        return self.named[name]

    def world_rotations(self) -> Float64Array:
        """Return orientations ``(T, J, 3, 3)`` in the axes of the file."""
        world: Float64Array = self.rotations.copy()
        for i, joint in enumerate(self.joints):
            if joint.parent >= 0:
                world[:, i] = world[:, joint.parent] @ self.rotations[:, i]
        return world

    def world_positions(self) -> Float64Array:
        """Return joint positions ``(T, J, 3)`` in the axes and units of the file."""
        world = self.world_rotations()
        positions = np.empty((*world.shape[:2], 3))
        for i, joint in enumerate(self.joints):
            if joint.parent < 0:
                positions[:, i] = joint.offset + self.root_positions
            else:
                parent = joint.parent
                positions[:, i] = positions[:, parent] + world[:, parent] @ joint.offset
        return positions
