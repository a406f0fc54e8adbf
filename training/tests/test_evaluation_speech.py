"""Speech that is measured on: phones stay on their sound, manners say the same sentences."""
from __future__ import annotations

from gesture_training.corpora.emodb import LabelledUtterance
from gesture_training.corpora.phones import PhoneClass, Segment
from gesture_training.evaluation.speech import intervals_of, joined, LabelledSpeech, renditions
import numpy as np

from gesture_node.measures.mouth import PhoneInterval


def utterance(name: str, emotion: str, level: float) -> LabelledUtterance:
    return LabelledUtterance(name, name[:2], emotion, np.full(32_000, level, np.float32), [])


def test_joined_speech_keeps_phones_on_their_sound() -> None:
    one = LabelledSpeech('a', np.zeros(16_000, np.float32), [PhoneInterval(0.2, 0.4, 'vowel')],
                         [Segment(0.2, 0.4, PhoneClass.AA, 1.0)])
    both = joined([one, one], 'both')
    assert len(both.waveform) == 32_000
    assert [(p.start_s, p.end_s) for p in both.intervals] == [(0.2, 0.4), (1.2, 1.4)]
    assert both.segments[1] == Segment(1.2, 1.4, PhoneClass.AA, 1.0)


def test_phone_classes_become_kinds() -> None:
    classes = (PhoneClass.SIL, PhoneClass.PP, PhoneClass.IY, PhoneClass.SS)
    segments = [Segment(0.1 * i, 0.1 * i + 0.1, phone) for i, phone in enumerate(classes)]
    assert [i.kind for i in intervals_of(segments)] == ['silence', 'closure', 'vowel', 'other']


def test_manners_say_the_same_sentences_in_the_same_order() -> None:
    manners = {'lively': ('anger', 'happiness'), 'calm': ('sadness',)}
    said = [utterance('03a01Wa', 'anger', 0.1), utterance('03a01Fa', 'happiness', 0.2),
            utterance('03a02Wa', 'anger', 0.3), utterance('03a05Wa', 'anger', 0.4),
            utterance('03a01Ta', 'sadness', -0.1), utterance('03a02Ta', 'sadness', -0.3),
            utterance('03b01Ta', 'sadness', -0.9), utterance('08a01Wa', 'anger', 0.5)]
    found = renditions(said, manners, least_s=9.0)
    # Speaker 08 is never calm; sentences a05 and b01 are not said in both manners.
    assert list(found) == ['03']
    lively, calm = found['03']['lively'], found['03']['calm']
    assert len(lively) == len(calm) >= 9 * 16_000
    block = 32_000 + 4_800
    levels = [[float(wave[i * block]) for i in range(len(wave) // block)]
              for wave in (lively, calm)]
    # a01 has two lively takes, which take turns; the calm one is said again.
    assert np.allclose(levels[0], [0.1, 0.3, 0.2, 0.3]) and np.allclose(
        levels[1], [-0.1, -0.3, -0.1, -0.3])
