"""Measures how well, and how fast, the robots show the gestures of people.

``python benchmark/retarget_error.py --data DATA`` plays recorded gesture clips on every profile
and writes its tables into ``docs/retargeting.md``. Error is the angle by which a limb points
elsewhere than the person's; time is that of the processor for one call with one frame. As every
pass over the clips computes the same, the least time of a frame over all passes is what it takes;
what is beyond that belongs to whatever else the machine does.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass
import os
from pathlib import Path
import sys
import time

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault('OMP_NUM_THREADS', '1')
sys.path[:0] = [str(ROOT), str(ROOT / 'training')]

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from gesture_node.cli.machine import machine  # noqa: E402
from gesture_node.measures.retarget_error import (  # noqa: E402
    direction_errors,
    least_errors,
    LimbDirections,
    LIMBS,
)
from gesture_node.motion.retarget import Retargeter  # noqa: E402
from gesture_node.motion.robot import load_profile, profile_names  # noqa: E402
from gesture_node.timeline import BODY_RATE_HZ  # noqa: E402

Array = NDArray[np.float64]
PAGE = ROOT / 'docs' / 'retargeting.md'
BEGIN, END = '<!-- retarget error -->', '<!-- end of retarget error -->'
SETTLE_FRAMES = 25


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured on one robot.

    Attributes:
        robot: name of the profile.
        joints: number of joints, in all and per arm.
        errors_deg: per limb the angles of all frames.
        sampled_deg: mean angle of upper arm, forearm and hand in the sampled frames.
        least_deg: the least mean angle joint values inside the limits can have there.
        times_ms: processor time per frame, the least of all passes.
    """

    robot: str
    joints: tuple[int, int]
    errors_deg: dict[str, Array]
    sampled_deg: Array
    least_deg: Array
    times_ms: Array


def clips_of(data: Path, count: int) -> list[Array]:
    """Return poses ``(T, 84)`` at the body's rate of clips spread over all there are."""
    from gesture_training.corpora.clips import load_clips

    clips = load_clips(data)
    chosen = [clips[i] for i in np.unique(np.linspace(0, len(clips) - 1, count).astype(int))]
    return [clip.at(np.arange(0.0, (len(clip.poses) - 1) / clip.fps, 1.0 / BODY_RATE_HZ))
            for clip in chosen]


def measure(name: str, clips: list[Array], frames: int, starts: int, passes: int) -> Found:
    """Play all clips on one robot, frame by frame, several times."""
    profile = load_profile(name)
    retargeter, robot = Retargeter(profile), LimbDirections(profile)
    played = [_played(retargeter, clips) for _ in range(passes)]
    shown, times = played[0][0], np.min([spent for _, spent in played], axis=0)
    errors: dict[str, list[Array]] = {}
    for poses, positions in zip(clips, shown):
        for limb, angles in direction_errors(robot, poses, positions).items():
            errors.setdefault(limb, []).append(angles)
    arms, least = _sample(robot, clips, shown, frames, starts)
    per_arm = len(profile.arms[0].joints) if profile.arms else 0
    return Found(name, (len(profile.joint_names), per_arm),
                 {limb: np.degrees(np.concatenate(rows)).ravel() for limb, rows in errors.items()},
                 arms, least, times)


def _played(retargeter: Retargeter, clips: list[Array]) -> tuple[list[Array], Array]:
    """Return joint positions of each clip, and the processor time of every frame [ms]."""
    workspace = retargeter.workspace()
    times, shown = [], []
    for poses in clips:
        state = retargeter.initial_state()
        still = np.repeat(poses[:1], SETTLE_FRAMES, axis=0)
        _, state = retargeter.retarget(still, state, 0, workspace)
        rows = []
        for row in range(len(poses)):
            begin_ns = time.thread_time_ns()
            positions, state = retargeter.retarget(poses[row:row + 1], state, 0, workspace)
            times.append((time.thread_time_ns() - begin_ns) / 1e6)
            rows.append(positions[0])
        shown.append(np.stack(rows))
    return shown, np.array(times)


