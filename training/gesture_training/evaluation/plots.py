"""Pictures of the report: bars and curves, drawn from the series and figures of the sections."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use('Agg')
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray

from gesture_node.measures.distributions import EDGES
from gesture_node.timeline import FACE_RATE_HZ

from .rows import Figures, Row
from .steps import STEPS

Series = Mapping[str, Mapping[str, NDArray[Any]]]
MET, MISSED, ABSENT = '#3a7d44', '#b23a48', '#9a9a9a'
LIVE, AHEAD, HUMAN, COMPOSER = '#1f5fa8', '#e08e2b', '#333333', '#7b5ea7'
_WINDOW_S = 14.0
_UNITS = {'speed': 'm/s', 'acceleration': 'm/s²', 'jerk': 'm/s³'}


def draw_all(folder: Path, rows: Sequence[Row], found: Figures, series: Series
             ) -> dict[str, str]:
    """Draw what there are series for; return file names and what they show.

    Args:
        folder: where the pictures go.
        rows: of the report.
        found: figures of the sections.
        series: curves by section and name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, tuple[str, Callable[[], Figure | None]]] = {
        'summary.png': ('Targets met and missed', lambda: summary(rows)),
        'lips.png': ('Aperture of one utterance, with its phones', lambda: lips(series)),
        'wrists.png': ('Wrist speed of one take; lines are accents of the voice, dots the beats '
                       'of the motion', lambda: wrists(series)),
        'distributions.png': ('How fast moving wrists are', lambda: distributions(series)),
        'systems.png': ('Arms of the bundle, of people and of the baselines',
                        lambda: systems(found)),
        'steps.png': ('What denoiser calls buy', lambda: calls(found)),
        'foresight.png': ('What hearing ahead buys the lips', lambda: foresight(found))}
    made = {}
    for name, (caption, draw) in drawn.items():
        figure = draw()
        if figure is None:
            continue
        figure.savefig(folder / name, dpi=100, metadata={'Software': None})
        made[name] = caption
    return made


