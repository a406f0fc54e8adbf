"""Painting in drawing units: filled shapes, round strokes, clipping, on a supersampled picture."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Array = NDArray[np.float64]


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour a share of the way from ``first`` to ``second``."""
    share = min(max(share, 0.0), 1.0)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second))
    return red, green, blue


class Brush:
    """Draws on a picture in units of its own.

    Args:
        picture: what is drawn on.
        scale: pixels per unit.
        origin: the picture's upper left corner, in units.
    """

    def __init__(self, picture: Image.Image, scale: float,
                 origin: tuple[float, float] = (0.0, 0.0)) -> None:
        self._picture = picture
        self._scale = scale
        self._origin = np.array(origin)
        self._draw = ImageDraw.Draw(picture)

    def _pixels(self, points: Array) -> list[float]:
        pixels: list[float] = ((points - self._origin) * self._scale).ravel().tolist()
        return pixels

    def polygon(self, points: Array, colour: Colour) -> None:
        """Fill a polygon (N, 2)."""
        self._draw.polygon(self._pixels(points), fill=colour)

    def ellipse(self, centre: tuple[float, float] | Array, radii: tuple[float, float],
                colour: Colour) -> None:
        """Fill an upright ellipse."""
        x, y = (np.array(centre) - self._origin) * self._scale
        rx, ry = radii[0] * self._scale, radii[1] * self._scale
        self._draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=colour)

    def stroke(self, points: Array, width: float, colour: Colour) -> None:
        """Draw a line (N, 2) with round ends."""
        pixels = self._pixels(points)
        width_px = max(1, round(width * self._scale))
        self._draw.line(pixels, fill=colour, width=width_px, joint='curve')
        half = 0.5 * width_px
        for x, y in (pixels[:2], pixels[-2:]):
            self._draw.ellipse((x - half, y - half, x + half, y + half), fill=colour)

    def fill(self, colour: Colour) -> None:
        """Fill the whole picture."""
        self._picture.paste(colour, (0, 0, *self._picture.size))

    @contextmanager
    def clipped(self, outline: Array) -> Iterator[Brush]:
        """Yield a brush whose marks stay inside a polygon (N, 2)."""
        low = np.floor((outline.min(axis=0) - self._origin) * self._scale).astype(int)
        high = np.ceil((outline.max(axis=0) - self._origin) * self._scale).astype(int) + 1
        size = (max(1, int(high[0] - low[0])), max(1, int(high[1] - low[1])))
        origin = self._origin + low / self._scale
        layer = self._picture.crop((int(low[0]), int(low[1]), int(low[0]) + size[0],
                                    int(low[1]) + size[1]))
        mask = Image.new('L', size, 0)
        ImageDraw.Draw(mask).polygon(((outline - origin) * self._scale).ravel().tolist(), fill=255)
        yield Brush(layer, self._scale, (float(origin[0]), float(origin[1])))
        self._picture.paste(layer, (int(low[0]), int(low[1])), mask)
