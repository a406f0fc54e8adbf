"""Alignments against the sound: closures find their dip, lost alignments are named."""
from dataclasses import replace

from gesture_training.corpora.acoustic_check import (
    disagreement,
    snap_closures,
    vowel_band_level,
)
from gesture_training.corpora.phones import PhoneClass, Segment
import numpy as np
import pytest

P = PhoneClass
RATE_HZ = 16_000
TRUE = [Segment(0.3, 0.5, P.AA), Segment(0.5, 0.6, P.PP), Segment(0.6, 0.8, P.AA),
        Segment(0.8, 0.9, P.PP), Segment(0.9, 1.1, P.AA)]


def sound() -> np.ndarray:
    """Return noise in the vowels of TRUE, hardly anything elsewhere."""
    rng = np.random.default_rng(0)
    wave = 0.0005 * rng.standard_normal(int(1.5 * RATE_HZ))
    for segment in TRUE:
        if segment.phone == P.AA:
            part = slice(int(segment.start_s * RATE_HZ), int(segment.end_s * RATE_HZ))
            wave[part] = 0.2 * rng.standard_normal(part.stop - part.start)
    return wave.astype(np.float32)


@pytest.mark.parametrize(('start_s', 'end_s'), [(-0.02, 0.02), (0.015, 0.06), (0.0, -0.02)])
def test_closures_move_to_their_dip(start_s: float, end_s: float) -> None:
    moved = [*TRUE]
    moved[1] = replace(TRUE[1], start_s=0.5 + start_s, end_s=0.6 + end_s)
    moved[0], moved[2] = replace(TRUE[0], end_s=0.5 + start_s), replace(
        TRUE[2], start_s=0.6 + end_s)
    snapped = snap_closures(moved, sound())
    assert snapped[1].start_s == pytest.approx(0.5, abs=0.011)
    assert snapped[1].end_s == pytest.approx(0.6, abs=0.011)
    assert snapped[0].end_s == snapped[1].start_s
    assert snapped[2].start_s == snapped[1].end_s


def test_a_steady_sound_moves_nothing() -> None:
    steady = np.sin(2 * np.pi * 1000 * np.arange(int(1.5 * RATE_HZ)) / RATE_HZ).astype(np.float32)
    assert snap_closures(TRUE, steady) == TRUE


def test_what_fits_is_kept_and_what_does_not_is_named() -> None:
    wave = sound()
    assert not disagreement(TRUE, wave)
    vowels_late = [replace(s, start_s=s.start_s + 0.9, end_s=s.end_s + 0.9)
                   for s in TRUE if s.phone == P.AA]
    assert 'vowels on silence' in disagreement(vowels_late, wave)
    in_vowel = [Segment(0.35, 0.39, P.PP), Segment(0.42, 0.45, P.PP)]
    steady = np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32)
    assert '2 of 2 closures' in disagreement(in_vowel, 0.1 * steady)


def test_the_level_is_that_of_the_vowel_band() -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    low, inside = (vowel_band_level(np.sin(2 * np.pi * hz * time_s).astype(np.float32))[50:150]
                   for hz in (100, 1000))
    assert len(vowel_band_level(np.zeros(RATE_HZ, np.float32))) == 200
    assert inside.mean() == pytest.approx(-3.0, abs=0.5)
    assert low.max() < -40.0
