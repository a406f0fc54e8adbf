"""Render every robot that ships in the same gesture, as one picture.

``MUJOCO_GL=egl python tools/contact_sheet.py docs/robots.png [--robots NAME ...] [--pose rest]``.
The pose runs through the retargeter from rest, so the picture shows what the package does.
"""
from __future__ import annotations

import argparse
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gesture_node.motion.retarget import Retargeter
from gesture_node.motion.robot import load_profile, profile_names
from gesture_node.motion.rotations import Array, matrix_from_rotvec, slerp
from gesture_node.motion.skeleton import (
    FINGER_NAMES,
    JOINT_INDEX,
    JOINT_NAMES,
    pack_pose,
    rest_pose,
    unpack_pose,
)
from gesture_node.sim.render import make_renderer

_COLUMNS, _WIDTH_PX, _HEIGHT_PX, _LABEL_PX = 7, 272, 290, 22
_FRAMES, _HOLD_FRAMES = 25, 40
_POSES: dict[str, dict[str, tuple[tuple[str, float], ...]]] = {
    # One hand offers, the other is raised to the side; the head turns to the raised hand.
    'explain': {'left_shoulder': (('x', 12.0), ('y', -25.0)),
                'left_elbow': (('y', -70.0), ('z', 70.0)),
                'right_shoulder': (('x', -55.0), ('z', -60.0)), 'right_elbow': (('y', -80.0),),
                'head': (('z', -25.0), ('y', 5.0))},
    'rest': {},
    't_pose': {'left_shoulder': (('x', 90.0),), 'right_shoulder': (('x', -90.0),)},
    'hands_up': {'left_shoulder': (('y', -165.0),), 'right_shoulder': (('y', -165.0),)},
    'forward': {'left_elbow': (('y', -90.0),), 'right_elbow': (('y', -90.0),)},
}
"""Turns of joints by axis [degrees], applied from right to left."""


def pose_named(name: str) -> Array:
    """Return a pose vector ``(84,)``."""
    rotations = np.broadcast_to(np.eye(3), (len(JOINT_NAMES), 3, 3)).copy()
    for joint, turns in _POSES[name].items():
        for axis, degrees in turns:
            vector = np.radians(degrees) * np.eye(3)['xyz'.index(axis)]
            rotations[JOINT_INDEX[joint]] = rotations[JOINT_INDEX[joint]] @ matrix_from_rotvec(
                vector)
    return pack_pose(rotations, np.full(len(FINGER_NAMES), 0.1))


def picture_of(name: str, pose: Array) -> Image.Image:
    """Return the picture of one robot, come to a pose from rest."""
    profile = load_profile(name)
    (start, fingers), (end, closed) = unpack_pose(rest_pose()), unpack_pose(pose)
    shares = [*np.linspace(0.0, 1.0, _FRAMES), *[1.0] * _HOLD_FRAMES]
    motion = np.stack([pack_pose(slerp(start, end, share),
                                 (1.0 - share) * fingers + share * closed) for share in shares])
    retargeter = Retargeter(profile)
    positions, _ = retargeter.retarget(motion, retargeter.initial_state())
    renderer = make_renderer(profile.urdf_path, profile.joint_names, _WIDTH_PX, _HEIGHT_PX,
                             profile.rest_positions)
    try:
        return Image.fromarray(renderer.render(positions[-1]))
    finally:
        renderer.close()


def main(arguments: list[str] | None = None) -> int:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('picture', type=Path)
    parser.add_argument('--robots', nargs='*', default=profile_names())
    parser.add_argument('--pose', choices=sorted(_POSES), default='explain')
    options = parser.parse_args(arguments)
    pose = pose_named(options.pose)
    rows = -(-len(options.robots) // _COLUMNS)
    columns = min(_COLUMNS, len(options.robots))
    cell = _HEIGHT_PX + _LABEL_PX
    sheet = Image.new('RGB', (columns * _WIDTH_PX, rows * cell), 'white')
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for index, name in enumerate(options.robots):
        left, top = index % _COLUMNS * _WIDTH_PX, index // _COLUMNS * cell
        sheet.paste(picture_of(name, pose), (left, top))
        draw.text((left + _WIDTH_PX // 2, top + _HEIGHT_PX + 3), name, fill='black', font=font,
                  anchor='ma')
    sheet.quantize(200).save(options.picture, optimize=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
