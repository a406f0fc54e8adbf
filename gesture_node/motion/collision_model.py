"""Where the capsules of a robot are, how near they come, and how joints move them.

``collision_pairs`` says which of them must keep apart. Walls of the workspace are watched in the
same way: a wrist must keep apart from a wall as a hand from the chest.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from .collision_capsules import Capsule, Contacts, cross, dot, read_capsules, segment_contacts
from .collision_pairs import CollisionNotes, link_pair, reaches, watched_pairs, with_profile
from .collision_walls import WALL_DEPTH_M, Walls
from .limits import JointLimits
from .reduced_model import reduced_model
from .urdf import Urdf

_TOUCHING_AT_REST_M, _ROOM_AT_REST_M = 0.002, 0.006
_SLACK_M = 1e-6


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
        """Arms, each with ``joints`` from the shoulder outwards and a ``hand_link``."""

    @property
    def root(self) -> Any:
        """Pelvis: its ``link``, and in ``frame`` which way it faces."""

    @property
    def collision(self) -> CollisionNotes:
        """What the profile says beyond the URDF."""


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

    The last pairs are walls: a wrist and, as the other capsule, the root link.

    Attributes:
        capsules: C capsules; may be none, then nothing but walls is watched.
        pairs: shape (P, 2), indices of capsules that must keep apart.
        radii: shape (P,), sum of the two radii [m].
        rest_clearance: shape (P,), clearance in the rest pose [m], above zero.
        reach: shape (P, N), most that a pair's clearance changes with each joint [m/rad].
        single_reach: shape (C, N), most that a point of a capsule's segment moves [m/rad].
        moves: shape (C, N), 1 where a joint carries a capsule.
        wrists: indices of the capsules, of no size, at the origins of the arms' hand links.
        allowed: reason by pair of links that may touch though joints move them.
    """

    def __init__(self, robot: GuardedRobot, walls: Walls | None = None) -> None:
        """Read shapes and choose pairs.

        Raises:
            RobotError: Pinocchio is missing or refuses the URDF, shapes are malformed, or the
                hands are outside the walls at rest.
        """
        shapes = with_profile(read_capsules(robot.urdf_path), robot.collision.capsules)
        watch = watched_pairs(shapes, robot.urdf, robot.joint_names, robot.arms,
                              robot.collision.allowed)
        self.allowed = watch.allowed
        here = np.zeros(3)
        wrists = [Capsule(arm.hand_link, here, here, 0.0) for arm in robot.arms]
        root = Capsule(robot.root.link, here, np.asarray(robot.root.frame[:, 2]), 0.0)
        self.wrists = len(shapes) + np.arange(len(wrists))
        self._root = len(shapes) + len(wrists)
        self.capsules = (*shapes, *wrists, root)
        chains = {link: robot.urdf.joints_to(link) for link in robot.urdf.links}
        self._joint_names = robot.joint_names
        self._build(robot.urdf, [capsule.link for capsule in self.capsules])
        self.moves = np.array([[name in chains[capsule.link] for name in robot.joint_names]
                                for capsule in self.capsules], dtype=np.float64)
        self.moves[self._root] = 0.0
        self._local = (np.array([capsule.start for capsule in self.capsules]),
                       np.array([capsule.end - capsule.start for capsule in self.capsules]))
        self._walls = walls or Walls()
        self._choose(watch.pairs, robot)
        self._prepare_pruning()
        self.reach = self._pair_reach(robot)

    def _choose(self, pairs: NDArray[np.intp], robot: GuardedRobot) -> None:
        """Settle what becomes of pairs that touch at rest, then add the walls.

        Touching shapes of one arm, or of the body, are housings of joints between them. An arm
        that touches something else, as hands do that hang at the hips, may come as near as that.
        """
        self.pairs, self._wall_count = pairs, 0
        self.radii = self._pair_radii()
        placement = self.place(robot.rest_positions[None])
        self._origin, self._up = placement.starts[0, self._root], placement.alongs[0, self._root]
        clearance = self.clearances(placement)[0]
        touching = clearance <= _TOUCHING_AT_REST_M
        roots = [self._joint_names.index(arm.joints[0]) for arm in robot.arms]
        arm = self.moves[:, roots] @ (1.0 + np.arange(len(roots)))
        housing = touching & (arm[pairs[:, 0]] == arm[pairs[:, 1]])
        for row in np.flatnonzero(touching):
            first, second = pairs[row]
            self.allowed.setdefault(
                link_pair(self.capsules[first].link, self.capsules[second].link),
                'touching at rest' if housing[row] else 'as near as at rest')
        kinds = self._walls.count
        self.pairs = np.concatenate([pairs[~housing], np.array(
            [(wrist, self._root) for wrist in self.wrists for _ in range(kinds)],
            dtype=np.intp).reshape(-1, 2)])
        self._wall_count = len(self.wrists) * kinds
        self.radii = self._pair_radii()
        kept = touching[~housing]
        self.radii[:len(kept)] -= np.where(kept, _ROOM_AT_REST_M - clearance[~housing], 0.0)
        self.rest_clearance = self.clearances(placement)[0]
        self._walls.check_rest(self.rest_clearance[len(self.pairs) - self._wall_count:])

    def _pair_reach(self, robot: GuardedRobot) -> Float64Array:
        """Return the reach of every pair; a joint that carries both parts them by nothing."""
        columns = {int(self._model.getJointId(name)): column
                   for column, name in enumerate(self._joint_names)}
        limits = robot.limits
        strokes_m = np.maximum(np.abs(limits.lower), np.abs(limits.upper)).tolist()
        frames = []
        for capsule in self.capsules:
            frame = self._model.frames[self._model.getFrameId(capsule.link)]
            extent_m = max(np.linalg.norm(capsule.start), np.linalg.norm(capsule.end))
            frames.append((int(frame.parentJoint), frame.placement, float(extent_m)))
        single = reaches(self._model, frames, columns, strokes_m) * self.moves
        self.single_reach = single
        first, second = self.pairs.T
        apart = self.moves[first] != self.moves[second]
        both: Float64Array = np.where(apart, single[first] + single[second], 0.0)
        return both

    def _prepare_pruning(self) -> None:
        """Prepare spheres around capsules, and around all capsules of a link."""
        half = 0.5 * np.linalg.norm(self._local[1], axis=1)
        self._radius_reach = half[self.pairs].sum(axis=1) + self.radii
        self._radius_reach[len(self.pairs) - self._wall_count:] = np.inf
        belongs = self._links == np.arange(self._links.max(initial=-1) + 1)[:, None]
        self._hubs = belongs / np.maximum(belongs.sum(axis=1, keepdims=True), 1)
        centres = self._local[0] + 0.5 * self._local[1]
        apart = np.linalg.norm(centres - (self._hubs @ centres)[self._links], axis=-1)
        sphere = apart + half + [capsule.radius for capsule in self.capsules]
        hub_radius = np.where(belongs, sphere, 0.0).max(axis=1, initial=0.0)
        self._link_pairs = self._links[self.pairs]
        self._hub_reach = hub_radius[self._link_pairs].sum(axis=1)
        self._hub_reach[len(self.pairs) - self._wall_count:] = np.inf

    def _pair_radii(self) -> Float64Array:
        radius = np.array([capsule.radius for capsule in self.capsules])
        radii: Float64Array = radius[self.pairs].sum(axis=1)
        radii[len(radii) - self._wall_count:] = WALL_DEPTH_M
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

    def clearances(self, placement: Placement,
                   pairs: NDArray[np.intp] | None = None) -> Float64Array:
        """Return the clearance of some pairs, or all, (T, P), [m]; negative where they overlap."""
        chosen = np.arange(len(self.pairs)) if pairs is None else pairs
        return self.contacts(placement, chosen).distance - self.radii[chosen]

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
        reach = self._radius_reach[close] + margin[close]
        return np.asarray(close[(dot(gap, gap) < reach * reach).any(axis=0)])

    def contacts(self, placement: Placement, pairs: NDArray[np.intp]) -> Contacts:
        """Return the nearest points of some pairs, leading shape (T, number of pairs)."""
        first, second = self.pairs[pairs].T
        found = segment_contacts(placement.starts[:, first], placement.alongs[:, first],
                                 placement.starts[:, second], placement.alongs[:, second])
        column = pairs - (len(self.pairs) - self._wall_count)
        walls = np.flatnonzero(column >= 0)
        if len(walls):
            at_wall = self._walls.contacts(found.first[:, walls], column[walls],
                                           self._origin, self._up)
            found.distance[:, walls], found.second[:, walls] = at_wall.distance, at_wall.second
        return found

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
            total += sign * self.moves[self.pairs[pairs, side]] * along
        return total


def _turned(local: Float64Array, turn: Float64Array) -> Float64Array:
    """Return vectors (C, 3) of links whose axes are the rows of ``turn`` (T, C, 3, 3)."""
    return np.asarray(local[:, :1] * turn[:, :, 0] + local[:, 1:2] * turn[:, :, 1]
                      + local[:, 2:] * turn[:, :, 2])


def unwatched_arms(robot: GuardedRobot) -> tuple[str, ...]:
    """Return the sides whose arm has no shape that can be watched, as with meshes alone.

    Raises:
        RobotError: a shape of the URDF is malformed.
    """
    shapes = with_profile(read_capsules(robot.urdf_path), robot.collision.capsules)
    links = {shape.link for shape in shapes}
    return tuple(arm.side for arm in robot.arms if not any(
        arm.joints[0] in robot.urdf.joints_to(link) for link in links))
