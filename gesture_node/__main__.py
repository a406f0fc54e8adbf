"""``python -m gesture_node EXECUTABLE [arguments]``: every executable without its script."""
from __future__ import annotations

from importlib import import_module
import sys

EXECUTABLES = {
    'gesture_node': 'gesture_node.ros.node',
    'audio_source': 'gesture_node.ros.audio_source',
    'gesture_sim': 'gesture_node.ros.sim_node',
    'trajectory_player': 'gesture_node.ros.player_node',
    'gesture_demo': 'gesture_node.demo.gesture_demo',
    'gesture_from_file': 'gesture_node.cli.gesture_from_file',
    'gesture_bench': 'gesture_node.cli.gesture_bench',
    'gesture_replay': 'gesture_node.cli.gesture_replay',
}


def main() -> int:
    """Run the executable that the first argument names; return its exit code."""
    name = sys.argv[1] if len(sys.argv) > 1 else ''
    if name not in EXECUTABLES:
        print(f'usage: python -m gesture_node {{{",".join(EXECUTABLES)}}} [arguments]',
              file=sys.stderr)
        return 2
    del sys.argv[0]
    return int(import_module(EXECUTABLES[name]).main() or 0)


if __name__ == '__main__':
    sys.exit(main())
