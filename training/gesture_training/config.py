"""What a training run may choose: sizes, losses, optimisation, read from YAML.

The dataclasses use the runtime's own parameter declarations, so an unknown key or a value out of
range is refused with one sentence, as :class:`gesture_node.exceptions.ConfigError`.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gesture_node.config import check, param, with_values
from gesture_node.exceptions import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderConfig:
    """Sizes of the speech encoder."""

    feature_dim: int = param(83, 'Numbers per feature frame: 83 with the mel front end, otherwise '
                                 'what the corpus holds.', bounds=(1, 8_192))
    width: int = param(192, 'Numbers per local token.', bounds=(8, 1024))
    conv_layers: int = param(3, 'Residual convolutions of dilation 1, 2, 4, ...', bounds=(0, 6))
    transformer_layers: int = param(2, 'Attention layers after the convolutions.', bounds=(0, 12))
    heads: int = param(4, 'Attention heads.', bounds=(1, 16))
    pool_width: int = param(96, 'Width of the layers that pool the history.', bounds=(8, 1024))
    persona_dim: int = param(64, 'Numbers of the persona token.', bounds=(4, 1024))
    emotion_dim: int = param(16, 'Numbers of the emotion token.', bounds=(1, 1024))
    context_frames: int = param(32, 'Feature frames heard before the window.', bounds=(0, 400))
    history_frames: int = param(400, 'Feature frames the persona is pooled from.',
                                bounds=(8, 3_000))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyNetConfig:
    """Sizes of the body denoiser and its windows."""

    width: int = param(224, 'Numbers per frame inside the transformer.', bounds=(8, 1024))
    layers: int = param(5, 'Transformer blocks.', bounds=(1, 24))
    heads: int = param(4, 'Attention heads.', bounds=(1, 16))
    condition_width: int = param(128, 'Numbers per frame that modulate the blocks.',
                                 bounds=(8, 1024))
    conditioning: str = param('adaln', 'How step and speech reach the frames: modulating every '
                                       'block per frame, attended to by every block, or added '
                                       'once before the blocks.',
                              choices=('adaln', 'cross_attention', 'add'))
    persona: bool = param(True, 'Hear the tokens that are pooled from the history (persona, '
                                'emotion).')
    cues: bool = param(True, 'Be told the guides (apex poses of strokes, pulses) and the arousal '
                             'of the voice.')
    window_frames: int = param(60, 'Frames denoised together, at 25 fps.', bounds=(4, 400))
    seed_frames: int = param(20, 'Most leading frames that are given.', bounds=(0, 200))
    batch: int = param(32, 'Windows per optimiser step.', bounds=(1, 4_096))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceNetConfig:
    """Sizes of the face denoiser and its windows."""

    width: int = param(192, 'Numbers per frame inside the transformer.', bounds=(8, 1024))
    layers: int = param(4, 'Transformer blocks.', bounds=(1, 24))
    heads: int = param(4, 'Attention heads.', bounds=(1, 16))
    bias: bool = param(True, 'Bias attention: less to far frames, and of the speech to the own '
                             'frame alone; without, all frames attend to all frames and speech.')
    bias_period_frames: int = param(1, 'Distance over which the attention bias is constant.',
                                    bounds=(1, 400))
    persona: bool = param(True, 'Hear the tokens that are pooled from the history (persona, '
                                'emotion).')
    window_frames: int = param(64, 'Frames denoised together, at 50 fps.', bounds=(4, 400))
    seed_frames: int = param(16, 'Most leading frames that are given.', bounds=(0, 200))
    batch: int = param(32, 'Windows per optimiser step.', bounds=(1, 4_096))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowConfig:
    """How windows are drawn and disturbed."""

    full_seed_share: float = param(0.6, 'Share of windows with the longest seed; the others draw '
                                        'a shorter prefix.', bounds=(0.0, 1.0))
    full_heard_share: float = param(0.35, 'Share of windows that hear all of their speech.',
                                    bounds=(0.0, 1.0))
    before_start_share: float = param(0.1, 'Share of windows that begin before the take does.',
                                      bounds=(0.0, 1.0))
    seed_noise_share: float = param(0.5, 'Share of windows whose seed frames are disturbed.',
                                    bounds=(0.0, 1.0))
    seed_noise: float = param(0.05, 'Largest disturbance of seed frames, normalised units.',
                              bounds=(0.0, 1.0))
    drop_share: float = param(0.1, 'Share of windows without speech conditioning.',
                              bounds=(0.0, 1.0))
    mean_style_share: float = param(0.2, 'Share of face windows with the mean style.',
                                    bounds=(0.0, 1.0))
    level_bias: float = param(2.0, 'Noise levels are drawn as T u^(1 / bias): 1 is uniform, more '
                                   'dwells on the noisy levels that few-step sampling visits.',
                              bounds=(1.0, 8.0))
    level_even_share: float = param(0.0, 'Share of windows whose noise level is drawn evenly all '
                                         'the same, so that the last calls leave no wobble.',
                                    bounds=(0.0, 1.0))
    level_shift: float = param(6.0, 'How strongly the levels visited at run time crowd at the '
                                    'noisy end; 1 spaces them evenly.', bounds=(1.0, 32.0))
    gain_db: float = param(3.0, 'Standard deviation of the random gain of the speech.',
                           unit='dB', bounds=(0.0, 20.0))
    tilt_db: float = param(2.0, 'Standard deviation of each term of a random smooth equaliser.',
                           unit='dB', bounds=(0.0, 20.0))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class LossConfig:
    """Weights of the loss terms."""

    body_velocity: float = param(1.0, 'Frame-to-frame differences of the body.', bounds=(0.0, 1e3))
    body_acceleration: float = param(0.2, 'Second differences of the body.', bounds=(0.0, 1e3))
    body_position: float = param(0.5, 'Joint positions by forward kinematics, in decimetres.',
                                 bounds=(0.0, 1e3))
    face_velocity: float = param(1.0, 'Frame-to-frame differences of the face.', bounds=(0.0, 1e3))
    face_acceleration: float = param(0.1, 'Second differences of the face.', bounds=(0.0, 1e3))
    lip_channels: float = param(2.5, 'Weight of jaw, lips and tongue against the other channels.',
                                bounds=(0.0, 1e3))
    aperture: float = param(1.0, 'Absolute error of the mouth aperture, in tenths.',
                            bounds=(0.0, 1e3))
    closure_frames: float = param(3.0, 'Weight of closure frames in the lip terms.',
                                  bounds=(1.0, 1e3))
    phones: float = param(0.3, 'Cross entropy of the phone classes.', bounds=(0.0, 1e3))
    masked: float = param(0.0, 'Hidden spans of features told from what surrounds them, in '
                               'windows without phone labels.', bounds=(0.0, 1e3))
    lips: float = param(1.0, 'Lips read off the local tokens, in tenths.', bounds=(0.0, 1e3))
    accents: float = param(1.0, 'Accent curve read off the local tokens.', bounds=(0.0, 1e3))
    manner: float = param(0.2, 'Speed and reach of the wrists read off the persona.',
                          bounds=(0.0, 1e3))
    effort: float = param(0.3, 'Wrist speed read off the local tokens, in 0.3 m/s.',
                          bounds=(0.0, 1e3))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimiserConfig:
    """AdamW, its schedule, averaging of weights, and book-keeping."""

    learning_rate: float = param(6e-4, 'Highest learning rate.', bounds=(1e-7, 1.0))
    final_rate: float = param(0.03, 'Learning rate at the end, as a share of the highest.',
                              bounds=(0.0, 1.0))
    encoder_rate: float = param(0.25, 'Learning rate of the encoder as a share, while denoisers '
                                      'learn too.', bounds=(0.0, 1.0))
    warm_up_steps: int = param(200, 'Steps of linear warm-up.', bounds=(0, 100_000))
    weight_decay: float = param(0.01, 'Decoupled weight decay of matrices.', bounds=(0.0, 1.0))
    clip_norm: float = param(1.0, 'Largest norm of a gradient.', bounds=(1e-3, 1e3))
    ema_decay: float = param(0.999, 'Decay of the averaged weights.', bounds=(0.0, 0.99999))
    bf16: bool = param(True, 'Compute in bfloat16 where it is safe.')
    checkpoint_s: float = param(180.0, 'Time between checkpoints.', unit='s', bounds=(1.0, 1e6))
    seed: int = param(0, 'Seed of weights, windows and noise.', bounds=(0, 2_147_483_647))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class DistillConfig:
    """How a denoiser learns to need fewer calls."""

    calls: int = param(2, 'Denoiser calls per window that the student is made for.',
                       bounds=(1, 8))
    teacher_calls: int = param(8, 'Denoiser calls per window of the teacher.', bounds=(2, 50))
    guidance: float = param(1.0, 'Guidance of the teacher, which the student gives without.',
                            bounds=(0.0, 10.0))
    learning_rate: float = param(2e-4, 'Highest learning rate of the student.',
                                 bounds=(1e-7, 1.0))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """Everything a training run may choose."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    body: BodyNetConfig = field(default_factory=BodyNetConfig)
    face: FaceNetConfig = field(default_factory=FaceNetConfig)
    windows: WindowConfig = field(default_factory=WindowConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    distill: DistillConfig = field(default_factory=DistillConfig)


def load_config(*paths: Path) -> TrainingConfig:
    """Return the defaults, changed by the keys of YAML files; later files win.

    Raises:
        ConfigError: a file is missing or not a mapping, or a key or value is not allowed.
    """
    return with_values(TrainingConfig(), read_values(paths))


def read_values(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the values of YAML files by dotted name, such as ``body.layers``; later files win.

    Raises:
        ConfigError: a file is missing or not a mapping.
    """
    values: dict[str, Any] = {}
    for path in paths:
        if not path.is_file():
            raise ConfigError(f'training config {path} does not exist')
        found = yaml.safe_load(path.read_text(encoding='utf-8')) or {}
        if not isinstance(found, dict):
            raise ConfigError(f'training config {path} must hold a mapping')
        values |= _dotted(found, '')
    return values


def config_from(values: dict[str, Any]) -> TrainingConfig:
    """Return a config from nested plain values, the inverse of :func:`plain`."""
    return with_values(TrainingConfig(), _dotted(values, ''))


def plain(config: TrainingConfig) -> dict[str, Any]:
    """Return the config as nested plain values."""
    return asdict(config)


def _dotted(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _dotted(value, f'{prefix}{name}.')
        else:
            flat[f'{prefix}{name}'] = value
    return flat
