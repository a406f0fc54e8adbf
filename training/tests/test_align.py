"""Forced alignment and synthesised voices: phones are found where they were put."""
from pathlib import Path
import shutil

from gesture_training.corpora.align import (
    AlignedPhone,
    AlignmentCache,
    AlignmentError,
    hurried_share,
    PhoneAligner,
    to_segments,
)
from gesture_training.corpora.phones import PhoneClass, Segment
from gesture_training.corpora.speechocean import string_together
from gesture_training.corpora.synthesisers import speak_flite
from gesture_training.corpora.voices import correct_times
import numpy as np
import pytest


def test_cache_returns_what_was_saved(tmp_path: Path) -> None:
    cache = AlignmentCache(tmp_path / 'cache')
    phones = {'one': [AlignedPhone(0.1, 0.2, 'AA1')], 'two': []}
    assert cache.load('speaker') is None
    cache.save('speaker', phones)
    assert cache.load('speaker') == phones


def test_hurried_phones_are_those_at_the_shortest_length() -> None:
    phones = [AlignedPhone(0.0, 0.03, 'T'), AlignedPhone(0.03, 0.13, 'AA1')]
    assert hurried_share(phones) == 0.5


def test_aligned_diphthongs_become_two_segments() -> None:
    segments = to_segments([AlignedPhone(0.1, 0.3, 'AY1')])
    assert [s.phone for s in segments] == [PhoneClass.AA, PhoneClass.IH]
    assert all(s.stress == 1.0 for s in segments)


@pytest.mark.skipif(shutil.which('flite') is None, reason='flite is not installed')
def test_aligner_finds_the_phones_that_flite_reports() -> None:
    spoken = speak_flite('bob bought a map', 'slt', 1.2)
    words = [['B', 'AA1', 'B'], ['B', 'AO1', 'T'], ['AH0'], ['M', 'AE1', 'P']]
    found = to_segments(PhoneAligner().align(spoken.waveform, words))
    reported = [s for s in spoken.segments if s.phone != PhoneClass.SIL]
    assert len(found) == len(reported)
    errors = np.abs([a.start_s - b.start_s for a, b in zip(found, reported)])
    assert np.median(errors) < 0.03


def test_too_short_a_recording_is_named() -> None:
    with pytest.raises(AlignmentError, match='phones reached'):
        PhoneAligner().align(np.zeros(1600, np.float32) + 0.01, [['B', 'AA1', 'B'] * 10])


def test_strung_utterances_keep_phones_on_their_sound() -> None:
    rng = np.random.default_rng(0)
    piece = np.zeros(16_000, np.float32)
    piece[8000:8100] = 0.5
    segments = [Segment(0.5, 0.6, PhoneClass.PP)]
    audio, phones = string_together([(piece, segments)] * 3, rng)
    starts = np.flatnonzero((audio[1:] > 0.4) & (audio[:-1] <= 0.4)) + 1
    np.testing.assert_allclose([p.start_s for p in phones], starts / 16_000, atol=1e-4)
    gaps = np.diff(starts) / 16_000 - 1.0
    assert (gaps >= 0.2 - 1e-3).all()
    assert (gaps <= 1.5 + 1e-3).all()


def test_corrected_times_stay_inside_the_recording() -> None:
    segments = [Segment(0.0, 0.005, PhoneClass.PP), Segment(0.005, 1.0, PhoneClass.AA)]
    moved = correct_times(segments, -0.01, 0.9)
    assert [(s.start_s, s.end_s) for s in moved] == [(0.0, 0.9)]
