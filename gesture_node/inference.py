"""The networks of a bundle in ONNX Runtime. Imported only when a pipeline is built."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .bundle import Bundle
from .diffusion.denoiser import Conditioning
from .exceptions import BundleError, ConfigError
from .types import Float32Array

_PROVIDERS = {'cpu': 'CPUExecutionProvider', 'cuda': 'CUDAExecutionProvider',
              'tensorrt': 'TensorrtExecutionProvider'}


@dataclass(frozen=True, slots=True)
class SpeechTokens:
    """What the encoder hears in a window.

    Attributes:
        local: shape (F, C), float32.
        persona: shape (Q,), float32.
        emotion: shape (E,), float32.
    """

    local: Float32Array
    persona: Float32Array
    emotion: Float32Array


def choose_providers(provider: str) -> list[str]:
    """Return ONNX Runtime provider names for ``auto``, ``cpu``, ``cuda`` or ``tensorrt``.

    Raises:
        ConfigError: the provider is unknown or not in this build of ONNX Runtime.
    """
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if provider == 'auto':
        wanted = ['CUDAExecutionProvider', 'CPUExecutionProvider']
        return [name for name in wanted if name in available]
    if provider not in _PROVIDERS:
        raise ConfigError(f'provider must be one of auto, {", ".join(_PROVIDERS)}, '
                          f'got {provider!r}')
    if _PROVIDERS[provider] not in available:
        raise ConfigError(f'provider {provider!r} is not in this build of ONNX Runtime, '
                          f'which has {", ".join(available)}')
    return list(dict.fromkeys([_PROVIDERS[provider], 'CPUExecutionProvider']))


def open_session(bundle: Bundle, network: str, provider: str, threads: int) -> Any:
    """Return an ONNX Runtime session of one network.

    Raises:
        BundleError: the file is not a usable network.
        ConfigError: the provider is not available.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Threads, where there are several, spin within a call, where they would else be late for every
    # operator, and not between calls, where they would starve other processes.
    options.add_session_config_entry('session.force_spinning_stop', '1')
    try:
        return onnxruntime.InferenceSession(
            str(bundle.path / network), options, providers=choose_providers(provider))
    except ConfigError:
        raise
    except Exception as error:  # onnxruntime raises many private classes
        reason = str(error).splitlines()[0][:200]
        raise BundleError(f'bundle {bundle.path}: {network} cannot be loaded: {reason}') from error


class OnnxFrontEnd:
    """Sound to features of a window; see :mod:`gesture_node.audio.block_features`."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __call__(self, waveform: Float32Array) -> Float32Array:
        """Return features ``(F, D)`` of the window at the end of samples ``(n,)``."""
        result: Float32Array = self._session.run(['features'], {'waveform': waveform[None]})[0][0]
        return result


class OnnxEncoder:
    """Speech features to conditioning tokens, once per window."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __call__(self, features: Float32Array, heard: Float32Array, history: Float32Array,
                 history_heard: Float32Array) -> SpeechTokens:
        """Return tokens.

        Args:
            features: shape (F, D), raw features of context and window.
            heard: shape (F,), 1 where the window may hear.
            history: shape (P, D), raw features of the last seconds.
            history_heard: shape (P,), 1 where there was a stream.
        """
        local, persona, emotion = self._session.run(['local', 'persona', 'emotion'], {
            'features': features[None], 'heard': heard[None],
            'history': history[None], 'history_heard': history_heard[None]})
        return SpeechTokens(local[0], persona[0], emotion[0])


class OnnxDenoiser:
    """A denoiser network; see :class:`gesture_node.diffusion.denoiser.Denoiser`.

    Args:
        session: ONNX Runtime session of ``body.onnx`` or ``face.onnx``.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        sizes = {item.name: item.shape[-1] for item in session.get_inputs()}
        self._styled, self.cued = 'style' in sizes, 'cues' in sizes
        self._cue_dim = sizes.get('cues', 0)

    def __call__(self, x_t: Float32Array, level: int, conditioning: Conditioning,
                 guidance: float) -> Float32Array:
        """Return x_0, shape (W, D), float32.

        Guidance 1 and 0 are the network with speech and without, to the bit, and cost one window;
        anything else costs two, in one call.
        """
        if guidance in (0.0, 1.0):
            alone: Float32Array = self._run(x_t, level, conditioning, [1.0 - guidance])[0]
            return alone
        heard, without = self._run(x_t, level, conditioning, [0.0, 1.0])
        return np.asarray(without + np.float32(guidance) * (heard - without), np.float32)

    def _run(self, x_t: Float32Array, level: int, conditioning: Conditioning,
             drop: list[float]) -> Float32Array:
        """Return x_0 of one window for each entry of ``drop``."""
        shared: dict[str, Any] = {
            'x': x_t, 'seed': conditioning.seed, 'mask': conditioning.mask,
            'local': conditioning.local, 'persona': conditioning.persona,
            'emotion': conditioning.emotion, 'level': level}
        if self.cued:
            shared['cues'] = (np.zeros((len(x_t), self._cue_dim)) if conditioning.cues is None
                              else conditioning.cues)
        inputs = {name: np.repeat(np.asarray(value, np.float32)[None], len(drop), axis=0)
                  for name, value in shared.items()}
        inputs['drop'] = np.array(drop, np.float32)
        if self._styled:
            inputs['style'] = np.full(len(drop), conditioning.style, np.int64)
        result: Float32Array = self._session.run(['x0'], inputs)[0]
        return result
