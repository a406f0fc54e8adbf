"""Phone classes: what a face can tell apart, and the phone sets that are mapped onto them.

One class per row of targets in ``training/config/visemes.yaml``. ``face_phones.npy`` of the pack
holds the integer values, 255 where no phone is known. Places of articulation that look alike share
a class; silence is a class of its own. Diphthongs map to two classes, one after the other.
"""
from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

DIPHTHONG_SWITCH = 0.58
"""Share of a diphthong after which its second target is aimed at."""


class PhoneClass(IntEnum):
    """Visual phone class; values are the class ids of ``face_phones.npy``."""

    SIL = 0
    PP = 1
    FF = 2
    BV = 3
    TH = 4
    DD = 5
    NN = 6
    LL = 7
    KK = 8
    H = 9
    SS = 10
    SH = 11
    R = 12
    W = 13
    Y = 14
    AA = 15
    AE = 16
    EH = 17
    IH = 18
    IY = 19
    AX = 20
    AO = 21
    OW = 22
    UW = 23
    UH = 24
    YY = 25
    OE = 26


VOWELS = frozenset(PhoneClass(value) for value in range(PhoneClass.AA, PhoneClass.OE + 1))
CLOSURES = frozenset({PhoneClass.PP})


@dataclass(frozen=True, slots=True)
class Segment:
    """One phone in time.

    Attributes:
        start_s, end_s: interval [s] from the first sample of its waveform.
        phone: visual class.
        stress: 1 stressed, 0.5 secondary or not known, 0 unstressed.
    """

    start_s: float
    end_s: float
    phone: PhoneClass
    stress: float = 0.5


_P = PhoneClass
_ARPABET: dict[str, tuple[PhoneClass, ...]] = {
    'P': (_P.PP,), 'B': (_P.PP,), 'M': (_P.PP,), 'EM': (_P.PP,), 'F': (_P.FF,), 'V': (_P.FF,),
    'TH': (_P.TH,), 'DH': (_P.TH,), 'T': (_P.DD,), 'D': (_P.DD,), 'DX': (_P.DD,),
    'N': (_P.NN,), 'EN': (_P.NN,), 'NX': (_P.NN,), 'L': (_P.LL,), 'EL': (_P.LL,),
    'K': (_P.KK,), 'G': (_P.KK,), 'NG': (_P.KK,), 'HH': (_P.H,), 'HV': (_P.H,),
    'S': (_P.SS,), 'Z': (_P.SS,), 'SH': (_P.SH,), 'ZH': (_P.SH,), 'CH': (_P.SH,), 'JH': (_P.SH,),
    'R': (_P.R,), 'ER': (_P.AX, _P.R), 'AXR': (_P.AX, _P.R), 'W': (_P.W,), 'Y': (_P.Y,),
    'AA': (_P.AA,), 'AH': (_P.AA,), 'AE': (_P.AE,), 'EH': (_P.EH,), 'IH': (_P.IH,),
    'IX': (_P.IH,), 'IY': (_P.IY,), 'AX': (_P.AX,), 'AO': (_P.AO,), 'UH': (_P.UH,),
    'UW': (_P.UW,), 'UX': (_P.UW,), 'AY': (_P.AA, _P.IH), 'AW': (_P.AA, _P.UH),
    'EY': (_P.EH, _P.IH), 'OW': (_P.OW, _P.UH), 'OY': (_P.AO, _P.IH),
    'SIL': (_P.SIL,), 'PAU': (_P.SIL,), 'H#': (_P.SIL,), 'SSIL': (_P.SIL,),
}

_SAMPA: dict[str, tuple[PhoneClass, ...]] = {
    'p': (_P.PP,), 'b': (_P.PP,), 'm': (_P.PP,), 'f': (_P.FF,), 'v': (_P.FF,), 'V': (_P.FF,),
    'B': (_P.BV,), 't': (_P.DD,), 'd': (_P.DD,), 'D': (_P.DD,), 'n': (_P.NN,), 'NN': (_P.NN,),
    'l': (_P.LL,), 'L': (_P.LL,), 'k': (_P.KK,), 'g': (_P.KK,), 'G': (_P.KK,), 'N': (_P.KK,),
    'x': (_P.KK,), 'X': (_P.KK,), 'R': (_P.KK,), '4': (_P.DD,), 'C': (_P.Y,), 'h': (_P.H,),
    'H': (_P.H,), '?': (_P.H,), 's': (_P.SS,), 'ss': (_P.SS,), 'z': (_P.SS,), 'S': (_P.SH,),
    'Z': (_P.SH,), 'j': (_P.Y,), 'a': (_P.AA,), 'A': (_P.AA,), '6': (_P.AA,), 'E': (_P.EH,),
    'e': (_P.EH,), 'I': (_P.IH,), 'i': (_P.IY,), '@': (_P.AX,), 'O': (_P.AO,), 'o': (_P.OW,),
    'U': (_P.UH,), 'u': (_P.UW,), 'y': (_P.YY,), 'Y': (_P.YY,), '9': (_P.OE,), '2': (_P.OE,),
    'sil': (_P.SIL,), '': (_P.SIL,),
}

