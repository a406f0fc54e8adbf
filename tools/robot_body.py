"""Shapes for a described robot: capsules of our own along its joints, and the URDF's links.

Nothing is taken from the makers' meshes. Limbs run from joint to joint, trunk and head are a few
capsules between shoulders, waist and neck. They serve the self-collision guard and pictures.
"""
from __future__ import annotations

from typing import Any

import numpy as np
from robot_facts import Array, Node, rpy_from_matrix
from robot_hand import add_hand
from robot_limits import parts_of, urdf_rates
from robot_tree import RobotTree, sided, SIDES

MATERIALS = {'shell': [0.90, 0.91, 0.93, 1.0], 'accent': [0.20, 0.45, 0.75, 1.0],
             'joint': [0.42, 0.44, 0.48, 1.0], 'dark': [0.10, 0.11, 0.13, 1.0]}
FACING_LINK = 'facing_forward'
_STILL_GROUPS = ('leg', 'wheel')
_SHORT_M = 0.015
_MINIMUM_MASS_KG = 0.02


class Body:
    """Collects shapes by link, given by points of the root link with all joints at zero."""

    def __init__(self, tree: RobotTree) -> None:
        self.tree = tree
        self.sizes: dict[str, float] = tree.description['sizes']
        self.shapes: dict[str, list[Node]] = {link: [] for link in tree.poses}

    def limb(self, link: str, start: Array, end: Array, radius: float, material: str = 'shell',
             collide: bool = True) -> None:
        """Add a capsule, or a ball where both ends are the same."""
        ends = [[round(float(x), 4) for x in self.tree.at_link(link, point)]
                for point in (start, end)]
        shape: Node = ({'limb': {'from': ends[0], 'to': ends[1], 'radius': radius}}
                       if float(np.linalg.norm(end - start)) > 1e-3
                       else {'sphere': {'radius': radius, 'at': ends[0]}})
        self.shapes[link].append({**shape, 'material': material, 'collide': collide})


def links_of(tree: RobotTree) -> Node:
    """Return a description with all links written out, as ``build_models.build_urdf`` takes it."""
    body = Body(tree)
    for side in SIDES:
        _add_arm(body, side)
        _add_leg(body, side)
    _add_trunk(body)
    _add_head(body)
    _add_given(body)
    materials = MATERIALS | tree.description.get('materials', {})
    return {'name': tree.description['name'], 'source': tree.source,
            'licence': f'{tree.licence} (numbers); Apache-2.0 (shapes)', 'materials': materials,
            'inertia_floor_kg_m2': 1e-5, 'links': _links(body)}


def _links(body: Body) -> list[Node]:
    tree = body.tree
    moving = {joint['child'] for joint in tree.joints.values() if _kind(joint) != 'fixed'}
    for link in moving:
        if not body.shapes[link]:
            place = tree.poses[link].place
            body.limb(link, place, place, body.sizes['finger'], 'joint', collide=False)
    volumes = {link: sum(_volume(shape) for shape in shapes)
               for link, shapes in body.shapes.items()}
    density = tree.description['mass_kg'] / sum(volumes.values())
    carriers = {joint['child']: joint for joint in tree.joints.values()}
    parts = parts_of(tree)
    links: list[Node] = []
    heading = _heading(tree)
    if heading is not None:
        links.append({'link': FACING_LINK})
    for link in tree.poses:
        node: Node = {'link': link}
        if link in carriers:
            node['joint'] = _urdf_joint(tree, carriers[link], parts)
        elif heading is not None:
            node['joint'] = heading
        if body.shapes[link]:
            node['mass_kg'] = max(round(volumes[link] * density, 4), _MINIMUM_MASS_KG)
            node['shapes'] = body.shapes[link]
        links.append(node)
    return links


def _heading(tree: RobotTree) -> Node | None:
    """Return the fixed joint by which a root link that does not face +x hangs from one that does.

    So simulators and pictures show the robot from the front.
    """
    yaw = np.arctan2(-tree.posture[1, 0], tree.posture[0, 0])
    if abs(yaw) < 1e-6:
        return None
    return {'name': f'{FACING_LINK}_joint', 'type': 'fixed', 'parent': FACING_LINK,
            'rpy': [0.0, 0.0, float(yaw)]}


def _kind(joint: Node) -> str:
    has_no_range = joint.get('lower', 0.0) == joint.get('upper', 1.0) and 'mimic' not in joint
    still = joint['group'] in _STILL_GROUPS or has_no_range
    return 'fixed' if still else str(joint['type'])


def _mimic(tree: RobotTree, joint: Node) -> Node:
    """Return what a joint follows; a follower of a follower follows the leader itself."""
    mimic = dict(joint['mimic'])
    leader = tree.joints[mimic['joint']]
    if 'mimic' not in leader:
        return mimic
    above = _mimic(tree, leader)
    multiplier, offset = mimic.get('multiplier', 1.0), mimic.get('offset', 0.0)
    return {'joint': above['joint'], 'multiplier': multiplier * above.get('multiplier', 1.0),
            'offset': multiplier * above.get('offset', 0.0) + offset}


