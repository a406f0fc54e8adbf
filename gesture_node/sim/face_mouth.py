"""The drawn mouth: what is inside, teeth, tongue, lips."""
from __future__ import annotations

import numpy as np

from .face_paint import Array, Brush, Colour, mixed
from .face_shape import MouthShape, smooth_closed

_INSIDE: Colour = (74, 22, 30)
_TEETH: Colour = (250, 247, 240)
_TONGUE: Colour = (214, 104, 108)
_TONGUE_LINE: Colour = (182, 78, 86)
_UPPER_LIP: Colour = (188, 88, 88)
_LOWER_LIP: Colour = (206, 106, 104)
_SEAM: Colour = (112, 42, 48)
_SHINE: Colour = (238, 164, 158)
_OPEN = 0.8
"""Gap in drawing units from which the lips are drawn apart."""
_TONGUE_ON_LIP = 0.3


def draw_mouth(brush: Brush, mouth: MouthShape, skin: Colour) -> None:
    """Draw a mouth; ``skin`` is what surrounds it."""
    opening = np.concatenate([mouth.upper_inner, mouth.lower_inner[::-1]])
    is_open = mouth.gap > _OPEN
    if is_open:
        with brush.clipped(opening) as inside:
            _draw_inside(inside, mouth)
    upper = np.concatenate([mouth.upper_outer, mouth.upper_inner[::-1]])
    lower = np.concatenate([mouth.lower_inner, mouth.lower_outer[::-1]])
    brush.polygon(lower, _LOWER_LIP)
    brush.polygon(upper, _UPPER_LIP)
    _draw_shine(brush, mouth)
    if is_open:
        edge = mixed(_SEAM, _INSIDE, 0.4)
        brush.stroke(mouth.upper_inner, 1.6, edge)
        brush.stroke(mouth.lower_inner, 1.2, mixed(_LOWER_LIP, edge, 0.7))
    else:
        brush.stroke(mouth.upper_inner, 2.4 + 1.4 * mouth.press, _SEAM)
    if mouth.pucker > 0.3:
        _draw_pucker_lines(brush, mouth)
    if mouth.tongue > _TONGUE_ON_LIP:
        _draw_tongue_out(brush, mouth)


def _draw_inside(brush: Brush, mouth: MouthShape) -> None:
    brush.fill(_INSIDE)
    x = float(mouth.lower_inner[20, 0])
    width = float(np.ptp(mouth.upper_inner[:, 0]))
    bottom = float(mouth.lower_inner[20, 1])
    if mouth.gap > 9.0:
        height = 0.42 * mouth.gap
        brush.ellipse((x, bottom + 0.12 * height), (0.33 * width, height), _TONGUE)
        brush.stroke(np.array([[x, bottom - 0.55 * height], [x, bottom]]), 1.6, _TONGUE_LINE)
    lower = mouth.lower_teeth_y
    brush.polygon(_teeth(float(mouth.lower_inner[20, 0]), 0.40 * width, lower, lower + 16.0, 2.0),
                  mixed(_TEETH, _INSIDE, 0.10))
    upper = mouth.upper_teeth_y
    brush.polygon(_teeth(float(mouth.upper_inner[20, 0]), 0.44 * width, upper, upper - 26.0, -3.0),
                  _TEETH)
    if lower <= upper + 1.0:
        edge = np.array([[x - 0.42 * width, upper - 0.6], [x, upper + 0.6],
                         [x + 0.42 * width, upper - 0.6]])
        brush.stroke(edge, 1.0, mixed(_TEETH, _INSIDE, 0.35))
    if 0.05 < mouth.tongue <= _TONGUE_ON_LIP:
        top = bottom - (2.0 + 0.75 * mouth.gap) * min(1.0, 3.0 * mouth.tongue)
        brush.ellipse((x, bottom + 2.0), (0.30 * width, bottom + 2.0 - top), _TONGUE)


def _teeth(x: float, half_width: float, edge_y: float, root_y: float, sag: float) -> Array:
    """Return a row of teeth whose edge bends away from the roots' side by ``sag`` at the ends."""
    u = np.linspace(-1.0, 1.0, 15)
    edge = np.stack([x + half_width * u, edge_y + sag * u**2], axis=-1)
    root = np.array([[x + half_width, root_y], [x - half_width, root_y]])
    return np.concatenate([edge, root])


def _draw_shine(brush: Brush, mouth: MouthShape) -> None:
    """Draw a light on the lower lip, stronger and rounder when the lips come forward."""
    inner, outer = mouth.lower_inner[13:28], mouth.lower_outer[13:28]
    thickness = float(outer[7, 1] - inner[7, 1])
    if thickness > 4.0:
        line = inner + 0.42 * (outer - inner)
        brush.stroke(line[3:-3], min(3.2, 0.26 * thickness),
                     mixed(_LOWER_LIP, _SHINE, 0.55 + 0.45 * mouth.pucker))


def _draw_pucker_lines(brush: Brush, mouth: MouthShape) -> None:
    """Draw the small radial folds of lips that are drawn together."""
    shade = mixed(_UPPER_LIP, _SEAM, 0.55 * mouth.pucker)
    for inner, outer in ((mouth.upper_inner, mouth.upper_outer),
                         (mouth.lower_inner, mouth.lower_outer)):
        for column in (12, 20, 28):
            a, b = inner[column], outer[column]
            brush.stroke(np.array([a + 0.2 * (b - a), a + 0.75 * (b - a)]), 1.2, shade)


def _draw_tongue_out(brush: Brush, mouth: MouthShape) -> None:
    x, lip = mouth.lower_inner[20]
    out = mouth.tongue - _TONGUE_ON_LIP
    half = min(19.0, 0.36 * float(np.ptp(mouth.upper_inner[:, 0])))
    top = lip - 0.7 * mouth.gap
    tip = lip + 3.0 + 52.0 * out
    brush.polygon(smooth_closed([[x - 0.9 * half, top], [x + 0.9 * half, top],
                                 [x + half, 0.5 * (top + tip)], [x + 0.6 * half, tip - 2.0],
                                 [x, tip], [x - 0.6 * half, tip - 2.0],
                                 [x - half, 0.5 * (top + tip)]]), _TONGUE)
    brush.stroke(np.array([[x, top + 3.0], [x, tip - 6.0]]), 1.6, _TONGUE_LINE)
