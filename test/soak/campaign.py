"""Runs what every robot is put through, in as many processes at once as there are cores.

``python test/soak/campaign.py [--jobs N] [--robots nao,talos] [--out FOLDER] [pytest arguments]``.
The robots are dealt out to the processes; those of one process share what the networks made of the
speech. What the tests print goes into ``FOLDER/PROCESS.log``, a line for each process says how it
ended.
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
CAMPAIGNS = ('test/soak/test_ten_minutes.py', 'test/soak/test_safety_soak.py',
             'test/soak/test_slow_minutes.py', 'test/motion/test_collision_shapes.py')
ROBOTS = tuple(sorted(path.stem for path in (ROOT / 'config' / 'robots').glob('*.yaml')))


def run_robots(number: int, robots: list[str], out: Path, arguments: list[str]) -> int:
    """Run the campaigns of some robots; return the exit status of pytest."""
    begun_s = time.monotonic()
    environment = os.environ | {'SOAK_ROBOTS': ','.join(robots)}
    environment.setdefault('OMP_NUM_THREADS', '1')
    command = [sys.executable, '-m', 'pytest', '-q', '-s', '-m', 'soak', '-p', 'no:cacheprovider',
               *(arguments or CAMPAIGNS)]
    path = out / f'{number}.log'
    with path.open('w', encoding='utf-8') as log:
        status = subprocess.run(command, cwd=ROOT, env=environment, stdout=log,
                                stderr=subprocess.STDOUT, check=False).returncode
    print(f'{", ".join(robots)}: {"passed" if status == 0 else "FAILED"} after '
          f'{(time.monotonic() - begun_s) / 60:.1f} min, see {path}', flush=True)
    return status


def main() -> int:
    """Run all robots; return 1 if one of them failed."""
    parser = argparse.ArgumentParser(description='Long campaigns of every robot.')
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
    jobs = max(1, min(options.jobs, len(robots)))
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(
            lambda number: run_robots(number, robots[number::jobs], options.out, arguments),
            range(jobs)))
    return int(any(found))


if __name__ == '__main__':
    sys.exit(main())
