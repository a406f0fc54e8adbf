"""What a denoiser is paid for: clean frames, their motion, where hands end up, how lips close.

All losses compare estimates and targets of shape (B, W, D) in normalised units with a weight per
frame (B, W), and return a scalar per term.
"""
from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional

from gesture_node.motion.face import BLENDSHAPE_INDEX, FACE_DIM, LIP_INDEX
from gesture_node.motion.skeleton import (
    HAND_TIP_M,
    HEAD_TOP_M,
    JOINT_COUNT,
    JOINT_INDEX,
    OFFSETS_M,
    PARENTS,
    ROTATION_DIM,
)
from gesture_node.timeline import BODY_RATE_HZ

from .config import LossConfig
from .corpora.pack import UNKNOWN_PHONE
from .parallel import mean_over_processes

_SEED_WEIGHT, _UNHEARD_WEIGHT = 0.3, 0.3
_CLOSURE_REACH_FRAMES = 8
_CLOSURE_SHARE, _OPEN_APERTURE = 0.25, 0.1
_POSITION_UNIT_M, _APERTURE_UNIT, _LIP_UNIT = 0.1, 0.1, 0.1
_EFFORT_UNIT_M_S = 0.3
_SLOWEST_M_S = 0.02


def frame_weights(mask: Tensor, valid: Tensor, heard: Tensor) -> Tensor:
    """Return what each frame (B, W) counts: less when given or not heard, nothing when absent."""
    weight = valid * (1.0 - (1.0 - _SEED_WEIGHT) * mask)
    return weight * (_UNHEARD_WEIGHT + (1.0 - _UNHEARD_WEIGHT) * heard)


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Return the mean of ``values`` (B, T, ...) under ``weight`` (B, T)."""
    per_frame = values.flatten(2).mean(dim=-1) if values.dim() > 2 else values
    return (per_frame * weight).sum() / mean_over_processes(weight.sum()).clamp(min=1e-6)


def difference_loss(estimate: Tensor, target: Tensor, weight: Tensor, order: int) -> Tensor:
    """Return the squared error of ``order``-th differences over time (0: of the frames)."""
    error = estimate - target
    for _ in range(order):
        error = error[:, 1:] - error[:, :-1]
        weight = torch.minimum(weight[:, 1:], weight[:, :-1])
    return weighted_mean(error ** 2, weight)


def rotations_from_6d(vectors: Tensor) -> Tensor:
    """Return matrices ``(..., 3, 3)`` of 6-D vectors by Gram-Schmidt, differentiable."""
    first = functional.normalize(vectors[..., :3], dim=-1, eps=1e-4)
    second = vectors[..., 3:] - first * (first * vectors[..., 3:]).sum(dim=-1, keepdim=True)
    second = functional.normalize(second, dim=-1, eps=1e-4)
    third = torch.linalg.cross(first, second)
    return torch.stack([first, second, third], dim=-1)


def joint_positions(poses: Tensor) -> Tensor:
    """Return positions ``(..., 15, 3)`` [m] of poses ``(..., 84)`` in the pelvis frame.

    First the 12 joints, then the tips of the left and right hand and the top of the head.
    """
    rotations = rotations_from_6d(
        poses[..., :ROTATION_DIM].reshape(*poses.shape[:-1], JOINT_COUNT, 6))
    offsets = torch.as_tensor(OFFSETS_M, dtype=poses.dtype, device=poses.device)
    positions: list[Tensor] = []
    frames: list[Tensor] = []
    for joint, parent in enumerate(PARENTS):
        local = rotations[..., joint, :, :]
        if parent < 0:
            positions.append(offsets[joint].expand(*poses.shape[:-1], 3))
            frames.append(local)
        else:
            positions.append(positions[parent] + frames[parent] @ offsets[joint])
            frames.append(frames[parent] @ local)
    for name, tip in (('left_wrist', HAND_TIP_M), ('right_wrist', HAND_TIP_M),
                      ('head', HEAD_TOP_M)):
        joint = JOINT_INDEX[name]
        tip_m = torch.as_tensor(tip, dtype=poses.dtype, device=poses.device)
        positions.append(positions[joint] + frames[joint] @ tip_m)
    return torch.stack(positions, dim=-2)


_TRACKED = tuple(JOINT_INDEX[n] for n in (
    'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist')) + (
        JOINT_COUNT, JOINT_COUNT + 1, JOINT_COUNT + 2)


class BodyLoss(nn.Module):
    """Terms of the body: ``frames``, ``velocity``, ``acceleration``, ``position``.

    Args:
        config: weights of the terms.
        mean, std: normalisation of pose vectors, shape (84,).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: LossConfig, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self._config = config
        self.register_buffer('mean', mean)
        self.register_buffer('std', std)

    def forward(self, estimate: Tensor, target: Tensor, weight: Tensor) -> dict[str, Tensor]:
        """Return the weighted terms; their sum is the loss."""
        config = self._config
        reached, wanted = (joint_positions(x * self.std + self.mean)[..., _TRACKED, :]
                           for x in (estimate, target))
        distance = (reached - wanted) / _POSITION_UNIT_M
        return {
            'frames': difference_loss(estimate, target, weight, 0),
            'velocity': config.body_velocity * difference_loss(estimate, target, weight, 1),
            'acceleration': config.body_acceleration * difference_loss(
                estimate, target, weight, 2),
            'position': config.body_position * weighted_mean(distance ** 2, weight),
        }


