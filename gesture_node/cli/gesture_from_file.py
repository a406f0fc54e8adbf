"""``gesture_from_file``: a sound file in, joint and face motion out as files. Needs no ROS.

``gesture_from_file IN.wav --robot NAME --out DIR [--seed N] [--samples N] [--bundle DIR]
[--persona REF.wav] [--video]`` writes ``joints.csv``, ``face.csv``, ``motion.bvh``,
``summary.json`` and, when asked, ``video.mp4``. The first sample goes to DIR, further ones to
``DIR/sample_1`` and so on, each with the next seed.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
import sys

import numpy as np
from tqdm import tqdm

from ..config import GestureConfig, with_values
from ..exceptions import ConfigError, GestureError
from ..motion.collision_model import unwatched_arms
from ..motion.face import BLENDSHAPE_NAMES
from ..motion.robot import load_profile, RobotProfile
from ..operations.processor import compute_on_own_threads
from ..pipeline import GesturePipeline
from ..report import table, write_json
from ..timeline import BODY_RATE_HZ, FACE_RATE_HZ, KNOT_RATE_HZ
from ..types import Float32Array
from .audio_file import AudioFile, read_audio_file
from .motion_files import write_bvh, write_table
from .offline import generate, network_threads, offline_config, OfflineMotion
from .offline_gestures import timed_gestures, TimedGesture
from .offline_summary import summarise

_BAR_FROM_S = 20.0
_MOST_SAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class _Job:
    """What the command line asked for, ready to run."""

    audio: AudioFile
    profile: RobotProfile
    config: GestureConfig
    pipeline: GesturePipeline
    out: Path
    samples: int
    video: bool
    side_by_side: bool
    persona_file: str = ''
    persona: Float32Array | None = None
    gestures: tuple[TimedGesture, ...] = ()


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog='gesture_from_file', description='Gestures and facial animation for a sound file.')
    parser.add_argument('audio', metavar='IN.wav', help='speech: WAV, FLAC, OGG or MP3')
    parser.add_argument('--robot', default='humanoid', metavar='NAME',
                        help='profile in config/robots or path of a YAML (default: humanoid)')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR',
                        help='folder for the results; made if need be')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='the same seed repeats the same motion (default: 0)')
    parser.add_argument('--samples', type=int, default=1, metavar='N',
                        help='different motions for the same speech (default: 1)')
    parser.add_argument('--bundle', default='', metavar='DIR',
                        help='model bundle (default: the one that ships)')
    parser.add_argument('--persona', type=Path, metavar='REF.wav',
                        help='recording of a voice whose style to take (default: the style of '
                             'IN.wav)')
    parser.add_argument('--hop', type=float, metavar='S',
                        help='motion per body window [s]; default: the longest the bundle allows')
    parser.add_argument('--provider', default='auto', metavar='NAME',
                        help='auto, cpu, cuda or tensorrt (default: auto)')
    parser.add_argument('--threads', type=int, default=2, metavar='N',
                        help='threads of computation on the CPU (default: 2)')
    parser.add_argument('--gesture', action='append', default=[], metavar='REQUEST@S',
                        help='a gesture by name and the time of its stroke, such as greet@1.0; '
                             'may be repeated (see docs/gestures.md)')
    parser.add_argument('--video', action='store_true', help='also write video.mp4')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0, or 1 after an error a user can cause.

    Args:
        arguments: command line without the program; ``sys.argv`` when ``None``.
    """
    options = make_parser().parse_args(arguments)
    compute_on_own_threads()
    try:
        job = _prepare(options)
        for number in range(job.samples):
            _run(job, number)
    except GestureError as error:
        print(f'gesture_from_file: error: {error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(f'gesture_from_file: error: cannot write to {str(options.out)!r}: '
              f'{error.strerror or error}', file=sys.stderr)
        return 1
    return 0


