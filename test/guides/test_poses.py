"""The draw of apex poses: by arousal, in reach in time, as far away as the voice asks for."""
import numpy as np
import pytest

from gesture_node.guides.cues import ARM_DIM
from gesture_node.guides.poses import GuidePoses, NO_REPEAT, WAY_M
from gesture_node.guides.rules import amplitude_of

HERE_M = np.zeros(6)


@pytest.fixture(scope='module')
def poses():
    """Return 300 poses whose wrists are up to 0.9 m away, at every arousal."""
    random = np.random.default_rng(3)
    wrists = random.standard_normal((300, 2, 3))
    wrists *= random.uniform(0.02, 0.9, (300, 1, 1)) / np.linalg.norm(
        wrists, axis=-1, keepdims=True)
    return GuidePoses(np.linspace(0.0, 1.0, 300), wrists.reshape(300, 6),
                      np.zeros((300, ARM_DIM)))


def ways_m(poses, arousal, time_s, here_m=HERE_M, count=80):
    """Return how far the further hand goes to each of some drawn poses."""
    drawn = [poses.draw(1, number, arousal, here_m, time_s, []) for number in range(count)]
    ways = np.linalg.norm((poses.wrists_m[drawn] - here_m).reshape(-1, 2, 3), axis=-1)
    return ways.max(axis=1)


def test_a_lively_voice_draws_far_poses_and_a_calm_one_near_ones(poses):
    calm, lively = (np.median(ways_m(poses, arousal, 3.0)) for arousal in (0.0, 1.0))
    assert calm == pytest.approx(WAY_M * amplitude_of(0.0), rel=0.35)
    assert lively > 2.0 * calm


def test_far_is_from_where_the_hands_are(poses):
    there_m = np.tile([0.5, 0.0, 0.3], 2)
    ways = ways_m(poses, 0.0, 3.0, there_m)
    assert np.median(ways) < np.median(np.linalg.norm(
        (poses.wrists_m - there_m).reshape(-1, 2, 3), axis=-1).max(axis=1))


def test_hands_that_have_no_time_stay_near(poses):
    assert np.median(ways_m(poses, 1.0, 0.2)) < 0.7 * np.median(ways_m(poses, 1.0, 3.0))


def test_arousal_bounds_the_draw_and_recent_poses_stay_out(poses):
    drawn = [poses.draw(4, number, 0.5, HERE_M, 1.0, []) for number in range(60)]
    assert np.abs(poses.arousal[drawn] - 0.5).max() < 0.06
    recent = list(range(140, 140 + NO_REPEAT))
    assert not set(recent) & {poses.draw(4, number, 0.48, HERE_M, 1.0, recent)
                              for number in range(60)}


def test_a_draw_is_told_by_seed_and_number(poses):
    assert poses.draw(4, 7, 0.5, HERE_M, 1.0, []) == poses.draw(4, 7, 0.5, HERE_M, 1.0, [])
    assert len({poses.draw(seed, 7, 0.5, HERE_M, 1.0, []) for seed in range(20)}) > 5
