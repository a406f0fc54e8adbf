"""Compare the joints of two URDFs of one robot: places, axes, link frames, limits.

``python tools/compare_kinematics.py OURS.urdf MAKERS.urdf`` prints, over all moving joints that
both have, the largest distance between their places, the largest angles
between their axes and between the frames of the links they carry (all joints at zero, as seen
from our root link), and where position limits differ.
"""
from __future__ import annotations

import argparse
from pathlib import Path
import sys
from xml.etree import ElementTree as ET

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'tools')]

from robot_facts import Array, Node, Pose, zero_poses  # noqa: E402

from gesture_node.motion.urdf import MOVING_TYPES  # noqa: E402


def _vector(element: ET.Element | None, key: str, default: str) -> list[float]:
    text = default if element is None else element.get(key, default)
    return [float(word) for word in text.split()]


def read(path: Path, root: str | None = None) -> tuple[dict[str, Node], dict[str, Pose]]:
    """Return joints by name and the poses of all links in ``root`` (or the URDF's own root)."""
    document = ET.parse(path).getroot()
    joints: dict[str, Node] = {}
    for element in document.findall('joint'):
        origin, limit = element.find('origin'), element.find('limit')
        parent, child = element.find('parent'), element.find('child')
        if parent is None or child is None:
            continue
        joints[element.get('name', '')] = {
            'type': element.get('type'), 'parent': parent.get('link'), 'child': child.get('link'),
            'xyz': _vector(origin, 'xyz', '0 0 0'), 'rpy': _vector(origin, 'rpy', '0 0 0'),
            'axis': _vector(element.find('axis'), 'xyz', '1 0 0'),
            'limits': [float(limit.get(key, 0.0)) if limit is not None else 0.0
                       for key in ('lower', 'upper')]}
    children = {joint['child'] for joint in joints.values()}
    own_root = next(link.get('name', '') for link in document.findall('link')
                    if link.get('name') not in children)
    poses = zero_poses(own_root, list(joints.values()))
    if root is not None:
        base = poses[root]
        poses = {link: Pose(base.rotation.T @ pose.rotation,
                            base.rotation.T @ (pose.place - base.place))
                 for link, pose in poses.items()}
    return joints, poses


def _angle_deg(one: Array, other: Array) -> float:
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _turn_deg(one: Array, other: Array) -> float:
    # The angle from the chord: exact for the small turns that are looked for.
    return float(np.degrees(2.0 * np.arcsin(min(np.linalg.norm(one - other) / np.sqrt(8.0), 1.0))))


def main(arguments: list[str] | None = None) -> int:
    """Print the comparison; return 1 when no joint is in both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('ours', type=Path)
    parser.add_argument('makers', type=Path)
    parser.add_argument('--root', help='link both are seen from; our root when not given')
    options = parser.parse_args(arguments)
    ours, our_poses = read(options.ours, options.root)
    root = options.root or next(link for link, pose in our_poses.items())
    theirs, their_poses = read(options.makers, root)
    both = [name for name, joint in ours.items()
            if joint['type'] in MOVING_TYPES and theirs.get(name, {}).get('type') in MOVING_TYPES]
    rows = []
    for name in both:
        mine, other = our_poses[ours[name]['child']], their_poses[theirs[name]['child']]
        rows.append((float(np.linalg.norm(mine.place - other.place)),
                     _angle_deg(mine.rotation @ ours[name]['axis'],
                                other.rotation @ theirs[name]['axis']),
                     _turn_deg(mine.rotation, other.rotation)))
    if not rows:
        print('no joint is in both', file=sys.stderr)
        return 1
    for title, column, unit in (('place', 0, 'm'), ('axis', 1, 'deg'), ('link frame', 2, 'deg')):
        values = [row[column] for row in rows]
        print(f'{title}: largest difference {max(values):.5f} {unit} '
              f'({both[int(np.argmax(values))]}), {len(both)} joints')
    for name in both:
        gap = np.abs(np.subtract(ours[name]['limits'], theirs[name]['limits'])).max()
        if gap > 1e-3 and theirs[name]['type'] == 'revolute':
            print(f'limits of {name}: ours {ours[name]["limits"]}, '
                  f'makers {theirs[name]["limits"]}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
