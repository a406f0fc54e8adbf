"""Draw every gesture of the library at its stroke, on one robot.

``MUJOCO_GL=egl python tools/gesture_sheet.py docs/gestures.png [--robot humanoid]``.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from gesture_node.exceptions import RequestError
from gesture_node.gestures.choice import GestureChooser
from gesture_node.gestures.library import load_library
from gesture_node.gestures.motion import GestureMotion
from gesture_node.gestures.request import parse_request
from gesture_node.gestures.track import blended
from gesture_node.motion.retarget import Retargeter
from gesture_node.motion.robot import load_profile
from gesture_node.motion.skeleton import rest_pose
from gesture_node.sim.render import make_renderer

_EXAMPLES = {'count': 'count 3', 'point_at': 'point_at 1.0 0.6 0.6'}
_COLUMNS, _WIDTH, _HEIGHT, _LABEL = 7, 200, 190, 14


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path)
    parser.add_argument('--robot', default='humanoid')
    options = parser.parse_args()
    profile, library = load_profile(options.robot), load_library()
    chooser = GestureChooser(library, profile, rest_pose())
    renderer = make_renderer(profile.urdf_path, profile.joint_names, _WIDTH, _HEIGHT,
                             profile.rest_positions)
    retargeter = Retargeter(profile)
    rows = -(-len(library.gestures) // _COLUMNS)
    sheet = Image.new('RGB', (_COLUMNS * _WIDTH, rows * (_HEIGHT + _LABEL)), 'white')
    draw = ImageDraw.Draw(sheet)
    for index, name in enumerate(library.gestures):
        x, y = index % _COLUMNS * _WIDTH, index // _COLUMNS * (_HEIGHT + _LABEL)
        text = _EXAMPLES.get(name, name)
        try:
            motion = chooser.choose(parse_request(text))
        except RequestError:
            text += ' (cannot)'
        else:
            positions, _ = retargeter.retarget(_poses(motion), retargeter.initial_state())
            sheet.paste(Image.fromarray(renderer.render(positions[-1])), (x, y + _LABEL))
        draw.text((x + 4, y + 1), text, fill='black')
    renderer.close()
    sheet.quantize(128).save(options.out, optimize=True)


def _poses(motion: GestureMotion) -> np.ndarray:
    """Return poses (T, 84) from rest to the stroke, then held."""
    times_s = np.arange(-motion.lead_s, 0.0, 0.04)
    times_s = np.concatenate([times_s, np.zeros(10)])
    return blended(np.repeat(rest_pose()[None], len(times_s), axis=0), motion, times_s)


if __name__ == '__main__':
    main()
