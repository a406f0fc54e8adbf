"""Another voice at the same tempo: length and places stay, pitch moves."""
from gesture_training.corpora.pitch import change_pitch, change_speed, stretch
import numpy as np
import pytest

RATE_HZ = 16_000


def voice(pitch_hz: float = 150.0) -> np.ndarray:
    """Return two seconds of a buzz that is switched on and off."""
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    buzz = sum(np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 12))
    return (0.2 * buzz * (np.sin(2 * np.pi * 1.5 * time_s) > 0)).astype(np.float32)


def envelope(wave: np.ndarray) -> np.ndarray:
    """Return the loudness of a recording in steps of 10 ms."""
    return np.abs(wave[:len(wave) // 160 * 160]).reshape(-1, 160).mean(axis=1)


def pitch_of(wave: np.ndarray) -> float:
    """Return the strongest period between 2.5 and 14 ms as a pitch [Hz]."""
    part = wave[1600:4800].astype(float)
    correlation = np.correlate(part, part, 'full')[len(part) - 1:]
    return RATE_HZ / (40 + int(correlation[40:224].argmax()))


@pytest.mark.parametrize('factor', [0.8, 0.93, 1.1, 1.25])
def test_pitch_moves_and_time_stays(factor: float) -> None:
    wave = voice()
    changed = change_pitch(wave, factor)
    assert changed.shape == wave.shape
    assert changed.dtype == np.float32
    assert np.corrcoef(envelope(wave), envelope(changed))[0, 1] > 0.9
    assert pitch_of(changed) == pytest.approx(150.0 * factor, rel=0.04)


@pytest.mark.parametrize('share', [0.7, 1.0, 1.4])
def test_stretching_keeps_the_pitch(share: float) -> None:
    wave = voice()
    count = int(share * len(wave))
    stretched = stretch(wave, count)
    assert len(stretched) == count
    assert pitch_of(stretched) == pytest.approx(150.0, rel=0.03)


def test_speed_moves_both() -> None:
    assert len(change_speed(voice(), 1.25)) == pytest.approx(2 * RATE_HZ / 1.25, abs=2)


def test_the_same_tempo_and_pitch_is_the_same_recording() -> None:
    wave = np.random.default_rng(0).standard_normal(RATE_HZ).astype(np.float32)
    np.testing.assert_allclose(stretch(wave, len(wave)), wave, atol=1e-4)
