"""WavLM (Chen et al. 2022) as a front end: sound of a window to features at 50 Hz.

The model comes through ``transformers``, from a local folder or by its hub name; which of its
layers is heard is a choice, and the layers above are left out. It runs on windows of
:mod:`gesture_node.audio.block_features`. Two things it would normalise over a whole utterance, the
output of the first convolution (the group norm of Base and Base+) and the waveform (Large, whose
feature extractor does), are normalised over the statistics that come before the window. For the
convolution, which is linear, they follow from the covariance of the samples under its kernel.
"""
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import nn, Tensor
from torch.nn import functional
from torch.nn.utils import parametrize

from gesture_node.audio.block_features import BlockGrid
from gesture_node.timeline import FEATURE_RATE_HZ, SAMPLE_RATE_HZ, samples_per_frame

from ..exceptions import TrainingError

VARIANCE_FLOOR = 1e-5
"""Waveforms quieter than -50 dB are not blown up: a pause may be longer than a window."""


class WavLMFrontEnd(nn.Module):
    """Waveform to the hidden states of the last layer that is kept.

    Args:
        model: a ``transformers.WavLMModel``; it is changed: layers above are removed.
        layer: how many transformer layers are heard; None takes all.
        normalise: bring the waveform of a window to zero mean and unit variance.

    Raises:
        TrainingError: the model has no such layer, or another frame rate than 50 Hz.
    """

    def __init__(self, model: Any, layer: int | None, normalise: bool) -> None:
        super().__init__()
        config, layers = model.config, len(model.encoder.layers)
        self.layer = layers if layer is None else layer
        if not 1 <= self.layer <= layers:
            raise TrainingError(f'the WavLM layer must be in [1, {layers}], got {layer}')
        hop = math.prod(config.conv_stride)
        if hop != samples_per_frame(FEATURE_RATE_HZ):
            raise TrainingError(f'the WavLM model makes a frame every {hop} samples, needed are '
                                f'{samples_per_frame(FEATURE_RATE_HZ)}')
        if config.add_adapter:
            raise TrainingError('a WavLM model with an adapter has another frame rate; take one '
                                'without')
        self.normalise = normalise
        self.dim = int(config.hidden_size)
        self.receptive_samples = receptive_field(config.conv_kernel, config.conv_stride)
        self.convolutions, self.projection = model.feature_extractor, model.feature_projection
        self.encoder = model.encoder
        if self.layer < layers:
            self.encoder.layers = self.encoder.layers[:self.layer]
            if config.do_stable_layer_norm:
                # The norm after the last layer was never trained on those below.
                self.encoder.layer_norm = nn.Identity()
        convolution = self.encoder.pos_conv_embed.conv
        if parametrize.is_parametrized(convolution):
            parametrize.remove_parametrizations(convolution, 'weight')
        self.requires_grad_(False).eval()

    def forward(self, waveform: Tensor, frames: int | None = None) -> Tensor:
        """Return the features ``(B, F, dim)`` of the window at the end of the sound.

        Args:
            waveform: shape (B, n), float32, 16 kHz, n = 320 m + lead; frame ``k`` sees the
                ``receptive_samples`` from ``320 k`` on.
            frames: longest window; what is before it serves as statistics alone. None takes all.
        """
        if self.normalise:
            variance, mean = torch.var_mean(waveform, dim=1, keepdim=True, correction=0)
            waveform = (waveform - mean) / torch.sqrt(variance.clamp(min=VARIANCE_FLOOR))
        window = waveform
        if frames is not None:
            hop = samples_per_frame(FEATURE_RATE_HZ)
            window = waveform[:, -(hop * (frames - 1) + self.receptive_samples):]
        first, *others = self.convolutions.conv_layers
        hidden = window[:, None]
        if isinstance(first.layer_norm, nn.GroupNorm):
            hidden = first.activation(_normalised_convolution(first, hidden, waveform[:, None]))
        else:
            hidden = first(hidden)
        for layer in others:
            hidden = layer(hidden)
        hidden, _ = self.projection(hidden.transpose(1, 2))
        features: Tensor = self.encoder(hidden).last_hidden_state
        return features


