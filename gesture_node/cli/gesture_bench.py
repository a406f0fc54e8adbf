"""``gesture_bench``: how fast this machine makes motion, as one JSON file and a short table.

Measures real-time factor, stages and latencies at hops of 80, 200 and 400 ms, time to be ready,
memory, whether a long stream stays flat, and the speed of ``gesture_from_file``, and compares them
with what the project wants (``bench_targets``). ``docs/latency.md`` defines each figure.
"""
from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
import sys
from typing import Any

from ..config import GestureConfig, with_values
from ..exceptions import GestureError
from ..motion.robot import load_profile
from ..operations.processor import compute_on_own_threads
from ..pipeline import GesturePipeline
from ..report import table, write_json
from ..resources import share_path
from .audio_file import read_audio_file
from .bench_cases import (
    BenchSubject,
    measure_flatness,
    measure_offline,
    measure_ready,
    measure_streaming,
    with_hops,
)
from .bench_targets import Outcome, outcomes
from .machine import machine, resident_mb, versions
from .offline import network_threads

_SHORT_HOP_S, _MIDDLE_HOP_S, _LONG_HOP_S = 0.08, 0.2, 0.4
_FEW_CALLS = (2, 1)
_FILE_THREADS = 2
"""At least as many as ``gesture_from_file`` takes by default."""
_FILE_SHARE = 2.0
"""Files are this much longer than streams, for they go by faster."""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog='gesture_bench', description='Measures this machine.')
    parser.add_argument('--bundle', default='', metavar='DIR',
                        help='model bundle (default: the one that ships)')
    parser.add_argument('--robot', default='humanoid', metavar='NAME')
    parser.add_argument('--audio', type=Path, metavar='FILE',
                        help='speech (default: examples/hello.wav)')
    parser.add_argument('--provider', default='auto', metavar='NAME')
    parser.add_argument('--threads', type=int, default=GestureConfig().threads, metavar='N',
                        help='threads of networks when streaming (default: those of the node)')
    parser.add_argument('--seed', type=int, default=0, metavar='N')
    parser.add_argument('--seconds', type=float, default=30.0, metavar='S',
                        help='speech per streaming case (default: 30)')
    parser.add_argument('--minutes', type=int, default=10, metavar='N',
                        help='length of the long stream; 0 leaves it out (default: 10)')
    parser.add_argument('--out', type=Path, metavar='FILE', help='JSON file to write')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 0, or 1 after an error a user can cause."""
    options = make_parser().parse_args(arguments)
    compute_on_own_threads()
    try:
        figures = run(options)
        if options.out is not None:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            write_json(options.out, figures)
    except GestureError as error:
        print(f'gesture_bench: error: {error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(f'gesture_bench: error: cannot write {str(options.out)!r}: {error.strerror}',
              file=sys.stderr)
        return 1
    print(table(_rows(figures)))
    return 0


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Return all figures.

    Raises:
        GestureError: bundle, robot, audio or a setting cannot be used.
    """
    config = with_values(GestureConfig(), {
        'seed': options.seed, 'provider': options.provider, 'threads': options.threads,
        'robot': options.robot})
    pipeline = GesturePipeline.from_bundle(
        options.bundle or None, provider=options.provider, threads=options.threads)
    subject = BenchSubject(pipeline, load_profile(options.robot), read_audio_file(
        options.audio or share_path('examples', 'hello.wav')), config)
    cases = {
        'default': config,
        'hop_80_ms': with_hops(config, _SHORT_HOP_S, _SHORT_HOP_S),
        'hop_200_ms': with_hops(config, _MIDDLE_HOP_S, _MIDDLE_HOP_S),
        'hop_400_ms': with_hops(config, _LONG_HOP_S, _LONG_HOP_S)}
    figures: dict[str, Any] = {
        'machine': machine(), 'versions': versions(), 'provider': pipeline.provider,
        'threads': options.threads, 'bundle': pipeline.bundle.name,
        'bundle_hash': pipeline.bundle.hash, 'robot': subject.profile.name, 'seed': options.seed,
        'ready_s': measure_ready(subject),
        'bundle_mb': _folder_mb(pipeline.bundle.path),
        'streaming': {name: measure_streaming(subject, case, options.seconds)
                      for name, case in cases.items()},
        **_file_figures(subject, options), 'resident_mb': resident_mb()}
    if options.minutes > 0:
        figures['flatness'] = measure_flatness(subject, options.minutes)
    return {**figures, 'targets': [outcome.as_dict() for outcome in outcomes(figures)]}


def _file_figures(subject: BenchSubject, options: argparse.Namespace) -> dict[str, Any]:
    """Return what files cost, with the threads that ``gesture_from_file`` gives to networks."""
    threads = max(options.threads, _FILE_THREADS)
    each, _ = network_threads(threads)
    pipeline = GesturePipeline.from_bundle(
        options.bundle or None, provider=options.provider, threads=each)
    subject = replace(subject, pipeline=pipeline, config=replace(subject.config, threads=threads))
    seconds = _FILE_SHARE * options.seconds
    return {'file_threads': threads, 'offline': measure_offline(subject, seconds),
            'offline_calls': {str(calls): measure_offline(subject, seconds, calls)
                              for calls in _FEW_CALLS}}


def _folder_mb(path: Path) -> float:
    return sum(file.stat().st_size for file in path.iterdir() if file.is_file()) / 1e6


def _rows(figures: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [('machine', f'{figures["machine"]["cpu"]}, {figures["machine"]["cores"]} cores, '
                        f'{figures["provider"]}'),
            ('bundle', f'{figures["bundle"]} {figures["bundle_hash"]}, seed {figures["seed"]}'),
            ('ready', f'{figures["ready_s"]:.2f} s'),
            ('resident memory', f'{figures["resident_mb"]:.0f} MB'),
            ('file', _file_row(figures['offline'])),
            *((f'file, {calls} calls', _file_row(found))
              for calls, found in figures['offline_calls'].items())]
    for name, case in figures['streaming'].items():
        latency = case['latency_s']['body_hop']
        out = case['sound_to_published_s']
        rows += [
            (name, f'real-time factor {case["rtf"]:.3f} (processor {case["processor_rtf"]:.3f})'),
            ('  body hop', f'p50 {1e3 * latency["p50"]:.1f} p95 {1e3 * latency["p95"]:.1f} '
                           f'p99 {1e3 * latency["p99"]:.1f} ms'),
            *((f'  sound to {channel}', f'p50 {1e3 * out[channel]["p50"]:.0f} '
               f'p95 {1e3 * out[channel]["p95"]:.0f} p99 {1e3 * out[channel]["p99"]:.0f} ms')
              for channel in ('body', 'face') if channel in out),
            ('  first motion', f'{case["first_motion_latency_s"]["total"]:.3f} s'),
            ('  first face', f'{case["first_face_latency_s"]["total"]:.3f} s')]
    if 'flatness' in figures:
        flat = figures['flatness']
        rows.append((f'{len(flat["minutes"])} minutes', (
            f'last minute costs {flat["last_over_first_processor_rtf"]:.2f} of the first, '
            f'memory {flat["growth_mb"]:+.1f} MB')))
    return rows + [(f'target: {target["what"]}', Outcome(**target).sentence())
                   for target in figures['targets']]


def _file_row(found: dict[str, Any]) -> str:
    return (f'{found["times_real_time"]:.1f} times real time, factor {found["rtf"]:.4f} '
            f'(processor {found["processor_rtf"]:.4f})')


if __name__ == '__main__':
    sys.exit(main())
