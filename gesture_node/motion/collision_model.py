"""Which capsules of a robot may meet, where they are, and how joints move them.

Only arms are watched: each against everything that is not that arm, but not against what it
hangs from (links within two joints of it) and not against pairs that touch when the robot stands
at rest, which are the joints' own housings.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from .collision_capsules import Capsule, Contacts, cross, dot, read_capsules, segment_contacts
from .limits import JointLimits
from .reduced_model import reduced_model
from .urdf import Urdf

_NEIGHBOUR_JOINTS = 2
_TOUCHING_AT_REST_M = 0.002
_SLACK_M = 1e-6


class ArmLike(Protocol):
    """What is asked of an arm of a profile."""

    @property
    def joints(self) -> tuple[str, ...]:
        """Commanded joints from the shoulder outwards."""


class GuardedRobot(Protocol):
    """What is asked of a robot profile."""

    @property
    def urdf(self) -> Urdf:
        """The kinematic tree."""

    @property
    def urdf_path(self) -> Path:
        """The file, for its collision shapes."""

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The N commanded joints."""

    @property
    def rest_positions(self) -> Float64Array:
        """Shape (N,), [rad]."""

    @property
    def limits(self) -> JointLimits:
        """Limits of the commanded joints."""

    @property
    def arms(self) -> tuple[Any, ...]:
        """Arms, each an ``ArmLike``."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the robot is in T poses, in the frame of its root link.

    Attributes:
        starts: beginnings of C capsules, shape (T, C, 3), [m].
        alongs: from beginning to end, shape (T, C, 3), [m].
        axes: axes of N commanded joints, shape (T, N, 3).
        moments: velocity of the root's origin when a joint turns, shape (T, N, 3), [m/rad].
    """

    starts: Float64Array
    alongs: Float64Array
    axes: Float64Array
    moments: Float64Array


