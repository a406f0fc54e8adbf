"""Blendshape names, and what makes weights valid."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np

from gesture_node.motion.face import (
    BLENDSHAPE_INDEX,
    BLENDSHAPE_NAMES,
    FACE_DIM,
    LIP_INDEX,
    LIP_NAMES,
    neutral_face,
    project_face,
    seal_is_valid,
    UPPER_INDEX,
    UPPER_NAMES,
)

_SEEDS = st.integers(0, 2**31 - 1)


def test_there_are_52_different_names():
    assert FACE_DIM == 52
    assert len(set(BLENDSHAPE_NAMES)) == 52
    assert all(BLENDSHAPE_NAMES[index] == name for name, index in BLENDSHAPE_INDEX.items())


def test_apples_order_at_some_places():
    assert BLENDSHAPE_NAMES[0] == 'eyeBlinkLeft'
    assert BLENDSHAPE_NAMES[7] == 'eyeBlinkRight'
    assert BLENDSHAPE_NAMES[17] == 'jawOpen'
    assert BLENDSHAPE_NAMES[51] == 'tongueOut'


def test_left_and_right_come_in_pairs():
    sided = {name.removesuffix('Left') for name in BLENDSHAPE_NAMES if name.endswith('Left')}
    assert sided == {name.removesuffix('Right') for name in BLENDSHAPE_NAMES
                     if name.endswith('Right')}


def test_lips_and_upper_face_are_a_partition():
    assert set(LIP_NAMES) | set(UPPER_NAMES) == set(BLENDSHAPE_NAMES)
    assert sorted([*LIP_INDEX, *UPPER_INDEX]) == list(range(52))
    assert 'jawOpen' in LIP_NAMES and 'browInnerUp' in UPPER_NAMES and 'cheekPuff' in UPPER_NAMES


def test_neutral_face_is_valid():
    face = neutral_face()
    assert face.shape == (52,) and not face.any()
    assert seal_is_valid(face)


@settings(max_examples=30)
@given(_SEEDS)
def test_projection_is_valid_idempotent_and_leaves_valid_weights(seed):
    wild = np.random.default_rng(seed).normal(0.5, 1.0, (5, 52))
    kept = wild.copy()
    face = project_face(wild)
    assert (wild == kept).all()
    assert face.min() >= 0.0 and face.max() <= 1.0
    assert seal_is_valid(face).all()
    assert (project_face(face) == face).all()


def test_a_shut_mouth_beyond_the_jaw_is_not_a_seal():
    face = neutral_face()
    face[BLENDSHAPE_INDEX['mouthClose']] = 0.4
    face[BLENDSHAPE_INDEX['jawOpen']] = 0.3
    assert not seal_is_valid(face)
    assert project_face(face)[BLENDSHAPE_INDEX['mouthClose']] == 0.3
