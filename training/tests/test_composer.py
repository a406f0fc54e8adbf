"""The composer keeps its promises on synthetic gestures and accents; no data needed."""
from dataclasses import replace

from gesture_training.corpora.clips import Clip, mirrored, SyncTimes, wrist_positions
from gesture_training.corpora.composer import compose, compose_for, hear, Prosody
from gesture_training.corpora.composer_plan import Plan, plan, Pulse
from gesture_training.corpora.composer_pulses import pulse_track, steady
from gesture_training.corpora.composer_strokes import make_stroke
from gesture_training.exceptions import TrainingError
import numpy as np
import pytest

from gesture_node.audio.features import waveform_features
from gesture_node.guides.rules import Span, speech_spans, stroke_bar
from gesture_node.measures.accents import voice_activity
from gesture_node.measures.alignment import align, matched_share
from gesture_node.measures.beats import wrist_beats
from gesture_node.motion.courses import minimum_jerk
from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import JOINT_INDEX, pack_pose, rest_pose, unpack_pose

FPS = 25
CATEGORIES = ('beat', 'chop', 'offer', 'you', 'size', 'point', 'plea', 'stop', 'we', 'me')


def gesture(hand, elbow_rad, out_rad):
    """Return a clip that raises a hand until 0.8 s, stays, and takes it down again."""
    times = np.arange(63) / FPS
    raised = minimum_jerk((times - 0.3) / 0.5) * (1.0 - minimum_jerk((times - 1.4) / 0.7))
    rotations, fingers = unpack_pose(np.repeat(rest_pose()[None], len(times), axis=0))
    for side in ('left', 'right') if hand == 'both' else (hand,):
        flex = np.outer(elbow_rad * raised, [0.0, -1.0, 0.0])
        swing = np.outer(out_rad * raised, [0.0, -1.0, 0.0])
        rotations[:, JOINT_INDEX[f'{side}_elbow']] = matrix_from_rotvec(flex)
        rotations[:, JOINT_INDEX[f'{side}_shoulder']] = matrix_from_rotvec(swing)
    return Clip(f'{hand}{elbow_rad}', 'beat', hand, float(FPS), pack_pose(rotations, fingers),
                SyncTimes(0.3, 0.4, 0.8, 1.0, 1.4, 2.48))


@pytest.fixture(scope='module')
def strokes():
    found, idle = [], wrist_positions(rest_pose()[None])[0]
    for k, category in enumerate(CATEGORIES):
        for hand in ('both', 'right'):
            clip = replace(gesture(hand, 1.2 + 0.06 * k, 0.3), category=category)
            for version in (clip, mirrored(clip)):
                found.append(make_stroke(f'{category}{hand}', version, idle))
    return found


def prosody(seed, speech=((1.0, 14.0), (16.9, 30.0)), duration_s=33.0, arousal=0.5):
    rng = np.random.default_rng(seed)
    voiced = np.zeros(int(duration_s * 50), dtype=bool)
    accents = []
    for start, stop in speech:
        voiced[int(start * 50):int(stop * 50)] = True
        accents.append(start + np.cumsum(rng.uniform(0.5, 1.3, int((stop - start) / 0.95))))
    onsets = np.concatenate(accents)
    onsets = onsets[onsets < duration_s - 2.5]
    return Prosody(duration_s, onsets, rng.normal(0.7, 0.4, len(onsets)), voiced,
                   np.where(voiced, 0.3, 0.0), np.full(len(voiced), arousal))


def planned(heard, strokes, seed=0):
    idle = wrist_positions(rest_pose()[None])[0]
    return plan(heard.accents_s, heard.prominences, heard.voiced, heard.arousal, strokes, idle,
                np.random.default_rng(seed))


@pytest.fixture(scope='module')
def compositions(strokes):
    heard = [prosody(seed) for seed in range(6)]
    made = [compose(p, strokes, rest_pose(), np.random.default_rng(k))
            for k, p in enumerate(heard)]
    return heard, made


def test_motion_is_valid_and_covers_the_take(compositions):
    for heard, made in zip(*compositions):
        assert made.poses.shape == (round(heard.duration_s * FPS), 84)
        assert np.isfinite(made.poses).all()
        rotations, _ = unpack_pose(made.poses)
        assert np.allclose(np.swapaxes(rotations, -1, -2) @ rotations, np.eye(3), atol=1e-6)


def test_motion_fits_its_own_speech_best(compositions):
    heard, made = compositions
    accents = [p.accents_s for p in heard]
    beats = [wrist_beats(wrist_positions(m.poses), FPS).times_s for m in made]
    fits = [align(a, b) for a, b in zip(accents, beats)]
    assert matched_share(accents, beats) > 0.95
    assert np.mean([fit.recall for fit in fits]) > 0.7
    assert np.mean([fit.score for fit in fits]) > 0.6


def test_takes_begin_and_end_at_idle(compositions):
    idle = wrist_positions(rest_pose()[None])[0]
    for made in compositions[1]:
        wrists = wrist_positions(made.poses[[0, -1]])
        assert np.abs(wrists - idle).max() < 0.04


def test_hands_come_down_in_long_pauses(compositions):
    idle = wrist_positions(rest_pose()[None])[0]
    for made in compositions[1]:
        assert np.abs(wrist_positions(made.poses[[int(16.8 * FPS)]])[0] - idle).max() < 0.12


