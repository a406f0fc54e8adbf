"""Augmentation keeps time: whatever is done to the sound, it stays where it was."""
from pathlib import Path

from gesture_training.corpora.augment import (
    add_noise,
    augment,
    babble,
    CODECS,
    colour,
    disguise,
    encode,
    HELD_OUT_FOLDS,
    limit_band,
    load_noises,
    quantise,
    reverberate,
)
import numpy as np
import pytest
import soundfile

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
    result = augment(wave, np.random.default_rng(seed), NOISES, [bursts()[::-1].copy()])
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


@pytest.mark.parametrize('codec', CODECS)
def test_codecs_lose_something_but_no_time(codec: str) -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    wave = (0.3 * np.sin(2 * np.pi * (200 + 600 * time_s) * time_s)
            * (np.sin(2 * np.pi * 3 * time_s) > 0)).astype(np.float32)
    coded = encode(wave, codec)
    assert coded.shape == wave.shape
    assert abs(best_lag(wave, coded)) <= 16
    assert np.corrcoef(wave, coded)[0, 1] > 0.8
    assert np.abs(coded - wave).max() > 1e-4


def test_babble_is_several_voices_of_the_length_asked_for() -> None:
    rng = np.random.default_rng(4)
    mixed = babble([bursts(), bursts()[::-1].copy()], rng, 1.5)
    assert mixed.shape == (24_000,)
    assert (mixed ** 2).mean() > 1.0


def test_another_microphone_changes_the_spectrum_but_no_time() -> None:
    wave = bursts()
    coloured = colour(wave, np.random.default_rng(5))
    assert best_lag(wave, coloured) == 0
    ratio = np.abs(np.fft.rfft(coloured)[1000:30_000:1000]) / np.abs(
        np.fft.rfft(wave)[1000:30_000:1000])
    assert ratio.max() > 1.5 * ratio.min()
    assert 20 * np.abs(np.log10(ratio)).max() < 8.1


def test_a_disguised_voice_keeps_the_envelope() -> None:
    wave = bursts()
    loud = [np.abs(sound).reshape(-1, 320).mean(axis=1)
            for sound in (wave, disguise(wave, np.random.default_rng(6)))]
    assert np.corrcoef(*loud)[0, 1] > 0.9


def test_noises_of_held_out_folds_are_apart(tmp_path: Path) -> None:
    folder = tmp_path / 'noise_esc10'
    folder.mkdir()
    rows = ['clip,file,category,fold']
    for fold in range(1, 6):
        soundfile.write(folder / f'{fold}.wav', np.full(800, 0.1 * fold), RATE_HZ)
        rows.append(f'{fold},{fold}.wav,rain,{fold}')
    (folder / 'clips.csv').write_text('\n'.join(rows), encoding='utf-8')
    trained, kept = load_noises(tmp_path), load_noises(tmp_path, HELD_OUT_FOLDS)
    levels = [[round(float(clip.mean()) * 10) for clip in clips] for clips in (trained, kept)]
    assert levels == [[1, 2, 3], [4]]
