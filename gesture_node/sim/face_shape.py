"""Where the lines of a drawn face run, from the 52 ARKit weights.

Coordinates are drawing units: x to the right of the picture, y down, origin at the picture's
upper left, 360 units a side. The face looks at the viewer, so its left is at the picture's right.
The numbers are proportions of a stylised face; what each weight moves follows Apple's
descriptions of the blendshapes, and the lips keep the order upper above lower whatever the input.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..motion.face import BLENDSHAPE_INDEX, project_face

Array = NDArray[np.float64]

CENTRE_X = 180.0
MOUTH_Y = 263.0
EYE_Y = 172.0
EYE_X = 43.0
SIDES = (('Right', -1.0), ('Left', 1.0))
"""Names and directions in the picture: the character's right is drawn at the left."""

JAW_DROP = 42.0
_U = np.linspace(-1.0, 1.0, 41)
_EYE_U = np.linspace(-1.0, 1.0, 25)


class Weights:
    """The weights of one frame by name, clipped to [0, 1] with the seal not beyond the jaw.

    Args:
        values: shape (52,), ARKit names in Apple's order; numbers that are not finite count as 0.
    """

    def __init__(self, values: NDArray[np.floating]) -> None:
        self._values = project_face(np.nan_to_num(np.array(values, dtype=np.float64),
                                                  nan=0.0, posinf=1.0, neginf=0.0)).tolist()

    def __getitem__(self, name: str) -> float:
        value: float = self._values[BLENDSHAPE_INDEX[name]]
        return value

    def pair(self, name: str) -> tuple[float, float]:
        """Return the weights of the character's right and left, the order of the picture."""
        return self[f'{name}Right'], self[f'{name}Left']

    def mean(self, name: str) -> float:
        """Return the mean of right and left."""
        return 0.5 * (self[f'{name}Right'] + self[f'{name}Left'])


@dataclass(frozen=True, slots=True)
class MouthShape:
    """Lip lines, each (41, 2) from the picture's left corner to its right one.

    Attributes:
        upper_outer: upper border of the upper lip, with the bow.
        upper_inner: lower border of the upper lip.
        lower_inner: upper border of the lower lip.
        lower_outer: lower border of the lower lip.
        gap: opening between the lips in the middle.
        upper_teeth_y: lower edge of the upper teeth; it does not move with the jaw.
        lower_teeth_y: upper edge of the lower teeth; it moves with the jaw.
        tongue: how far the tongue is out, [0, 1].
        tongue_y: where the tongue lies.
        pucker: how far the lips are drawn together and forward, [0, 1].
        press: how hard they are pressed together, [0, 1].
    """

    upper_outer: Array
    upper_inner: Array
    lower_inner: Array
    lower_outer: Array
    gap: float
    upper_teeth_y: float
    lower_teeth_y: float
    tongue: float
    tongue_y: float
    pucker: float
    press: float

    @property
    def open_area(self) -> float:
        """Area between the lips, in square drawing units."""
        return polygon_area(np.concatenate([self.upper_inner, self.lower_inner[::-1]]))


@dataclass(frozen=True, slots=True)
class EyeShape:
    """One eye: lid lines (25, 2) from left to right in the picture, and where it looks.

    Attributes:
        upper: edge of the upper lid.
        lower: edge of the lower lid.
        crease: fold above the upper lid; it hardly moves.
        iris: centre (2,) of the iris.
        squint: tension of the lower lid, [0, 1].
    """

    upper: Array
    lower: Array
    crease: Array
    iris: Array
    squint: float

    @property
    def open_area(self) -> float:
        """Area between the lids, in square drawing units."""
        return polygon_area(np.concatenate([self.upper, self.lower[::-1]]))


def polygon_area(points: Array) -> float:
    """Return the area of a polygon (N, 2), by the shoelace formula."""
    x, y = points.T
    return float(0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


def smooth_closed(points: Sequence[Sequence[float]], per_segment: int = 8) -> Array:
    """Return a closed Catmull-Rom curve through points (N, 2), shape (N * per_segment, 2)."""
    p = np.asarray(points, dtype=np.float64)
    return _catmull_rom(np.roll(p, 1, axis=0), p, np.roll(p, -1, axis=0), np.roll(p, -2, axis=0),
                        per_segment)


def smooth_open(points: Sequence[Sequence[float]], per_segment: int = 8) -> Array:
    """Return a Catmull-Rom curve through points (N, 2) from the first to the last."""
    p = np.asarray(points, dtype=np.float64)
    padded = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    curve = _catmull_rom(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], per_segment)
    return np.concatenate([curve, p[-1:]])


def _catmull_rom(a: Array, b: Array, c: Array, d: Array, per_segment: int) -> Array:
    t = np.linspace(0.0, 1.0, per_segment, endpoint=False)[None, :, None]
    a, b, c, d = (p[:, None, :] for p in (a, b, c, d))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
                   + (3 * b - a - 3 * c + d) * t**3)
    return curve.reshape(-1, 2)