def mouth_aperture(weights: Tensor) -> Tensor:
    """Return the mouth aperture of ARKit weights ``(..., 52)``, negative where lips are pressed.

    The same formula as everywhere in this project but for the floor at 0, so that a mouth that
    is only just shut can still learn to be shut well.
    """
    def channel(name: str) -> Tensor:
        return weights[..., BLENDSHAPE_INDEX[name]]

    def pair(name: str) -> Tensor:
        return 0.5 * (channel(f'{name}Left') + channel(f'{name}Right'))

    jaw = functional.relu(channel('jawOpen') - channel('mouthClose'))
    rolled = 0.5 * (channel('mouthRollUpper') + channel('mouthRollLower'))
    return jaw + 0.35 * pair('mouthLowerDown') + 0.25 * pair('mouthUpperUp') \
        - 0.3 * pair('mouthPress') - 0.2 * rolled


def closure_frames(aperture: Tensor) -> Tensor:
    """Return 1 where the mouth ``(B, W)`` is shut though it is open within 160 ms, else 0.

    Needs no phone labels, so it also finds the closures of recorded faces.
    """
    reach = _CLOSURE_REACH_FRAMES
    around = functional.max_pool1d(aperture[:, None], 2 * reach + 1, 1, reach)[:, 0]
    return ((around > _OPEN_APERTURE) & (aperture < _CLOSURE_SHARE * around)).float()


