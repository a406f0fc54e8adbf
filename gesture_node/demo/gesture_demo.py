"""``gesture_demo`` (``make demo``): a spoken sentence through real ROS 2 processes to a video.

Leaves in the output folder ``video.mp4``, ``plots.png``, ``recording.mcap`` and ``summary.json``,
and prints one table.
"""
from __future__ import annotations

import argparse
from importlib import util
from pathlib import Path
import sys

from ..bundle import read_bundle
from ..cli.audio_file import read_audio_file
from ..exceptions import GestureError, SimulationError
from ..motion.robot import load_profile
from ..operations.processor import compute_on_own_threads
from ..report import table, write_json
from ..resources import share_path
from .outcome import measure, rows
from .plots import write_plots
from .session import DemoPlan, run_session

_OLD = ('video.mp4', 'plots.png', 'recording.mcap', 'summary.json', 'simulation.npz')


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog='gesture_demo', description='The whole thing, once.')
    parser.add_argument('--robot', default='humanoid', metavar='NAME',
                        help='profile in config/robots or path of a YAML (default: humanoid)')
    parser.add_argument('--audio', type=Path, metavar='FILE',
                        help='speech (default: examples/hello.wav)')
    parser.add_argument('--bundle', default='', metavar='DIR',
                        help='model bundle (default: the one that ships)')
    parser.add_argument('--seed', type=int, default=0, metavar='N')
    parser.add_argument('--out', type=Path, default=Path('out/demo'), metavar='DIR')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; return 0, or 1 after an error, which is written as one sentence."""
    options = make_parser().parse_args(arguments)
    compute_on_own_threads()
    try:
        _demo(options)
    except GestureError as error:
        print(f'gesture_demo: error: {error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(f'gesture_demo: error: {error.filename}: {error.strerror}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('gesture_demo: interrupted', file=sys.stderr)
        return 130
    return 0


def _demo(options: argparse.Namespace) -> None:
    if util.find_spec('rclpy') is None:
        raise SimulationError('the demo needs ROS 2 (rclpy): run it with "make demo", which '
                              'installs it, or source a ROS 2 installation')
    audio = read_audio_file(options.audio or share_path('examples', 'hello.wav'))
    bundle, profile = read_bundle(options.bundle or None), load_profile(options.robot)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in _OLD:
        (options.out / name).unlink(missing_ok=True)
    plan = DemoPlan(
        audio=audio.path.resolve(), audio_s=audio.duration_s, robot=options.robot,
        bundle=options.bundle, seed=options.seed, out=options.out.resolve(),
        captions=(f'bundle {bundle.name} {bundle.hash}', f'seed {options.seed}'))
    ready_s = run_session(plan, print)
    outcome = measure(plan, audio.sample_rate, ready_s)
    write_json(plan.out / 'summary.json', outcome.summary.as_dict())
    write_plots(plan.out / 'plots.png', outcome.plots)
    print()
    print(table([('robot', f'{profile.name}, {len(profile.joint_names)} joints'),
                 *rows(outcome.summary)]))
    print()
    print('\n'.join(f'wrote {options.out / name}' for name in _OLD[:4]))


if __name__ == '__main__':
    sys.exit(main())
