"""The column beside the robot: title, face, waveform with a play-head, captions."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .face_view import FaceView
from .tracks import Sound

Picture = NDArray[np.uint8]

WIDTH = 426
FACE_SIZE = 360
_MARGIN = (WIDTH - FACE_SIZE) // 2
_BACKGROUND = (243, 246, 249)
_CARD = (255, 255, 255)
_EDGE = (214, 222, 230)
_TEXT = (34, 46, 58)
_SOFT_TEXT = (98, 112, 126)
_WAVE = (176, 190, 204)
_WAVE_PLAYED = (38, 122, 152)
_HEAD = (218, 86, 60)
_FACE_Y = 92
_WAVE_HEIGHT = 84
_SUPERSAMPLING = 2


class SidePanel:
    """Draws the column for any moment of one clip.

    Args:
        height: of the picture [px].
        title: large line on top, such as the robot's name.
        captions: small lines below the waveform.
        sound: what is heard; ``None`` leaves the waveform out.
        start_s: time of the clip's first picture [s].
        end_s: time of its end [s].
    """

    def __init__(self, height: int, title: str, captions: Sequence[str], sound: Sound | None,
                 start_s: float, end_s: float) -> None:
        self._face = FaceView(FACE_SIZE)
        self._start_s, self._end_s = start_s, max(end_s, start_s + 1e-3)
        self._wave_y = _FACE_Y + FACE_SIZE + 22
        self._base = self._draw_base(height, title, captions, sound is not None)
        self._waves = None if sound is None else tuple(
            _draw_wave(sound, start_s, self._end_s, colour) for colour in (_WAVE, _WAVE_PLAYED))
        self._corner = Image.new('L', (FACE_SIZE, FACE_SIZE), 0)
        ImageDraw.Draw(self._corner).rounded_rectangle((0, 0, FACE_SIZE - 1, FACE_SIZE - 1), 14,
                                                       fill=255)

    def draw(self, time_s: float, weights: NDArray[np.floating]) -> Image.Image:
        """Return the column at a time, with the face of weights (52,)."""
        panel = self._base.copy()
        panel.paste(Image.fromarray(self._face.draw(weights)), (_MARGIN, _FACE_Y), self._corner)
        share = min(max((time_s - self._start_s) / (self._end_s - self._start_s), 0.0), 1.0)
        draw = ImageDraw.Draw(panel)
        if self._waves is not None:
            ahead, played = self._waves
            head = round(share * FACE_SIZE)
            panel.paste(ahead, (_MARGIN, self._wave_y))
            panel.paste(played.crop((0, 0, head, _WAVE_HEIGHT)), (_MARGIN, self._wave_y))
            x = _MARGIN + head
            draw.line((x, self._wave_y - 3, x, self._wave_y + _WAVE_HEIGHT + 3), fill=_HEAD,
                      width=2)
        draw.text((WIDTH - _MARGIN, 58), f'{time_s - self._start_s:.1f} s', anchor='rs',
                  font=ImageFont.load_default(size=17), fill=_SOFT_TEXT)
        return panel

    def _draw_base(self, height: int, title: str, captions: Sequence[str],
                   has_wave: bool) -> Image.Image:
        panel = Image.new('RGB', (WIDTH, height), _BACKGROUND)
        draw = ImageDraw.Draw(panel)
        draw.line((0, 0, 0, height), fill=_EDGE, width=2)
        draw.text((_MARGIN, 58), _shortened(title, 25, 300), anchor='ls', fill=_TEXT,
                  font=ImageFont.load_default(size=25))
        if has_wave:
            card = (_MARGIN - 10, self._wave_y - 8, WIDTH - _MARGIN + 10,
                    self._wave_y + _WAVE_HEIGHT + 8)
            draw.rounded_rectangle(card, 10, fill=_CARD, outline=_EDGE)
        y = self._wave_y + _WAVE_HEIGHT + 42
        for caption in captions:
            draw.text((_MARGIN, y), _shortened(caption, 16, FACE_SIZE), anchor='ls',
                      fill=_SOFT_TEXT, font=ImageFont.load_default(size=16))
            y += 24
        return panel


def _shortened(text: str, size: int, width: int) -> str:
    """Return the text, cut with an ellipsis where it is wider than ``width`` [px]."""
    font = ImageFont.load_default(size=size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + '...') > width:
        text = text[:-1]
    return text + '...'


def _draw_wave(sound: Sound, start_s: float, end_s: float,
               colour: tuple[int, int, int]) -> Image.Image:
    """Return the waveform between two times: per column the largest level, on a white card."""
    columns = FACE_SIZE * _SUPERSAMPLING // 3
    count = max(columns, round((end_s - start_s) * sound.sample_rate))
    samples = np.zeros(count, np.float32)
    heard = sound.from_time(start_s)[:count]
    samples[:len(heard)] = np.abs(heard)
    edges = np.linspace(0, count, columns + 1).astype(int)[:-1]
    level = np.maximum.reduceat(samples, edges)
    level = level / max(float(level.max()), 1e-3)
    height = _WAVE_HEIGHT * _SUPERSAMPLING
    wave = Image.new('RGB', (columns * 3, height), _CARD)
    draw = ImageDraw.Draw(wave)
    for column, value in enumerate(level):
        half = max(1.0, 0.5 * value * (height - 8))
        draw.rectangle((3 * column, 0.5 * height - half, 3 * column + 1, 0.5 * height + half),
                       fill=colour)
    return wave.resize((FACE_SIZE, _WAVE_HEIGHT), Image.Resampling.BOX)
