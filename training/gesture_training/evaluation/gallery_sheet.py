"""Contact sheets of the gallery: pictures of body and face above curves on the clock of the sound.

Times are seconds of the clip's sound. Every body picture carries in its corner the canonical
skeleton at the same moment, seen from the same side: where the two differ, the retargeting did it
and not the network.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib

matplotlib.use('Agg')
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gesture_node.measures.mouth import PhoneInterval
from gesture_node.motion.skeleton import (
    forward_kinematics,
    HAND_TIP_M,
    HEAD_TOP_M,
    JOINT_INDEX,
    JOINT_NAMES,
    PARENTS,
    unpack_pose,
)

from .gallery_moments import Moment

Array = NDArray[np.float64]
COLUMNS = 8
SHUT, NEARLY, APART = 'shut', 'nearly shut', 'not shut'
"""How a closure looks; the words beside it."""
COLOURS = {SHUT: (58, 125, 68), NEARLY: (222, 150, 30), APART: (196, 58, 60)}
_PAPER, _INK, _SOFT = (250, 250, 248), (34, 40, 46), (110, 116, 122)
_LEFT, _RIGHT, _AWAY = '#1f5fa8', '#e08e2b', '#9a9a9a'
_JOINTS = ('#1f5fa8', '#b23a48', '#3a7d44')
_HEADER_PX, _LABEL_PX, _CURVES_PX = 58, 18, 560
_DPI = 100
_STICK_SHARE = 0.3
_STICK_REACH_M, _STICK_LOWEST_M = 1.2, -0.28
_VIEW_AZIMUTH_DEG = 162.0


@dataclass(frozen=True, slots=True)
class Curves:
    """What is drawn under the pictures of a clip.

    Attributes:
        waveform: shape (n,), 16 kHz.
        accents_s: accents of the voice.
        wrists: times (N,) [s] and speeds (N, 2) [m/s] of the left and right wrist of the
            canonical skeleton.
        beats_s: beats of these wrists.
        hands: times and speeds of the robot's hands.
        aperture: shape (T,), 50 Hz.
        teacher: the teacher's aperture for the same phones, shape (T',), 50 Hz.
        vowel_median: aperture of the clip's vowels; a closure is reached under a quarter of it.
        phones: intervals.
        lids: shape (T,), 50 Hz, mean closure of the lids.
        head_deg: positions (K, H) of the head's joints at 50 Hz.
        head_names: names of the H joints.
    """

    waveform: NDArray[np.float32]
    accents_s: Array
    wrists: tuple[Array, Array]
    beats_s: Array
    hands: tuple[Array, Array]
    aperture: Array
    teacher: Array
    vowel_median: float
    phones: Sequence[PhoneInterval]
    lids: Array
    head_deg: Array
    head_names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Frame:
    """Body and face at a moment.

    Attributes:
        moment: when, and what is looked for.
        body, face: square pictures of one size, RGB.
        verdict: of a closure, how far it is shut; empty for other moments.
    """

    moment: Moment
    body: Image.Image
    face: Image.Image
    verdict: str = ''


def contact_sheet(title: str, notes: Sequence[str], frames: Sequence[Frame],
                  curves: Curves) -> Image.Image:
    """Return the sheet of one clip.

    Args:
        title: first line.
        notes: small lines below it, two at most.
        frames: in order of time; wrapped after eight.
        curves: drawn over the whole width.
    """
    size = frames[0].body.width
    blocks = -(-len(frames) // COLUMNS)
    block_px = 2 * size + _LABEL_PX
    height = _HEADER_PX + blocks * block_px + _CURVES_PX
    sheet = Image.new('RGB', (COLUMNS * size, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((8, 20), title, anchor='ls', font=ImageFont.load_default(size=18), fill=_INK)
    for number, note in enumerate(notes[:2]):
        draw.text((8, 37 + 15 * number), note, anchor='ls',
                  font=ImageFont.load_default(size=13), fill=_SOFT)
    for index, frame in enumerate(frames):
        x = index % COLUMNS * size
        y = _HEADER_PX + index // COLUMNS * block_px
        sheet.paste(frame.body, (x, y))
        sheet.paste(frame.face, (x, y + size))
        _label(draw, frame, index + 1, (x, y + 2 * size), size)
    drawn = draw_curves(curves, frames, sheet.width, _CURVES_PX)
    sheet.paste(drawn, (0, height - _CURVES_PX))
    return sheet


def _label(draw: ImageDraw.ImageDraw, frame: Frame, number: int, corner: tuple[int, int],
           size: int) -> None:
    x, y = corner
    colour = COLOURS.get(frame.verdict, _INK)
    text = f'{number}  {frame.moment.time_s:.2f} s  {frame.moment.kind}'
    if frame.verdict:
        text += f': {frame.verdict}'
    draw.text((x + 6, y + 14), text, anchor='ls', font=ImageFont.load_default(size=13),
              fill=colour)
    if frame.verdict:
        draw.rectangle((x + 1, y - size + 1, x + size - 2, y - 2), outline=colour, width=3)


def draw_curves(curves: Curves, frames: Sequence[Frame], width: int, height: int) -> Image.Image:
    """Return sound, hands, mouth and head over time as a picture of a size [px]."""
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, layout='constrained',
                    facecolor=np.array(_PAPER) / 255.0)
    canvas = FigureCanvasAgg(figure)
    axes: list[Axes] = list(figure.subplots(4, 1, sharex=True))
    end_s = len(curves.waveform) / 16_000
    for axis, draw in zip(axes, (_sound, _hands, _mouth, _head)):
        draw(axis, curves)
        axis.spines[['top', 'right']].set_visible(False)
        axis.tick_params(labelsize=8)
        for number, frame in enumerate(frames):
            axis.axvline(frame.moment.time_s, color='#777777', lw=0.6, ls=':')
            if axis is axes[0]:
                axis.annotate(str(number + 1), (frame.moment.time_s, 1.0), fontsize=7,
                              xycoords=('data', 'axes fraction'), ha='center', va='bottom')
    axes[0].set_xlim(0.0, end_s)
    axes[-1].set_xlabel('s', fontsize=8)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _sound(axis: Axes, curves: Curves) -> None:
    count = max(1, len(curves.waveform) // 160)
    blocks = np.abs(curves.waveform[:count * 160]).reshape(count, -1).max(axis=1)
    times_s = (np.arange(count) + 0.5) * 0.01
    axis.fill_between(times_s, -blocks, blocks, color='#b0bec5', lw=0)
    top = float(blocks.max(initial=1e-3))
    axis.vlines(curves.accents_s, -top, top, color='#b23a48', lw=1.4)
    axis.set_yticks([])
    axis.set_ylabel('sound; accents', fontsize=8)


def _hands(axis: Axes, curves: Curves) -> None:
    for (times_s, speeds), width, words in ((curves.wrists, 1.3, '{} wrist'),
                                            (curves.hands, 0.5, '{} hand of the robot')):
        for side, label, colour in ((0, 'left', _LEFT), (1, 'right', _RIGHT)):
            axis.plot(times_s, speeds[:, side], color=colour, lw=width, label=words.format(label))
    times_s, speeds = curves.wrists
    at = np.interp(curves.beats_s, times_s, speeds.max(axis=1)) if len(times_s) else []
    axis.plot(curves.beats_s, at, 'o', color='#333333', ms=4, label='beats')
    axis.set_ylim(0.0, max(0.6, float(speeds.max(initial=0.0)) * 1.1))
    axis.vlines(curves.accents_s, 0.0, axis.get_ylim()[1], color='#b23a48', lw=0.6, zorder=0)
    axis.set_ylabel('wrists [m/s]', fontsize=8)
    axis.legend(fontsize=7, frameon=False, ncols=5, loc='upper right')


def _mouth(axis: Axes, curves: Curves) -> None:
    for phone in curves.phones:
        if phone.kind in ('closure', 'vowel'):
            axis.axvspan(phone.start_s, phone.end_s, lw=0, zorder=0,
                         color='#f3b8b8' if phone.kind == 'closure' else '#e6e1d6')
    for values, colour, label in ((curves.teacher, _AWAY, 'teacher'),
                                  (curves.aperture, '#333333', 'shown')):
        axis.plot(np.arange(len(values)) / 50.0, values, color=colour, lw=1.2, label=label)
    if np.isfinite(curves.vowel_median):
        axis.axhline(0.25 * curves.vowel_median, color='#b23a48', lw=0.8, ls='--')
    axis.set_ylim(0.0, max(0.3, float(curves.aperture.max(initial=0.0)) * 1.05))
    axis.set_ylabel('mouth; p b m red', fontsize=8)
    axis.legend(fontsize=7, frameon=False, ncols=2, loc='upper right')


def _head(axis: Axes, curves: Curves) -> None:
    times_s = np.arange(len(curves.head_deg)) / 50.0
    for column, name in enumerate(curves.head_names):
        axis.plot(times_s, curves.head_deg[:, column], lw=1.1, label=name,
                  color=_JOINTS[column % len(_JOINTS)])
    low, high = axis.get_ylim()
    low, high = min(low, -8.0), max(high, 8.0)
    axis.set_ylim(low, high)
    axis.fill_between(np.arange(len(curves.lids)) / 50.0, low,
                      low + 0.35 * (high - low) * curves.lids, color=_AWAY, alpha=0.6, lw=0,
                      label='lids')
    axis.set_ylabel('head [deg]; lids', fontsize=8)
    axis.legend(fontsize=7, frameon=False, ncols=4, loc='upper right')


def draw_skeleton(picture: Image.Image, pose: NDArray[np.floating]) -> Image.Image:
    """Return a picture with the canonical skeleton of a pose vector (84,) in its upper left."""
    size = int(_STICK_SHARE * picture.width)
    result = picture.copy()
    draw = ImageDraw.Draw(result, 'RGBA')
    draw.rectangle((0, 0, size, size), fill=(255, 255, 255, 190))
    azimuth = np.radians(_VIEW_AZIMUTH_DEG)
    for start, end, colour in _bones(np.asarray(pose, np.float64)):
        points = []
        for x, y, z in (start, end):
            across = np.sin(azimuth) * x - np.cos(azimuth) * y
            points += [size * (0.5 + 0.94 * across / _STICK_REACH_M),
                       size * (0.97 - 0.94 * (z - _STICK_LOWEST_M) / _STICK_REACH_M)]
        draw.line(points, fill=colour, width=2)
    return result


def _bones(pose: Array) -> list[tuple[Array, Array, str]]:
    """Return ends (3,) [m] and colour of each bone, hands and head included."""
    positions, turns = forward_kinematics(unpack_pose(pose)[0])
    bones = [(np.zeros(3) if parent < 0 else positions[parent], positions[joint],
              _bone_colour(JOINT_NAMES[joint])) for joint, parent in enumerate(PARENTS)]
    for name, tip in (('head', HEAD_TOP_M), ('left_wrist', HAND_TIP_M),
                      ('right_wrist', HAND_TIP_M)):
        joint = JOINT_INDEX[name]
        bones.append((positions[joint], positions[joint] + turns[joint] @ tip,
                      _bone_colour(name)))
    return bones


def _bone_colour(name: str) -> str:
    return _LEFT if name.startswith('left') else _RIGHT if name.startswith('right') else '#555555'


def overview_sheet(title: str, rows: Sequence[tuple[str, Mapping[str, str], Sequence[Frame]]],
                   size: int) -> Image.Image:
    """Return one sheet of all clips: a line of words and pictures each.

    Args:
        title: first line.
        rows: per clip its title, what was counted in words, and some frames, as many each.
        size: of a picture [px].
    """
    words_px = 250
    most = max(len(frames) for _, _, frames in rows)
    sheet = Image.new('RGB', (words_px + 2 * most * size, 34 + len(rows) * (size + 4)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((8, 22), title, anchor='ls', font=ImageFont.load_default(size=17), fill=_INK)
    for number, (name, counted, frames) in enumerate(rows):
        y = 34 + number * (size + 4)
        lines = [name, *(f'{key}: {value}' for key, value in counted.items())]
        for line, text in enumerate(lines[:int(size / 14)]):
            draw.text((8, y + 13 + 14 * line), text, anchor='ls',
                      font=ImageFont.load_default(size=13 if not line else 12),
                      fill=_SOFT if line else _INK)
        for column, frame in enumerate(frames):
            for part, picture in enumerate((frame.body, frame.face)):
                small = picture.resize((size, size), Image.Resampling.LANCZOS)
                x = words_px + (2 * column + part) * size
                sheet.paste(small, (x, y))
            if frame.verdict:
                draw.rectangle((x + 1, y + 1, x + size - 2, y + size - 2), width=2,
                               outline=COLOURS[frame.verdict])
    return sheet
