"""Phone sets: every label of every set has a class, and look-alikes share one."""
from gesture_training.corpora import phones as module
from gesture_training.corpora.align import PHONES
from gesture_training.corpora.phones import (
    arpabet_classes,
    arpabet_stress,
    ipa_classes,
    PhoneClass,
    sampa_classes,
    spread,
)
from gesture_training.corpora.visemes import load_visemes
import pytest

P = PhoneClass
EMODB = (
    'I', 'a', 'n', 't', 'd', 's', 'm', 'v', 'i', 'b', 'l', 'g', 'p', 'z', 'E', '@', 'f', 'e', 'N',
    'U', 'k', 'S', 'aI', 'C', 'x', 'o', '6', '4', 'O', 'X', 'aU', 'i6', 'V', '?', 'j', 'y', '9',
    'Y', 'OY', 'D', 'B', 'L', 'H', 'h', 'E6', 'a6', 'R', '@6', 'I6', 'I@', 'AO', 'G', 'aO', 'u',
    'NN', 'AU', 'ia', 'ao', '@E', 'ss', 'Y6', '@O', 'OU', 'i@', 'A'
)
FLITE = (
    'pau', 'p', 'aa', 'ax', 'ae', 'n', 'd', 'm', 'b', 'ay', 'ih', 'g', 'r', 'aw', 'ah', 'iy',
    'uw', 'v', 'ow', 'er', 'hh', 'ng', 'th', 'dh', 'sh', 'zh', 'ch', 'jh', 'ey', 'oy', 'uh', 'eh',
    'ao', 'l', 's', 'z', 't', 'k', 'f', 'w', 'y'
)


@pytest.mark.parametrize('label', [*PHONES, *FLITE, 'AH0', 'ER1', 'SIL', '+NOISE+', '<sil>'])
def test_every_arpabet_label_has_a_class(label: str) -> None:
    assert 1 <= len(arpabet_classes(label)) <= 2


@pytest.mark.parametrize('label', [*EMODB, 'sil', ''])
def test_every_emodb_label_has_a_class(label: str) -> None:
    assert 1 <= len(sampa_classes(label)) <= 2


@pytest.mark.parametrize(('label', 'expected'), [
    ('ˈaɪ', (P.AA, P.IH)), ('tʃ', (P.SH,)), ('ts', (P.SS,)), ('pf', (P.PP, P.FF)),
    ('m̩', (P.PP,)), ('oː', (P.OW,)), ('yː', (P.YY,)), ('ø', (P.OE,)), ('_:', ()), ('ˈ', ()),
])
def test_ipa_strings(label: str, expected: tuple[PhoneClass, ...]) -> None:
    assert ipa_classes(label) == expected


def test_sets_agree_on_the_same_sounds() -> None:
    for arpabet, sampa, ipa in [('P', 'p', 'p'), ('M', 'm', 'm'), ('F', 'f', 'f'),
                                ('SH', 'S', 'ʃ'), ('IY', 'i', 'i'), ('NG', 'N', 'ŋ'),
                                ('T', 't', 't'), ('UH', 'U', 'ʊ'), ('AY', 'aI', 'aɪ')]:
        assert arpabet_classes(arpabet) == sampa_classes(sampa) == ipa_classes(ipa)


def test_closures_are_p_b_m_and_nothing_else() -> None:
    sealed = [label for label in PHONES if arpabet_classes(label)[0] in module.CLOSURES]
    assert sealed == ['B', 'M', 'P']


def test_unknown_labels_are_refused() -> None:
    with pytest.raises(KeyError):
        arpabet_classes('QX')
    with pytest.raises(KeyError):
        sampa_classes('%')


def test_stress_digits() -> None:
    assert [arpabet_stress(label) for label in ('AA1', 'AA2', 'AA0', 'AA', 'T')] == [
        1.0, 0.5, 0.0, 0.5, 0.5]


def test_a_diphthong_switches_late_and_leaves_no_gap() -> None:
    first, second = spread(1.0, 1.2, (P.AA, P.IH))
    assert first.end_s == second.start_s
    assert first.end_s - first.start_s > second.end_s - second.start_s
    assert (first.start_s, second.end_s) == (1.0, 1.2)


def test_every_class_has_targets() -> None:
    assert set(load_visemes()) == set(PhoneClass)
