"""Resampling: any packets, any format, one result."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.audio.resample import AudioFaults, resample, StreamResampler, to_float, to_mono
from gesture_node.exceptions import AudioError


def _noise(rate_hz: int, seconds: float = 0.5) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal(int(rate_hz * seconds)) * 0.1).astype('f4')


@settings(max_examples=25, deadline=None)
@given(rate_hz=st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]),
       cuts=st.lists(st.floats(0, 1), max_size=12))
def test_any_packets_give_the_same_bits(rate_hz: int, cuts: list[float]) -> None:
    wave = _noise(rate_hz)
    bounds = [0, *sorted(int(c * len(wave)) for c in cuts), len(wave)]
    stream = StreamResampler()
    parts = [stream.accept(wave[a:b], rate_hz) for a, b in zip(bounds, bounds[1:])]
    assert np.array_equal(np.concatenate([*parts, stream.flush()]), resample(wave, rate_hz))


@pytest.mark.parametrize('rate_hz', [8_000, 22_050, 44_100, 48_000])
def test_a_tone_keeps_its_time_and_length(rate_hz: int) -> None:
    time_s = np.arange(rate_hz) / rate_hz
    out = resample(0.5 * np.sin(2 * np.pi * 440 * time_s), rate_hz)
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    assert len(out) == 16_000
    assert np.abs(out - wanted)[400:-400].max() < 2e-3


@pytest.mark.parametrize(('kind', 'scale'), [
    (np.int8, 128), (np.int16, 32_768), (np.int32, 2 ** 31), (np.float64, 1)])
def test_formats_agree(kind: type, scale: int) -> None:
    wave = np.array([-1.0, -0.5, 0.0, 0.25])
    assert np.allclose(to_float((wave * scale).astype(kind)), wave, atol=1 / 127)
    assert np.allclose(to_float(np.array([0, 64, 128, 160], np.uint8)), wave)


def test_channels_are_averaged_and_faults_repaired_and_counted() -> None:
    faults = AudioFaults()
    stereo = np.array([[0.5, 0.3], [np.nan, 0.2], [np.inf, 0.0], [4.0, 4.0]], np.float32)
    assert np.allclose(to_mono(stereo, faults), [0.4, 0.1, 0.0, 1.0])
    assert (faults.non_finite, faults.clipped) == (2, 1)


@pytest.mark.parametrize('rate', [0, -1, 3_999, 200_000, 16_000.5, '16k', True, None])
def test_an_impossible_rate_is_named(rate: object) -> None:
    with pytest.raises(AudioError, match='sample rate'):
        StreamResampler().accept(np.zeros(10), rate)  # type: ignore[arg-type]


def test_a_change_of_rate_loses_nothing() -> None:
    stream = StreamResampler()
    parts = [stream.accept(_noise(48_000), 48_000), stream.accept(_noise(16_000), 16_000),
             stream.accept(_noise(22_050), 22_050), stream.flush()]
    assert sum(map(len, parts)) == pytest.approx(3 * 8_000, abs=2)


@pytest.mark.parametrize('bad', [np.zeros((2, 2, 2)), np.array(['a']), np.zeros(3, complex)])
def test_what_is_no_audio_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(AudioError, match='audio'):
        StreamResampler().accept(bad, 16_000)
