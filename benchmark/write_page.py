"""Writes the results of ``gesture_bench`` into the documents.

``python benchmark/write_page.py out/bench.json`` makes ``docs/benchmarks.md`` and fills the place
between ``<!-- benchmark -->`` and ``<!-- end of benchmark -->`` in the README; with ``--check`` it
writes nothing and ends with 1 if either says something else.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = '<!-- benchmark -->', '<!-- end of benchmark -->'
CASES = {'default': 'default hops', 'hop_80_ms': 'hops of 80 ms', 'hop_200_ms': 'hops of 200 ms',
         'hop_400_ms': 'hops of 400 ms'}
CHANNELS = ('body', 'face')
PERCENTILES = ('p50', 'p95', 'p99')


def milliseconds(seconds: float) -> str:
    """Return a duration for a table."""
    return f'{1e3 * seconds:.0f} ms'


def where(figures: dict[str, Any]) -> str:
    """Return what the figures were measured on, as one sentence."""
    machine = figures['machine']
    return (f'{machine["cpu"]}, {machine["cores"]} cores, {figures["provider"]}, bundle '
            f'`{figures["bundle"]}` {figures["bundle_hash"]}, robot {figures["robot"]}, '
            f'seed {figures["seed"]}, Python {figures["versions"]["python"]}, ONNX Runtime '
            f'{figures["versions"]["onnxruntime"]}.')


def triple(values: dict[str, float], digits: int = 0) -> str:
    """Return p50, p95 and p99 for a table [ms]."""
    return ' / '.join(f'{1e3 * values[q]:.{digits}f}' for q in PERCENTILES)


def overview(figures: dict[str, Any]) -> str:
    """Return the table of the README: latency per hop and channel."""
    rows = ['| hop | channel | sound to published [ms] | computing [ms] | real-time factor |',
            '|---|---|---|---|---|']
    for name in CASES:
        case = figures['streaming'][name]
        for channel in CHANNELS:
            hop = f'{1e3 * case["hop_s"][channel]:.0f} ms'
            rows.append(
                f'| {hop}{" (default)" if name == "default" else ""} | {channel} | '
                f'{triple(case["sound_to_published_s"][channel])} | '
                f'{triple(case["latency_s"][f"{channel}_hop"], 1)} | '
                f'{format(case["rtf"], ".2f") if channel == CHANNELS[0] else ""} |')
    default = figures['streaming']['default']
    gpu = 'no GPU was available' if figures['provider'] == 'CPUExecutionProvider' else (
        f'networks on {figures["provider"]}')
    more = (
        'p50 / p95 / p99. *Sound to published* is the longest wait of a hop: from its first '
        'sample until its motion is out, foresight included. The real-time factor is of both '
        'channels together. First motion of an utterance '
        f'{milliseconds(default["first_motion_latency_s"]["total"])}, first lips '
        f'{milliseconds(default["first_face_latency_s"]["total"])} (default hops). '
        f'Ready in {figures["ready_s"]:.1f} s, {figures["resident_mb"]:.0f} MB resident; '
        f'`gesture_from_file` runs at {figures["offline"]["times_real_time"]:.0f} times real '
        f'time, with one denoiser call per window at '
        f'{figures["offline_calls"]["1"]["times_real_time"]:.0f} times.')
    return '\n'.join([f'`make bench`; {gpu}. {where(figures)}', '', *rows, '', more])


def stages(figures: dict[str, Any]) -> list[str]:
    """Return one table of stages per case."""
    lines: list[str] = []
    for name, title in CASES.items():
        case = figures['streaming'][name]
        lines += ['', f'## {title[0].upper()}{title[1:]}', '',
                  f'Hop of the body {case["hop_s"]["body"]:g} s, of the face '
                  f'{case["hop_s"]["face"]:g} s; denoiser steps {case["steps"]["body"]} and '
                  f'{case["steps"]["face"]}; processor time {case["processor_rtf"]:.3f} of audio '
                  'time.', '', '| stage | p50 | p95 | p99 |', '|---|---|---|---|']
        lines += [f'| {stage} | ' + ' | '.join(
            f'{1e3 * values[q]:.1f} ms' for q in ('p50', 'p95', 'p99')) + ' |'
            for stage, values in case['latency_s'].items()]
    return lines


def targets(figures: dict[str, Any]) -> list[str]:
    """Return the table of what is wanted and what was found."""
    rows = []
    for target in figures['targets']:
        unit = f' {target["unit"]}' if target['unit'] else ''
        value = target['value']
        found = 'not measured' if value is None else f'{value:.3g}{unit}'
        met = '-' if target['met'] is None else ('yes' if target['met'] else 'no')
        rows.append(f'| {target["what"]} | at most {target["limit"]:g}{unit} | {found} | {met} |')
    return ['', '## Wanted and found', '', '| | wanted | found | met |', '|---|---|---|---|',
            *rows]


def files(figures: dict[str, Any]) -> list[str]:
    """Return the table of files: real-time factors and what the stages cost."""
    cases = {'as the bundle says': figures['offline'],
             **{f'{calls} call{"s" if calls != "1" else ""} per window, no guidance': found
                for calls, found in figures['offline_calls'].items()}}
    rows = [f'| {title} | {found["rtf"]:.4f} | {found["processor_rtf"]:.4f} | '
            f'{milliseconds(found["latency_s"]["body_hop"]["p50"])} | '
            f'{milliseconds(found["latency_s"]["face_hop"]["p50"])} |'
            for title, found in cases.items()]
    hop = figures['offline']['hop_s']
    return ['', '## Files', '', f'Hop of the body {hop["body"]:g} s, of the face {hop["face"]:g} '
            's; body, face and robot side by side.', '',
            '| denoiser | real-time factor | processor | body hop | face hop |',
            '|---|---|---|---|---|', *rows]


def flatness(figures: dict[str, Any]) -> list[str]:
    """Return the table of the long stream, if it was measured."""
    if 'flatness' not in figures:
        return []
    rows = [f'| {number} | {row["rtf"]:.3f} | {row["processor_rtf"]:.3f} | '
            f'{row["resident_mb"]:.0f} MB |'
            for number, row in enumerate(figures['flatness']['minutes'], start=1)]
    return ['', '## One long stream', '',
            '| minute | real-time factor | processor | resident |', '|---|---|---|---|', *rows]


def page(figures: dict[str, Any]) -> str:
    """Return ``docs/benchmarks.md``."""
    return '\n'.join([
        '# Benchmarks', '', 'Written by `benchmark/write_page.py` from the JSON of '
        '`gesture_bench`; [latency](latency.md) defines the figures.', '',
        overview(figures), *targets(figures), *stages(figures), *files(figures),
        *flatness(figures), ''])


def readme(text: str, figures: dict[str, Any]) -> str:
    """Return the README with the figures in their place."""
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2] if END in rest else rest
    return f'{head}{BEGIN}\n{overview(figures)}\n{END}{tail}'


def main() -> int:
    """Write both documents, or check them."""
    parser = argparse.ArgumentParser(description='Writes figures into the documents.')
    parser.add_argument('figures', type=Path, metavar='out/bench.json')
    parser.add_argument('--check', action='store_true', help='write nothing; 1 if they differ')
    options = parser.parse_args()
    figures = json.loads(options.figures.read_text(encoding='utf-8'))
    wanted = {
        ROOT / 'docs' / 'benchmarks.md': page(figures),
        ROOT / 'README.md': readme((ROOT / 'README.md').read_text(encoding='utf-8'), figures)}
    old = [path for path, text in wanted.items() if path.read_text(encoding='utf-8') != text]
    for path in old:
        if options.check:
            print(f'{path.relative_to(ROOT)} does not say what {options.figures} does')
        else:
            path.write_text(wanted[path], encoding='utf-8')
    return 1 if options.check and old else 0


if __name__ == '__main__':
    sys.exit(main())