def _prepare(options: argparse.Namespace) -> _Job:
    if not 1 <= options.samples <= _MOST_SAMPLES:
        raise ConfigError(f'--samples must be in [1, {_MOST_SAMPLES}], got {options.samples}')
    config = with_values(GestureConfig(), {
        'seed': options.seed, 'robot': options.robot, 'bundle': options.bundle,
        'provider': options.provider, 'threads': options.threads})
    audio = read_audio_file(options.audio)
    profile = load_profile(options.robot)
    bare = unwatched_arms(profile)
    if bare:
        print(f'{profile.name}: nothing keeps the {" and the ".join(bare)} arm from the body, as '
              'the URDF has no shapes there but meshes; give it capsules (docs/safety.md, '
              'collision)', file=sys.stderr)
    threads, side_by_side = network_threads(config.threads)
    pipeline = GesturePipeline.from_bundle(
        options.bundle or None, provider=options.provider, threads=threads)
    config = offline_config(config, pipeline.bundle)
    if options.hop is not None:
        config = replace(config, body=replace(config.body, hop_s=options.hop))
    persona: Float32Array | None = None
    if options.persona is not None:
        reference = read_audio_file(options.persona)
        persona = pipeline.persona_of(reference.samples, reference.sample_rate)
    options.out.mkdir(parents=True, exist_ok=True)
    return _Job(audio, profile, config, pipeline, options.out, options.samples, options.video,
                side_by_side, str(options.persona or ''), persona,
                timed_gestures(options.gesture, profile, pipeline.bundle.body.idle,
                               audio.duration_s))


def _run(job: _Job, number: int) -> None:
    config = replace(job.config, seed=job.config.seed + number)
    out = job.out if number == 0 else job.out / f'sample_{number}'
    out.mkdir(exist_ok=True)
    quiet = job.audio.duration_s * job.samples < _BAR_FROM_S
    with tqdm(total=job.audio.duration_s + 1e-6, desc=f'seed {config.seed}', disable=quiet,
              mininterval=_bar_interval_s(),
              bar_format='{desc} {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s of audio '
                         '[{elapsed}<{remaining}]') as bar:
        motion = generate(job.pipeline, job.audio, job.profile, config, bar.update, job.persona,
                          job.side_by_side, job.gestures)
    _write_motion(out, motion)
    summary = summarise(motion, job.audio, job.profile, config, job.pipeline, job.persona_file)
    write_json(out / 'summary.json', summary.as_dict())
    if job.video:
        _write_video(out / 'video.mp4', motion, job, config.seed)
    print(table([
        ('wrote', str(out)),
        ('audio', f'{summary.audio_s:.2f} s, computed in {motion.compute_s:.2f} s '
                  f'({1.0 / max(summary.rtf, 1e-9):.1f} times real time)'),
        ('robot', f'{summary.robot}, {len(motion.joint_names)} joints, {summary.frames} knots'),
        ('bundle', f'{summary.bundle} {summary.bundle_hash} on {summary.provider}, '
                   f'seed {summary.seed}'),
        ('limit violations', str(summary.limit_violations.total))]))


def _bar_interval_s() -> float:
    """Return how often a progress bar is drawn: seldom where every drawing is a line of a log."""
    return 0.1 if sys.stderr.isatty() else 30.0


def _write_motion(out: Path, motion: OfflineMotion) -> None:
    write_table(out / 'joints.csv', motion.joint_names, motion.positions, KNOT_RATE_HZ)
    write_table(out / 'face.csv', BLENDSHAPE_NAMES, motion.weights, FACE_RATE_HZ)
    write_bvh(out / 'motion.bvh', motion.poses, BODY_RATE_HZ)


def _write_video(path: Path, motion: OfflineMotion, job: _Job, seed: int) -> None:
    """Write the video; the simulator's libraries are loaded only now."""
    from ..sim.tracks import Sound, Track
    from ..sim.video import RobotMotion, write_video

    robot = RobotMotion(
        job.profile.urdf_path, motion.joint_names,
        Track(np.arange(len(motion.positions)) / KNOT_RATE_HZ, motion.positions),
        rest=job.profile.rest_positions)
    face = Track(np.arange(len(motion.weights)) / FACE_RATE_HZ, motion.weights)
    bundle = job.pipeline.bundle
    with tqdm(desc='video', unit='picture', mininterval=_bar_interval_s(),
              disable=job.audio.duration_s < _BAR_FROM_S) as bar:
        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = write_video(path, robot, face, Sound(job.audio.samples, job.audio.sample_rate),
                             title=job.profile.name, progress=progress,
                             captions=(f'bundle {bundle.name} {bundle.hash}', f'seed {seed}'))
    if report.is_drawn:
        print('no OpenGL library was found, so the robot is a drawn figure; install libegl1 '
              '(apt install libegl1) for the rendered one', file=sys.stderr)


if __name__ == '__main__':
    sys.exit(main())