_IPA: dict[str, PhoneClass] = {
    **dict.fromkeys('pbmɓʙ', _P.PP), **dict.fromkeys('fvʋɱ', _P.FF), **dict.fromkeys('ɸβ', _P.BV),
    **dict.fromkeys('θð', _P.TH), **dict.fromkeys('tdɾʈɖɗr', _P.DD),
    **dict.fromkeys('nɲɳ', _P.NN), **dict.fromkeys('lʎɫɭɬ', _P.LL),
    **dict.fromkeys('kgɡŋqxɣχʁħʕcɟʀɢ', _P.KK), **dict.fromkeys('hɦʔ', _P.H),
    **dict.fromkeys('sz', _P.SS), **dict.fromkeys('ʃʒɕʑʂʐ', _P.SH),
    **dict.fromkeys('ɹɻɝɚ', _P.R), **dict.fromkeys('wʍɥ', _P.W), **dict.fromkeys('jçʝ', _P.Y),
    **dict.fromkeys('aɑʌɐ', _P.AA), 'æ': _P.AE, **dict.fromkeys('eɛ', _P.EH),
    **dict.fromkeys('ɪɨɯᵻ', _P.IH), 'i': _P.IY, **dict.fromkeys('əɜɘɵ', _P.AX),
    **dict.fromkeys('ɔɒ', _P.AO), **dict.fromkeys('oɤ', _P.OW), 'u': _P.UW, 'ʊ': _P.UH,
    **dict.fromkeys('yʏ', _P.YY), **dict.fromkeys('øœɞ', _P.OE),
}
_RHOTIC_VOWELS = frozenset('ɝɚ')


def arpabet_classes(label: str) -> tuple[PhoneClass, ...]:
    """Return the classes of an ARPABET label; stress digits, case and ``+noise+`` are allowed.

    Also the phone sets of flite and festival, which are ARPABET in lower case.

    Raises:
        KeyError: the label is not in the set.
    """
    if label.startswith(('+', '<')) or label == '#':
        return (PhoneClass.SIL,)
    if label.upper() == 'AH0':
        return (PhoneClass.AX,)
    return _ARPABET[label.rstrip('0123456789').upper()]


def arpabet_stress(label: str) -> float:
    """Return 1 for primary stress, 0.5 for secondary or none marked, 0 for unstressed."""
    return {'0': 0.0, '1': 1.0}.get(label[-1:], 0.5)


def sampa_classes(label: str) -> tuple[PhoneClass, ...]:
    """Return the classes of a German SAMPA label as Emo-DB writes it (``aI``, ``i6``, ...).

    Raises:
        KeyError: neither the label nor its characters are in the set.
    """
    if label in _SAMPA:
        return _SAMPA[label]
    return tuple(_SAMPA[character][0] for character in label)


@lru_cache(maxsize=4096)
def ipa_classes(label: str) -> tuple[PhoneClass, ...]:
    """Return the classes of an IPA string; empty when it holds marks only.

    Length, stress, tone, tie bars and other marks are skipped; a stop followed by a sibilant is
    one affricate. Repeated classes are merged.
    """
    found: list[PhoneClass] = []
    for character in label:
        phone = _IPA.get(character)
        if character in _RHOTIC_VOWELS:
            found.append(PhoneClass.AX)
        if phone is None or (found and found[-1] == phone):
            continue
        if found and found[-1] == PhoneClass.DD and phone in (PhoneClass.SS, PhoneClass.SH):
            found[-1] = phone
            continue
        found.append(phone)
    return tuple(found)


def spread(start_s: float, end_s: float, classes: tuple[PhoneClass, ...],
           stress: float = 0.5) -> list[Segment]:
    """Return one segment per class over an interval; a diphthong switches at 58 %."""
    if len(classes) == 1 or end_s - start_s < 0.02:
        return [Segment(start_s, end_s, classes[0], stress)]
    switch_s = start_s + DIPHTHONG_SWITCH * (end_s - start_s)
    return [Segment(start_s, switch_s, classes[0], stress),
            Segment(switch_s, end_s, classes[-1], stress)]
