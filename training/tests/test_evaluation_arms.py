"""Figures of arms and of style on motion whose answers are known; baselines are what they say."""
from __future__ import annotations

from gesture_training.corpora.speech import SpeechTake
from gesture_training.evaluation.baselines import follow_loudness, looped
from gesture_training.evaluation.body import beat_figures, of_other_takes
from gesture_training.evaluation.face_life import head_turns
from gesture_training.evaluation.human import wrist_positions
from gesture_training.evaluation.speech import BodyTake
from gesture_training.evaluation.style import carried_share, differences, gesture_size
import numpy as np
import pytest

from gesture_node.motion.rotations import matrix_from_rotvec, matrix_to_6d
from gesture_node.motion.skeleton import JOINT_INDEX, rest_pose

QUIET_DB, LOUD_DB = -11.0, -4.0


def take(accents_s: list[float], seconds: float = 12.0) -> BodyTake:
    """Return a take that speaks between 2 and 8 s."""
    features = np.full((round(50 * seconds), 83), QUIET_DB, np.float32)
    features[100:400, :81] = LOUD_DB
    wave = np.zeros(round(16_000 * seconds), np.float32)
    return BodyTake(SpeechTake('take', 'synthetic', 'nobody', 'CC0', wave), features,
                    np.array(accents_s))


def bent(angle_rad: np.ndarray, joint: str = 'left_elbow') -> np.ndarray:
    """Return poses whose joint is bent forward by the angles."""
    poses = np.repeat(rest_pose()[None], len(angle_rad), axis=0)
    turn = matrix_from_rotvec(angle_rad[:, None] * np.array([0.0, -1.0, 0.0]))
    start = 6 * JOINT_INDEX[joint]
    poses[:, start:start + 6] = matrix_to_6d(turn).reshape(-1, 6)
    return poses


def strokes(accents_s: list[float], frames: int = 300) -> np.ndarray:
    """Return poses whose elbow bends to each accent and back, arriving 60 ms after it."""
    time = np.arange(frames) / 25
    angle = np.zeros(frames)
    for at in accents_s:
        rise = np.clip((time - at + 0.24) / 0.3, 0.0, 1.0)
        fall = np.clip((time - at - 0.4) / 0.5, 0.0, 1.0)
        angle = np.maximum(angle, 1.2 * (rise ** 2 * (3 - 2 * rise)) * (1 - fall))
    return bent(angle)


TIMES = ([2.5, 4.1, 6.0, 7.6], [3.1, 4.9, 5.6, 7.0], [2.2, 3.7, 5.2, 6.7])


def test_motion_on_the_accents_fits_its_own_speech() -> None:
    takes = [take(times) for times in TIMES]
    poses = [strokes(times) for times in TIMES]
    own = beat_figures(takes, [wrist_positions(p) for p in poses])
    other = beat_figures(takes, [wrist_positions(p) for p in of_other_takes(takes, poses)])
    assert own['matched_share'] == 1.0 and own['matched_error'] == pytest.approx(0.0)
    assert other['matched_share'] < 0.7 and own['alignment'] > 1.5 * other['alignment']
    assert own['speed_in_speech_m_s'] > 3.0 * own['speed_in_silence_m_s']
    assert own['accents_per_minute'] == pytest.approx(20.0)


def test_standing_still_is_chance() -> None:
    takes = [take(times) for times in TIMES]
    found = beat_figures(takes, [wrist_positions(bent(np.zeros(300)))] * 3)
    assert found['matched_share'] == 0.5 and found['alignment'] == 0.0


def test_a_loop_fills_the_time_without_a_jump() -> None:
    angle = np.linspace(0.0, 1.0, 40)
    loop = looped(bent(angle), 100)
    wrists = wrist_positions(loop)
    assert len(loop) == 100
    # One period is the clip without the frames that are blended away.
    assert np.allclose(wrists[10], wrists[44], atol=1e-9)
    plain = wrist_positions(np.tile(bent(angle), (3, 1)))
    step, jump = (np.linalg.norm(np.diff(w[:, 0], axis=0), axis=-1).max()
                  for w in (wrists, plain))
    assert step < 0.3 * jump


def test_arms_follow_loudness() -> None:
    spoken = take([])
    poses = follow_loudness(spoken, rest_pose(), bent(np.ones(1))[0])
    assert len(poses) == spoken.frames
    reach = np.linalg.norm(wrist_positions(poses)[:, 0] - wrist_positions(rest_pose()[None])[0, 0],
                           axis=-1)
    assert reach[60:190].min() > 0.15 and reach[:45].max() < 1e-6


def test_the_size_of_gestures() -> None:
    time = np.arange(500) / 25
    small, large, fast = (gesture_size(bent(0.5 + size * np.sin(2 * np.pi * rate * time)))
                          for size, rate in ((0.2, 0.5), (0.4, 0.5), (0.4, 1.0)))
    assert large[0] == pytest.approx(2.0 * small[0], rel=0.1)
    assert fast[0] == pytest.approx(large[0], rel=0.1)
    assert fast[1] == pytest.approx(2.0 * large[1], rel=0.2)
    assert fast[2] == pytest.approx(2.0 * large[2], rel=0.1)


def test_differences_are_in_units_of_the_seeds_spread() -> None:
    random = np.random.default_rng(0)
    values = random.normal(1.0, 0.1, (40, 2, 8, 3))
    values[:, 0, :, 0] += 0.5
    found = differences(values)
    assert found['amplitude_m']['ratio'] == pytest.approx(5.0, rel=0.15)
    assert found['amplitude_m']['same_sign'] == 1.0
    assert abs(found['rate_per_min']['ratio']) < 0.5
    assert found['amplitude_m']['seed_spread'] == pytest.approx(0.1, rel=0.1)


def test_a_difference_within_the_seeds_spread_carries_nothing() -> None:
    natural, pinned = {'ratio': 4.0, 'difference': 0.2}, {'difference': 0.15}
    assert carried_share(natural, pinned) == pytest.approx(0.75)
    assert carried_share({'ratio': 0.5, 'difference': 0.01}, pinned) == 0.0


def test_head_turns_are_about_their_mean() -> None:
    angle = 0.3 + 0.1 * np.sin(np.arange(100) / 5.0)
    turns = head_turns(np.stack([bent(angle, 'head'), bent(angle, 'neck')]))
    assert turns.shape == (2, 100, 3)
    assert np.allclose(turns[0], turns[1], atol=1e-9)
    assert np.allclose(np.abs(turns[0, :, 1]), np.abs(angle - angle.mean()), atol=2e-3)
