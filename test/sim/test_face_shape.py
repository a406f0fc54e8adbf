"""Every weight moves what it names, in the direction it names."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.motion.face import BLENDSHAPE_INDEX, BLENDSHAPE_NAMES, FACE_DIM
from gesture_node.sim.face_shape import (
    brow_shape,
    eye_shape,
    head_shape,
    mouth_shape,
    polygon_area,
    Weights,
)

STEPS = np.linspace(0.0, 1.0, 9)


def weights(**values: float) -> Weights:
    """Return weights; a name without a side means both sides."""
    array = np.zeros(FACE_DIM)
    for name, value in values.items():
        names = [name] if name in BLENDSHAPE_INDEX else [f'{name}Left', f'{name}Right']
        for each in names:
            array[BLENDSHAPE_INDEX[each]] = value
    return Weights(array)


def mouth_width(w: Weights) -> float:
    return float(np.ptp(mouth_shape(w).upper_outer[:, 0]))


def corner_height(w: Weights, left: bool) -> float:
    """Return how high a corner is drawn; larger is higher in the picture."""
    return float(-mouth_shape(w).upper_outer[-1 if left else 0, 1])


def lip_thickness(w: Weights) -> float:
    mouth = mouth_shape(w)
    return float(mouth.lower_outer[20, 1] - mouth.lower_inner[20, 1]
                 + mouth.upper_inner[20, 1] - mouth.upper_outer[20, 1])


def test_the_neutral_mouth_is_shut():
    assert mouth_shape(weights()).open_area == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize('name', ['jawOpen', 'mouthFunnel', 'mouthLowerDown', 'mouthUpperUp'])
def test_the_mouth_opens_steadily(name: str):
    areas = [mouth_shape(weights(**{name: float(s)})).open_area for s in STEPS]
    assert np.all(np.diff(areas) > 0.0)


@pytest.mark.parametrize('jaw', [0.1, 0.4, 1.0])
def test_mouth_close_seals_the_lips_while_the_chin_stays_down(jaw: float):
    sealed = weights(jawOpen=jaw, mouthClose=jaw)
    assert mouth_shape(sealed).open_area == pytest.approx(0.0, abs=1e-9)
    assert head_shape(sealed)[:, 1].max() == head_shape(weights(jawOpen=jaw))[:, 1].max()
    areas = [mouth_shape(weights(jawOpen=jaw, mouthClose=float(s) * jaw)).open_area for s in STEPS]
    assert np.all(np.diff(areas) < 0.0)


def test_pressing_and_rolling_thin_the_lips():
    for name in ('mouthPress', 'mouthRollUpper', 'mouthRollLower'):
        thickness = [lip_thickness(weights(**{name: float(s)})) for s in STEPS]
        assert np.all(np.diff(thickness) < 0.0), name


@pytest.mark.parametrize(('name', 'sign'), [
    ('mouthSmile', 1), ('mouthStretch', 1), ('mouthPucker', -1), ('mouthFunnel', -1)])
def test_the_mouth_gets_wider_or_narrower(name: str, sign: int):
    widths = [mouth_width(weights(**{name: float(s)})) for s in STEPS]
    assert np.all(sign * np.diff(widths) > 0.0)


@pytest.mark.parametrize('left', [True, False])
def test_smile_and_frown_move_their_own_corner(left: bool):
    side = 'Left' if left else 'Right'
    rest = corner_height(weights(), left)
    smiling, frowning = (weights(**{f'mouth{mood}{side}': 0.8}) for mood in ('Smile', 'Frown'))
    assert corner_height(smiling, left) > rest + 5.0 > rest > corner_height(frowning, left) + 4.0
    assert corner_height(smiling, not left) == pytest.approx(rest)


def test_the_chin_follows_the_jaw():
    chins = [head_shape(weights(jawOpen=float(s)))[:, 1].max() for s in STEPS]
    assert np.all(np.diff(chins) > 0.0)
    chin_x = [head_shape(weights(**{f'jaw{side}': 1.0}))[:, 0] for side in ('Left', 'Right')]
    lowest = head_shape(weights())[:, 1].argmax()
    assert chin_x[0][lowest] > 180.0 > chin_x[1][lowest]


@pytest.mark.parametrize(('side', 'sign'), [('Left', 1.0), ('Right', -1.0)])
def test_lids(side: str, sign: float):
    def area(**values: float) -> float:
        return eye_shape(weights(**values), side, sign).open_area

    assert np.all(np.diff([area(eyeBlink=float(s)) for s in STEPS]) < 0.0)
    assert area(eyeBlink=1.0) == pytest.approx(0.0, abs=1.0)
    assert area(eyeWide=1.0) > area() > area(eyeSquint=1.0) > area(eyeBlink=0.9)
    other = 'Right' if side == 'Left' else 'Left'
    assert area(**{f'eyeBlink{other}': 1.0}) == area()


@pytest.mark.parametrize(('side', 'sign'), [('Left', 1.0), ('Right', -1.0)])
def test_gaze(side: str, sign: float):
    def iris(**values: float) -> np.ndarray:
        return eye_shape(weights(**values), side, sign).iris

    assert sign * iris(eyeLookOut=1.0)[0] > sign * iris()[0] > sign * iris(eyeLookIn=1.0)[0]
    assert iris(eyeLookDown=1.0)[1] > iris()[1] > iris(eyeLookUp=1.0)[1]


def test_brows():
    def ends(**values: float) -> tuple[float, float]:
        """Return how high the inner and the outer end of the left brow are drawn."""
        brow = brow_shape(weights(**values), 'Left', 1.0)
        half = len(brow) // 2
        return float(-brow[0, 1]), float(-brow[half - 1, 1])

    rest = ends()
    assert ends(browInnerUp=1.0)[0] > rest[0] + 8.0
    assert ends(browOuterUpLeft=1.0)[1] > rest[1] + 8.0
    assert ends(browDownLeft=1.0)[0] < rest[0] - 8.0
    assert ends(browDownRight=1.0) == rest


def test_cheeks_puff_out():
    widths = [polygon_area(head_shape(weights(cheekPuff=float(s)))) for s in STEPS]
    assert np.all(np.diff(widths) > 0.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-0.5, 1.5), min_size=FACE_DIM, max_size=FACE_DIM))
def test_any_weights_keep_the_order_of_the_lines(values: list[float]):
    w = Weights(np.array(values))
    mouth = mouth_shape(w)
    lines = (mouth.upper_outer, mouth.upper_inner, mouth.lower_inner, mouth.lower_outer)
    assert all(np.isfinite(line).all() for line in lines)
    for upper, lower in zip(lines, lines[1:]):
        assert np.all(upper[:, 1] <= lower[:, 1] + 1e-9)
    for side, sign in (('Left', 1.0), ('Right', -1.0)):
        eye = eye_shape(w, side, sign)
        assert np.all(eye.upper[:, 1] <= eye.lower[:, 1] + 1e-9)


def test_numbers_that_are_not_finite_count_as_nothing():
    array = np.full(FACE_DIM, np.nan)
    assert all(Weights(array)[name] == 0.0 for name in BLENDSHAPE_NAMES)
