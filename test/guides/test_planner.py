"""Guides follow what was heard: on the accents, settled once committed, the same for a seed."""
import numpy as np
import pytest
from voices import voice

from gesture_node.audio.features import waveform_features
from gesture_node.guides.cues import ARM_DIM, AROUSAL
from gesture_node.guides.planner import arousal_now, GuidePlanner
from gesture_node.guides.poses import GuidePoses
from gesture_node.measures.accents import find_accents
from gesture_node.measures.alignment import BEAT_LAG_S

HISTORY, FRAMES, SEED_FRAMES = 400, 60, 20


@pytest.fixture(scope='module')
def features():
    return waveform_features(np.concatenate([voice(), voice()]))


@pytest.fixture(scope='module')
def poses():
    rng = np.random.default_rng(1)
    return GuidePoses(np.linspace(0.0, 1.0, 100), rng.uniform(-0.3, 0.3, (100, 6)),
                      rng.standard_normal((100, ARM_DIM)))


def run(features, poses, hop=10, foresight=10, seed=5, arousal=None, change=None):
    """Return the cues (T, 131) of every frame as the window that commits it had them."""
    planner, parts = GuidePlanner(poses, seed), []
    for start in range(0, len(features) // 2 - hop - foresight, hop):
        end = 2 * (start + hop + foresight)
        if change is not None:
            features = change(features, end)
        index = np.arange(end - HISTORY, end)
        history = np.where(index[:, None] >= 0, features[np.maximum(index, 0)], 0.0)
        cues = planner.cues(history.astype(np.float32), (index >= 0).astype(np.float32), end,
                            start - SEED_FRAMES, start, FRAMES, arousal)
        parts.append(cues[SEED_FRAMES:SEED_FRAMES + hop])
    return np.concatenate(parts)


def test_strokes_and_pulses_are_on_accents(features, poses):
    cues = run(features, poses)
    apexes = np.flatnonzero(np.maximum(cues[:, 0], cues[:, 6]) > 0.3) / 25.0
    accents_s = find_accents(features).onsets_s + BEAT_LAG_S
    assert len(apexes) > 8
    near = np.abs(apexes[:, None] - accents_s).min(axis=1) < 0.12
    assert near.mean() > 0.8


def test_the_same_seed_plans_the_same(features, poses):
    np.testing.assert_array_equal(run(features, poses), run(features, poses))
    assert np.abs(run(features, poses, seed=6)[:, 11:] - run(features, poses)[:, 11:]).max() > 0.5


def test_what_was_not_heard_changes_nothing(features, poses):
    def unheard(known, end):
        changed = known.copy()
        changed[end:] = 3.0
        return changed

    kept = features.copy()
    other = run(features, poses, change=lambda _, end: unheard(kept, end))
    np.testing.assert_array_equal(other, run(features, poses))


def test_a_stroke_that_is_settled_stays(features, poses):
    cues = run(features, poses)
    last = cues[:, 71:] / np.maximum(cues[:, 5:6], 1e-9)
    changes = np.flatnonzero(np.abs(np.diff(last[:, 0])) > 1e-3)
    bumps = np.flatnonzero(cues[:, 0] > 0.3)
    assert len(changes) and all(np.abs(bumps - frame).min() <= 3 for frame in changes)


def test_arousal_may_be_imposed(features, poses):
    assert (run(features, poses, arousal=1.0)[:, AROUSAL] == 1.0).all()
    lively, calm = (run(features, poses, arousal=value) for value in (1.0, 0.0))
    assert (lively[:, 0] > 0.9).sum() > (calm[:, 0] > 0.9).sum()


def test_no_pose_comes_back_at_once(features, poses):
    cues = run(features, poses, arousal=1.0)
    frames = np.flatnonzero(cues[:, 5] > 0.95)
    shown = [tuple(np.round(row, 2)) for row in cues[frames, 71:75] / cues[frames, 5:6]]
    strokes = [pose for n, pose in enumerate(shown) if n == 0 or pose != shown[n - 1]]
    assert len(strokes) >= 5 and len(set(strokes)) == len(strokes)


def test_skipped_windows_leave_no_plan(features, poses):
    planner = GuidePlanner(poses, 0)
    window = features[:HISTORY], np.ones(HISTORY, np.float32), HISTORY
    before = planner.cues(*window, 150, 170, FRAMES)
    planner.skip()
    after = planner.cues(*window, 150, 170, FRAMES)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize('dim', [83, 768])
def test_other_features_and_no_features_tell_nothing(poses, dim):
    history = np.zeros((HISTORY, dim), np.float32)
    heard = np.zeros(HISTORY, np.float32) if dim == 83 else np.ones(HISTORY, np.float32)
    assert not GuidePlanner(poses, 0).cues(history, heard, 0, -20, 0, FRAMES).any()


def test_silence_has_no_guides(poses):
    silence = waveform_features(np.zeros(8 * 16_000, np.float32))
    cues = GuidePlanner(poses, 0).cues(silence, np.ones(len(silence), np.float32), len(silence),
                                       150, 170, FRAMES)
    assert np.isfinite(cues).all() and not cues[:, :9].any()
    assert 0.0 <= arousal_now(silence) < 0.5
