"""The text of a robot profile, written from the robot's description and kinematic tree."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from robot_facts import Array, Node
from robot_limits import is_placeholder, Limits, limits_of, parts_of
from robot_tree import RobotTree, SIDES
import yaml

_WIDTH = 118
_NOT_OUTPUTS = ('controllers', 'adapters')


def profile_text(tree: RobotTree, rest: Mapping[str, float]) -> str:
    """Return the profile of a robot as YAML.

    Args:
        tree: the robot.
        rest: positions of hanging arms [rad], by joint; may be empty.
    """
    description = tree.description
    name = description['name']
    parts = parts_of(tree)
    limits = {joint: limits_of(tree, joint, part) for joint, part in parts.items()}
    lines = [f'# Written by tools/build_profiles.py from models/{name}/description.yaml.']
    lines += [f'name: {name}', _folded('source', tree.source), _folded('licence', tree.licence),
              f'urdf: models/{name}/{name}.urdf',
              'root: ' + _oriented(tree, tree.root, None)]
    lines += _limits(tree, parts, limits)
    torso = description['torso']
    lines += ['torso: ' + _oriented(tree, torso['link'], torso['joints'])]
    if 'head' in description:
        head = description['head']
        lines += ['head: ' + _oriented(tree, head['link'], head['joints'])]
    lines.append('arms:')
    for side in SIDES:
        lines += _arm(tree, side)
    if rest:
        lines.append('rest: ' + _flow({joint: round(value, 3) + 0.0
                                       for joint, value in rest.items()}, 7))
    lines += _interface(tree)
    if 'cannot' in description:
        lines.append('cannot:')
        lines += ['- ' + _flow(entry, 3) for entry in description['cannot']]
    return '\n'.join(lines) + '\n'


def _folded(key: str, text: str) -> str:
    return yaml.safe_dump({key: text}, width=_WIDTH, allow_unicode=True).strip()


def _flow(value: Any, indent: int) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=_WIDTH - indent,
                          allow_unicode=True).strip()
    return text.replace('\n', '\n' + ' ' * indent)


def _numbers(vector: Array) -> list[float]:
    rounded = [round(float(x), 4) + 0.0 for x in vector]
    return [int(x) if float(x).is_integer() else x for x in rounded]


def _oriented(tree: RobotTree, link: str, joints: list[str] | None) -> str:
    """Return link, joints and axes of a part, its axes at right angles to the last digit kept."""
    forward, up = (tree.in_link(link, tree.posture[:, axis]) for axis in (0, 2))
    node: Node = {'link': link}
    if joints is not None:
        node['joints'] = joints
    return _flow(node | {'forward': _numbers(forward), 'up': _numbers(up)}, 2)


def _arm(tree: RobotTree, side: str) -> list[str]:
    arm = tree.arm(side)
    rows: list[tuple[str, Any]] = [('joints', arm['joints'])]
    for key, link, direction in (
            ('upper_arm', tree.upper_arm_link(side), tree.upper_arm(side)),
            ('forearm', tree.forearm_link(side), tree.forearm(side))):
        rows.append((key, {'link': link, 'direction': _numbers(tree.in_link(link, direction))}))
    hand = tree.hand_link(side)
    fingers = tree.in_link(hand, tree.fingers(side))
    rows.append(('hand', {'link': hand, 'fingers': _numbers(fingers),
                          'palm': _numbers(tree.in_link(hand, tree.palm(side)))}))
    lines = [f'  {side}:', *(f'    {key}: {_flow(value, 6)}' for key, value in rows)]
    if 'closing' in arm:
        lines.append('    closing:')
        for joint, entry in arm['closing'].items():
            ends = {key: value[SIDES.index(side)] if isinstance(value, list) else value
                    for key, value in entry.items()}
            lines.append(f'      {joint}: {_flow(ends, 8)}')
    if 'hang_out_rad' in arm:
        lines.append(f'    hang_out_rad: {arm["hang_out_rad"]}')
    return lines


def _limits(tree: RobotTree, parts: Mapping[str, str], limits: Mapping[str, Limits]) -> list[str]:
    default = next(limits[joint] for joint, part in parts.items() if part == 'arm')
    lines = ['limits:', '  # Next to people: far below what the motors can do.']
    replaced = [joint for joint in limits if is_placeholder(tree, tree.joints[joint])]
    if replaced:
        stated = sorted({float(tree.joints[joint].get('velocity') or 0.0) for joint in replaced})
        which = 'all joints' if len(replaced) == len(limits) else ', '.join(replaced)
        values = ', '.join(f'{value:g}' for value in stated)
        text = (f'The maker states {values} rad/s, a placeholder, for {which}; '
                f'replaced here and in the URDF.')
        lines += [f'  # {line}' for line in _wrapped(text)]
    rates = ('velocity', 'acceleration', 'jerk')
    lines.append('  default: ' + _flow({key: round(getattr(default, key), 3) for key in rates}, 4))
    rows = []
    for joint, limit in limits.items():
        node: Node = {}
        for key in ('lower', 'upper'):
            stated_limit = tree.joints[joint][key]
            if abs(getattr(limit, key) - stated_limit) > 1e-9:
                node[key] = getattr(limit, key)
        if any(getattr(limit, key) != getattr(default, key) for key in rates):
            node |= {key: round(getattr(limit, key), 3) for key in rates}
        if node:
            rows.append(f'    {joint}: {_flow(node, 6)}')
    return lines + (['  joints:', *rows] if rows else [])


def _wrapped(text: str) -> list[str]:
    lines, line = [], ''
    for word in text.split():
        if line and len(line) + len(word) + 1 > _WIDTH - 4:
            lines.append(line)
            line = word
        else:
            line = f'{line} {word}'.strip()
    return [*lines, line]


def _interface(tree: RobotTree) -> list[str]:
    description = tree.description
    joints: dict[str, list[str]] = {
        'torso': description['torso']['joints'],
        'head': description.get('head', {}).get('joints', [])}
    for side in SIDES:
        arm = tree.arm(side)
        joints |= {side: arm['joints'], f'{side}_closing': list(arm.get('closing', {}))}
    lines = ['interface:']
    for key, value in description['interface'].items():
        if key not in _NOT_OUTPUTS:
            lines.append('  ' + _folded(key, ' '.join(str(value).split())).replace('\n', '\n  '))
            continue
        lines.append(f'  {key}:')
        for entry in value:
            names = [name for part in entry['parts'] for name in joints[part]]
            node = {**{k: v for k, v in entry.items() if k != 'parts'}, 'joints': names}
            lines.append('  - ' + _flow(node, 5))
    return lines
