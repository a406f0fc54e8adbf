"""The composer keeps its promises on synthetic gestures and accents; no data needed."""
from gesture_training.corpora.clips import Clip, mirrored, SyncTimes, wrist_positions
from gesture_training.corpora.composer import compose, hear, Prosody
from gesture_training.corpora.composer_arms import minimum_jerk, pulse_curve
from gesture_training.corpora.composer_plan import plan, speech_spans
from gesture_training.corpora.composer_strokes import Stroke
import numpy as np
import pytest

from gesture_node.measures.accents import voice_activity
from gesture_node.measures.alignment import align, matched_share
from gesture_node.measures.beats import wrist_beats
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
    found = []
    for k, category in enumerate(CATEGORIES):
        for hand in ('both', 'right'):
            clip = gesture(hand, 1.2 + 0.06 * k, 0.3)
            for version in (clip, mirrored(clip)):
                found.append(Stroke(f'{category}{hand}', category, version.hand, version, 0.78,
                                    1.3, 0.4))
    return found


def prosody(seed, speech=((1.0, 14.0), (16.5, 30.0)), duration_s=33.0):
    rng = np.random.default_rng(seed)
    voiced = np.zeros(int(duration_s * 50), dtype=bool)
    accents = []
    for start, stop in speech:
        voiced[int(start * 50):int(stop * 50)] = True
        accents.append(start + np.cumsum(rng.uniform(0.5, 1.3, int((stop - start) / 0.95))))
    onsets = np.concatenate(accents)
    onsets = onsets[onsets < duration_s - 2.5]
    return Prosody(duration_s, onsets, rng.normal(0.7, 0.4, len(onsets)), voiced,
                   np.where(voiced, 0.3, 0.0), 1.0)


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
    assert matched_share(accents, beats) > 0.9
    assert np.mean([align(a, b).recall for a, b in zip(accents, beats)]) > 0.5


def test_takes_begin_and_end_at_idle(compositions):
    idle = wrist_positions(rest_pose()[None])[0]
    for made in compositions[1]:
        wrists = wrist_positions(made.poses[[0, -1]])
        assert np.abs(wrists - idle).max() < 0.04


def test_hands_come_down_in_long_pauses(compositions):
    idle = wrist_positions(rest_pose()[None])[0]
    for made in compositions[1]:
        assert np.abs(wrist_positions(made.poses[[int(15.9 * FPS)]])[0] - idle).max() < 0.12


def test_no_jumps(compositions):
    for made in compositions[1]:
        wrists = wrist_positions(made.poses)
        speed = np.linalg.norm(np.diff(wrists, axis=0), axis=-1) * FPS
        jump = np.linalg.norm(np.diff(wrists, 2, axis=0), axis=-1) * FPS ** 2
        assert speed.max() < 4.0
        assert jump.max() < 60.0


def test_silence_is_nearly_still(strokes):
    empty = np.zeros(0)
    quiet = Prosody(20.0, empty, empty, np.zeros(1000, dtype=bool), np.zeros(1000), 1.0)
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
    heard = prosody(1, ((1.0, 100.0),), 103.0)
    placed = plan(heard.accents_s, heard.prominences, heard.voiced, 1.0, strokes,
                  np.random.default_rng(0)).strokes
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


def test_a_pulse_turns_at_its_apex():
    times = np.linspace(-1.0, 1.0, 2001)
    curve = pulse_curve(times)
    assert abs(times[np.argmin(curve)]) < 0.03
    assert times[np.argmax(curve)] < -0.1
    assert np.abs(curve[[0, -1]]).max() < 1e-6


def test_hearing_silence_is_not_an_error():
    heard = hear(np.full((200, 83), -14.0))
    assert len(heard.accents_s) == 0
    assert not heard.voiced.any()
    assert not voice_activity(np.zeros((0, 83))).any()
