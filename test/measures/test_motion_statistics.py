"""Distributions, jitter, drift, diversity and Fréchet distance on motion that is known."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.measures.distributions import (
    EDGES,
    hellinger,
    log_histograms,
    wrist_kinematics,
)
from gesture_node.measures.diversity import mean_distance_m, variance_share
from gesture_node.measures.drift import mean_rotation, measure_drift
from gesture_node.measures.frechet import Cloud, frechet_distance
from gesture_node.measures.jitter import jitter_mm
from gesture_node.motion.rotations import matrix_from_rotvec, matrix_to_6d
from gesture_node.motion.skeleton import JOINT_INDEX, rest_pose


def waving(fps: float, amplitude_m: float = 0.1, rate_hz: float = 1.0, duration_s: float = 20.0,
           tremor_m: float = 0.0) -> np.ndarray:
    """Return wrists ``(T, 2, 3)`` that swing along x, with a tremor of 9 Hz along y."""
    time_s = np.arange(round(duration_s * fps)) / fps
    swing = amplitude_m * np.sin(2 * np.pi * rate_hz * time_s)
    wrists = np.zeros((len(time_s), 2, 3))
    wrists[:, 0, 0], wrists[:, 1, 0] = swing, swing
    wrists[..., 1] = tremor_m * np.sin(2 * np.pi * 9.0 * time_s)[:, None]
    return wrists


def test_kinematics_of_a_sine() -> None:
    found = wrist_kinematics(waving(25.0), 25.0)
    omega = 2 * np.pi
    # The low-pass takes away 0.2 % at 1 Hz.
    assert found.speed.max() == pytest.approx(0.1 * omega, rel=0.02)
    # Where the acceleration is highest the wrist stands still, which does not count as moving.
    assert found.acceleration.max() == pytest.approx(0.98 * 0.1 * omega ** 2, rel=0.02)
    assert found.jerk.max() == pytest.approx(0.1 * omega ** 3, rel=0.05)


def test_who_stands_still_has_no_distribution() -> None:
    still = wrist_kinematics(np.zeros((100, 2, 3)), 25.0)
    shares = log_histograms([still])
    moving = log_histograms([wrist_kinematics(waving(25.0), 25.0)])
    assert all(len(values) == 24 and not values.any() for values in shares.values())
    assert all(hellinger(shares[name], moving[name]) == 1.0 for name in EDGES)
    assert len(wrist_kinematics(np.zeros((3, 2, 3)), 25.0).speed) == 0


def test_pauses_do_not_change_the_distribution() -> None:
    gesture = waving(25.0, duration_s=8.0) * np.sin(np.pi * np.arange(200) / 200)[:, None, None]
    pause = np.repeat(gesture[-1:], 200, axis=0)
    one = log_histograms([wrist_kinematics(gesture, 25.0)])
    other = log_histograms([wrist_kinematics(np.concatenate([gesture, pause]), 25.0)])
    assert all(hellinger(one[name], other[name]) < 0.1 for name in EDGES)


def test_frame_rate_does_not_matter_and_tempo_does() -> None:
    slow = log_histograms([wrist_kinematics(waving(30.0), 30.0)])
    same = log_histograms([wrist_kinematics(waving(25.0), 25.0)])
    fast = log_histograms([wrist_kinematics(waving(25.0, rate_hz=2.0), 25.0)])
    for name in EDGES:
        assert hellinger(slow[name], same[name]) < 0.1 < hellinger(slow[name], fast[name])


def test_hellinger_is_a_distance_between_0_and_1() -> None:
    half, other = np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.0, 1.0])
    assert hellinger(half, half) == 0.0 and hellinger(half, other) == 1.0
    assert hellinger(half, np.array([0.25, 0.25, 0.5])) == pytest.approx(
        np.sqrt(1 - np.sqrt(0.5)))


def test_jitter_is_the_tremor_and_not_the_stroke() -> None:
    # The power of a sine is half the square of its amplitude.
    assert jitter_mm([(waving(25.0, tremor_m=0.002), 25.0)]) == pytest.approx(
        2.0 / np.sqrt(2.0), rel=0.05)
    assert jitter_mm([(waving(25.0), 25.0)]) < 0.05
    assert jitter_mm([(waving(30.0, tremor_m=0.002), 30.0)]) == pytest.approx(
        jitter_mm([(waving(25.0, tremor_m=0.002), 25.0)]), rel=0.05)


def test_jitter_counts_moving_wrists_only() -> None:
    trembling = waving(25.0, amplitude_m=0.0, tremor_m=0.0005)
    assert np.isnan(jitter_mm([(trembling, 25.0)]))
    with pytest.raises(ValueError, match='24 frames per second, got 20'):
        jitter_mm([(waving(20.0), 20.0)])


def leaning(degrees: np.ndarray) -> np.ndarray:
    """Return poses whose chest leans forward by the angles given."""
    poses = np.repeat(rest_pose()[None], len(degrees), axis=0)
    turn = matrix_from_rotvec(np.radians(degrees)[:, None] * np.array([0.0, 1.0, 0.0]))
    start = 6 * JOINT_INDEX['chest']
    poses[:, start:start + 6] = matrix_to_6d(turn).reshape(-1, 6)
    return poses


def test_a_creeping_torso_shows_and_swaying_does_not() -> None:
    time_s = np.arange(25 * 180) / 25
    creeping = measure_drift(leaning(time_s / 30.0), 25.0)
    assert creeping.torso_deg == pytest.approx(4.0, abs=0.05)
    assert creeping.neck_cm == pytest.approx(28 * np.radians(4.0), rel=0.05)
    swaying = measure_drift(leaning(3.0 * np.sin(2 * np.pi * 0.2 * time_s)), 25.0)
    assert swaying.torso_deg < 0.01 and swaying.torso_spread_deg < 0.1
    with pytest.raises(ValueError, match='two stretches'):
        measure_drift(leaning(np.zeros(100)), 25.0)


def test_the_mean_rotation_lies_between() -> None:
    turns = matrix_from_rotvec(np.array([[0.0, 0.0, 0.2], [0.0, 0.0, 0.6]]))
    expected = matrix_from_rotvec(np.array([0.0, 0.0, 0.4]))
    assert np.allclose(mean_rotation(turns), expected, atol=1e-9)


def test_variance_share_tells_sound_from_chance() -> None:
    random = np.random.default_rng(0)
    sound, chance = random.standard_normal((500, 3)), random.standard_normal((8, 500, 3))
    assert variance_share(np.repeat(sound[None], 8, axis=0)) < 1e-12
    assert variance_share(chance) == pytest.approx(1.0, abs=0.05)
    # Units do not matter; half of the variance from the seed is a half.
    assert variance_share(7.0 * (sound + chance)) == pytest.approx(0.5, abs=0.05)
    assert variance_share(np.zeros((2, 5, 1))) == 0.0
    with pytest.raises(ValueError, match='two seeds'):
        variance_share(np.zeros((1, 5, 1)))


def test_distance_between_seeds_is_a_mean_over_pairs() -> None:
    positions = np.zeros((3, 4, 2, 3))
    positions[1, ..., 0] = 1.0
    positions[2, ..., 0] = 3.0
    assert mean_distance_m(positions) == pytest.approx(2.0)
    with pytest.raises(ValueError, match='two seeds'):
        mean_distance_m(positions[:1])


def test_frechet_distance_of_known_clouds() -> None:
    identity, zero = np.eye(2), np.zeros(2)
    unit, far = Cloud(zero, identity), Cloud(np.array([3.0, 4.0]), identity)
    assert frechet_distance(unit, unit) == pytest.approx(0.0, abs=1e-9)
    assert frechet_distance(unit, far) == pytest.approx(25.0)
    # (2 - 1)^2 for each axis when only the spread differs.
    assert frechet_distance(unit, Cloud(zero, 4.0 * identity)) == pytest.approx(2.0)
    assert frechet_distance(unit, Cloud(zero, 0.0 * identity)) == pytest.approx(2.0)


def test_frechet_distance_is_symmetric_and_grows_with_noise() -> None:
    random = np.random.default_rng(1)
    codes = random.standard_normal((2_000, 4)) @ random.standard_normal((4, 4))
    half = Cloud.of(codes[:1_000]), Cloud.of(codes[1_000:])
    noisy = Cloud.of(codes[1_000:] + 2.0 * random.standard_normal((1_000, 4)))
    near, wide = frechet_distance(*half), frechet_distance(half[0], noisy)
    assert near < 0.2 * wide
    assert wide == pytest.approx(frechet_distance(noisy, half[0]))
    with pytest.raises(ValueError, match='two codes'):
        Cloud.of(codes[:1])
