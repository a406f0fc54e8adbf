"""``plots.png``: what was said, how mouth and hands moved, limits and latencies, on one clock."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..motion.limits import JointLimits
from ..types import Float64Array
from .figures import HopLatencies
from .published import PublishedMotion

_INK, _SOFT = '#1f3b57', '#8fa9c2'
_LEFT, _RIGHT, _JAW = '#c8553d', '#2a7f9e', '#7b4b94'
_WIDTH_IN, _HEIGHT_IN = 12.0, 12.5


@dataclass(frozen=True, slots=True)
class PlotData:
    """Everything that is drawn; times are seconds from the presentation of stream time 0.

    Attributes:
        title: first line.
        sound: shape (n,), [-1, 1].
        sample_rate: [Hz].
        face_s: shape (F,).
        jaw_open, aperture: shape (F,).
        hands_s: shape (T,).
        hands: speed (T,) [m/s] by side.
        motion: executed stretches; their times are on the same clock.
        limits: of the joints of ``motion``.
        body, face: latency of each hop.
        body_budget_s, face_budget_s: what a hop may take.
    """

    title: str
    sound: Float64Array
    sample_rate: int
    face_s: Float64Array
    jaw_open: Float64Array
    aperture: Float64Array
    hands_s: Float64Array
    hands: dict[str, Float64Array]
    motion: Sequence[PublishedMotion]
    limits: JointLimits
    body: HopLatencies
    face: HopLatencies
    body_budget_s: float
    face_budget_s: float


def write_plots(path: Path, data: PlotData) -> None:
    """Write the picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(5, 1, sharex=True, height_ratios=(1.0, 1.0, 1.2, 1.8, 1.2))
    figure.suptitle(data.title, fontsize=12, color=_INK)
    for axis, draw in zip(axes, (_sound, _mouth, _hands, _joints, _latencies)):
        draw(axis, data)
        axis.spines[['top', 'right']].set_visible(False)
        axis.grid(axis='x', color='#e3e8ee')
    axes[0].set_xlim(-0.5, len(data.sound) / data.sample_rate + 2.0)
    axes[-1].set_xlabel('time since the first speech sample was heard [s]')
    figure.savefig(path, dpi=110)


def _sound(axis: Any, data: PlotData) -> None:
    step = max(1, data.sample_rate // 400)
    whole = len(data.sound) - len(data.sound) % step
    blocks = data.sound[:whole].reshape(-1, step)
    times_s = np.arange(len(blocks)) * step / data.sample_rate
    axis.fill_between(times_s, blocks.min(axis=1, initial=0.0), blocks.max(axis=1, initial=0.0),
                      color=_INK, linewidth=0)
    axis.set_ylabel('sound')


def _mouth(axis: Any, data: PlotData) -> None:
    axis.plot(data.face_s, data.jaw_open, color=_SOFT, label='jawOpen')
    axis.fill_between(data.face_s, 0.0, data.aperture, color=_JAW, alpha=0.7, linewidth=0,
                      label='mouth aperture')
    axis.set_ylabel('mouth')
    axis.set_ylim(0.0, None)
    axis.legend(loc='upper right', frameon=False, ncols=2)


def _hands(axis: Any, data: PlotData) -> None:
    for side, color in (('left', _LEFT), ('right', _RIGHT)):
        if side in data.hands:
            axis.plot(data.hands_s, data.hands[side], color=color, label=f'{side} wrist')
    axis.set_ylabel('wrist speed [m/s]')
    axis.set_ylim(0.0, None)
    axis.legend(loc='upper right', frameon=False, ncols=2)


def _joints(axis: Any, data: PlotData) -> None:
    """Draw every joint as a share of its range; the band of a joint is 0 to 1."""
    span = data.limits.upper - data.limits.lower
    for motion in data.motion:
        share = (motion.positions - data.limits.lower) / span
        axis.plot(motion.times_s, share, linewidth=0.9, alpha=0.8)
    for edge in (0.0, 1.0):
        axis.axhline(edge, color=_LEFT, linewidth=1.4)
    axis.set_ylim(-0.08, 1.08)
    axis.set_yticks([0.0, 0.5, 1.0], ['lower limit', 'middle', 'upper limit'])
    axis.set_ylabel(f'{len(span)} joints')


def _latencies(axis: Any, data: PlotData) -> None:
    for hops, color, name, budget_s in (
            (data.body, _RIGHT, 'body', data.body_budget_s),
            (data.face, _JAW, 'face', data.face_budget_s)):
        axis.plot(hops.times_s, 1e3 * hops.latency_s, '.', color=color, label=f'{name} hops')
        axis.axhline(1e3 * budget_s, color=color, linewidth=0.8, linestyle=':')
    axis.set_ylabel('latency per hop [ms]\n(dotted: the hop)')
    axis.set_ylim(0.0, None)
    axis.legend(loc='best', frameon=False, ncols=2)
