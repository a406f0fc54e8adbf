"""Cues tell every frame when the next and the last stroke are, and how the arms are then."""
import numpy as np
import pytest

from gesture_node.guides.cues import (
    ARM_DIM,
    ARM_INDEX,
    AROUSAL,
    CUE_DIM,
    guide_cues,
    GUIDE_DIM,
    KNOWN,
    no_cues,
)
from gesture_node.motion.skeleton import POSE_DIM

TIMES_S = np.arange(100) / 25.0


def guide(time_s, stroke=1.0, level=1.0):
    row = np.full(GUIDE_DIM, level * stroke)
    row[:3] = time_s, 0.8, stroke
    return row


def test_arms_are_rotations_of_four_joints_a_side_and_fingers():
    assert len(set(ARM_INDEX.tolist())) == ARM_DIM == 60 and ARM_INDEX.max() == POSE_DIM - 1


def test_an_apex_is_where_the_bump_is():
    cues = guide_cues(np.array([guide(1.0), guide(3.0)]), TIMES_S, 0.5)
    assert cues.shape == (100, CUE_DIM) and cues.dtype == np.float32
    assert np.argsort(cues[:, 0])[-2:].tolist() in ([25, 75], [75, 25])
    assert (np.diff(cues[5:25, 1]) > 0.0).all() and (np.diff(cues[26:50, 3]) < 0.0).all()


def test_the_next_arms_fade_in_and_the_last_ones_out():
    cues = guide_cues(np.array([guide(1.0, level=1.0), guide(3.0, level=-2.0)]), TIMES_S, 0.5)
    following, last = cues[:, 11:71], cues[:, 71:]
    assert following[20, 0] > 0.5 and following[70, 0] < -1.0
    assert not last[:24].any() and last[30, 0] > 0.5 and last[80, 0] < -1.5
    assert not following[76:].any()


def test_pulses_have_a_size_and_no_arms():
    cues = guide_cues(np.array([guide(2.0, stroke=0.0)]), TIMES_S, 0.5)
    assert cues[50, 6] == pytest.approx(0.8) and not cues[:, :6].any() and not cues[:, 11:].any()
    assert cues[48, 7] > cues[46, 7] > 0.0 and cues[52, 8] > cues[54, 8] > 0.0


def test_arousal_is_told_to_every_frame():
    cues = guide_cues(np.zeros((0, GUIDE_DIM)), TIMES_S, 0.75)
    assert (cues[:, AROUSAL] == 0.5).all() and (cues[:, KNOWN] == 1.0).all()
    assert not np.delete(cues, [AROUSAL, KNOWN], axis=1).any()


def test_where_nothing_is_known_nothing_is_told():
    assert no_cues(7).shape == (7, CUE_DIM) and not no_cues(7).any()
