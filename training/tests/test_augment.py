"""Augmentation keeps time: whatever is done to the sound, it stays where it was."""
from gesture_training.corpora.augment import (
    add_noise,
    augment,
    limit_band,
    quantise,
    reverberate,
)
import numpy as np
import pytest

RATE_HZ = 16_000


def bursts() -> np.ndarray:
    """Return four seconds with noise bursts of unequal spacing."""
    rng = np.random.default_rng(0)
    wave = np.zeros(4 * RATE_HZ)
    for start in (0.3, 0.9, 1.2, 2.2, 2.9, 3.5):
        first = int(start * RATE_HZ)
        wave[first:first + 2400] = 0.3 * rng.standard_normal(2400)
    return wave.clip(-1, 1).astype(np.float32)


def best_lag(one: np.ndarray, other: np.ndarray) -> int:
    """Return the lag [samples] at which two recordings match best."""
    size = 2 * len(one)
    spectra = [np.fft.rfft(sound.astype(float), size) for sound in (one, other)]
    product = spectra[1] * np.conj(spectra[0])
    correlation = np.fft.irfft(product)
    lag = int(correlation.argmax())
    return lag if lag < len(one) else lag - size


NOISES = [np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32) * 0.1]


@pytest.mark.parametrize('seed', range(12))
def test_augmented_sound_stays_in_place(seed: int) -> None:
    wave = bursts()
    result = augment(wave, np.random.default_rng(seed), NOISES)
    assert result.shape == wave.shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= 1.0
    assert abs(best_lag(wave, result)) <= 2


def test_same_generator_same_sound() -> None:
    one, other = (augment(bursts(), np.random.default_rng(5), NOISES) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize('snr_db', [0.0, 12.0, 30.0])
def test_noise_has_the_ratio_asked_for(snr_db: float) -> None:
    rng = np.random.default_rng(2)
    wave = (0.1 * rng.standard_normal(RATE_HZ)).astype(np.float32)
    added = add_noise(wave, NOISES[0], snr_db, rng) - wave
    assert 10 * np.log10((wave ** 2).mean() / (added ** 2).mean()) == pytest.approx(snr_db, abs=1)


def test_a_room_is_causal_and_keeps_the_direct_path() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[1000] = 1.0
    wet = reverberate(click, 0.5, 6.0, np.random.default_rng(3))
    assert np.abs(wet[:1000]).max() < 1e-6
    assert wet[1000] == pytest.approx(1.0, abs=1e-5)
    tail = (wet[1001:] ** 2).sum()
    assert 10 * np.log10(tail) == pytest.approx(-6.0, abs=1.0)


def test_telephone_band_removes_what_lies_outside() -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    kept = limit_band(np.sin(2 * np.pi * 1000 * time_s).astype(np.float32), 300, 3400)
    lost = limit_band(np.sin(2 * np.pi * 7000 * time_s).astype(np.float32), 300, 3400)
    assert (kept[4000:-4000] ** 2).mean() > 0.4
    assert (lost[4000:-4000] ** 2).mean() < 0.01


def test_quantised_sound_has_few_levels_and_stays_near() -> None:
    wave = bursts()
    coarse = quantise(wave, 64)
    assert len(np.unique(coarse)) <= 129
    assert np.abs(coarse - wave).max() < 0.05


def test_silence_stays_finite() -> None:
    for seed in range(6):
        result = augment(np.zeros(RATE_HZ, np.float32), np.random.default_rng(seed), NOISES)
        assert np.isfinite(result).all()