class WindowedFrontEnd(nn.Module):
    """A front end as the runtime calls it: sound of statistics and window to its features."""

    def __init__(self, front_end: WavLMFrontEnd, grid: BlockGrid) -> None:
        super().__init__()
        self.front_end, self.grid = front_end, grid

    def forward(self, waveform: Tensor) -> Tensor:
        """Return features ``(B, F, dim)`` of sound ``(B, n)``."""
        features: Tensor = self.front_end(waveform, self.grid.window_frames)
        return features


def _normalised_convolution(layer: Any, window: Tensor, sound: Tensor) -> Tensor:
    """Return the group-normalised convolution of a window, normalised as over all of the sound.

    Args:
        layer: convolution ``conv`` of one input channel and ``layer_norm`` of one group a channel.
        window: shape (B, 1, n).
        sound: shape (B, 1, m).
    """
    convolution, norm = layer.conv, layer.layer_norm
    size, weight = convolution.kernel_size[0], convolution.weight[:, 0]
    taps = functional.conv1d(sound, torch.eye(size, device=sound.device)[:, None],
                             stride=convolution.stride)
    mean = taps.mean(dim=2, keepdim=True)
    covariance = (taps - mean) @ (taps - mean).transpose(1, 2) / taps.shape[2]
    variance = ((weight @ covariance) * weight).sum(dim=2)[..., None]
    hidden = functional.conv1d(window, convolution.weight, stride=convolution.stride)
    scaled = (hidden - weight @ mean) / torch.sqrt(variance + norm.eps)
    return scaled * norm.weight[:, None] + norm.bias[:, None]


def receptive_field(kernels: Any, strides: Any) -> int:
    """Return how many samples one output of a stack of convolutions sees."""
    samples, step = 1, 1
    for kernel, stride in zip(kernels, strides):
        samples += (kernel - 1) * step
        step *= stride
    return samples


def load_wavlm(source: str, layer: int | None = None) -> WavLMFrontEnd:
    """Return the front end of a WavLM model.

    Args:
        source: folder that ``save_pretrained`` wrote, or a name on the hub.
        layer: how many transformer layers are heard; None takes all.

    Raises:
        TrainingError: ``transformers`` or the model is missing, or the model does not fit.
    """
    try:
        from transformers import AutoConfig, WavLMModel
    except ImportError:
        raise TrainingError('WavLM needs the package transformers; install '
                            'requirements-training.txt') from None
    try:
        config = AutoConfig.from_pretrained(source)
        if config.model_type != 'wavlm':
            raise TrainingError(f'{source} is a model of type {config.model_type!r}, not wavlm')
        model = WavLMModel.from_pretrained(source, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise TrainingError(f'cannot load WavLM from {source}: '
                            f'{str(error).strip().splitlines()[0]}') from error
    return WavLMFrontEnd(model.eval(), layer, _normalises(source, config))


def _normalises(source: str, config: Any) -> bool:
    """Return whether the model expects normalised waveforms.

    Its ``preprocessor_config.json`` says so; without that file the rule of the published models
    holds: those with layer norms in the convolutions (Large) do, those with a group norm do not.
    """
    from transformers import Wav2Vec2FeatureExtractor

    if Path(source).is_dir() and not (Path(source) / 'preprocessor_config.json').is_file():
        return bool(config.feat_extract_norm == 'layer')
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(source)
    if extractor.sampling_rate != SAMPLE_RATE_HZ:
        raise TrainingError(f'{source} hears sound at {extractor.sampling_rate} Hz, needed is '
                            f'{SAMPLE_RATE_HZ} Hz')
    return bool(extractor.do_normalize)
