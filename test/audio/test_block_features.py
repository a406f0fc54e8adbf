"""Blocks: the same bits from any packets, a fixed context, no future, and the right time."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.audio.block_features import (
    BlockFeatureStream,
    BlockGrid,
    waveform_block_features,
)

WAVE = (np.random.default_rng(3).standard_normal(320 * 60 + 57) * 0.1).astype(np.float32)
GRID = BlockGrid(block_frames=4, context_frames=10, lookahead_frames=1, statistics_frames=17)


def _network(waveform: np.ndarray) -> np.ndarray:
    """Return per frame of the window the mean of its 400 samples, and that of all samples."""
    frames = (len(waveform) - 400) // 320 + 1
    own = [waveform[320 * k:320 * k + 400].mean() for k in range(frames)][-15:]
    return np.stack([own, np.full(len(own), waveform.mean())], axis=1).astype(np.float32)


def _features(wave: np.ndarray, grid: BlockGrid = GRID) -> np.ndarray:
    return waveform_block_features(wave, _network, 2, grid)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(WAVE)), max_size=20))
def test_streaming_equals_offline_bit_for_bit(cuts: list[int]) -> None:
    stream = BlockFeatureStream(_network, 2, GRID)
    bounds, rows = [0, *sorted(cuts), len(WAVE)], []
    for start, stop in zip(bounds, bounds[1:]):
        stream.append(WAVE[start:stop])
        first = sum(map(len, rows))
        rows.append(stream.get(first, stream.frames_available))
    streamed = np.concatenate(rows)
    assert len(streamed) == 56
    assert np.array_equal(streamed, _features(WAVE)[:56])


@pytest.mark.parametrize('block', [0, 3, 7])
def test_a_frame_hears_its_statistics_and_its_window_and_nothing_else(block: int) -> None:
    window, first = GRID.window(block), block * GRID.block_frames
    start, stop = max(0, window.start), window.stop
    own = slice(first, first + GRID.block_frames)
    outside, inside = WAVE.copy(), WAVE.copy()
    outside[:start], outside[stop:] = 0.7, -0.7
    assert np.array_equal(_features(WAVE)[own], _features(outside)[own])
    for sample in (start, stop - 1):
        inside[sample] += 0.5
        assert (_features(WAVE)[own, 1] != _features(inside)[own, 1]).all()
        inside[sample] = WAVE[sample]


def test_without_lookahead_the_future_of_a_block_cannot_change_it() -> None:
    grid = BlockGrid(block_frames=4, context_frames=11, statistics_frames=20)
    changed = WAVE.copy()
    changed[320 * 20:] = 0.7
    before, after = _features(WAVE, grid), _features(changed, grid)
    assert np.array_equal(before[:20], after[:20])
    assert not np.array_equal(before[20:24], after[20:24])


@pytest.mark.parametrize('sample', [0, 319, 320, 320 * 25 + 239, 320 * 25 + 240, 320 * 40 - 1])
def test_a_click_is_heard_in_the_frames_whose_sound_it_is(sample: int) -> None:
    wave = np.zeros(320 * 48, np.float32)
    wave[sample] = 1.0
    heard = np.flatnonzero(_features(wave)[:, 0])
    own = sample // 320
    expected = [own, own + 1] if sample % 320 >= 240 else [own]
    assert heard.tolist() == expected


def test_frames_are_promised_when_their_block_is_there() -> None:
    stream = BlockFeatureStream(_network, 2, GRID)
    for count in range(0, 320 * 14, 160):
        while stream.samples_accepted < count:
            stream.append(WAVE[:160])
        frames = count // 320
        assert stream.frames_available == max(0, frames - 1) // 4 * 4
        assert stream.samples_for(stream.frames_available) <= count
        assert stream.samples_for(stream.frames_available + 1) > count
    with pytest.raises(IndexError):
        stream.get(0, stream.frames_available + 1)
    assert np.array_equal(stream.get(-3, 1)[:3], np.zeros((3, 2)))


def test_a_recording_has_a_frame_for_every_20_ms() -> None:
    assert _features(WAVE).shape == (60, 2)
    assert _features(np.zeros(16_000 * 20, np.float32)).shape == (1000, 2)
    assert _features(np.zeros(319, np.float32)).shape == (0, 2)


def test_a_network_that_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match=r'shape \(5, 2\) for a window, not \(5, 3\)'):
        waveform_block_features(WAVE, _network, 3, GRID)


def test_statistics_reach_further_back_than_the_context_and_never_less_far() -> None:
    starts = [BlockGrid(4, 10, 0, frames).window(9).start for frames in (0, 10, 17, 99)]
    assert starts == [320 * 26 - 80, 320 * 26 - 80, 320 * 19 - 80, -80]


@pytest.mark.parametrize('sizes', [(0, 4, 0, 0, 400), (4, -1, 0, 0, 400), (4, 4, -1, 0, 400),
                                   (4, 4, 0, -1, 400), (4, 4, 0, 0, 319)])
def test_impossible_sizes_are_refused(sizes: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(ValueError, match='must be'):
        BlockGrid(*sizes)
