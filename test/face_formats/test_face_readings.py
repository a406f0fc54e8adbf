"""Action units, visemes and affect of faces."""
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest

from gesture_node.face_formats.action_units import action_units, AU_COUNT, KNOWN_CODES, SHOWN_BY
from gesture_node.face_formats.affect import affect, AffectMeter, PROTOTYPES, SMOOTHING_S
from gesture_node.face_formats.visemes import shape_weights, VISEME_NAMES, visemes
from gesture_node.motion.face import BLENDSHAPE_INDEX, neutral_face, project_face

FACES = arrays(np.float32, (52,), elements=st.floats(0, 1, width=32))
NS = 1_000_000_000


def face(**weights):
    values = neutral_face()
    for name, value in weights.items():
        values[BLENDSHAPE_INDEX[name]] = value
    return values


def test_an_action_unit_is_the_mean_of_what_shows_it():
    units = action_units(face(mouthSmileLeft=0.8, mouthSmileRight=0.4, browInnerUp=0.3))
    assert units.shape == (AU_COUNT,) and units.dtype == np.float32
    assert units[12] == pytest.approx(0.6) and units[1] == pytest.approx(0.3)
    assert np.count_nonzero(units) == 2


def test_lips_part_and_the_mouth_stretches_with_the_jaw():
    units = action_units(face(jawOpen=0.8, mouthClose=0.3))
    assert (units[25], units[26], units[27]) == pytest.approx((0.5, 0.8, 0.5))
    assert action_units(face(jawOpen=0.4, mouthClose=0.4))[[25, 27]].tolist() == [0.0, 0.0]


def test_gaze_to_the_left_is_61():
    assert action_units(face(eyeLookOutLeft=0.6, eyeLookInRight=0.6))[61] == pytest.approx(0.6)


def test_every_blendshape_but_the_seal_shows_in_some_unit():
    shown = {name for names in SHOWN_BY.values() for name in names}
    assert set(BLENDSHAPE_INDEX) - shown == {
        'mouthClose', 'mouthLeft', 'mouthRight', 'mouthShrugUpper'}
    assert len(KNOWN_CODES) == len(SHOWN_BY) + 2 and max(KNOWN_CODES) < AU_COUNT


@given(FACES)
@settings(max_examples=100, deadline=None)
def test_any_face_gives_units_and_visemes_in_range(weights):
    weights = project_face(weights)
    units = action_units(weights)
    assert ((units >= 0) & (units <= 1)).all()
    assert not np.delete(units, KNOWN_CODES).any()
    shares = visemes(weights)
    assert shares.shape == (15,) and ((shares >= 0) & (shares <= 1)).all()
    assert shares.sum() == pytest.approx(1.0, abs=1e-5)
    felt = affect(units)
    assert -1 <= felt.valence <= 1 and -1 <= felt.arousal <= 1 and 0 <= felt.confidence <= 1


def test_rows_are_independent():
    faces = np.random.default_rng(1).random((4, 52))
    assert np.allclose(action_units(faces), [action_units(row) for row in faces])


@pytest.mark.parametrize('name', VISEME_NAMES)
def test_a_mouth_that_shows_a_viseme_is_recognised(name):
    shares = visemes(shape_weights(name))
    assert shares[VISEME_NAMES.index(name)] > 0.99


@pytest.mark.parametrize('name', VISEME_NAMES[1:])
def test_a_viseme_shown_by_half_is_half_silence(name):
    shares = visemes(0.5 * shape_weights(name))
    assert shares[VISEME_NAMES.index(name)] == pytest.approx(0.5, abs=0.02)
    assert shares[0] == pytest.approx(0.5, abs=0.02)


def test_brows_and_lids_are_no_viseme():
    assert visemes(face(browInnerUp=1, eyeBlinkLeft=1, eyeBlinkRight=1))[0] == pytest.approx(1.0)


@pytest.mark.parametrize('name', PROTOTYPES)
def test_a_prototype_is_its_expression(name):
    codes, valence, arousal = PROTOTYPES[name]
    units = np.zeros(AU_COUNT, np.float32)
    units[list(codes)] = 0.8
    felt = affect(units)
    assert felt.expression == name and felt.confidence > 0.9
    assert np.sign(felt.arousal) == np.sign(arousal)
    if abs(valence) > 0.2:
        assert np.sign(felt.valence) == np.sign(valence)


def test_speaking_alone_is_neutral():
    felt = affect(action_units(face(jawOpen=0.7, mouthFunnel=0.5, mouthPucker=0.3)))
    assert felt.expression == 'neutral' and felt.valence == felt.arousal == 0.0


def test_a_syllable_does_not_change_the_expression_but_a_smile_does():
    meter = AffectMeter()
    smile = action_units(face(mouthSmileLeft=0.9, mouthSmileRight=0.9, cheekSquintLeft=0.8,
                              cheekSquintRight=0.8))
    calm = action_units(neutral_face())
    assert meter.add(calm, 0).expression == 'neutral'
    now_ns = 0
    for _ in range(5):
        now_ns += NS // 50
        felt = meter.add(smile, now_ns)
    assert felt.expression == 'neutral'
    for _ in range(int(4 * SMOOTHING_S * 50)):
        now_ns += NS // 50
        felt = meter.add(smile, now_ns)
    assert felt.expression == 'happy' and felt.valence > 0.7
    assert meter.add(calm, now_ns - NS).expression == 'neutral'
