"""The drawn face shows what the weights say: readable in pixels, not only in curves."""
from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gesture_node.motion.face import BLENDSHAPE_INDEX, BLENDSHAPE_NAMES, FACE_DIM
from gesture_node.sim.face_view import FaceView

SIZE = 240
MOUTH = np.s_[int(0.64 * SIZE):int(0.93 * SIZE), int(0.3 * SIZE):int(0.7 * SIZE)]
VISEMES = {
    'AA': {'jawOpen': .65, 'mouthLowerDown': .25, 'mouthUpperUp': .1},
    'IY': {'jawOpen': .17, 'mouthStretch': .4, 'mouthSmile': .22},
    'UW': {'jawOpen': .17, 'mouthPucker': .75, 'mouthFunnel': .3},
    'PP': {'jawOpen': .1, 'mouthClose': .1, 'mouthPress': .45, 'mouthRollLower': .2,
           'mouthRollUpper': .2},
    'FF': {'jawOpen': .07, 'mouthRollLower': .5, 'mouthUpperUp': .2, 'mouthShrugUpper': .15},
    'rest': {},
}


@pytest.fixture(scope='module')
def view() -> FaceView:
    return FaceView(SIZE)


def weights(values: dict[str, float]) -> np.ndarray:
    array = np.zeros(FACE_DIM, np.float32)
    for name, value in values.items():
        for each in (name, f'{name}Left', f'{name}Right'):
            if each in BLENDSHAPE_INDEX:
                array[BLENDSHAPE_INDEX[each]] = value
    return array


def dark_pixels(picture: np.ndarray) -> int:
    """Count pixels of the inside of the mouth."""
    red, green, blue = np.moveaxis(picture[MOUTH].astype(int), -1, 0)
    return int(((red < 110) & (green < 60) & (blue < 70)).sum())


def test_size_and_repeatability(view: FaceView):
    first = view.draw(weights(VISEMES['AA']))
    assert first.shape == (SIZE, SIZE, 3) and first.dtype == np.uint8
    view.draw(weights({'tongueOut': 1.0}))
    np.testing.assert_array_equal(view.draw(weights(VISEMES['AA'])), first)


def test_the_dark_of_the_mouth_grows_with_the_jaw(view: FaceView):
    counts = [dark_pixels(view.draw(weights({'jawOpen': s}))) for s in np.linspace(0.1, 1, 7)]
    assert np.all(np.diff(counts) > 0)
    assert dark_pixels(view.draw(weights({'jawOpen': 1.0, 'mouthClose': 1.0}))) < 0.2 * counts[-1]


def test_visemes_look_different(view: FaceView):
    """Any two differ in the mouth by more than 3 % of its pixels, clearly (a fifth of white)."""
    mouths = {name: view.draw(weights(values))[MOUTH].astype(int)
              for name, values in VISEMES.items()}
    for first, second in combinations(mouths, 2):
        changed = np.abs(mouths[first] - mouths[second]).max(axis=-1) > 50
        assert changed.mean() > 0.03, (first, second)


@pytest.mark.parametrize('name', BLENDSHAPE_NAMES)
def test_every_weight_is_visible(view: FaceView, name: str):
    base = {'jawOpen': 0.6} if name == 'mouthClose' else {}
    array = weights(base)
    before = view.draw(array).astype(int)
    array[BLENDSHAPE_INDEX[name]] = 0.6
    changed = np.abs(view.draw(array).astype(int) - before).max(axis=-1) > 20
    assert changed.sum() > 40, name


def test_left_is_drawn_at_the_right(view: FaceView):
    rest = view.draw(weights({})).astype(int)
    wink = np.abs(view.draw(weights({'eyeBlinkLeft': 1.0})).astype(int) - rest).max(axis=-1) > 20
    assert wink[:, SIZE // 2:].sum() > 100
    assert wink[:, :SIZE // 2].sum() == 0