def _urdf_joint(tree: RobotTree, joint: Node, parts: dict[str, str]) -> Node:
    node: Node = {'name': joint['name'], 'type': _kind(joint), 'parent': joint['parent'],
                  'xyz': joint['xyz'], 'rpy': joint['rpy']}
    if node['type'] == 'fixed':
        return node
    couplings = {name: source for side in SIDES for name, source in
                 sided(tree.description.get('couplings', {}), side).items()}
    part = parts.get(joint['name'], 'hand' if joint['group'] == 'hand' else 'head')
    velocity, effort = urdf_rates(tree, joint, part)
    # A joint that follows another turns without limits in some URDFs; those bound it.
    node |= {'type': 'revolute' if node['type'] == 'continuous' else node['type'],
             'axis': joint['axis'], 'lower': joint.get('lower', -np.pi),
             'upper': joint.get('upper', np.pi), 'velocity': velocity, 'effort': effort,
             'damping': 0.05 if part == 'hand' else 0.3}
    if 'mimic' in joint:
        node['mimic'] = _mimic(tree, joint)
    elif joint['name'] in couplings:
        node['mimic'] = {'joint': couplings[joint['name']]}
    return node


def _volume(shape: Node) -> float:
    if 'sphere' in shape:
        return float(4.19 * shape['sphere']['radius'] ** 3)
    if 'cylinder' in shape:
        return float(np.pi * shape['cylinder']['radius'] ** 2 * shape['cylinder']['length'])
    limb = shape['limb']
    length = float(np.linalg.norm(np.subtract(limb['to'], limb['from'])))
    return float(np.pi * limb['radius'] ** 2 * length + 4.19 * limb['radius'] ** 3)


def _add_arm(body: Body, side: str) -> None:
    tree, sizes, arm = body.tree, body.sizes, body.tree.arm(side)
    joints = arm['joints']
    elbow = joints.index(arm['elbow'])
    points = tree.points(side)
    stops = [_on_the_arm(tree, name, side) for name in joints] + [points.wrist]
    root = joints.index(arm['shoulder'])
    for index, name in enumerate(joints):
        link = tree.joints[name]['child']
        start, end = stops[index], stops[index + 1]
        radius = (sizes['upper_arm'] * (0.9 if index < root else 1.0) if index < elbow
                  else sizes['forearm'])
        if index + 1 == len(joints):
            end = start if isinstance(arm['wrist'], str) else points.wrist
        if tree.hand_link(side) == link and isinstance(arm['wrist'], str):
            body.limb(link, start, start, 0.8 * sizes['forearm'], 'joint')
        elif float(np.linalg.norm(end - start)) < _SHORT_M:
            body.limb(link, start, start, radius, 'joint')
        else:
            body.limb(link, start, end, radius, 'accent' if index == elbow - 1 else 'shell')
    # Where a maker keeps the end of the upper arm on another link, that one has the shape above.
    add_hand(body, side)


def _on_the_arm(tree: RobotTree, name: str, side: str) -> Array:
    """Return the point of a joint's axis where its housing may be: by the arm, not beyond it."""
    arm, points = tree.arm(side), tree.points(side)
    order = arm['joints'].index
    if name == arm['shoulder']:
        return points.shoulder
    if name == arm['elbow']:
        return points.elbow
    place, axis = tree.origin(name), tree.axis(name)
    if order(name) < order(arm['shoulder']):
        near = points.shoulder
    elif (order(name) < order(arm['elbow'])
          or (isinstance(arm['wrist'], str) and order(name) >= order(arm['wrist']))):
        return place
    else:
        near = 0.5 * (points.elbow + points.wrist)
    return np.asarray(place + axis * (axis @ (near - place)))


def _add_leg(body: Body, side: str) -> None:
    tree = body.tree
    names = sided(tree.description.get('legs', []), side)
    radius = body.sizes.get('leg', 0.06)
    for name, after in zip(names, names[1:]):
        start, end = tree.origin(name), tree.origin(after)
        body.limb(tree.joints[name]['child'], start, end, radius)
    if names:
        foot = tree.origin(names[-1])
        forward, up = tree.posture[:, 0], tree.posture[:, 2]
        low = foot - up * 0.6 * radius
        body.limb(tree.joints[names[-1]]['child'], low - forward * 0.8 * radius,
                  low + forward * 2.2 * radius, 0.55 * radius, 'joint')
        hips = [tree.origin(sided(tree.description['legs'], one)[0]) for one in SIDES]
        if side == 'left':
            body.limb(tree.root, hips[0], hips[1], 0.9 * radius, 'joint')
            torso = tree.description['torso']
            middle, waist = 0.5 * (hips[0] + hips[1]), tree.origin(torso['joints'][0])
            body.limb(tree.root, middle, waist, 0.7 * body.sizes['torso'], 'joint')


