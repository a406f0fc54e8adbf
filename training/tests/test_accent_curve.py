"""The accent curve: bumps where accents are, higher for prominent ones, and kept by the pack."""
from __future__ import annotations

from pathlib import Path

from gesture_training.corpora import accent_curve as module
from gesture_training.corpora.accent_curve import accent_curve, bump_heights
from gesture_training.corpora.pack import PackWriter, read_pack
import numpy as np
import pytest

from gesture_node.measures.alignment import BEAT_LAG_S


def test_a_bump_stands_on_the_apex_of_each_accent(monkeypatch: pytest.MonkeyPatch) -> None:
    class Accents:
        onsets_s = np.array([1.0, 2.0])
        prominences = np.array([0.8, 3.0])

    monkeypatch.setattr(module, 'find_accents', lambda features: Accents)
    curve = accent_curve(np.zeros((150, 83), np.float32))
    assert curve.shape == (150,)
    peaks = [int(curve[:75].argmax()), 75 + int(curve[75:].argmax())]
    assert peaks == [round((t + BEAT_LAG_S) * 50) for t in (1.0, 2.0)]
    assert curve[peaks[1]] > curve[peaks[0]] > 0.3
    assert curve[:20].max() < 1e-3


def test_heights_rise_with_prominence_and_stay_in_range() -> None:
    heights = bump_heights(np.linspace(-3.0, 9.0, 50))
    assert np.all(np.diff(heights) >= 0.0)
    assert heights.min() >= 0.4 and heights.max() <= 1.0


def test_a_pack_keeps_accents_and_marks_unknown_ones(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path, 'body')
    common = {'source': 's', 'speaker': 'a', 'split': 'train', 'licence': 'free'}
    writer.add(np.zeros((8, 83)), np.zeros((4, 84)), name='a', accents=np.full(8, 0.5), **common)
    writer.add(np.zeros((8, 83)), np.zeros((4, 84)), name='b', **common)
    writer.write()
    accents = read_pack(tmp_path, 'body').accents
    assert accents is not None
    assert np.allclose(accents[:8], 0.5) and np.isnan(accents[8:]).all()
