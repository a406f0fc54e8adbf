"""Rotations: round trips and group axioms."""
from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.motion.rotations import (
    matrix_from_6d,
    matrix_from_quaternion,
    matrix_from_rotvec,
    matrix_to_6d,
    quaternion_from_matrix,
    rotvec_from_matrix,
    slerp,
)

_NUMBER = st.floats(-4.0, 4.0, allow_nan=False, width=32)
_TRIPLE = st.tuples(_NUMBER, _NUMBER, _NUMBER).map(np.array)
_SIX = st.tuples(*[_NUMBER] * 6).map(np.array)


def _is_rotation(matrix: np.ndarray, tolerance: float = 1e-9) -> bool:
    square = np.swapaxes(matrix, -1, -2) @ matrix
    return bool(np.allclose(square, np.eye(3), atol=tolerance)
                and np.allclose(np.linalg.det(matrix), 1.0, atol=tolerance))


def _random_matrices(count: int, seed: int = 0) -> np.ndarray:
    return matrix_from_rotvec(np.random.default_rng(seed).normal(0.0, 2.0, (count, 3)))


@settings(max_examples=50)
@given(_TRIPLE)
def test_rotation_vector_gives_a_rotation_about_itself(rotvec):
    matrix = matrix_from_rotvec(rotvec)
    assert _is_rotation(matrix)
    assert np.allclose(matrix @ rotvec, rotvec, atol=1e-9)


@settings(max_examples=50)
@given(_TRIPLE)
def test_negated_rotation_vector_is_the_inverse(rotvec):
    assert np.allclose(matrix_from_rotvec(rotvec) @ matrix_from_rotvec(-rotvec), np.eye(3),
                       atol=1e-9)


def test_positive_rotation_about_z_turns_x_to_y():
    quarter = matrix_from_rotvec(np.array([0.0, 0.0, np.pi / 2]))
    assert np.allclose(quarter @ [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize('angle', [0.0, 1e-10, 1e-5, 0.3, 1.6, 3.0, np.pi - 1e-6])
def test_rotation_vector_round_trip_up_to_half_a_turn(angle):
    rotvec = angle * np.array([0.6, -0.64, 0.48])
    assert np.allclose(rotvec_from_matrix(matrix_from_rotvec(rotvec)), rotvec, atol=1e-7)


def test_quaternion_round_trip_and_sign():
    matrices = _random_matrices(200)
    quaternions = quaternion_from_matrix(matrices)
    assert (quaternions[:, 0] >= 0.0).all()
    assert np.allclose(np.linalg.norm(quaternions, axis=1), 1.0)
    assert np.allclose(matrix_from_quaternion(quaternions), matrices, atol=1e-12)
    assert np.allclose(matrix_from_quaternion(-3.0 * quaternions), matrices, atol=1e-12)


@pytest.mark.parametrize('axis', np.eye(3))
def test_quaternion_of_a_half_turn_is_its_axis(axis):
    quaternion = quaternion_from_matrix(matrix_from_rotvec(np.pi * axis))
    assert abs(quaternion[0]) < 1e-9
    assert np.allclose(np.abs(quaternion[1:]), axis, atol=1e-9)


def test_six_numbers_round_trip():
    matrices = _random_matrices(100, seed=1)
    assert np.allclose(matrix_from_6d(matrix_to_6d(matrices)), matrices, atol=1e-12)


@settings(max_examples=80)
@given(_SIX)
@example(np.array([0.0, 5.96e-08, 3.0, 0.0, 0.0, 1.0]))
@example(np.array([3.0, 2.0, 1.0, 3.00000001, 2.0, 1.0]))
def test_any_six_numbers_give_a_rotation(vector):
    # One pass of Gram-Schmidt keeps 16 - 9 digits of two columns that differ by 1e-9.
    assert _is_rotation(matrix_from_6d(vector), tolerance=1e-6)


@pytest.mark.parametrize('vector', [
    np.zeros(6), np.array([1.0, 0, 0, 0, 0, 0]), np.array([0, 2.0, 0, 0, -5.0, 0])])
def test_degenerate_six_numbers_give_a_rotation(vector):
    assert _is_rotation(matrix_from_6d(vector))


def test_six_numbers_keep_the_direction_of_the_first_column():
    vector = np.array([3.0, 4.0, 0.0, 1.0, 1.0, 1.0])
    assert np.allclose(matrix_from_6d(vector)[:, 0], [0.6, 0.8, 0.0])


def test_slerp_ends_middle_and_angle():
    start, end = _random_matrices(20, seed=2), _random_matrices(20, seed=3)
    assert np.allclose(slerp(start, end, 0.0), start, atol=1e-9)
    assert np.allclose(slerp(start, end, 1.0), end, atol=1e-7)
    whole = rotvec_from_matrix(np.swapaxes(start, -1, -2) @ end)
    part = rotvec_from_matrix(np.swapaxes(start, -1, -2) @ slerp(start, end, 0.3))
    assert np.allclose(part, 0.3 * whole, atol=1e-7)


def test_slerp_takes_one_fraction_per_row():
    start, end = _random_matrices(2, seed=4), _random_matrices(2, seed=5)
    both = slerp(start, end, np.array([0.0, 1.0]))
    assert np.allclose(both[0], start[0], atol=1e-9)
    assert np.allclose(both[1], end[1], atol=1e-7)
