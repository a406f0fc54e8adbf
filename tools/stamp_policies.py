"""Print the table of ``docs/trajectories.md``: how far from the plan controllers are, how hard.

Takes each stamp policy to each generation of ``joint_trajectory_controller``, as
``test/motion/controller_oracle.py`` reads them: 5 % of messages lost, up to 20 ms on the way.
"""
from __future__ import annotations

from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'test' / 'ros')]

import numpy as np  # noqa: E402
from splicing_world import World  # noqa: E402

RATES_HZ, SECONDS, SEEDS = (100, 500, 1_000), 3.0, 2


def worst(generation: str, policy: str, closed_loop: bool) -> tuple[float, float]:
    """Return the largest error [rad] and the largest acceleration [rad/s^2] of all runs."""
    errors, accelerations = [], []
    for rate_hz in RATES_HZ:
        for seed in range(SEEDS):
            world = World(policy, generation, closed_loop, rate_hz, seed=seed)
            world.speak()
            seen = world.run(SECONDS)
            errors.append(seen.error_rad())
            accelerations.append(float(np.abs(seen.accelerations()).max()))
    return max(errors), max(accelerations)


def main() -> None:
    """Print a row for every policy and generation."""
    print('| policy | generation | loop | largest error [mrad] | largest acceleration [rad/s²] |')
    print('|---|---|---|---|---|')
    for policy in ('past', 'future', 'zero'):
        for generation in 'ABC':
            for closed_loop in (True, False):
                error, acceleration = worst(generation, policy, closed_loop)
                print(f'| {policy} | {generation} | {"closed" if closed_loop else "open"} | '
                      f'{1e3 * error:.4f} | {acceleration:.0f} |', flush=True)


if __name__ == '__main__':
    main()