def mouth_shape(w: Weights) -> MouthShape:
    """Return the lips for one frame of weights."""
    jaw, close = w['jawOpen'], w['mouthClose']
    pucker, funnel = w['mouthPucker'], w['mouthFunnel']
    roll_up, roll_low, press = w['mouthRollUpper'], w['mouthRollLower'], w.mean('mouthPress')
    tuck = roll_low * (1.0 - roll_up)
    side = 0.5 * (_U + 1.0)
    lift = _blend(w.pair('mouthUpperUp'), side) * 11.0 + 4.0 * tuck + 3.0 * w['mouthShrugUpper']
    lift = lift + 3.0 * _blend(w.pair('noseSneer'), side)
    drop = _blend(w.pair('mouthLowerDown'), side) * 12.0 - 7.0 * w['mouthShrugLower']
    narrow = 1.0 - 0.35 * max(pucker, funnel)
    jaw_gap = JAW_DROP * (jaw - close) * narrow
    round_gap = 11.0 * funnel + 4.0 * pucker * (1.0 - press) + 6.0 * min(w['tongueOut'], 0.6)
    rest = MOUTH_Y + 0.5 * JAW_DROP * close - 3.0 * w['mouthShrugLower'] + 0.06 * JAW_DROP * jaw
    squeeze = 7.0 * press + 2.0 * roll_up
    upper = rest - 0.45 * round_gap - lift + 0.5 * squeeze
    lower = rest + jaw_gap + 0.55 * round_gap + drop - 0.5 * squeeze
    closed = lower < upper
    middle = np.where(closed, 0.5 * (upper + lower), 0.0)
    upper, lower = np.where(closed, middle, upper), np.where(closed, middle, lower)
    x, corner_y = _corners(w, rest, float(np.mean(lower - upper)), jaw_gap)
    bulge = _bulge(min(1.0, funnel + 0.8 * pucker + 0.35 * jaw))
    upper_y = corner_y + (upper - corner_y) * bulge
    lower_y = corner_y + (lower - corner_y) * bulge
    thick = 1.0 + 0.45 * pucker + 0.35 * funnel - 0.5 * press - 0.2 * w.mean('mouthSmile') \
        - 0.2 * w.mean('mouthStretch')
    upper_lip = 10.0 * thick * (1.0 - 0.9 * roll_up) * (1.0 + 0.25 * w['mouthShrugUpper'])
    lower_lip = 13.0 * thick * (1.0 - 0.8 * roll_low) * (1.0 + 0.35 * w['mouthShrugLower'])
    forward = min(1.0, funnel + pucker)
    drawn_in = 1.0 - 0.38 * pucker - 0.22 * funnel
    inner_x = x.mean() + (x - x.mean()) * drawn_in
    jaw_x = 5.0 * (w['jawLeft'] - w['jawRight'])
    bow = (1.0 - np.abs(_U)**2.2)**0.75 * (1.0 - 0.24 * (1.0 - 0.7 * pucker)
                                          * np.exp(-(_U / 0.17)**2))
    return MouthShape(
        upper_outer=np.stack([x, upper_y - max(upper_lip, 0.8) * bow], axis=-1),
        upper_inner=np.stack([inner_x, upper_y], axis=-1),
        lower_inner=np.stack([inner_x + jaw_x * bulge, lower_y], axis=-1),
        lower_outer=np.stack([x + jaw_x * bulge,
                              lower_y + max(lower_lip, 1.2) * (1.0 - _U**2)**0.62], axis=-1),
        gap=float(lower_y[20] - upper_y[20]),
        upper_teeth_y=MOUTH_Y + 6.0 - tuck - 13.0 * forward,
        lower_teeth_y=MOUTH_Y + JAW_DROP * jaw + 1.0 + 9.0 * forward, tongue=w['tongueOut'],
        tongue_y=float(lower[20]), pucker=pucker, press=press)


def _blend(pair: tuple[float, float], side: Array) -> Array:
    return pair[0] + (pair[1] - pair[0]) * side


def _bulge(roundness: float) -> Array:
    """Return how far a lip line leaves the line of the corners: a lens, or round like an O."""
    bulge: Array = np.maximum(1.0 - np.abs(_U)**(2.0 + 0.4 * roundness), 0.0)**(
        1.0 - 0.48 * roundness)
    return bulge


def _corners(w: Weights, rest: float, gap: float, jaw_gap: float) -> tuple[Array, Array]:
    """Return x and corner height (41,) along the lips; each half has its own corner."""
    shift = 10.0 * (w['mouthLeft'] - w['mouthRight']) + 3.0 * (w['jawLeft'] - w['jawRight'])
    lean = 3.0 * abs(w['mouthLeft'] - w['mouthRight'])
    x, height = np.empty_like(_U), np.empty_like(_U)
    for name, sign in SIDES:
        half = _U * sign >= 0.0
        width = 43.0 + 10.0 * w[f'mouthSmile{name}'] + 11.0 * w[f'mouthStretch{name}'] \
            + 5.0 * w[f'mouthDimple{name}'] - 2.0 * w[f'mouthFrown{name}'] \
            + 2.0 * w[f'mouthPress{name}'] - 0.16 * jaw_gap - lean
        width *= 1.0 - 0.46 * w['mouthPucker'] - 0.28 * w['mouthFunnel']
        y = rest - 1.5 + 0.40 * gap - 13.0 * w[f'mouthSmile{name}'] \
            + 11.0 * w[f'mouthFrown{name}'] + 3.0 * w[f'mouthStretch{name}'] \
            - 3.0 * w[f'mouthDimple{name}'] - 2.0 * w[f'cheekSquint{name}']
        x[half] = CENTRE_X + shift + max(width, 11.0) * _U[half]
        height[half] = y
    smooth = 0.5 * (height[0] + height[-1]) + 0.5 * (height[-1] - height[0]) * _U
    return x, smooth


