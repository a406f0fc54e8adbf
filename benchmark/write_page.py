"""Writes the results of ``gesture_bench`` into the documents.

``python benchmark/write_page.py out/bench.json`` makes ``docs/benchmarks.md`` and fills the place
between ``<!-- benchmark -->`` and ``<!-- end of benchmark -->`` in the README.
"""
from __future__ import annotations

import json
from pathlib import Path
import sys
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = '<!-- benchmark -->', '<!-- end of benchmark -->'
CASES = {'default': 'default hops', 'hop_200_ms': 'hops of 200 ms', 'hop_80_ms': 'hops of 80 ms'}


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


def overview(figures: dict[str, Any]) -> str:
    """Return the table of the README."""
    rows = ['| | real-time factor | body hop p50 / p99 | first motion | first face |',
            '|---|---|---|---|---|']
    for name, title in CASES.items():
        case = figures['streaming'][name]
        hop = case['latency_s']['body_hop']
        rows.append(f'| {title} | {case["rtf"]:.2f} | {milliseconds(hop["p50"])} / '
                    f'{milliseconds(hop["p99"])} | '
                    f'{milliseconds(case["first_motion_latency_s"]["total"])} | '
                    f'{milliseconds(case["first_face_latency_s"]["total"])} |')
    more = (f'Ready in {figures["ready_s"]:.1f} s, {figures["resident_mb"]:.0f} MB resident; '
            f'`gesture_from_file` runs at {figures["offline"]["times_real_time"]:.0f} times real '
            f'time, with one denoiser call per window at '
            f'{figures["offline_calls"]["1"]["times_real_time"]:.0f} times.')
    return '\n'.join([f'`make bench` on {where(figures)}', '', *rows, '', more])


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


def main() -> int:
    """Write both documents."""
    if len(sys.argv) != 2:
        print('usage: python benchmark/write_page.py out/bench.json', file=sys.stderr)
        return 2
    figures = json.loads(Path(sys.argv[1]).read_text(encoding='utf-8'))
    page = ['# Benchmarks', '', 'Written by `benchmark/write_page.py` from the JSON of '
            '`gesture_bench`; [latency](latency.md) defines the figures.', '',
            overview(figures), *targets(figures), *stages(figures), *files(figures),
            *flatness(figures), '']
    (ROOT / 'docs' / 'benchmarks.md').write_text('\n'.join(page), encoding='utf-8')
    readme = ROOT / 'README.md'
    text = readme.read_text(encoding='utf-8')
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2] if END in rest else rest
    readme.write_text(f'{head}{BEGIN}\n{overview(figures)}\n{END}{tail}', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