class CollisionModel:
    """Capsules, pairs of them that must keep apart, and their kinematics by Pinocchio.

    Attributes:
        capsules: C capsules; may be none, then nothing is watched.
        pairs: shape (P, 2), indices of capsules that must keep apart.
        radii: shape (P,), sum of the two radii [m].
        rest_clearance: shape (P,), clearance in the rest pose [m], above zero.
    """

    def __init__(self, robot: GuardedRobot) -> None:
        """Read shapes and choose pairs.

        Raises:
            RobotError: Pinocchio is missing or refuses the URDF, or shapes are malformed.
        """
        chains = {link: robot.urdf.joints_to(link) for link in robot.urdf.links}
        self.capsules = read_capsules(robot.urdf_path)
        self._joint_names = robot.joint_names
        self._build(robot.urdf, [capsule.link for capsule in self.capsules])
        self._moves = np.array([[name in chains[capsule.link] for name in robot.joint_names]
                                for capsule in self.capsules], dtype=np.float64)
        self._local = (np.array([capsule.start for capsule in self.capsules]),
                       np.array([capsule.end - capsule.start for capsule in self.capsules]))
        self.pairs = _pairs(self.capsules, chains, robot.arms)
        self.radii = self._pair_radii()
        clearance = self.clearances(self.place(robot.rest_positions[None]))[0]
        apart = clearance > _TOUCHING_AT_REST_M
        self.pairs, self.rest_clearance = self.pairs[apart], clearance[apart]
        self.radii = self._pair_radii()
        self._prepare_pruning()

    def _prepare_pruning(self) -> None:
        """Prepare spheres around capsules, and around all capsules of a link."""
        half = 0.5 * np.linalg.norm(self._local[1], axis=1)
        self._reach = half[self.pairs].sum(axis=1) + self.radii
        belongs = self._links == np.arange(self._links.max(initial=-1) + 1)[:, None]
        self._hubs = belongs / np.maximum(belongs.sum(axis=1, keepdims=True), 1)
        centres = self._local[0] + 0.5 * self._local[1]
        apart = np.linalg.norm(centres - (self._hubs @ centres)[self._links], axis=-1)
        sphere = apart + half + [capsule.radius for capsule in self.capsules]
        hub_radius = np.where(belongs, sphere, 0.0).max(axis=1, initial=0.0)
        self._link_pairs = self._links[self.pairs]
        self._hub_reach = hub_radius[self._link_pairs].sum(axis=1)

    def _pair_radii(self) -> Float64Array:
        radius = np.array([capsule.radius for capsule in self.capsules])
        radii: Float64Array = radius[self.pairs].sum(axis=1)
        return radii

    def _build(self, urdf: Urdf, links: list[str]) -> None:
        """Prepare Pinocchio.

        Each link gets three massless joints along its axes, so that one Jacobian holds the
        placement of every link.
        """
        pinocchio, model = reduced_model(urdf, self._joint_names)
        self._pinocchio = pinocchio
        names = sorted(set(links))
        for name in names:
            frame = model.frames[model.getFrameId(name)]
            for axis, kind in enumerate((pinocchio.JointModelRX, pinocchio.JointModelRY,
                                         pinocchio.JointModelRZ)):
                model.addJoint(frame.parentJoint, kind(), frame.placement, f'{name} axis {axis}')
        self._model, self._data = model, model.createData()
        self._links = np.array([names.index(link) for link in links], dtype=np.intp)
        self._joint_columns = self._columns(self._joint_names)
        self._axis_columns = self._columns([f'{name} axis {axis}' for name in names
                                            for axis in range(3)])

    def _columns(self, names: Any) -> NDArray[np.intp]:
        return np.array([self._model.joints[self._model.getJointId(name)].idx_v
                         for name in names], dtype=np.intp)

    def place(self, positions: Float64Array) -> Placement:
        """Return where everything is in T poses, positions of shape (T, N), [rad]."""
        coordinates = np.zeros((len(positions), self._model.nq))
        coordinates[:, self._joint_columns] = positions
        jacobians = np.empty((len(positions), 6, self._model.nv))
        for row, pose in enumerate(coordinates):
            jacobians[row] = self._pinocchio.computeJointJacobians(self._model, self._data, pose)
        columns = jacobians.transpose(0, 2, 1)
        frames = columns[:, self._axis_columns].reshape(len(positions), -1, 3, 6)
        # A unit axis x through the point o moves the origin by o x x, and the sum of
        # x x (o x x) over three orthogonal axes is 2 o.
        axes = frames[..., 3:]
        origins = 0.5 * cross(axes, frames[..., :3]).sum(axis=2)
        turn = axes[:, self._links]
        starts = origins[:, self._links] + _turned(self._local[0], turn)
        alongs = _turned(self._local[1], turn)
        joints = columns[:, self._joint_columns]
        return Placement(starts, alongs, joints[..., 3:], joints[..., :3])

    def clearances(self, placement: Placement) -> Float64Array:
        """Return the clearance of every pair, shape (T, P), [m]; negative where they overlap."""
        return self.contacts(placement, np.arange(len(self.pairs))).distance - self.radii

    def near_pairs(self, placement: Placement,
                   margin: Float64Array | float) -> NDArray[np.intp]:
        """Return the pairs whose clearance may be below ``margin`` in some pose.

        Args:
            placement: T poses.
            margin: shape (P,), or one for all [m].
        """
        if not len(placement.starts):
            return np.empty(0, np.intp)
        centres = placement.starts + 0.5 * placement.alongs
        margin = np.broadcast_to(margin, len(self.pairs))
        # Spheres around links first: a matrix product, few numbers, and most pairs are apart.
        hubs = self._hubs @ centres
        size = dot(hubs, hubs)
        square = size[:, :, None] + size[:, None] - 2.0 * (hubs @ hubs.transpose(0, 2, 1))
        nearest = square.min(axis=0)[self._link_pairs[:, 0], self._link_pairs[:, 1]]
        close = np.flatnonzero(nearest < (self._hub_reach + margin + _SLACK_M) ** 2)
        first, second = self.pairs[close].T
        gap = centres[:, first] - centres[:, second]
        reach = self._reach[close] + margin[close]
        return np.asarray(close[(dot(gap, gap) < reach * reach).any(axis=0)])

    def contacts(self, placement: Placement, pairs: NDArray[np.intp]) -> Contacts:
        """Return the nearest points of some pairs, leading shape (T, number of pairs)."""
        first, second = self.pairs[pairs].T
        return segment_contacts(placement.starts[:, first], placement.alongs[:, first],
                                placement.starts[:, second], placement.alongs[:, second])

    def gradients(self, placement: Placement, pairs: NDArray[np.intp],
                  contacts: Contacts) -> Float64Array:
        """Return how the distance of one pair in each of T poses changes with each joint.

        Args:
            placement: T poses.
            pairs: shape (T,), one pair for each pose.
            contacts: its nearest points, leading shape (T,).

        Returns:
            Shape (T, N), [m/rad].
        """
        normal = (contacts.first - contacts.second) / np.maximum(contacts.distance, 1e-9)[:, None]
        total = np.zeros(placement.axes.shape[:2])
        for side, sign, point in ((0, 1.0, contacts.first), (1, -1.0, contacts.second)):
            velocity = placement.moments + cross(placement.axes, point[:, None])
            along = dot(velocity, normal[:, None])
            total += sign * self._moves[self.pairs[pairs, side]] * along
        return total


def _turned(local: Float64Array, turn: Float64Array) -> Float64Array:
    """Return vectors (C, 3) of links whose axes are the rows of ``turn`` (T, C, 3, 3)."""
    return np.asarray(local[:, :1] * turn[:, :, 0] + local[:, 1:2] * turn[:, :, 1]
                      + local[:, 2:] * turn[:, :, 2])


def _pairs(capsules: tuple[Capsule, ...], chains: dict[str, tuple[str, ...]],
           arms: tuple[Any, ...]) -> NDArray[np.intp]:
    """Return index pairs of capsules: an arm against what is not that arm."""
    roots = [arm.joints[0] for arm in arms]
    owner = [next((index for index, root in enumerate(roots) if root in chains[capsule.link]), -1)
             for capsule in capsules]
    return np.array([
        (i, j) for i in range(len(capsules)) for j in range(len(capsules))
        if owner[i] >= 0 and owner[i] != owner[j] and (owner[j] < 0 or i < j)
        and not _are_neighbours(chains[capsules[i].link], chains[capsules[j].link])
    ], dtype=np.intp).reshape(-1, 2)


def _are_neighbours(chain: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Return whether one link hangs from the other by few joints."""
    shared = 0
    while shared < min(len(chain), len(other)) and chain[shared] == other[shared]:
        shared += 1
    return len(chain) + len(other) - 2 * shared <= _NEIGHBOUR_JOINTS
