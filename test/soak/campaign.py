"""Runs what every robot is put through, one process for each robot, as many at once as asked for.

``python test/soak/campaign.py [--jobs N] [--robots nao,talos] [--out FOLDER] [pytest arguments]``.
What a robot's tests print goes into ``FOLDER/ROBOT.log``; a line for each robot says how it ended.
Robots share nothing, so this is as quick as there are cores.
"""
from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
import os
from pathlib import Path
import subprocess
import sys
import time

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGNS = ('test/soak/test_safety_soak.py', 'test/soak/test_ten_minutes.py',
             'test/motion/test_collision_shapes.py')
ROBOTS = tuple(sorted(path.stem for path in (ROOT / 'config' / 'robots').glob('*.yaml')))


def run_robot(robot: str, out: Path, arguments: list[str]) -> int:
    """Run the campaigns of one robot; return the exit status of pytest."""
    begun_s = time.monotonic()
    environment = os.environ | {'SOAK_ROBOTS': robot}
    environment.setdefault('OMP_NUM_THREADS', '1')
    command = [sys.executable, '-m', 'pytest', '-q', '-s', '-m', 'soak', '-p', 'no:cacheprovider',
               *(arguments or CAMPAIGNS)]
    with (out / f'{robot}.log').open('w', encoding='utf-8') as log:
        status = subprocess.run(command, cwd=ROOT, env=environment, stdout=log,
                                stderr=subprocess.STDOUT, check=False).returncode
    verdict = 'passed' if status == 0 else f'FAILED, see {out / robot}.log'
    print(f'{robot}: {verdict} after {(time.monotonic() - begun_s) / 60:.1f} min', flush=True)
    return status


def main() -> int:
    """Run all robots; return 1 if one of them failed."""
    parser = argparse.ArgumentParser(description='Long campaigns, a process for each robot.')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, metavar='N',
                        help='processes at once (default: one for each core)')
    parser.add_argument('--robots', default='', metavar='NAMES',
                        help='robots, separated by commas (default: all)')
    parser.add_argument('--out', type=Path, default=ROOT / 'out' / 'soak', metavar='FOLDER',
                        help='for the logs (default: out/soak)')
    options, arguments = parser.parse_known_args()
    robots = [name for name in options.robots.split(',') if name] or list(ROBOTS)
    unknown = sorted(set(robots) - set(ROBOTS))
    if unknown:
        parser.error(f'unknown robot {unknown[0]!r}; known: {", ".join(ROBOTS)}')
    options.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        found = list(pool.map(lambda robot: run_robot(robot, options.out, arguments), robots))
    print(f'{sum(status == 0 for status in found)} of {len(found)} robots passed')
    return int(any(found))


if __name__ == '__main__':
    sys.exit(main())
