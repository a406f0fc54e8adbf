"""A drawn face that shows the 52 ARKit weights, in a clean vector style."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .face_mouth import draw_mouth
from .face_paint import Brush, Colour, mixed
from .face_shape import (
    brow_shape,
    CENTRE_X,
    eye_shape,
    EyeShape,
    head_shape,
    mouth_shape,
    MouthShape,
    SIDES,
    smooth_open,
    Weights,
)

Picture = NDArray[np.uint8]

_UNITS = 360.0
_SUPERSAMPLING = 3


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of the drawn face, RGB."""

    background_top: Colour = (223, 232, 240)
    background_bottom: Colour = (198, 212, 226)
    skin: Colour = (246, 209, 180)
    skin_shade: Colour = (231, 184, 153)
    fold: Colour = (196, 138, 108)
    blush: Colour = (240, 168, 148)
    lid: Colour = (236, 190, 160)
    hair: Colour = (74, 53, 46)
    brow: Colour = (82, 58, 48)
    line: Colour = (92, 60, 50)
    sclera: Colour = (252, 252, 250)
    iris: Colour = (58, 118, 132)
    iris_edge: Colour = (34, 72, 88)
    shirt: Colour = (52, 96, 128)


class FaceView:
    """Draws faces of one size and palette; each frame depends on its weights alone.

    Args:
        size: width and height of the picture [px].
        palette: colours.
    """

    def __init__(self, size: int = 360, palette: Palette = Palette()) -> None:
        self._size = size
        self._palette = palette
        self._scale = size * _SUPERSAMPLING / _UNITS
        self._backdrop = self._draw_backdrop()

    def draw(self, weights: NDArray[np.floating]) -> Picture:
        """Return the picture (size, size, 3), RGB, of weights (52,) in [0, 1]."""
        w = Weights(weights)
        picture = self._backdrop.copy()
        brush = Brush(picture, self._scale)
        mouth = mouth_shape(w)
        self._draw_head(brush, w)
        self._draw_cheeks(brush, w)
        self._draw_folds(brush, w, mouth)
        self._draw_nose(brush, w)
        draw_mouth(brush, mouth, self._palette.skin)
        for name, sign in SIDES:
            self._draw_eye(brush, eye_shape(w, name, sign), w[f'eyeBlink{name}'], sign)
            brow = brow_shape(w, name, sign)
            brush.polygon(brow, self._palette.brow)
            brush.ellipse(0.5 * (brow[0] + brow[-1]), (3.0, 3.0), self._palette.brow)
        self._draw_forehead(brush, w)
        self._draw_hair(brush)
        return np.asarray(picture.reduce(_SUPERSAMPLING))

    def _draw_backdrop(self) -> Image.Image:
        """Draw what never moves: background, shoulders, neck, ears, hair behind the head."""
        side = self._size * _SUPERSAMPLING
        share = np.linspace(0.0, 1.0, side)[:, None, None]
        top, bottom = np.array(self._palette.background_top), np.array(
            self._palette.background_bottom)
        rows = np.broadcast_to(top + share * (bottom - top), (side, side, 3))
        picture = Image.fromarray(rows.astype(np.uint8))
        brush, p = Brush(picture, self._scale), self._palette
        brush.ellipse((CENTRE_X, 138.0), (111.0, 112.0), p.hair)
        brush.ellipse((CENTRE_X, 420.0), (176.0, 88.0), p.shirt)
        brush.polygon(np.array([[138, 270], [222, 270], [224, 338], [180, 358], [136, 338]],
                               float), p.skin_shade)
        for _, sign in SIDES:
            brush.ellipse((CENTRE_X + sign * 101.0, 186.0), (14.0, 25.0), p.skin)
            brush.ellipse((CENTRE_X + sign * 102.0, 187.0), (7.0, 16.0), p.skin_shade)
        return picture

    def _draw_head(self, brush: Brush, w: Weights) -> None:
        outline = head_shape(w)
        brush.polygon(outline + [0.0, 7.0], mixed(self._palette.skin_shade, self._palette.fold,
                                                  0.45))
        brush.polygon(outline, self._palette.skin_shade)
        inner = CENTRE_X + (outline[:, 0] - CENTRE_X) * 0.965 - 3.0
        brush.polygon(np.stack([inner, outline[:, 1] - 3.0], axis=-1), self._palette.skin)

    def _draw_cheeks(self, brush: Brush, w: Weights) -> None:
        puff = w['cheekPuff']
        for name, sign in SIDES:
            lift = 7.0 * w[f'cheekSquint{name}'] + 6.0 * w[f'mouthSmile{name}']
            glow = 0.30 + 0.35 * max(puff, 0.7 * w[f'cheekSquint{name}'],
                                     0.5 * w[f'mouthSmile{name}'])
            centre = (CENTRE_X + sign * (62.0 + 6.0 * puff), 226.0 - lift + 12.0 * puff)
            size = (21.0 + 9.0 * puff, 13.0 + 13.0 * puff)
            for share, amount in ((1.0, 0.35), (0.8, 0.7), (0.6, 1.0)):
                brush.ellipse(centre, (size[0] * share, size[1] * share),
                              mixed(self._palette.skin, self._palette.blush, glow * amount))
            if puff > 0.05:
                shine = mixed(self._palette.skin, (255, 244, 232), min(1.0, puff))
                brush.ellipse((centre[0] - 5.0, centre[1] - 9.0), (8.0 * puff, 5.0 * puff), shine)

    def _draw_folds(self, brush: Brush, w: Weights, mouth: MouthShape) -> None:
        """Draw the folds from the nose to the corners of the mouth, and those of the chin."""
        p = self._palette
        for name, sign in SIDES:
            corner = mouth.upper_inner[-1 if sign > 0 else 0]
            depth = max(w[f'mouthSmile{name}'], w[f'noseSneer{name}'],
                        0.8 * w[f'mouthUpperUp{name}'], 0.8 * w[f'cheekSquint{name}'],
                        0.7 * w[f'mouthDimple{name}'], 0.6 * w[f'mouthStretch{name}'])
            if depth > 0.04:
                top = [CENTRE_X + sign * 25.0, 225.0 - 6.0 * w[f'noseSneer{name}']]
                out = [corner[0] + sign * 10.0, corner[1] - 1.0]
                middle = [0.45 * top[0] + 0.55 * out[0] + sign * 6.0, 0.6 * top[1] + 0.4 * out[1]]
                brush.stroke(smooth_open([top, middle, out]), 2.4,
                             mixed(p.skin, p.fold, min(1.0, 0.75 * depth)))
            dimple = max(w[f'mouthDimple{name}'], 0.8 * w[f'mouthPress{name}'])
            if dimple > 0.04:
                x = corner[0] + sign * 5.0
                brush.stroke(smooth_open([[x, corner[1] - 7.0], [x + sign * 3.5, corner[1]],
                                          [x, corner[1] + 7.0]]), 2.6,
                             mixed(p.skin, p.fold, min(1.0, dimple)))
        self._draw_chin(brush, w, mouth)

    def _draw_chin(self, brush: Brush, w: Weights, mouth: MouthShape) -> None:
        p = self._palette
        x, y = mouth.lower_outer[20]
        shrug, forward = w['mouthShrugLower'], w['jawForward']
        chin_y = max(y + 10.0, 291.0 + 28.0 * w['jawOpen'] - 5.0 * shrug)
        arc = np.array([[x - 17.0, chin_y + 2.0], [x, chin_y - 3.0 - 2.0 * shrug],
                        [x + 17.0, chin_y + 2.0]])
        brush.stroke(smooth_open(arc.tolist()), 2.0 + 1.2 * shrug,
                     mixed(p.skin, p.fold, 0.34 + 0.5 * max(shrug, 0.7 * forward)))
        if forward > 0.05:
            brush.ellipse((x, chin_y + 13.0), (20.0 * forward + 4.0, 6.0 * forward + 2.0),
                          mixed(p.skin, (255, 240, 226), forward))
        if shrug > 0.3:
            for offset in (-8.0, 0.0, 8.0):
                brush.ellipse((x + offset, chin_y + 9.0), (1.8, 1.5),
                              mixed(p.skin, p.fold, 0.5 * shrug))

    def _draw_nose(self, brush: Brush, w: Weights) -> None:
        p = self._palette
        rise = {name: 5.0 * w[f'noseSneer{name}'] for name, _ in SIDES}
        brush.stroke(smooth_open([[191.0, 168.0], [194.0, 196.0], [199.0, 212.0]]), 2.2,
                     mixed(p.skin, p.fold, 0.30))
        for name, sign in SIDES:
            up, sneer = rise[name], w[f'noseSneer{name}']
            wing = [[CENTRE_X + sign * 15.0, 212.0 - up], [CENTRE_X + sign * (20.5 + sneer),
                                                           221.0 - up],
                    [CENTRE_X + sign * 14.0, 228.0 - up]]
            brush.stroke(smooth_open(wing), 2.6, mixed(p.skin, p.fold, 0.85))
            brush.ellipse((CENTRE_X + sign * 8.5, 227.5 - 0.7 * up), (4.4 + sneer, 2.3),
                          mixed(p.fold, p.line, 0.55))
            if sneer > 0.08:
                shade = mixed(p.skin, p.fold, sneer)
                for k in range(2):
                    y = 186.0 + 9.0 * k - up
                    brush.stroke(np.array([[CENTRE_X + sign * 6.0, y + 3.0],
                                           [CENTRE_X + sign * 15.0, y - 3.0]]), 2.2, shade)
        brush.stroke(smooth_open([[174.0, 231.5], [180.0, 233.5], [186.0, 231.5]]), 2.2,
                     mixed(p.skin, p.fold, 0.7))

    def _draw_eye(self, brush: Brush, eye: EyeShape, blink: float, sign: float) -> None:
        p = self._palette
        crease = mixed(p.skin, p.fold, 0.75)
        lid = np.concatenate([eye.crease, eye.upper[::-1]])
        brush.polygon(lid, mixed(p.skin, p.lid, 0.9))
        brush.stroke(eye.crease, 2.0, crease)
        if eye.open_area > 12.0:
            self._draw_eyeball(brush, eye)
        brush.stroke(eye.lower, 1.6, mixed(p.skin, p.line, 0.55))
        brush.stroke(eye.upper, 4.2, p.line)
        corner = eye.upper[-1 if sign > 0 else 0]
        droop = 4.0 * blink - 3.0
        brush.stroke(np.array([corner, corner + [sign * 7.0, droop]]), 3.0, p.line)
        if eye.squint > 0.05:
            bag = eye.lower[5:-5] + [0.0, 7.0 - 2.0 * eye.squint]
            brush.stroke(bag, 2.0, mixed(p.skin, p.fold, 0.9 * eye.squint))

    def _draw_eyeball(self, brush: Brush, eye: EyeShape) -> None:
        p = self._palette
        outline = np.concatenate([eye.upper, eye.lower[::-1]])
        with brush.clipped(outline) as inside:
            inside.fill(p.sclera)
            inside.polygon(np.concatenate([eye.upper, eye.upper[::-1] + [0.0, 4.0]]),
                           mixed(p.sclera, p.fold, 0.32))
            x, y = eye.iris
            inside.ellipse((x, y), (11.0, 11.0), p.iris_edge)
            inside.ellipse((x, y), (9.6, 9.6), p.iris)
            inside.ellipse((x, y + 2.6), (6.6, 5.4), mixed(p.iris, (160, 214, 216), 0.45))
            inside.ellipse((x, y), (4.8, 4.8), (22, 26, 32))
            inside.ellipse((x - 3.4, y - 3.8), (2.7, 2.7), (255, 255, 255))

    def _draw_forehead(self, brush: Brush, w: Weights) -> None:
        """Draw the wrinkles that raised and drawn-together brows make."""
        p = self._palette
        raised = max(w['browInnerUp'], 0.9 * w.mean('browOuterUp'))
        if raised > 0.3:
            shade = mixed(p.skin, p.fold, 0.75 * (raised - 0.3))
            for k, half in enumerate((44.0, 36.0)):
                y = 111.0 - 9.0 * k - 4.0 * raised
                brush.stroke(smooth_open([[CENTRE_X - half, y + 2.0], [CENTRE_X, y - 1.0],
                                          [CENTRE_X + half, y + 2.0]]), 2.0, shade)
        down = w.mean('browDown')
        if down > 0.15:
            shade = mixed(p.skin, p.fold, 0.9 * down)
            for sign in (-1.0, 1.0):
                brush.stroke(smooth_open([[CENTRE_X + sign * 6.0, 139.0],
                                          [CENTRE_X + sign * 4.5, 148.0],
                                          [CENTRE_X + sign * 6.0, 157.0]]), 2.0, shade)

    def _draw_hair(self, brush: Brush) -> None:
        fringe = np.concatenate([
            smooth_open([[74.0, 168.0], [72.0, 118.0], [92.0, 62.0], [138.0, 30.0], [190.0, 22.0],
                         [246.0, 42.0], [280.0, 86.0], [289.0, 130.0], [286.0, 168.0]]),
            smooth_open([[279.0, 150.0], [272.0, 118.0], [252.0, 92.0], [226.0, 80.0],
                         [170.0, 94.0], [118.0, 92.0], [92.0, 112.0], [82.0, 150.0]])])
        brush.polygon(fringe, self._palette.hair)
        shine = mixed(self._palette.hair, (255, 226, 200), 0.16)
        brush.stroke(smooth_open([[112.0, 74.0], [144.0, 52.0], [186.0, 44.0]]), 5.0, shine)
