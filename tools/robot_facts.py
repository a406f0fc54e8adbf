"""Facts of a robot as a kinematic tree: a facts file read, its fixed mounts filled in, as YAML.

A facts file lists the moving joints of a maker's URDF with their place in the parent link, and
axis and origin as seen from the root with all joints at zero. Links that hang by fixed joints
are missing. Where each of these sits follows from the joints that it carries: rotation by the
method of Kabsch (Acta Crystallographica A32, 1976) from their axes and spacings, place from
their origins. So link frames stay those of the maker, to the rounding of the facts.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
import yaml

from gesture_node.motion.rotations import matrix_from_rpy

Array: TypeAlias = NDArray[np.float64]
Node: TypeAlias = dict[str, Any]
_KEPT = ('lower', 'upper', 'velocity', 'effort')
_SNAP_RAD, _SNAP_NEAR_RAD = np.pi / 36.0, 4e-4
_AXIS_TOLERANCE, _PLACE_TOLERANCE_M = 2e-3, 1e-3
_PRIOR = 1e-7


@dataclass(frozen=True, slots=True)
class Pose:
    """Rotation ``(3, 3)`` and place ``(3,)`` [m] of a link in the root link, joints at zero."""

    rotation: Array
    place: Array

    def carry(self, xyz: Any, rpy: Any) -> Pose:
        """Return the pose of a frame fixed in this one."""
        return Pose(self.rotation @ matrix_from_rpy(rpy),
                    self.place + self.rotation @ np.asarray(xyz, float))


def rpy_from_matrix(rotation: Array) -> Array:
    """Return fixed-axis roll, pitch, yaw [rad] of a rotation ``(3, 3)``."""
    pitch = np.arctan2(-rotation[2, 0], np.hypot(rotation[0, 0], rotation[1, 0]))
    if np.hypot(rotation[0, 0], rotation[1, 0]) < 1e-6:
        return np.array([0.0, pitch, np.arctan2(-rotation[0, 1], rotation[1, 1])])
    return np.array([np.arctan2(rotation[2, 1], rotation[2, 2]), pitch,
                     np.arctan2(rotation[1, 0], rotation[0, 0])])


def zero_poses(root: str, joints: list[Node]) -> dict[str, Pose]:
    """Return the pose of every link that ``joints`` reach from the root, joints at zero."""
    poses = {root: Pose(np.eye(3), np.zeros(3))}
    pending = list(joints)
    while pending:
        ready = [joint for joint in pending if joint['parent'] in poses]
        if not ready:
            break
        for joint in ready:
            poses[joint['child']] = poses[joint['parent']].carry(joint['xyz'], joint['rpy'])
        pending = [joint for joint in pending if joint not in ready]
    return poses


def read_kinematics(facts_path: Path, mounts: Mapping[str, str], groups: list[str],
                    left_out: list[str]) -> Node:
    """Return source, licence, root and all joints of a facts file, mounts filled in.

    Args:
        facts_path: the facts file.
        mounts: link that hangs by a fixed joint, and the link it hangs from.
        groups: groups of joints to keep.
        left_out: joints to leave out, with all that hangs from them.

    Raises:
        ValueError: a link hangs from nothing and ``mounts`` does not say from what, or the
            facts contradict each other.
    """
    facts = yaml.safe_load(facts_path.read_text(encoding='utf-8'))
    chosen = _reachable([joint for joint in facts['joints'] if joint.get('group') in groups
                         and joint['name'] not in left_out], facts, mounts)
    joints = [_joint(joint) for joint in chosen]
    known = zero_poses(facts['root_link'], joints)
    for link in _unmounted(joints, facts['root_link']):
        if link not in mounts:
            raise ValueError(f'{facts_path.name}: say in mounts what link {link!r} hangs from')
    pending = _unmounted(joints, facts['root_link'])
    while pending:
        ready = [link for link in pending if mounts[link] in known]
        if not ready:
            raise ValueError(f'{facts_path.name}: links {pending} hang from nothing known')
        for link in ready:
            joints.append(_mount(link, mounts[link], known[mounts[link]], chosen))
        known = zero_poses(facts['root_link'], joints)
        pending = [link for link in pending if link not in ready]
    _check(chosen, known, facts_path.name)
    source = facts['source']
    return {'robot': facts['robot'], 'source': f'{source["repo"]} {source["path"]}, commit '
            f'{source["commit"]}', 'licence': source['licence'], 'root': facts['root_link'],
            'joints': _ordered(joints, facts['root_link'])}


def _reachable(joints: list[Node], facts: Node, mounts: Mapping[str, str]) -> list[Node]:
    """Return the joints whose parents remain when some joints were left out."""
    all_children = {joint['child'] for joint in facts['joints']}
    while True:
        links = {facts['root_link'], *(joint['child'] for joint in joints), *mounts}
        kept = [joint for joint in joints
                if joint['parent'] in links or joint['parent'] not in all_children]
        if len(kept) == len(joints):
            return kept
        joints = kept


def _joint(fact: Node) -> Node:
    joint: Node = {'name': fact['name'], 'group': fact['group'], 'type': fact['type'],
                   'parent': fact['parent'], 'child': fact['child'],
                   'xyz': fact['origin']['xyz'], 'rpy': fact['origin']['rpy'],
                   'axis': fact['axis']}
    joint |= {key: fact[key] for key in _KEPT if fact.get(key) is not None}
    for key in ('soft_lower', 'soft_upper', 'mimic'):
        if key in fact:
            joint[key] = fact[key]
    return joint


def _unmounted(joints: list[Node], root: str) -> list[str]:
    children = {root, *(joint['child'] for joint in joints)}
    return list(dict.fromkeys(joint['parent'] for joint in joints
                              if joint['parent'] not in children))


def _mount(link: str, parent: str, carrier: Pose, facts: list[Node]) -> Node:
    """Return the fixed joint that puts ``link`` where the joints below it are known to be."""
    inside = zero_poses(link, [{**joint, 'xyz': joint['origin']['xyz'],
                                'rpy': joint['origin']['rpy']} for joint in facts])
    below = [joint for joint in facts if joint['parent'] in inside]
    local = np.array([inside[joint['child']].place for joint in below])
    seen = np.array([joint['origin_root_zero'] for joint in below], float)
    correlation = _PRIOR * carrier.rotation
    for joint in below:
        axis = inside[joint['child']].rotation @ np.array(joint['axis'], float)
        correlation = correlation + np.outer(joint['axis_root_zero'], axis)
    # Spacings of a few decimetres, rounded to a tenth of a millimetre, tell less than axes.
    correlation = correlation + (seen - seen.mean(axis=0)).T @ (local - local.mean(axis=0))
    left, _, right = np.linalg.svd(correlation)
    rotation = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    place = (seen - local @ rotation.T).mean(axis=0)
    rpy = rpy_from_matrix(carrier.rotation.T @ rotation)
    snapped = np.round(rpy / _SNAP_RAD) * _SNAP_RAD
    rpy = np.where(np.abs(rpy - snapped) < _SNAP_NEAR_RAD, snapped, rpy)
    xyz = carrier.rotation.T @ (place - carrier.place)
    return {'name': f'{link}_mount', 'group': 'mount', 'type': 'fixed', 'parent': parent,
            'child': link, 'xyz': [round(float(value), 5) + 0.0 for value in xyz],
            'rpy': [round(float(value), 6) + 0.0 for value in rpy]}


def _check(facts: list[Node], known: dict[str, Pose], name: str) -> None:
    for joint in facts:
        pose = known[joint['child']]
        axis = pose.rotation @ np.array(joint['axis'], float)
        if np.abs(axis - joint['axis_root_zero']).max() > _AXIS_TOLERANCE:
            raise ValueError(f'{name}: axis of {joint["name"]} comes out as {axis.round(4)}, '
                             f'the facts say {joint["axis_root_zero"]}')
        if np.abs(pose.place - joint['origin_root_zero']).max() > _PLACE_TOLERANCE_M:
            raise ValueError(f'{name}: origin of {joint["name"]} comes out as '
                             f'{pose.place.round(4)}, the facts say {joint["origin_root_zero"]}')


def _ordered(joints: list[Node], root: str) -> list[Node]:
    """Return the joints so that each comes after the one that carries its parent."""
    done, ordered, pending = {root}, [], list(joints)
    while pending:
        joint = next(joint for joint in pending if joint['parent'] in done)
        ordered.append(joint)
        done.add(joint['child'])
        pending.remove(joint)
    return ordered


def kinematics_text(kinematics: Node) -> str:
    """Return the YAML of a tree, one joint per line or two."""
    head = {key: value for key, value in kinematics.items() if key != 'joints'}
    lines = [f"# Facts of the joints of {kinematics['robot']}, by tools/build_profiles.py;"
             f'\n# mounts are solved from them.\n'
             + yaml.safe_dump(head, sort_keys=False, width=99, allow_unicode=True) + 'joints:\n']
    for joint in kinematics['joints']:
        text = yaml.safe_dump(joint, default_flow_style=True, sort_keys=False, width=95,
                              allow_unicode=True)
        lines.append('- ' + text.strip().replace('\n', '\n ') + '\n')
    return ''.join(lines)
