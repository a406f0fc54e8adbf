"""Features: causal, exact under any packetisation, and right about level and pitch."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.audio.feature_stream import FeatureStream
from gesture_node.audio.features import (
    ENERGY_INDEX,
    FEATURE_DIM,
    PITCH_INDEX,
    VOICING_INDEX,
    waveform_features,
)

WAVE = (np.random.default_rng(2).standard_normal(16_000) * 0.1).astype(np.float32)


def _buzz(pitch_hz: float, seconds: float = 0.5) -> np.ndarray:
    time_s = np.arange(int(16_000 * seconds)) / 16_000
    tones = [np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 12)]
    return (0.1 * np.sum(tones, axis=0)).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, len(WAVE)), max_size=20))
def test_streaming_equals_offline_bit_for_bit(cuts: list[int]) -> None:
    stream = FeatureStream()
    bounds, rows = [0, *sorted(cuts), len(WAVE)], []
    for start, stop in zip(bounds, bounds[1:]):
        stream.append(WAVE[start:stop])
        first = sum(map(len, rows))
        rows.append(stream.get(first, stream.frames_available))
    assert np.array_equal(np.concatenate(rows), waveform_features(WAVE))


@pytest.mark.parametrize('frame', [0, 5, 31])
def test_the_future_cannot_change_the_past(frame: int) -> None:
    changed = WAVE.copy()
    changed[(frame + 1) * 320:] = 0.7
    before, after = waveform_features(WAVE), waveform_features(changed)
    assert np.array_equal(before[:frame + 1], after[:frame + 1])
    assert not np.array_equal(before[frame + 1], after[frame + 1])


@pytest.mark.parametrize('pitch_hz', [80.0, 120.0, 210.0, 330.0])
def test_pitch_is_found_within_half_a_semitone(pitch_hz: float) -> None:
    rows = waveform_features(_buzz(pitch_hz))[5:]
    assert (rows[:, VOICING_INDEX] > 0.8).all()
    assert np.abs(rows[:, PITCH_INDEX] - np.log2(pitch_hz / 120.0)).max() < 1 / 24


def test_noise_and_silence_are_unvoiced() -> None:
    assert (waveform_features(WAVE)[:, VOICING_INDEX] < 0.6).all()
    silent = waveform_features(np.zeros(3_200, np.float32))
    assert (silent[:, PITCH_INDEX:] == 0).all() and np.isfinite(silent).all()


def test_energy_follows_gain_and_ignores_offset() -> None:
    quiet, loud = waveform_features(WAVE), waveform_features(2 * WAVE)
    assert np.allclose(loud[:, ENERGY_INDEX] - quiet[:, ENERGY_INDEX], np.log(4), atol=0.01)
    shifted = waveform_features(WAVE + np.float32(0.2))
    assert np.allclose(shifted[4:, ENERGY_INDEX], quiet[4:, ENERGY_INDEX], atol=0.01)


def test_short_input_has_no_frames() -> None:
    assert waveform_features(np.zeros(319, np.float32)).shape == (0, FEATURE_DIM)
