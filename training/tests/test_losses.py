"""The losses against the library's own numpy formulas, and what they ignore."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.measures.mouth import mouth_aperture as measured_aperture
from gesture_node.motion.face import BLENDSHAPE_INDEX, FACE_DIM
from gesture_node.motion.rotations import matrix_from_6d
from gesture_node.motion.skeleton import (
    forward_kinematics,
    HAND_TIP_M,
    JOINT_COUNT,
    JOINT_INDEX,
    POSE_DIM,
    rest_pose,
    unpack_pose,
)

torch = pytest.importorskip('torch')

from gesture_training.config import LossConfig  # noqa: E402
from gesture_training.losses import (  # noqa: E402
    BodyLoss,
    closure_frames,
    difference_loss,
    FaceLoss,
    frame_weights,
    joint_positions,
    mouth_aperture,
    phone_loss,
    rotations_from_6d,
)


def test_rotations_match_the_library() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 6))
    assert np.allclose(rotations_from_6d(torch.from_numpy(vectors)).numpy(),
                       matrix_from_6d(vectors), atol=1e-6)


def test_positions_match_the_library() -> None:
    random = np.random.default_rng(1)
    poses = rest_pose() + 0.4 * random.standard_normal((20, POSE_DIM))
    positions, frames = forward_kinematics(unpack_pose(poses)[0])
    found = joint_positions(torch.from_numpy(poses)).numpy()
    assert np.allclose(found[:, :JOINT_COUNT], positions, atol=1e-6)
    wrist = JOINT_INDEX['left_wrist']
    assert np.allclose(found[:, JOINT_COUNT], positions[:, wrist] + frames[:, wrist] @ HAND_TIP_M,
                       atol=1e-6)


def test_positions_have_finite_gradients_even_at_zero() -> None:
    poses = torch.zeros(1, POSE_DIM, requires_grad=True)
    joint_positions(poses).sum().backward()
    assert torch.isfinite(poses.grad).all()


def test_aperture_matches_the_measure_above_its_floor() -> None:
    weights = np.random.default_rng(2).random((200, FACE_DIM)).astype(np.float32)
    found = mouth_aperture(torch.from_numpy(weights)).clamp(min=0.0).numpy()
    assert np.allclose(found, measured_aperture(weights), atol=1e-6)


def test_closures_are_dips_between_open_frames_and_not_silence() -> None:
    aperture = torch.full((1, 60), 0.4)
    aperture[0, 20:24] = 0.0
    aperture[0, 40:] = 0.0
    found = closure_frames(aperture)[0]
    assert found[20:24].all() and found[40:48].all()
    assert not found[:20].any() and not found[24:40].any() and not found[49:].any()


def test_frames_that_do_not_exist_cost_nothing() -> None:
    estimate, target = torch.zeros(1, 6, 3), torch.zeros(1, 6, 3)
    estimate[0, 4:] = 100.0
    valid = torch.tensor([[1.0, 1, 1, 1, 0, 0]])
    weight = frame_weights(torch.zeros(1, 6), valid, torch.ones(1, 6))
    for order in range(3):
        assert float(difference_loss(estimate, target, weight, order)) == 0.0


def test_seed_and_unheard_frames_count_less() -> None:
    mask, valid = torch.tensor([[1.0, 0, 0]]), torch.ones(1, 3)
    weight = frame_weights(mask, valid, torch.tensor([[1.0, 1, 0]]))[0]
    assert 0.0 < weight[0] < weight[1] == 1.0
    assert 0.0 < weight[2] < 1.0


def test_velocity_ignores_a_constant_offset() -> None:
    target = torch.randn(2, 9, 4)
    weight = torch.ones(2, 9)
    assert float(difference_loss(target + 3.0, target, weight, 1)) == pytest.approx(0.0, abs=1e-9)
    assert float(difference_loss(target + 3.0, target, weight, 0)) == pytest.approx(9.0, rel=1e-4)


@pytest.mark.parametrize('channel', ['body', 'face'])
def test_a_perfect_estimate_costs_nothing_and_a_wrong_one_does(channel: str) -> None:
    dim = POSE_DIM if channel == 'body' else FACE_DIM
    kind = BodyLoss if channel == 'body' else FaceLoss
    loss = kind(LossConfig(), torch.zeros(dim), torch.ones(dim))
    target = torch.rand(2, 12, dim)
    perfect = loss(target, target, torch.ones(2, 12))
    assert all(float(value) == pytest.approx(0.0, abs=1e-9) for value in perfect.values())
    wrong = loss(target + 0.3 * torch.randn(2, 12, dim), target, torch.ones(2, 12))
    assert all(float(value) > 1e-3 for value in wrong.values())


def test_an_open_mouth_on_a_closure_costs_more_than_on_a_vowel() -> None:
    loss = FaceLoss(LossConfig(), torch.zeros(FACE_DIM), torch.ones(FACE_DIM))
    target = torch.zeros(1, 40, FACE_DIM)
    jaw = BLENDSHAPE_INDEX['jawOpen']
    target[..., jaw] = 0.4
    target[0, 20, jaw] = 0.0

    def cost(frame: int) -> float:
        estimate = target.clone()
        estimate[0, frame, jaw] += 0.2
        return float(loss(estimate, target, torch.ones(1, 40))['aperture'])

    assert cost(20) > 2.0 * cost(5)


def test_unknown_phones_are_ignored() -> None:
    logits = torch.randn(1, 4, 5, requires_grad=True)
    nothing = phone_loss(logits, torch.full((1, 4), 255))
    assert nothing.item() == 0.0
    phones = torch.tensor([[2, 255, 255, 255]])
    expected = torch.nn.functional.cross_entropy(logits[0, :1], torch.tensor([2]))
    assert torch.allclose(phone_loss(logits, phones), expected)
