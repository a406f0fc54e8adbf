"""Shapes of a hand: palm and fingers, see ``robot_body.py``."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from robot_facts import Array, Node
from robot_tree import RobotTree, sided, SIDES, unit

if TYPE_CHECKING:
    from robot_body import Body


def add_hand(body: Body, side: str) -> None:
    """Add palm and fingers: along the finger joints, or straight where there are none."""
    tree, sizes, link = body.tree, body.sizes, body.tree.hand_link(side)
    fingers, palm = tree.fingers(side), tree.palm(side)
    thumb = np.cross(palm, fingers) * (1.0 if side == 'left' else -1.0)
    arm = tree.arm(side)
    last = tree.joints[arm['joints'][-1]]['child']
    start = (tree.points(side).wrist if not isinstance(arm['wrist'], str)
             else tree.poses[last].place)
    radius, length = sizes['hand'], sizes['hand_length']
    roots = [joint for joint in tree.joints.values() if joint['group'] == 'hand'
             and tree.joints.get(joint['name']) and joint['parent'] == link]
    reach = 0.5 * length if roots else 0.55 * length
    for shift in (-0.8, 0.8):
        body.limb(link, start + fingers * radius + thumb * shift * radius,
                  start + fingers * reach + thumb * shift * radius, radius)
    if roots:
        for joint in roots:
            if not sized_out(tree, joint):
                _add_finger(body, joint, fingers, start + fingers * length)
        return
    for shift in (-1.2, -0.4, 0.4, 1.2):
        base = start + fingers * reach + thumb * shift * radius
        body.limb(link, base, start + fingers * (length - 0.1 * length * abs(shift))
                  + thumb * shift * radius, sizes['finger'])
    body.limb(link, start + fingers * 0.3 * length + thumb * radius,
              start + fingers * 0.65 * length + thumb * 2.6 * radius + palm * radius,
              1.1 * sizes['finger'], 'accent')


def sized_out(tree: RobotTree, joint: Node) -> bool:
    """Return whether a hand joint turns nothing one could see, such as a motor's shaft."""
    hidden = [name for side in SIDES for name in sided(tree.description.get('hidden', []), side)]
    return joint['name'] in hidden


def _add_finger(body: Body, joint: Node, along: Array, tip: Array) -> None:
    """Add capsules from a finger joint to the next; the last goes on the way it came."""
    tree, link = body.tree, joint['child']
    start = tree.poses[link].place
    nexts = [child for child in tree.children(link)]
    size = body.sizes['finger']
    for child in nexts:
        end = tree.poses[child['child']].place
        if float(np.linalg.norm(end - start)) > 0.004:
            body.limb(link, start, end, size, 'joint')
            along = unit(end - start)
        _add_finger(body, child, along, tip)
    if not nexts:
        body.limb(link, start, start + along * 2.2 * size, 0.9 * size, 'joint')