def _figure(rows: int, columns: int, height: float) -> tuple[Figure, NDArray[Any]]:
    figure = Figure(figsize=(9.0, height), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.spines[['top', 'right']].set_visible(False)
        axis.tick_params(labelsize=8)
    return figure, axes


def summary(rows: Sequence[Row]) -> Figure:
    """Return stacked bars of rows met, missed and not measured, by group."""
    groups = list(dict.fromkeys(row.group for row in rows))
    figure, axes = _figure(1, 1, 0.6 + 0.32 * len(groups))
    axis: Axes = axes[0, 0]
    left = np.zeros(len(groups))
    for label, colour, wanted in (('met', MET, True), ('missed', MISSED, False),
                                  ('not measured', ABSENT, None)):
        counts = [sum(row.group == group and row.met is wanted for row in rows)
                  for group in groups]
        bars = axis.barh(groups, counts, left=left, color=colour, label=label)
        axis.bar_label(bars, [str(c) if c else '' for c in counts], label_type='center',
                       color='white', fontsize=8)
        left = left + counts
    axis.invert_yaxis()
    axis.xaxis.set_visible(False)
    axis.legend(fontsize=8, frameon=False, loc='lower right')
    return figure


def lips(series: Series) -> Figure | None:
    """Return the aperture of one utterance, live and ahead, over what the teacher does."""
    needed = ('lips_live', 'lips_ahead', 'lip_references')
    if not all(name in series and len(series[name]) for name in needed):
        return None
    figure, axes = _figure(1, 1, 2.8)
    axis: Axes = axes[0, 0]
    for start, end, kind in series['lips_live']['phones']:
        if kind:
            axis.axvspan(start, end, color='#d9d2c5' if kind == 2 else '#f3b8b8', lw=0)
    curves = (('teacher', HUMAN, series['lip_references']['teacher']),
              ('live', LIVE, series['lips_live']['aperture']),
              ('ahead', AHEAD, series['lips_ahead']['aperture']))
    for label, colour, values in curves:
        axis.plot(np.arange(len(values)) / FACE_RATE_HZ, values, color=colour, lw=1.4,
                  label=label, ls='--' if label == 'teacher' else '-')
    axis.set_xlabel('s; red: p b m, grey: vowels', fontsize=8)
    axis.set_ylabel('mouth aperture', fontsize=8)
    axis.legend(fontsize=8, frameon=False, ncols=3)
    return figure


def wrists(series: Series) -> Figure | None:
    """Return the wrist speed of one take for composer, live and ahead, with accents and beats."""
    shown = [(label, colour, series[name]) for label, name, colour in (
        ('composer', 'baselines', COMPOSER), ('live', 'body_live', LIVE),
        ('ahead', 'body_ahead', AHEAD)) if name in series and 'speeds' in series[name]]
    if not shown:
        return None
    figure, axes = _figure(len(shown), 1, 1.5 * len(shown) + 0.4)
    for axis, (label, colour, curves) in zip(axes[:, 0], shown):
        times, speeds = curves['times'], curves['speeds'].max(axis=1)
        keep = times < _WINDOW_S
        axis.plot(times[keep], speeds[keep], color=colour, lw=1.2)
        axis.vlines(curves['accents'][curves['accents'] < _WINDOW_S], 0, speeds[keep].max(),
                    color='#c9c9c9', lw=1.0, zorder=0)
        beats = curves['beats'][curves['beats'] < _WINDOW_S]
        axis.plot(beats, np.interp(beats, times, speeds), 'o', color=colour, ms=4)
        axis.set_ylabel(f'{label}\nm/s', fontsize=8)
    axes[-1, 0].set_xlabel('s', fontsize=8)
    return figure


def distributions(series: Series) -> Figure | None:
    """Return the distributions of wrist speed, acceleration and jerk, of people and systems."""
    if 'human_speed' not in series.get('baselines', {}):
        return None
    figure, axes = _figure(1, 3, 2.6)
    shown = [('people', HUMAN, 'baselines', 'human'), ('composer', COMPOSER, 'baselines',
                                                       'composer'),
             ('live', LIVE, 'body_live', 'own'), ('ahead', AHEAD, 'body_ahead', 'own')]
    for axis, (name, edges) in zip(axes[0], EDGES.items()):
        for label, colour, section, system in shown:
            values = series.get(section, {}).get(f'{system}_{name}')
            if values is not None:
                axis.stairs(values, edges, color=colour, label=label, lw=1.4)
        axis.set_xscale('log')
        axis.set_xlabel(f'{name} [{_UNITS[name]}]', fontsize=8)
        axis.set_yticks([])
    axes[0, 0].legend(fontsize=7, frameon=False)
    return figure


def systems(found: Figures) -> Figure | None:
    """Return bars of matched share, alignment and Fréchet distance for every system."""
    paths = {'live': 'body_live', 'ahead': 'body_ahead', 'composer': 'baselines.composer',
             'shuffled audio': 'body_live.shuffled_audio', 'clip loop': 'baselines.clip_loop',
             'loudness to arms': 'baselines.loudness_to_arms', 'static': 'baselines.static',
             'people (halves)': 'baselines.human'}
    if found.find('baselines') is None:
        return None
    figure, axes = _figure(1, 3, 2.6)
    for axis, (title, name) in zip(axes[0], (
            ('own speech fits better', 'matched_share'), ('beat alignment', 'alignment'),
            ('Fréchet distance', 'frechet'))):
        values = {label: found(f'{path}.{name}') for label, path in paths.items()}
        kept = {label: value for label, value in values.items() if np.isfinite(value)}
        axis.barh(list(kept), list(kept.values()),
                  color=[LIVE if label in ('live', 'ahead') else ABSENT for label in kept])
        axis.invert_yaxis()
        axis.set_title(title, fontsize=8)
        axis.tick_params(axis='y', labelsize=7)
        if name == 'matched_share':
            axis.axvline(0.5, color='black', lw=0.8, ls=':')
            axis.set_xlim(0.0, 1.0)
    return figure


def calls(found: Figures) -> Figure | None:
    """Return main figures over the number of denoiser calls, for both solvers."""
    if found.find('steps_body') is None or found.find('steps_face') is None:
        return None
    figure, axes = _figure(1, 4, 2.3)
    for axis, (title, path) in zip(axes[0], (
            ('closures reached', 'steps_face.{}.reached'),
            ('own speech fits better', 'steps_body.{}.matched_share'),
            ('wrist speed: distance to people', 'steps_body.{}.hellinger_speed'),
            ('processor time per second, arms', 'steps_body.{}.processor_rtf'))):
        for solver, colour, label in (('ddim', AHEAD, 'DDIM'), ('dpm', LIVE, 'DPM-Solver++')):
            keys = [f'{n} {"ddim" if n == 1 else solver}' for n in STEPS]
            axis.plot(STEPS, [found(path.format(key)) for key in keys], 'o-', color=colour, ms=3,
                      lw=1.2, label=label)
        axis.set_title(title, fontsize=7)
        axis.set_xticks(STEPS)
    axes[0, 0].legend(fontsize=7, frameon=False)
    return figure


def foresight(found: Figures) -> Figure | None:
    """Return closures and AUC of live lips by foresight."""
    table = found.find('foresight')
    if not table:
        return None
    figure, axes = _figure(1, 2, 2.2)
    seconds = [float(key) for key in table]
    for axis, (title, name) in zip(axes[0], (('closures reached', 'reached'), ('AUC', 'auc'))):
        axis.plot(seconds, [table[key][name] for key in table], 'o-', color=LIVE, ms=4)
        axis.set_title(title, fontsize=8)
        axis.set_xlabel('s heard beyond the hop of 0.1 s', fontsize=8)
    return figure
