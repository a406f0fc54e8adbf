"""WavLM (Chen et al. 2022) as a front end: sound of a window to features at 50 Hz.

The model comes through ``transformers``, from a local folder or by its hub name; which of its
layers is heard is a choice, and the layers above are left out. It runs on windows of
:mod:`gesture_node.audio.block_features`, so whatever it normalises over time it normalises over a
window: the group norm of its first convolution (Base, Base+) by itself, and the waveform (Large),
which the model's own feature extractor would normalise over the whole utterance, here.
"""
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import nn, Tensor
from torch.nn.utils import parametrize

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

    def forward(self, waveform: Tensor) -> Tensor:
        """Return features ``(B, F, dim)``.

        Args:
            waveform: shape (B, 320 F + lead), float32, 16 kHz; frame ``k`` sees the
                ``receptive_samples`` from ``320 k`` on.
        """
        if self.normalise:
            variance, mean = torch.var_mean(waveform, dim=1, keepdim=True, correction=0)
            waveform = (waveform - mean) / torch.sqrt(variance.clamp(min=VARIANCE_FLOOR))
        hidden, _ = self.projection(self.convolutions(waveform).transpose(1, 2))
        features: Tensor = self.encoder(hidden).last_hidden_state
        return features


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
