"""The report as a page of Markdown; every sentence is made from the figures of this run."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import math
from typing import Any

from .proofs import PROOFS
from .rows import Figures, percent, plain, Row
from .steps import cases

_LIP_SYSTEMS = {
    'live': 'lips_live', 'ahead': 'lips_ahead', 'teacher on manual phones (ceiling)':
    'lip_references.teacher', 'small regression': 'lip_references.small_regression',
    'loudness to jaw': 'lip_references.loudness_to_jaw',
    'shuffled audio': 'lip_references.shuffled_audio', 'static face': 'lip_references.static',
    'live at 10 dB noise': 'lips_noise.live', 'live, unseen languages': 'languages.live'}
_LIP_COLUMNS = {'closures reached': ('reached', percent), 'pooled': ('reached_pooled', percent),
                'vowels falsely closed': ('falsely_closed', percent), 'AUC': ('auc', plain),
                'silence': ('silence_ratio', percent), 'closures': ('closures', plain)}
_ARM_SYSTEMS = {
    'live': 'body_live', 'ahead': 'body_ahead', 'composer': 'baselines.composer',
    'shuffled audio': 'body_live.shuffled_audio', 'clip loop': 'baselines.clip_loop',
    'loudness to arms': 'baselines.loudness_to_arms', 'static pose': 'baselines.static',
    'people, half against half': 'baselines.human'}
_ARM_COLUMNS = {
    'own speech fits better': ('matched_share', percent), 'alignment': ('alignment', plain),
    'beats/min': ('beats_per_minute', plain), 'm/s in speech': ('speed_in_speech_m_s', plain),
    'in silence': ('speed_in_silence_m_s', plain), 'speed': ('hellinger_speed', plain),
    'acceleration': ('hellinger_acceleration', plain), 'jerk': ('hellinger_jerk', plain),
    'Fréchet': ('frechet', plain), 'jitter [mm]': ('jitter_mm', plain)}
_STEP_COLUMNS = {
    'closures': ('steps_face.{}.reached', percent), 'AUC': ('steps_face.{}.auc', plain),
    'blinks/min': ('steps_face.{}.blinks_per_min', plain),
    'face: processor': ('steps_face.{}.processor_rtf', plain),
    'own speech fits better': ('steps_body.{}.matched_share', percent),
    'alignment': ('steps_body.{}.alignment', plain),
    'speed to people': ('steps_body.{}.hellinger_speed', plain),
    'jitter [mm]': ('steps_body.{}.jitter_mm', plain),
    'Fréchet': ('steps_body.{}.frechet', plain),
    'arms: processor': ('steps_body.{}.processor_rtf', plain)}
_NAMED = 8
"""More rows than this that were not measured are counted and not named."""
_NAMES = {'ddim': 'DDIM', 'dpm': 'DPM-Solver++'}


def markdown(report: Mapping[str, Any], rows: Sequence[Row], pictures: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        report: what goes into the JSON file.
        rows: of the report.
        pictures: file names in ``evaluation/`` and what they show.
    """
    found = Figures(report['figures'])
    lines = ['# Evaluation report', '', *_header(report), '', '## Reading it', '',
             *(f'* {sentence}' for sentence in reading(rows, found)), '']
    lines += _picture('summary.png', pictures)
    for group in dict.fromkeys(row.group for row in rows):
        own = [row for row in rows if row.group == group]
        lines += [f'## {group}', '', *_table(
            ['', 'target', 'figure', 'met', 'beside it'],
            [[row.what, row.target, row.figure, _word(row.met), row.beside] for row in own]), '']
    lines += ['## Lips, all systems', '', *_systems(found, _LIP_SYSTEMS, _LIP_COLUMNS), '',
              *_picture('lips.png', pictures), *_picture('foresight.png', pictures),
              '## Arms, all systems', '', *_systems(found, _ARM_SYSTEMS, _ARM_COLUMNS), '']
    for name in ('systems.png', 'wrists.png', 'distributions.png'):
        lines += _picture(name, pictures)
    lines += ['## Denoiser calls', '', 'Ahead. Lips keep the estimate of the first call, so calls '
              'change only what is around them.', '', *_steps(found), '',
              *_picture('steps.png', pictures), *_proofs(rows)]
    return '\n'.join(lines).rstrip() + '\n'


def _header(report: Mapping[str, Any]) -> list[str]:
    machine, material = report['machine'], report['material']
    lines = [
        f'Bundle `{report["bundle"]}` {report["bundle_hash"]}, seed {report["seed"]}, '
        f'{report["provider"]}, {machine["cpu"]}, {machine["cores"]} cores; '
        f'{report["processes"]} processes, {plain(report["duration_s"] / 60)} min. Made by '
        '`make evaluate DATA=/path/to/data`; all numbers are in '
        '[evaluation_report.json](evaluation_report.json), measures are defined in '
        '[evaluation.md](evaluation.md).', '',
        *(f'* {mode}: {words}' for mode, words in report['modes'].items()),
        *(f'* {what}: {words}' for what, words in material.items())]
    if report['quick']:
        lines += ['', '**A quick look: the samples are too small for its figures to count.**']
    return lines