class FaceLoss(nn.Module):
    """Terms of the face: ``frames``, ``velocity``, ``acceleration``, ``aperture``.

    Args:
        config: weights of the terms.
        mean, std: normalisation of the weights, shape (52,).
    """

    mean: Tensor
    std: Tensor
    channels: Tensor
    lips: Tensor

    def __init__(self, config: LossConfig, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self._config = config
        self.register_buffer('mean', mean)
        self.register_buffer('std', std)
        lips = torch.zeros(FACE_DIM)
        lips[torch.from_numpy(LIP_INDEX)] = 1.0
        self.register_buffer('lips', lips)
        channels = 1.0 + (config.lip_channels - 1.0) * lips
        self.register_buffer('channels', (channels / channels.mean()).sqrt())

    def forward(self, estimate: Tensor, target: Tensor, weight: Tensor) -> dict[str, Tensor]:
        """Return the weighted terms; their sum is the loss."""
        config = self._config
        wanted = mouth_aperture(target * self.std + self.mean)
        reached = mouth_aperture(estimate * self.std + self.mean)
        emphasis = 1.0 + (config.closure_frames - 1.0) * closure_frames(wanted)
        per_channel = 1.0 + (emphasis[..., None] - 1.0) * self.lips
        error = (estimate - target) ** 2 * self.channels ** 2 * per_channel
        scaled, scaled_target = estimate * self.channels, target * self.channels
        return {
            'frames': weighted_mean(error, weight),
            'velocity': config.face_velocity * difference_loss(scaled, scaled_target, weight, 1),
            'acceleration': config.face_acceleration * difference_loss(
                scaled, scaled_target, weight, 2),
            'aperture': config.aperture * weighted_mean(
                (reached - wanted).abs() / _APERTURE_UNIT, weight * emphasis),
        }


def phone_loss(logits: Tensor, phones: Tensor) -> Tensor:
    """Return the cross entropy of phone classes; 0 where no class is known.

    Args:
        logits: shape (B, F, classes).
        phones: shape (B, F) int64, 255 to ignore.
    """
    entropy = functional.cross_entropy(logits.flatten(0, 1).float(), phones.flatten(),
                                       ignore_index=UNKNOWN_PHONE, reduction='sum')
    known = (phones != UNKNOWN_PHONE).sum().float()
    return entropy / mean_over_processes(known).clamp(min=1.0)


def lip_loss(read: Tensor, weights: Tensor, heard: Tensor) -> Tensor:
    """Return the squared error of lips read off local tokens, in tenths, on heard frames.

    Args:
        read: shape (B, W, 52).
        weights: shape (B, W, 52), blendshape weights.
        heard: shape (B, W), what each frame counts.
    """
    lips = torch.from_numpy(LIP_INDEX).to(read.device)
    wanted = weights[..., lips]
    shut = closure_frames(mouth_aperture(weights))
    error = ((read[..., lips] - wanted) / _LIP_UNIT) ** 2
    return weighted_mean(error, heard * (1.0 + 2.0 * shut))


def accent_loss(logits: Tensor, accents: Tensor, heard: Tensor) -> Tensor:
    """Return the cross entropy of the accent curve; 0 where no accent is known.

    Args:
        logits: shape (B, F).
        accents: shape (B, F) in [0, 1], NaN where unknown.
        heard: shape (B, F), what each frame counts.
    """
    known = torch.isfinite(accents)
    entropy = functional.binary_cross_entropy_with_logits(
        logits.float(), accents.nan_to_num(0.0), reduction='none')
    weight = heard * known
    return (entropy * weight).sum() / mean_over_processes(weight.sum()).clamp(min=1.0)


def manner_loss(read: Tensor, poses: Tensor, idle: Tensor, valid: Tensor) -> Tensor:
    """Return the squared error of how the wrists of a window move as read off the persona.

    Args:
        read: shape (B, 2), log of the mean wrist speed [log m/s] and mean distance of the wrists
            from where they rest [m].
        poses: shape (B, W, 84), pose vectors.
        idle: shape (84,), the pose at rest.
        valid: shape (B, W), 1 where motion exists.
    """
    wrists = [JOINT_INDEX['left_wrist'], JOINT_INDEX['right_wrist']]
    positions = joint_positions(poses)[..., wrists, :]
    rest = joint_positions(idle)[..., wrists, :]
    speed = (positions[:, 1:] - positions[:, :-1]).norm(dim=-1).mean(dim=-1) * BODY_RATE_HZ
    reach = (positions - rest).norm(dim=-1).mean(dim=-1)
    count = valid.sum(dim=1).clamp(min=1.0)
    mean_speed = (speed * valid[:, 1:]).sum(dim=1) / count
    found = torch.stack([(mean_speed + _SLOWEST_M_S).log(),
                         (reach * valid).sum(dim=1) / count], dim=-1)
    return ((read - found) ** 2).mean()


def effort_loss(read: Tensor, poses: Tensor, heard: Tensor) -> Tensor:
    """Return the squared error of wrist speed read off local tokens, in units of 0.3 m/s.

    Args:
        read: shape (B, W), [m/s].
        poses: shape (B, W, 84), pose vectors.
        heard: shape (B, W), what each frame counts.
    """
    wrists = [JOINT_INDEX['left_wrist'], JOINT_INDEX['right_wrist']]
    positions = joint_positions(poses)[..., wrists, :]
    speed = (positions[:, 1:] - positions[:, :-1]).norm(dim=-1).amax(dim=-1) * BODY_RATE_HZ
    error = ((read[:, 1:] - speed) / _EFFORT_UNIT_M_S) ** 2
    return weighted_mean(error, heard[:, 1:])
