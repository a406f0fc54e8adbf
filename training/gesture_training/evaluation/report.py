"""``make evaluate``: every figure of a bundle in one run, as JSON and as a page with pictures."""
from __future__ import annotations

import argparse
from dataclasses import asdict
import json
import math
from pathlib import Path
import sys
import time
from typing import Any

from gesture_node.bundle import Bundle, read_bundle
from gesture_node.cli.machine import machine, versions
from gesture_node.cli.offline import offline_config
from gesture_node.config import GestureConfig
from gesture_node.exceptions import GestureError

from ..exceptions import TrainingError
from .page import markdown
from .plots import draw_all
from .rows import Figures
from .sections import run_sections, SECTIONS
from .settings import Outcome, Settings
from .targets import all_rows

CORPORA = ('speech_emodb', 'speech_speechocean762', 'gestures_smartbody', 'noise_esc10',
           'face_facegood')


def evaluate(settings: Settings, names: list[str], processes: int
             ) -> tuple[dict[str, Outcome], dict[str, Any]]:
    """Return the outcomes of sections and how the run went.

    Args:
        settings: what to evaluate.
        names: sections to run.
        processes: how many at a time.
    """
    begun_s = time.monotonic()
    outcomes: dict[str, Outcome] = {}
    durations_s: dict[str, float] = {}
    for name, outcome, duration_s in run_sections(settings, names, processes):
        outcomes[name], durations_s[name] = outcome, round(duration_s, 1)
    return ({name: outcomes[name] for name in names},
            {'duration_s': round(time.monotonic() - begun_s, 1), 'processes': processes,
             'section_duration_s': durations_s})


def describe(bundle: Bundle, settings: Settings) -> dict[str, Any]:
    """Return what was evaluated, where and how."""
    live = GestureConfig(seed=settings.seed)
    modes = {'live': live, 'ahead': offline_config(live, bundle)}
    return {
        'bundle': bundle.name, 'bundle_hash': bundle.hash, 'seed': settings.seed,
        'provider': 'CPUExecutionProvider', 'machine': machine(), 'versions': versions(),
        'quick': settings.quick,
        'modes': {name: _words(config, bundle) for name, config in modes.items()}}


def _words(config: GestureConfig, bundle: Bundle) -> str:
    parts = [f'{name} hop {part.hop_s:g} s, foresight {part.foresight_s:g} s, '
             f'{spec.calls(part.steps)} denoiser calls' for name, part, spec in (
                 ('body', config.body, bundle.body), ('face', config.face, bundle.face))]
    return '; '.join(parts)


def material(figures: dict[str, Any]) -> dict[str, str]:
    """Return in words what was measured on, from the figures of the sections."""
    found = Figures(figures)
    words = {}
    lips = found.find('lips_live') or found.find('lips_ahead')
    if lips:
        words['Lips'] = (
            f'{lips["clips"]} utterances of Emo-DB speakers {", ".join(lips["speakers"])} '
            '(German, manual phone times, never trained on)')
    body = found.find('body_live') or found.find('body_ahead')
    if body:
        words['Arms'] = (
            f'{body["takes"]} takes, {body["minutes"]:.1f} min, of speechocean762 speakers '
            f'{", ".join(body["speakers"])} (held out of training)')
    if found.find('baselines.human'):
        words['People'] = (f'{found("baselines.human.clips"):.0f} recorded co-speech clips, '
                           f'{found("baselines.human.minutes"):.1f} min, without sound')
    return words


def cleaned(value: Any) -> Any:
    """Return a value as JSON takes it: numbers of four digits, nothing that is not finite."""
    if isinstance(value, dict):
        return {str(key): cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(inner) for inner in value]
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    return float(f'{value:.4g}') if math.isfinite(value) else None


def write_report(out: Path, settings: Settings, outcomes: dict[str, Outcome],
                 run: dict[str, Any], bench: dict[str, Any] | None) -> dict[str, Any]:
    """Write ``evaluation_report.md``, ``.json`` and ``evaluation/*.png``; return the report.

    Args:
        out: folder of the documents.
        settings: what was evaluated.
        outcomes: of the sections.
        run: how the run went, from :func:`evaluate`.
        bench: what ``gesture_bench`` wrote, or None.
    """
    bundle = read_bundle(settings.bundle)
    figures = {name: outcome.figures for name, outcome in outcomes.items()}
    megabytes = sum(path.stat().st_size for path in bundle.path.iterdir()) / 1e6
    rows = all_rows(Figures(figures), bench, {'hash': bundle.hash, 'megabytes': megabytes})
    report = {**describe(bundle, settings), **run, 'material': material(figures),
              'rows': [asdict(row) for row in rows], 'figures': figures}
    series = {name: outcome.series for name, outcome in outcomes.items()}
    out.mkdir(parents=True, exist_ok=True)
    pictures = draw_all(out / 'evaluation', rows, Figures(figures), series)
    (out / 'evaluation_report.md').write_text(markdown(report, rows, pictures), encoding='utf-8')
    (out / 'evaluation_report.json').write_text(
        json.dumps(cleaned(report), indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    return report


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m gesture_training.evaluation.report',
        description='Evaluate a bundle; write evaluation_report.md, .json and pictures.')
    parser.add_argument('--data', type=Path, required=True, help='corpora folder')
    parser.add_argument('--bundle', type=Path, help='bundle folder; default: the shipped one')
    parser.add_argument('--out', type=Path, default=Path('out/evaluation'),
                        help='folder to write into')
    parser.add_argument('--bench', type=Path, default=Path('out/bench.json'),
                        help='what gesture_bench wrote, for the rows on speed')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--quick', action='store_true', help='small samples: a look, no proof')
    parser.add_argument('--processes', type=int, default=2, help='sections run at a time')
    parser.add_argument('--sections', nargs='+', choices=list(SECTIONS), default=list(SECTIONS),
                        metavar='NAME', help=f'only some of: {", ".join(SECTIONS)}')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Evaluate a bundle; return 0, or 1 after an error a user can cause."""
    options = make_parser().parse_args(arguments)
    settings = Settings(options.data, options.bundle, options.seed, options.quick)
    try:
        check_inputs(options.data, options.processes)
        before = read_bundle(options.bundle).hash
        bench = json.loads(options.bench.read_text()) if options.bench.is_file() else None
        outcomes, run = evaluate(settings, options.sections, options.processes)
        if read_bundle(options.bundle).hash != before:
            raise TrainingError('the bundle changed while it was evaluated; run it again')
        report = write_report(options.out, settings, outcomes, run, bench)
    except (GestureError, TrainingError, json.JSONDecodeError) as error:
        print(f'evaluate: error: {error}', file=sys.stderr)
        return 1
    met = [row['met'] for row in report['rows']]
    print(f'{options.out / "evaluation_report.md"}: {met.count(True)} targets met, '
          f'{met.count(False)} missed, {met.count(None)} not measured')
    return 0


def check_inputs(data: Path, processes: int) -> None:
    """Refuse a data folder that lacks a corpus, before anything is computed.

    Raises:
        TrainingError: a corpus is missing, or no process may run.
    """
    missing = [name for name in CORPORA if not (data / name).is_dir()]
    if missing:
        raise TrainingError(f'{data} has no folder {missing[0]}; needed are {", ".join(CORPORA)}')
    if processes < 1:
        raise TrainingError(f'--processes must be at least 1, got {processes}')


if __name__ == '__main__':
    sys.exit(main())