def _sample(robot: LimbDirections, clips: list[Array], shown: list[Array], frames: int,
            starts: int) -> tuple[Array, Array]:
    """Return mean errors of the arms' limbs over sampled frames, as shown and at best [degree]."""
    poses, positions = np.concatenate(clips), np.concatenate(shown)
    rows = np.random.default_rng(0).choice(len(poses), min(frames, len(poses)), replace=False)
    if not len(rows):
        return np.full(3, np.nan), np.full(3, np.nan)
    errors = direction_errors(robot, poses[rows], positions[rows])
    least = [least_errors(robot, poses[row], positions[row], starts, int(row)) for row in rows]
    return (np.degrees([errors[limb].mean() for limb in LIMBS[:3]]),
            np.degrees(np.mean(least, axis=(0, 1))))


def tables(found: list[Found], clips: list[Array], frames: int, passes: int) -> str:
    """Return the tables as Markdown; only the first without frames."""
    lines = [f'{len(clips)} clips, {sum(map(len, clips))} frames; processor time of one frame on '
             f'one core of: {machine()["cpu"]}, the least of {passes} passes.', '',
             '| robot | joints | ' + ' | '.join(LIMBS) + ' | time p50 / p99 |',
             '|---|---|' + '---|' * (len(LIMBS) + 1)]
    for row in found:
        cells = [_median(row.errors_deg.get(limb)) for limb in LIMBS]
        lines.append(f'| {row.robot} | {row.joints[0]} ({row.joints[1]} an arm) | '
                     + ' | '.join(cells) + f' | {np.percentile(row.times_ms, 50):.2f} / '
                     f'{np.percentile(row.times_ms, 99):.2f} ms |')
    lines += ['', 'Directions: median / 95th percentile in degrees.']
    if not frames:
        return '\n'.join(lines)
    lines += ['', f'The same as means over {frames} frames drawn at random, and beside them the '
              'best that any joint values inside the limits could do:', '',
              '| robot | upper arm, best | forearm, best | hand, best | lost to limits |',
              '|---|---|---|---|---|']
    for row in found:
        cells = [f'{ours:.1f}, {best:.1f}' for ours, best in zip(row.sampled_deg, row.least_deg)]
        share = min(float(row.least_deg.sum() / row.sampled_deg.sum()), 1.0)
        lines.append(f'| {row.robot} | ' + ' | '.join(cells) + f' | {100 * share:.0f} % |')
    return '\n'.join(lines)


def _median(angles: Array | None) -> str:
    if angles is None:
        return '-'
    return f'{np.median(angles):.1f} / {np.percentile(angles, 95):.0f}'


def write_page(text: str) -> None:
    """Put the tables into their place of the page."""
    page = PAGE.read_text(encoding='utf-8')
    head, _, rest = page.partition(BEGIN)
    PAGE.write_text(f'{head}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}', encoding='utf-8')


def main() -> int:
    """Measure and print; write the page when all robots were measured."""
    parser = argparse.ArgumentParser(description='Retargeting error on recorded gestures.')
    parser.add_argument('--data', type=Path, required=True, metavar='DATA',
                        help='folder that holds gestures_smartbody')
    parser.add_argument('--robot', action='append', metavar='NAME',
                        help='profile to measure, by name or path; several times for several '
                             '(default: all, and write docs/retargeting.md)')
    parser.add_argument('--clips', type=int, default=60, metavar='N', help='default: 60')
    parser.add_argument('--frames', type=int, default=40, metavar='N',
                        help='frames in which the best is searched for, 0 for none '
                             '(default: 40)')
    parser.add_argument('--passes', type=int, default=5, metavar='N',
                        help='times that all clips are played, for the time (default: 5)')
    parser.add_argument('--starts', type=int, default=3, metavar='N',
                        help='random starts of each search (default: 3)')
    options = parser.parse_args()
    clips = clips_of(options.data, options.clips)
    found = []
    for name in options.robot or profile_names():
        found.append(measure(name, clips, options.frames, options.starts,
                             max(1, options.passes)))
        print(f'{name}: done', file=sys.stderr)
    text = tables(found, clips, options.frames, max(1, options.passes))
    print(text)
    if not options.robot and options.frames:
        write_page(text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
