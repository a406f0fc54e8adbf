"""What the composer hears of style, and how it changes deliveries; synthetic voices alone."""
from gesture_training.corpora.composer_delivery import deliver, Delivery
import numpy as np
import pytest

from gesture_node.audio.features import waveform_features
from gesture_node.guides.rules import AMPLITUDE, amplitude_of, pulse_bar, spacing_of, SPACING_S
from gesture_node.measures.arousal import arousal_curve, style_measures

RATE = 16000


def voice(range_st, dynamics_db, syllables_hz, seconds=10.0):
    """Return a buzz whose syllables swing in pitch and level."""
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = 140.0 * 2.0 ** (range_st * np.sin(2 * np.pi * 0.7 * t) / 12.0)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = sum(np.cos(k * phase) / k for k in range(1, 25))
    swing_db = dynamics_db * (np.sin(2 * np.pi * syllables_hz * t) - 1.0) / 2.0
    return (0.08 * buzz * 10.0 ** (swing_db / 20.0)).astype(np.float32)


@pytest.fixture(scope='module')
def calm():
    return voice(0.8, 12.0, 2.5)


def test_lively_voices_have_more_arousal(calm):
    quiet, lively = (arousal_curve(waveform_features(v))[-1]
                     for v in (calm, voice(5.0, 24.0, 4.5)))
    assert lively > quiet + 0.2


def test_gain_changes_no_style(calm):
    curves = [arousal_curve(waveform_features(gain * calm)) for gain in (1.0, 0.4)]
    assert np.abs(curves[0] - curves[1]).max() < 0.05


def test_only_the_last_eight_seconds_count(calm):
    lively = voice(5.0, 12.0, 2.5, 9.0)
    features = waveform_features(np.concatenate([lively, calm]))
    alone = waveform_features(calm)
    assert style_measures(features)['pitch_st'][-1] == pytest.approx(
        style_measures(alone)['pitch_st'][-1], rel=0.1)


def test_arousal_spans_sizes_and_spacings():
    assert [float(amplitude_of(a)) for a in (0.0, 1.0)] == pytest.approx(AMPLITUDE)
    assert [float(spacing_of(a)) for a in (0.0, 1.0)] == pytest.approx(SPACING_S)
    bars = pulse_bar(np.array([0.2, 0.6, 1.0]))
    assert bars[0] > bars[1] > bars[2]


@pytest.mark.parametrize('factor', [0.4, 1.6])
def test_a_delivery_changes_the_pitch_range(factor):
    sound = voice(3.0, 6.0, 3.0, 6.0)
    features = waveform_features(sound)
    said = deliver(sound, features, Delivery(factor, 1.0, 1.0))
    spreads = []
    for one in (features, waveform_features(said)):
        pitch = 12.0 * one[20:-20, 81][one[20:-20, 82] > 0.6]
        spreads.append(np.subtract(*np.percentile(pitch, [90, 10])))
    assert spreads[1] / spreads[0] == pytest.approx(factor, rel=0.2)


def test_a_delivery_changes_the_tempo_and_nothing_else():
    sound = voice(1.0, 18.0, 3.0, 4.0)
    said = deliver(sound, waveform_features(sound), Delivery(1.0, 1.0, 1.25))
    assert len(said) == pytest.approx(len(sound) / 1.25, abs=2)
    assert np.std(said) == pytest.approx(np.std(sound), rel=0.15)
    same = deliver(sound, waveform_features(sound), Delivery(1.0, 1.0, 1.0))
    assert np.corrcoef(same[2000:-2000], sound[2000:-2000])[0, 1] > 0.98


def test_dynamics_grow():
    sound = voice(1.0, 16.0, 0.8, 6.0)
    features = waveform_features(sound)
    said = [deliver(sound, features, Delivery(1.0, dynamics, 1.0)) for dynamics in (0.5, 1.5)]
    spreads = [np.std(waveform_features(one)[20:-20, 80]) for one in said]
    assert spreads[1] > 1.5 * spreads[0]
