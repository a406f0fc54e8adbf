"""Idle motion, gaze and nods: inside the budget, the same by seed in any pieces, never a jump."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.dialogue.gaze import GazeTrack
from gesture_node.dialogue.idle_motion import IdleMotion, turned
from gesture_node.dialogue.nods import Nod, NodChooser, REFRACTORY_S
from gesture_node.dialogue.presence import Presence
from gesture_node.motion.face import BLENDSHAPE_INDEX, LIP_INDEX, seal_is_valid
from gesture_node.motion.rotations import rotvec_from_matrix
from gesture_node.motion.skeleton import JOINT_INDEX, rest_pose, unpack_pose

SEEDS = st.integers(0, 2 ** 31 - 1)
FRAMES = st.integers(0, 10_000_000)


@given(SEEDS, FRAMES, st.floats(0.0, 0.2))
@settings(max_examples=60, deadline=None)
def test_no_joint_leaves_its_budget(seed, first, budget_rad):
    vectors = IdleMotion(seed, budget_rad, 25).rotation_vectors(first, 60)
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors, axis=2).max() <= budget_rad + 1e-12


@given(SEEDS, FRAMES, st.integers(1, 59))
@settings(max_examples=40, deadline=None)
def test_frames_are_the_same_in_any_pieces(seed, first, cut):
    idle = IdleMotion(seed, 0.03, 25)
    whole = idle.rotation_vectors(first, 60)
    pieces = [idle.rotation_vectors(first + cut, 60 - cut), idle.rotation_vectors(first, cut)]
    assert np.array_equal(whole, np.concatenate(pieces[::-1]))
    times_s = (first + np.arange(60)) / 50
    assert np.array_equal(GazeTrack(seed).at(times_s)[cut:], GazeTrack(seed).at(times_s[cut:]))


def test_it_is_slow_goes_on_for_ever_and_differs_by_seed():
    one, other = (IdleMotion(seed, 0.02, 25).rotation_vectors(0, 25 * 300) for seed in (1, 2))
    speed = np.linalg.norm(np.diff(one, axis=0), axis=2) * 25
    assert speed.max() < 0.1
    for part in np.split(one, 30):
        assert np.ptp(part, axis=0).max() > 1e-3
    assert np.abs(one - other).max() > 0.005


def test_a_budget_of_nothing_is_perfectly_still():
    presence = Presence(rest_pose(), 0, 0.0, 0.0)
    presence.begin(0.0)
    poses = presence.body(0, 500)
    assert np.abs(poses - poses[0]).max() == 0.0


def test_turning_turns_by_as_much():
    vectors = np.zeros((1, 12, 3))
    vectors[0, JOINT_INDEX['head']] = 0.0, 0.2, 0.0
    before, _ = unpack_pose(rest_pose())
    after, fingers = unpack_pose(turned(rest_pose(), [vectors])[0])
    difference = rotvec_from_matrix(np.swapaxes(before, -1, -2) @ after)
    assert difference[JOINT_INDEX['head']] == pytest.approx([0.0, 0.2, 0.0], abs=1e-7)
    assert fingers == pytest.approx(rest_pose()[-12:])


@given(st.integers(1, 5), st.floats(0.3, 1.5))
@settings(max_examples=30, deadline=None)
def test_a_nod_goes_down_and_comes_back_smoothly(cycles, size):
    nod = Nod(2.0, cycles, size, True)
    time_s = np.arange(0.0, 6.0, 0.002)
    course = nod.course(time_s)
    assert course.min() > -1e-12 and course.max() == pytest.approx(size, rel=0.02)
    assert not course[time_s < 2.0].any() and np.abs(course[time_s > nod.end_s]).max() < 1e-9
    peaks = (np.diff(np.sign(np.diff(course[(time_s > 2.0) & (time_s < nod.end_s)]))) < 0).sum()
    assert peaks == cycles
    brows = nod.brows(time_s)
    assert brows.min() > -1e-12 and brows.max() <= 1.0


def test_nods_are_neither_answers_to_everything_nor_in_a_row():
    chooser = NodChooser(7)
    times_s = np.arange(0.0, 1_200.0, 2.0)
    nods = [nod for nod in (chooser.answer('pause', t) for t in times_s) if nod is not None]
    starts_s = np.array([nod.start_s for nod in nods])
    assert (np.diff(starts_s) >= REFRACTORY_S).all()
    assert 3.0 < len(nods) / 20.0 < 12.0
    again = NodChooser(7)
    assert nods == [nod for nod in (again.answer('pause', t) for t in times_s) if nod is not None]
    singles = np.mean([nod.cycles == 1 for nod in nods])
    assert 0.25 < singles < 0.6


def test_a_listener_is_still_and_its_mouth_is_shut():
    presence = Presence(rest_pose(), 3, 0.02, 0.1)
    presence.begin(0.0)
    idle = presence.body(100, 500)
    presence.listen(True, 30.0)
    attentive = presence.body(30 * 25 + 50, 500)
    assert np.ptp(attentive, axis=0).max() < 0.7 * np.ptp(idle, axis=0).max()
    for _ in range(20):
        if presence.cue('pause', 55.0):
            break
    assert presence.nods
    head = presence.body(55 * 25, 40)
    assert np.ptp(head, axis=0).max() > 0.03
    face = presence.face(30 * 50, 50 * 40)
    assert not face[:, LIP_INDEX].any() and seal_is_valid(face).all()
    assert face.min() >= 0.0 and face.max() <= 1.0
    assert face[:, BLENDSHAPE_INDEX['eyeBlinkLeft']].max() > 0.8


def test_who_does_not_listen_does_not_nod():
    presence = Presence(rest_pose(), 3, 0.02, 0.1)
    assert not any(presence.cue('pause', 10.0 * i) for i in range(50))
