"""Recorded weights: 30 fps become 50 fps by time, not by frame number."""
from pathlib import Path

from gesture_training.corpora.facegood import read_weights, resample_weights
import numpy as np
import pytest

from gesture_node.exceptions import AudioError
from gesture_node.motion.face import BLENDSHAPE_INDEX, BLENDSHAPE_NAMES


def test_resampling_is_by_time() -> None:
    times_s = np.arange(300) / 30.0
    weights = np.zeros((300, 52))
    weights[:, BLENDSHAPE_INDEX['jawOpen']] = 0.5 + 0.4 * np.sin(2 * np.pi * times_s)
    result = resample_weights(times_s, weights, 490)
    expected = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(490) / 50.0)
    np.testing.assert_allclose(result[:, BLENDSHAPE_INDEX['jawOpen']], expected, atol=0.01)


def test_ends_are_held() -> None:
    result = resample_weights(np.array([0.0, 0.1]), np.full((2, 52), 0.3), 20)
    np.testing.assert_allclose(result[-1], 0.3, atol=1e-6)


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    path = tmp_path / 'clip.csv'
    names = ['time', *reversed(BLENDSHAPE_NAMES)]
    rows = [[k / 30.0] + [0.1 * (name == 'jawOpen') for name in names[1:]] for k in range(3)]
    path.write_text('\n'.join(','.join(map(str, row)) for row in [names, *rows]))
    times_s, weights = read_weights(path)
    np.testing.assert_allclose(times_s, [0.0, 1 / 30, 2 / 30])
    assert weights[:, BLENDSHAPE_INDEX['jawOpen']].min() == 0.1
    assert np.count_nonzero(weights) == 3


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'clip.csv'
    path.write_text('time,jawOpen\n0,0\n0.1,0\n')
    with pytest.raises(AudioError, match='has no column eyeBlinkLeft'):
        read_weights(path)