def eye_shape(w: Weights, name: str, sign: float) -> EyeShape:
    """Return one eye; ``name`` is Left or Right, ``sign`` its direction in the picture."""
    blink, wide = w[f'eyeBlink{name}'], w[f'eyeWide{name}']
    squint = min(1.0, w[f'eyeSquint{name}'] + 0.6 * w[f'cheekSquint{name}'])
    down, up = w[f'eyeLookDown{name}'], w[f'eyeLookUp{name}']
    outward = w[f'eyeLookOut{name}'] - w[f'eyeLookIn{name}']
    centre = CENTRE_X + sign * EYE_X
    lower_y = EYE_Y + 10.0 - 5.0 * squint + 1.5 * down
    # At rest the upper lid covers the top of the iris; white above it would look startled.
    openness = max(0.0, (0.9 + 0.46 * wide - 0.28 * squint - 0.26 * down + 0.08 * up)
                   * (1.0 - blink))
    upper_y = lower_y - 25.0 * openness
    corner = EYE_Y + 2.0 - 3.0 * sign * _EYE_U
    arch = (1.0 - _EYE_U**2)**0.72
    x = centre + 26.0 * _EYE_U
    upper = corner + (upper_y - corner) * arch
    lower = corner + (lower_y - corner) * (1.0 - _EYE_U**2)**0.85
    crease = corner - 1.0 + (EYE_Y - 24.0 - 4.0 * wide - corner) * arch
    iris = np.array([centre + sign * 9.5 * outward, EYE_Y - 0.5 + 7.5 * down - 7.0 * up])
    upper, lower, crease = (np.stack([x, y], axis=-1)
                            for y in (np.minimum(upper, lower), lower, crease))
    return EyeShape(upper, lower, crease, iris, squint)


def brow_shape(w: Weights, name: str, sign: float) -> Array:
    """Return the outline (N, 2) of one brow, thick at the inner end and tapered outwards."""
    down, outer, inner = w[f'browDown{name}'], w[f'browOuterUp{name}'], w['browInnerUp']
    anchors = np.array([
        [21.0 - 5.0 * down, 135.0 - 15.0 * inner + 13.0 * down - 2.0 * outer, 2.9],
        [34.0 - 3.0 * down, 129.5 - 11.0 * inner + 10.0 * down - 7.0 * outer, 4.2],
        [53.0 - 1.0 * down, 127.0 - 3.0 * inner + 8.0 * down - 13.0 * outer, 3.4],
        [72.0, 136.0 + 1.0 * inner + 4.0 * down - 13.0 * outer, 0.9]])
    curve = smooth_open(anchors[:, :2].tolist())
    half = np.interp(np.linspace(0, 3, len(curve)), np.arange(4), anchors[:, 2])
    outline = np.concatenate([curve - [0, 1] * half[:, None],
                              (curve + [0, 1] * half[:, None])[::-1]])
    return np.stack([CENTRE_X + sign * outline[:, 0], outline[:, 1]], axis=-1)


def head_shape(w: Weights) -> Array:
    """Return the outline (N, 2) of the head; the chin follows the jaw, the cheeks puff."""
    half = np.array([[52.0, 47.0], [87.0, 82.0], [99.0, 130.0], [98.0, 182.0], [91.0, 232.0],
                     [72.0, 278.0], [40.0, 308.0]])
    points = np.concatenate([[[0.0, 38.0]], half, [[0.0, 319.0]], half[::-1] * [-1.0, 1.0]])
    follow = np.clip((points[:, 1] - 205.0) / 105.0, 0.0, 1.0)**1.4
    puffed = np.exp(-((points[:, 1] - 252.0) / 34.0)**2) * np.sign(points[:, 0])
    points[:, 1] += follow * (0.74 * JAW_DROP * w['jawOpen'] - 4.0 * w['mouthShrugLower']
                              + 3.0 * w['jawForward'])
    points[:, 0] *= 1.0 + follow * (0.05 * w['jawForward'] - 0.07 * w['jawOpen'])
    points[:, 0] += CENTRE_X + follow * 9.0 * (w['jawLeft'] - w['jawRight'])
    points[:, 0] += puffed * (13.0 * w['cheekPuff'] + 3.0 * w.mean('mouthSmile'))
    return smooth_closed(points.tolist())
