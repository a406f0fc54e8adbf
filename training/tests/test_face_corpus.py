"""The face channel of the pack: what is heard and what is shown stay together."""
from pathlib import Path

from gesture_training.corpora.coarticulation import articulate
from gesture_training.corpora.face import add_variants, at_speed, FaceTake, VARIANTS
from gesture_training.corpora.pack import PackWriter, read_pack, UNKNOWN_PHONE
from gesture_training.corpora.phones import PhoneClass, Segment
import numpy as np
import pytest

from gesture_node.motion.face import BLENDSHAPE_INDEX, seal_is_valid


def take(labelled: bool = True) -> FaceTake:
    """Return two seconds of noise with a vowel, a closure and a vowel."""
    wave = (0.1 * np.random.default_rng(0).standard_normal(32_000)).astype(np.float32)
    segments = [Segment(0.6, 0.8, PhoneClass.AA), Segment(0.8, 0.9, PhoneClass.PP),
                Segment(0.9, 1.2, PhoneClass.AA)]
    return FaceTake('one', 'test', 'speaker', 'CC0-1.0', 'composed', wave,
                    articulate(segments, wave), segments if labelled else None)


@pytest.mark.parametrize('labelled', [True, False])
@pytest.mark.parametrize('factor', [0.85, 1.0, 1.2])
def test_the_mouth_follows_a_change_of_speed(labelled: bool, factor: float) -> None:
    changed = at_speed(take(labelled), factor)
    press = BLENDSHAPE_INDEX['mouthPressLeft']
    sealed = np.flatnonzero(changed.lips[:, press] > 0.3) / 50.0
    assert abs(len(changed.lips) - 100 / factor) <= 1.0
    assert len(changed.lips) == len(changed.waveform) // 320
    assert sealed.mean() == pytest.approx(0.84 / factor, abs=0.02)
    assert (changed.phones() is None) != labelled


def test_variants_share_the_clock_and_differ_in_the_upper_face(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path, 'face')
    rng = np.random.default_rng(1)
    add_variants(writer, take(), 'train', [rng.standard_normal(16_000).astype(np.float32)], rng)
    add_variants(writer, take(labelled=False), 'held_out', [], rng)
    writer.write()
    pack = read_pack(tmp_path, 'face')
    assert [t.variant for t in pack.takes] == [*VARIANTS, *VARIANTS]
    for record in pack.takes:
        motion = pack.motion[record.first_frame:record.first_frame + record.frames]
        assert record.frames == record.features
        assert seal_is_valid(motion.astype(np.float64)).all()
        assert motion.max() <= 1.0
    last = pack.takes[len(VARIANTS) - 1]
    known = pack.phones[:last.first_feature + last.features]
    assert int(PhoneClass.PP) in known
    assert (pack.phones[len(known):] == UNKNOWN_PHONE).all()
    upper = BLENDSHAPE_INDEX['eyeBlinkLeft']
    eyes = [pack.motion[t.first_frame:t.first_frame + 80, upper] for t in pack.takes[:3]]
    assert not np.array_equal(eyes[0], eyes[1]) or not np.array_equal(eyes[0], eyes[2])
