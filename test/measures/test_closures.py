"""Lips per clip against mouths whose answers are known by construction."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.measures.closures import aperture_lag_s, score_lips
from gesture_node.measures.mouth import PhoneInterval

RATE_HZ = 50


def clip(size: float = 1.0, shift_s: float = 0.0, seals: bool = True,
         lost_vowel: bool = False) -> tuple[np.ndarray, list[PhoneInterval]]:
    """Return three seconds: silence, then vowels and closures of 0.2 s in turn, then silence."""
    phones = [PhoneInterval(0.0, 0.6, 'silence')]
    phones += [PhoneInterval(0.6 + 0.2 * i, 0.8 + 0.2 * i, 'closure' if i % 2 else 'vowel')
               for i in range(9)]
    phones.append(PhoneInterval(2.4, 3.0, 'silence'))
    times_s = np.arange(150) / RATE_HZ - shift_s
    aperture = np.zeros(150)
    for number, phone in enumerate(phones):
        if phone.kind == 'silence':
            continue
        inside = (times_s >= phone.start_s) & (times_s < phone.end_s)
        wave = np.sin(np.pi * (times_s[inside] - phone.start_s) / 0.2)
        if phone.kind == 'vowel':
            aperture[inside] = size * (0.1 if lost_vowel and number == 3 else 0.6 + 0.4 * wave)
        else:
            aperture[inside] = size * (0.6 - (0.6 if seals else 0.3) * wave)
    return aperture, phones


def test_a_good_mouth_scores_full() -> None:
    score = score_lips([clip()], RATE_HZ)
    assert (score.clips, score.closures, score.vowels, score.silences) == (1, 4, 5, 2)
    assert score.reached == score.reached_pooled == score.auc == 1.0
    assert score.falsely_closed == 0.0 and score.silence_ratio == pytest.approx(0.0, abs=1e-9)


def test_half_a_seal_is_not_reached() -> None:
    assert score_lips([clip(seals=False)], RATE_HZ).reached == 0.0


def test_a_vowel_that_is_lost_is_counted() -> None:
    assert score_lips([clip(lost_vowel=True)], RATE_HZ).falsely_closed == pytest.approx(0.2)


def test_a_small_mouth_is_measured_against_itself() -> None:
    score = score_lips([clip(), clip(), clip(size=0.2)], RATE_HZ)
    assert score.falsely_closed == 0.0
    small_and_open = clip(size=0.2, seals=False)
    score = score_lips([clip(), clip(), small_and_open], RATE_HZ)
    # Against the others' vowels the small mouth seems to close; against its own it does not.
    assert score.reached == pytest.approx(2 / 3) and score.reached_pooled == 1.0


@pytest.mark.parametrize('shift_s', [-0.04, 0.0, 0.02, 0.06])
def test_the_lag_of_closures_is_found(shift_s: float) -> None:
    score = score_lips([clip(shift_s=shift_s)], RATE_HZ)
    assert score.closure_lag_s == pytest.approx(shift_s, abs=0.011)


def test_closures_beside_others_or_silence_have_no_lag() -> None:
    aperture, _ = clip()
    phones = [PhoneInterval(0.5, 0.7, 'vowel'), PhoneInterval(0.7, 0.8, 'closure'),
              PhoneInterval(0.8, 0.9, 'closure'), PhoneInterval(0.9, 1.6, 'silence')]
    assert np.isnan(score_lips([(aperture, phones)], RATE_HZ).closure_lag_s)


def test_an_open_mouth_in_silence_shows() -> None:
    aperture, phones = clip()
    aperture[125:] = 0.3
    vowel = score_lips([(aperture, phones)], RATE_HZ)
    assert vowel.silence_ratio == pytest.approx(0.15, abs=0.02)


def test_short_silences_do_not_count() -> None:
    aperture, phones = clip()
    phones[0], phones[-1] = (PhoneInterval(0.3, 0.6, 'silence'),
                             PhoneInterval(2.4, 2.65, 'silence'))
    assert score_lips([(aperture, phones)], RATE_HZ).silences == 0


def test_phones_beyond_the_end_and_clips_without_vowels_are_left_out() -> None:
    aperture, phones = clip()
    assert score_lips([(aperture[:60], phones)], RATE_HZ).closures == 1
    none = score_lips([(aperture, [PhoneInterval(0.0, 3.0, 'silence')])], RATE_HZ)
    assert none.clips == 0 and np.isnan(none.reached) and np.isnan(none.auc)


@pytest.mark.parametrize('lag_s', [-0.1, -0.013, 0.0, 0.007, 0.06])
def test_cross_correlation_finds_parts_of_a_frame(lag_s: float) -> None:
    times_s = np.arange(150) / RATE_HZ

    def mouth(at_s: np.ndarray) -> np.ndarray:
        return np.sin(2 * np.pi * 3.1 * at_s) + np.sin(2 * np.pi * 1.7 * at_s + 0.4)

    assert aperture_lag_s(mouth(times_s - lag_s), mouth(times_s), RATE_HZ) == pytest.approx(
        lag_s, abs=0.002)


def test_a_still_mouth_has_no_lag() -> None:
    assert np.isnan(aperture_lag_s(np.zeros(100), np.arange(100.0), RATE_HZ))
    assert np.isnan(aperture_lag_s(np.arange(15.0), np.arange(15.0), RATE_HZ))