def _add_trunk(body: Body) -> None:
    tree, sizes = body.tree, body.sizes
    torso = tree.description['torso']
    link, up, left = torso['link'], tree.posture[:, 2], tree.posture[:, 1]
    shoulders = [tree.points(side).shoulder for side in SIDES]
    middle = 0.5 * (shoulders[0] + shoulders[1])
    radius = sizes['torso']
    if 'waist' in torso:
        waist = tree.from_posture(torso['waist'])
    else:
        waist = tree.origin(torso['joints'][-1])
    half = max(sizes['torso_half_width'] - radius, 0.002)
    spine = _spine(tree, middle)
    core = spine + (waist - spine) * [0.0, 0.0, 1.0]
    top = spine - up * (0.9 * radius)
    bottom = core + up * 0.6 * radius
    chest = top + (bottom - top) * 0.45
    for sign in (-1.0, 1.0):
        body.limb(link, top + left * sign * half, chest + left * sign * half, radius)
        body.limb(link, chest + left * sign * half * 0.9, bottom + left * sign * 0.6 * half,
                  0.95 * radius)
    reach = (shoulders[0] - middle) * sizes.get('shoulder_share', 0.75)
    body.limb(link, middle - reach, middle + reach, 0.7 * sizes['upper_arm'], 'joint',
              collide=False)
    for name, after in zip(torso['joints'], torso['joints'][1:]):
        body.limb(tree.joints[name]['child'], tree.origin(name), tree.origin(after),
                  0.7 * radius, 'joint')
    if torso['joints'] and tree.joints[torso['joints'][-1]]['child'] != link:
        last = tree.origin(torso['joints'][-1])
        body.limb(tree.joints[torso['joints'][-1]]['child'], last, last, 0.7 * radius, 'joint')


def _spine(tree: RobotTree, middle: Array) -> Array:
    """Return the place between the shoulders, moved over the waist where the waist is given."""
    torso = tree.description['torso']
    if 'waist' not in torso:
        return middle
    forward = tree.posture[:, 0]
    return np.asarray(middle + forward * (forward @ (tree.from_posture(torso['waist']) - middle)))


def _add_head(body: Body) -> None:
    tree, description, sizes = body.tree, body.tree.description, body.sizes
    radius = sizes['head']
    forward, left, up = tree.posture.T
    torso = description['torso']['link']
    if 'head' in description:
        link, joints = description['head']['link'], description['head']['joints']
        centre = tree.origin(joints[-1]) + tree.from_posture(description['head'].get(
            'centre', [0.01, 0.0, 1.05 * radius]))
        low = tree.origin(joints[0])
        for name, after in zip(joints, joints[1:]):
            child = tree.joints[name]['child']
            place = tree.poses[child].place
            body.limb(child, place, place, 0.42 * radius, 'joint')
            _add_neck(body, child, place, tree.origin(after))
        _add_neck(body, link, tree.origin(joints[-1]), centre)
    else:
        link = torso
        centre = tree.from_posture(description['face'])
        low = centre - up * 1.3 * radius
    shoulders = [tree.points(side).shoulder for side in SIDES]
    root = _spine(tree, 0.5 * (shoulders[0] + shoulders[1]))
    body.limb(torso, root - up * 0.02, low, 0.4 * radius, 'joint', collide=False)
    body.limb(link, centre - up * 0.15 * radius, centre + up * 0.15 * radius, radius)
    body.limb(link, centre + forward * 0.35 * radius - up * 0.35 * radius,
              centre + forward * 0.35 * radius + up * 0.1 * radius, 0.8 * radius, 'shell',
              collide=False)
    for sign in (-1.0, 1.0):
        eye = centre + forward * 1.0 * radius + left * sign * 0.38 * radius + up * 0.1 * radius
        body.limb(link, eye, eye, 0.17 * radius, 'dark', collide=False)
    visor = centre + forward * 1.08 * radius - up * 0.42 * radius
    body.limb(link, visor - left * 0.22 * radius, visor + left * 0.22 * radius, 0.07 * radius,
              'accent', collide=False)


def _add_neck(body: Body, link: str, low: Array, high: Array) -> None:
    """Add what is seen between two places of a neck; the head is never in the air."""
    if float(np.linalg.norm(high - low)) > _SHORT_M:
        body.limb(link, low, high, 0.38 * body.sizes['head'], 'joint', collide=False)


def _add_given(body: Body) -> None:
    """Add the shapes a description lists: limbs, balls and upright cylinders in posture."""
    tree = body.tree
    for link, shapes in tree.description.get('shapes', {}).items():
        for shape in shapes:
            material, collide = shape.get('material', 'shell'), shape.get('collide', True)
            if 'limb' in shape:
                limb = shape['limb']
                body.limb(link, tree.from_posture(limb['from']), tree.from_posture(limb['to']),
                          limb['radius'], material, collide)
            else:
                body.shapes[link].append(_upright(tree, link, shape['cylinder'])
                                         | {'material': material, 'collide': collide})


def _upright(tree: RobotTree, link: str, cylinder: Any) -> Node:
    rpy = rpy_from_matrix(tree.poses[link].rotation.T @ tree.posture)
    at = tree.at_link(link, tree.from_posture(cylinder['at']))
    return {'cylinder': {'radius': cylinder['radius'], 'length': cylinder['length'],
                         'at': [round(float(x), 4) for x in at],
                         'rpy': [round(float(x), 6) for x in rpy]}}