def test_no_jumps(compositions):
    for made in compositions[1]:
        wrists = wrist_positions(made.poses)
        speed = np.linalg.norm(np.diff(wrists, axis=0), axis=-1) * FPS
        jump = np.linalg.norm(np.diff(wrists, 2, axis=0), axis=-1) * FPS ** 2
        assert speed.max() < 4.0
        assert jump.max() < 60.0


def test_silence_is_nearly_still(strokes):
    empty = np.zeros(0)
    quiet = Prosody(20.0, empty, empty, np.zeros(1000, dtype=bool), np.zeros(1000),
                    np.full(1000, 0.5))
    made = compose(quiet, strokes, rest_pose(), np.random.default_rng(0))
    wrists = wrist_positions(made.poses)
    assert len(wrist_beats(wrists, FPS).times_s) == 0
    assert np.abs(wrists - wrists.mean(axis=0)).max() < 0.05
    assert np.linalg.norm(np.diff(wrists, axis=0), axis=-1).max() > 0.0


def test_the_same_seed_repeats(strokes):
    first, again = (compose(prosody(3), strokes, rest_pose(), np.random.default_rng(5))
                    for _ in range(2))
    assert np.array_equal(first.poses, again.poses)


def test_no_clip_comes_back_soon(strokes):
    placed = planned(prosody(1, ((1.0, 100.0),), 103.0, arousal=0.9), strokes).strokes
    names = [item.stroke.name for item in placed]
    assert len(names) > 25
    assert all(len(set(names[i:i + 8])) == len(names[i:i + 8]) for i in range(len(names)))
    gaps = np.diff([item.apex_s for item in placed])
    assert gaps.min() > 0.7


def test_short_pauses_belong_to_speech():
    voiced = np.zeros(500, dtype=bool)
    voiced[50:100] = voiced[120:200] = voiced[300:350] = True
    spans = speech_spans(voiced)
    assert [(span.start, span.stop) for span in spans] == [(1.0, 4.0), (6.0, 7.0)]


def test_prominence_decides_which_accents_get_a_stroke(strokes):
    heard = prosody(2, ((1.0, 100.0),), 103.0)
    chosen = {stroke.apex_s for stroke in planned(heard, strokes).strokes}
    taken = np.array([min(abs(at + 0.06 - apex) for apex in chosen) < 0.08
                      for at in heard.accents_s])
    assert heard.prominences[taken].mean() > heard.prominences[~taken].mean() + 0.15
    assert np.all(np.diff([stroke_bar(share) for share in np.linspace(0.5, 1.6, 20)]) <= 0.0)


def test_chance_moves_no_stroke_far(strokes):
    heard = prosody(4)
    first, other = (planned(heard, strokes, seed) for seed in (1, 2))
    same = [min(abs(a.apex_s - b.apex_s) for b in other.strokes) < 0.2 for a in first.strokes]
    assert np.mean(same) > 0.6
    assert [s.stroke.name for s in first.strokes] != [s.stroke.name for s in other.strokes]


def test_lively_voices_get_more_and_larger_gestures(strokes):
    calm, lively = (planned(prosody(5, ((1.0, 60.0),), 63.0, arousal), strokes)
                    for arousal in (0.1, 0.9))
    assert len(lively.strokes) > 1.4 * len(calm.strokes)
    sizes = [np.mean([s.amplitude * s.stroke.reach_m for s in p.strokes]) for p in (calm, lively)]
    assert sizes[1] > 1.3 * sizes[0]
    assert np.mean([p.size for p in lively.pulses]) > 1.5 * np.mean([p.size for p in calm.pulses])


def test_a_pulse_is_quick_into_the_accent_and_slow_out_of_it():
    times = np.arange(0.0, 12.0, 1.0 / FPS)
    plan_ = Plan([], [Pulse(at, 0.6) for at in (3.0, 4.2, 5.6)], [], [Span(1.0, 9.0)])
    track = pulse_track(times, plan_, np.ones(len(times)))
    speed = np.diff(track) * FPS
    fast = times[:-1][np.abs(speed) > 1.0]
    assert all(min(abs(t - at + 0.1) for at in (3.0, 4.2, 5.6)) < 0.13 for t in fast)
    assert speed.min() < -3.0 and speed.max() < 1.0
    assert np.abs(track[[0, -1]]).max() < 1e-9


def test_steady_motion_is_slower_at_its_peak():
    x = np.linspace(0.0, 1.0, 1001)
    assert np.allclose([steady(x)[0], steady(x)[500], steady(x)[-1]], [0.0, 0.5, 1.0])
    assert np.diff(steady(x)).max() * 1000 == pytest.approx(1.25, rel=0.01)
    assert np.diff(minimum_jerk(x)).max() * 1000 == pytest.approx(1.875, rel=0.01)


def test_the_baseline_takes_sound_or_features(strokes):
    rng = np.random.default_rng(0)
    sound = (0.01 * rng.standard_normal(32000)).astype(np.float32)
    poses = compose_for(sound, strokes, rest_pose(), 3)
    assert poses.shape == (50, 84)
    assert np.array_equal(poses, compose_for(waveform_features(sound), strokes, rest_pose(), 3))
    with pytest.raises(TrainingError, match='neither'):
        compose_for(np.zeros((5, 7)), strokes, rest_pose(), 3)


def test_hearing_silence_is_not_an_error():
    heard = hear(np.full((200, 83), -14.0))
    assert len(heard.accents_s) == 0
    assert not heard.voiced.any()
    assert not voice_activity(np.zeros((0, 83))).any()