def reading(rows: Sequence[Row], found: Figures) -> Iterator[str]:
    """Yield sentences that say what was met, what was missed and by how much."""
    met, missed = ([row for row in rows if row.met is wanted] for wanted in (True, False))
    absent = [row for row in rows if row.met is None]
    yield (f'{len(met)} of {len(met) + len(missed)} measured targets are met'
           + (f'; {len(absent)} were not measured' if absent else '')
           + (f' ({_joined([row.what for row in absent])})' if 0 < len(absent) <= _NAMED else '')
           + '.')
    for group in dict.fromkeys(row.group for row in missed):
        own = [f'{row.what}: {row.figure} ({row.target})' for row in missed if row.group == group]
        yield f'{group}, missed: {_joined(own)}.'
    for mode in ('live', 'ahead'):
        own, teacher, loud = (found(f'{path}.reached') for path in (
            f'lips_{mode}', 'lip_references.teacher', 'lip_references.loudness_to_jaw'))
        if math.isfinite(own) and math.isfinite(teacher):
            count = plain(found(f'lips_{mode}.closures'))
            yield (f'Lips, {mode}: {percent(own)} of {count} closures reached, between '
                   f'a jaw that follows loudness ({percent(loud)}) and the '
                   f'teacher on manual phones ({percent(teacher)}).')
    recorded = found('lips_recorded.correlation')
    if math.isfinite(recorded):
        yield ('Recorded mouths (FACEGOOD, which bundles learn from, so no proof): apertures '
               f'correlate with the recording at {plain(recorded)}, loudness at '
               f'{plain(found("lips_recorded.loudness_to_jaw_correlation"))}.')
    live, error = found('body_live.matched_share'), found('body_live.matched_error')
    if math.isfinite(live):
        far = live - 0.5 > 2.0 * error
        yield ('Arms: live motion fits its own speech better than other speech in '
               f'{percent(live)} of pairs (± {percent(error)}, one standard error), '
               + ('more than two standard errors above chance' if far else
                  'not clearly more often than chance')
               + f'; the composer in {percent(found("baselines.composer.matched_share"))}, the '
               f'same motion with other speech in '
               f'{percent(found("body_live.shuffled_audio.matched_share"))}.')
    own, halves = found('body_live.frechet'), found('baselines.human.frechet')
    if math.isfinite(own) and math.isfinite(halves):
        yield (f'Fréchet distance: {plain(own)} live, {plain(halves)} between two halves of the '
               'recorded clips, which nothing can be expected to beat.')


def _joined(parts: Sequence[str]) -> str:
    return '; '.join(parts)


def _word(met: bool | None) -> str:
    return 'not measured' if met is None else 'yes' if met else '**no**'


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [f'| {" | ".join(cells)} |'
            for cells in (head, ['---'] * len(head), *body)]


def _systems(found: Figures, systems: Mapping[str, str],
             columns: Mapping[str, tuple[str, Any]]) -> list[str]:
    """Return a table of systems by figures; systems that were not measured are left out."""
    body = [[label, *(show(found(f'{path}.{name}')) for name, show in columns.values())]
            for label, path in systems.items() if found.find(path) is not None]
    return _table(['', *columns], [[cell.replace('none', '') for cell in line] for line in body])


def _steps(found: Figures) -> list[str]:
    body = [[f'{steps}' if steps == 1 else f'{steps}, {_NAMES[solver]}',
             *(show(found(path.format(f'{steps} {solver}'))).replace('none', '')
               for path, show in _STEP_COLUMNS.values())] for steps, solver in cases()]
    return _table(['calls', *_STEP_COLUMNS], body)


def _picture(name: str, pictures: Mapping[str, str]) -> list[str]:
    return [f'![{pictures[name]}](evaluation/{name})', ''] if name in pictures else []


def _proofs(rows: Sequence[Row]) -> list[str]:
    """Return the table of what the systems behind the bundle promise."""
    state = {row.key: row for row in rows}
    body = []
    for proof in PROOFS:
        shown = [f'{state[key].what}: {state[key].figure} ({_word(state[key].met)})'
                 for key in proof.rows if key in state]
        tests = [f'`{test.rpartition("/")[2]}`' for test in proof.tests]
        body.append([proof.name, proof.promise, '<br>'.join(tests), '<br>'.join(shown)])
    return ['## What the systems behind it promise', '',
            'P: Persona-Gestor, D: DiffSpeaker, Z: the talker of ICASSP 2023. A test fails when '
            'the promise is broken; a row is a figure of this page.', '',
            *_table(['', 'promise', 'tests', 'rows'], body), '']
