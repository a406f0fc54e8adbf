"""Sharper lips stay weights, keep what is certain, and touch nothing but the mouth."""
from hypothesis import given, settings, strategies
import hypothesis.extra.numpy as arrays
import numpy as np

from gesture_node.measures.mouth import mouth_aperture
from gesture_node.motion.face import BLENDSHAPE_INDEX, FACE_DIM, seal_is_valid, UPPER_INDEX
from gesture_node.motion.lips import sharp_lips

RATE_HZ = 50.0
JAW, CLOSE = BLENDSHAPE_INDEX['jawOpen'], BLENDSHAPE_INDEX['mouthClose']
FACES = arrays.arrays(np.float32, strategies.tuples(strategies.integers(1, 40),
                                                    strategies.just(FACE_DIM)),
                      elements=strategies.floats(0.0, 1.0, width=32))


def syllables(depth: float) -> np.ndarray:
    """Return a second of mouth that opens and comes down to a share of it, four times."""
    face = np.zeros((50, FACE_DIM), np.float32)
    wave = 0.5 + 0.5 * np.cos(2.0 * np.pi * 4.0 * np.arange(50) / RATE_HZ)
    face[:, JAW] = 0.4 * (depth + (1.0 - depth) * wave)
    return face


@given(FACES)
@settings(max_examples=60, deadline=None)
def test_any_face_stays_a_face_and_only_lips_change(face):
    sharp = sharp_lips(face, RATE_HZ)
    assert sharp.shape == face.shape and sharp.dtype == np.float32
    assert np.isfinite(sharp).all() and sharp.min() >= 0.0 and sharp.max() <= 1.0
    assert seal_is_valid(sharp).all()
    np.testing.assert_array_equal(sharp[:, UPPER_INDEX], face[:, UPPER_INDEX])


def test_a_still_open_mouth_and_a_shut_one_stay():
    for jaw, close in ((0.0, 0.0), (0.3, 0.0), (0.3, 0.3)):
        face = np.zeros((30, FACE_DIM), np.float32)
        face[:, JAW], face[:, CLOSE] = jaw, close
        np.testing.assert_allclose(sharp_lips(face, RATE_HZ), face, atol=1e-4)


def test_movements_get_larger_and_stay_in_time():
    face = syllables(0.5)
    before, after = mouth_aperture(face), mouth_aperture(sharp_lips(face, RATE_HZ))
    assert np.ptp(after[10:40]) > 1.2 * np.ptp(before[10:40])
    assert after[10:40].argmin() == before[10:40].argmin()


def test_a_doubtful_seal_opens_and_a_likely_one_shuts():
    face = np.zeros((30, FACE_DIM), np.float32)
    face[:, JAW] = 0.4
    for share, opens in ((0.5, True), (0.7, True), (0.99, False)):
        face[:, CLOSE] = share * face[:, JAW]
        moved = mouth_aperture(sharp_lips(face, RATE_HZ)) - mouth_aperture(face)
        assert (moved > 0.0).all() if opens else (moved < 0.0).all()


def test_a_seal_that_opens_is_pressed_less():
    face = np.zeros((30, FACE_DIM), np.float32)
    press = BLENDSHAPE_INDEX['mouthPressLeft']
    face[:, JAW], face[:, press] = 0.4, 0.5
    face[:, CLOSE] = 0.5 * face[:, JAW]
    assert (sharp_lips(face, RATE_HZ)[:, press] < 0.5).all()
    face[:, CLOSE] = face[:, JAW]
    np.testing.assert_allclose(sharp_lips(face, RATE_HZ)[:, press], 0.5, atol=1e-6)
