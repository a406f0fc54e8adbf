"""Sampled upper faces: human rates, consistent eyes, another generator another face."""
from gesture_training.corpora.upper_face import (
    blink_times,
    gaze_angles,
    join_face,
    sample_upper_face,
    SpeechCues,
)
import numpy as np
import pytest

from gesture_node.measures.blinks import blink_statistics
from gesture_node.motion.face import BLENDSHAPE_INDEX, BLENDSHAPE_NAMES, FACE_DIM

SECONDS = 300.0
CUES = SpeechCues(SECONDS, np.arange(1.0, SECONDS, 1.3), np.arange(3.0, SECONDS, 3.1),
                  np.arange(3.4, SECONDS, 3.1))
FRAMES = int(SECONDS * 50)


def sampled(seed: int) -> np.ndarray:
    """Return five minutes of upper face."""
    return sample_upper_face(CUES, FRAMES, np.random.default_rng(seed))


def channel(face: np.ndarray, name: str) -> np.ndarray:
    """Return one channel of a face."""
    return face[:, BLENDSHAPE_INDEX[name]]


def test_weights_are_valid_and_the_mouth_at_most_smiles() -> None:
    face = sampled(0)
    assert face.shape == (FRAMES, FACE_DIM)
    assert face.min() >= 0.0
    assert face.max() <= 1.0
    moved = {name for name in BLENDSHAPE_NAMES
             if name.startswith(('jaw', 'mouth', 'tongue')) and channel(face, name).any()}
    assert moved <= {'mouthSmileLeft', 'mouthSmileRight'}


def test_blinks_are_human() -> None:
    found = [blink_statistics(sampled(seed), 50.0) for seed in range(8)]
    assert 15.0 < np.mean([f.rate_per_min for f in found]) < 35.0
    assert all(0.15 < f.median_duration_s < 0.4 for f in found)
    assert all(f.interval_variation > 0.3 for f in found)


def test_blinks_gather_in_pauses() -> None:
    times = np.concatenate([blink_times(CUES, np.random.default_rng(s)) for s in range(20)])
    near = np.abs(times[:, None] - CUES.pauses_s).min(axis=1) < 0.2
    assert near.mean() > 2.0 * 0.4 / 3.1


def test_another_generator_is_another_face_and_the_same_is_the_same() -> None:
    np.testing.assert_array_equal(sampled(1), sampled(1))
    blinks = [channel(sampled(seed), 'eyeBlinkLeft') for seed in (1, 2)]
    assert np.corrcoef(*blinks)[0, 1] < 0.5


def test_both_eyes_look_the_same_way() -> None:
    face = sampled(3)
    left_out, right_in = channel(face, 'eyeLookOutLeft'), channel(face, 'eyeLookInRight')
    np.testing.assert_allclose(left_out, right_in)
    assert not (left_out * channel(face, 'eyeLookInLeft')).any()
    assert not (channel(face, 'eyeLookUpLeft') * channel(face, 'eyeLookDownLeft')).any()
    assert left_out.max() > 0.1


def test_eyes_rest_on_the_listener_most_of_the_time() -> None:
    face = sampled(4)
    aside = channel(face, 'eyeLookOutLeft') + channel(face, 'eyeLookInLeft')
    assert 0.4 < (aside < 4.0 / 35.0).mean() < 0.9


@pytest.mark.parametrize('size', [2.0, 10.0])
def test_saccades_take_25_ms_and_2_4_ms_per_degree(size: float) -> None:
    time_s = np.arange(0.0, 1.0, 0.001)
    yaw, _ = gaze_angles(time_s, [(0.0, 0.0, 0.0), (0.5, size, 0.0)])
    moving = (yaw > 1e-9) & (yaw < size - 1e-9)
    assert moving.sum() == pytest.approx(25.0 + 2.4 * size, abs=2.0)
    assert yaw[-1] == pytest.approx(size)


def test_brows_rise_before_accents() -> None:
    brows = np.mean([channel(sampled(seed), 'browInnerUp') for seed in range(20)], axis=0)
    around = np.array([[brows[int((a + shift) * 50)] for shift in np.arange(-0.4, 0.6, 0.02)]
                       for a in CUES.accents_s[2:-2]]).mean(axis=0)
    peak_s = np.arange(-0.4, 0.6, 0.02)[around.argmax()]
    assert -0.1 <= peak_s <= 0.2


def test_smiles_give_way_to_sealed_lips() -> None:
    upper = np.zeros((2, FACE_DIM))
    upper[:, BLENDSHAPE_INDEX['mouthSmileLeft']] = 0.2
    lips = np.zeros((2, FACE_DIM), np.float32)
    lips[1, [BLENDSHAPE_INDEX['jawOpen'], BLENDSHAPE_INDEX['mouthClose']]] = 0.1
    joined = join_face(lips, upper)
    assert channel(joined, 'mouthSmileLeft')[0] == pytest.approx(0.2)
    assert channel(joined, 'mouthSmileLeft')[1] == pytest.approx(0.1)


def test_emphasis_prefers_prominent_accents() -> None:
    prominences = np.where(np.arange(len(CUES.accents_s)) % 4 == 0, 2.0, 0.0)
    cues = SpeechCues(CUES.duration_s, CUES.accents_s, CUES.pauses_s, CUES.onsets_s, prominences)
    rng = np.random.default_rng(7)
    drawn = np.concatenate([cues.emphases(10, rng) for _ in range(20)])
    strong = np.isin(drawn, CUES.accents_s[::4]).mean()
    assert strong > 0.6
    assert len(cues.emphases(10, rng)) == len(np.unique(cues.emphases(10, rng))) == 10
    assert len(SpeechCues(1.0, np.zeros(0), np.zeros(0), np.zeros(0)).emphases(3, rng)) == 0
