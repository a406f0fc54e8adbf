"""The library's front door: an immutable pipeline, and streams that hold all state.

::

    pipeline = GesturePipeline.from_bundle()
    stream = pipeline.create_stream('humanoid')
    for samples in packets:
        stream.accept_waveform(samples, sample_rate=16_000)
        while stream.is_ready():
            result = stream.step()
    stream.finish()
    while stream.is_ready():
        result = stream.step()

A pipeline may be shared by threads; a stream belongs to one thread at a time.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .audio.block_features import BlockFeatureStream
from .audio.feature_stream import FeatureStream, FrontEnd
from .audio.resample import resample
from .bundle import Bundle, FRONT_END_NETWORK, read_bundle
from .channel import ChannelModel, Emotion
from .config import GestureConfig
from .exceptions import AudioError, BundleError, ConfigError
from .inference import OnnxDenoiser, OnnxEncoder, OnnxFrontEnd, open_session, SpeechTokens
from .motion.face import project_face
from .motion.lips import sharp_lips
from .motion.robot import load_profile, RobotProfile
from .motion.skeleton import project_pose
from .stream import GestureStream
from .timeline import SAMPLE_RATE_HZ
from .types import Float32Array


@dataclass(frozen=True)
class GesturePipeline:
    """Weights and sizes of a bundle, ready to run.

    Attributes:
        bundle: where the weights come from.
        provider: name of the ONNX Runtime provider in use.
        body, face: the models of both channels.
        front_end: makes the features of a new stream.
    """

    bundle: Bundle
    provider: str
    body: ChannelModel
    face: ChannelModel
    front_end: FrontEnd

    @classmethod
    def from_bundle(cls, path: str | Path | None = None, *, provider: str = 'auto',
                    threads: int = 1) -> GesturePipeline:
        """Load a bundle.

        Args:
            path: folder of the bundle; None or empty takes the shipped one.
            provider: ``auto``, ``cpu``, ``cuda`` or ``tensorrt``.
            threads: threads of ONNX Runtime on the CPU; networks this small gain little by two.

        Raises:
            BundleError: the bundle is missing, truncated or does not match.
            ConfigError: the provider is not available.
        """
        bundle = read_bundle(path)
        sessions = {name: open_session(bundle, f'{name}.onnx', provider, threads)
                    for name in ('encoder', 'body', 'face')}
        encoder = OnnxEncoder(sessions['encoder'])
        moves = OnnxDenoiser(sessions['body'])
        body = ChannelModel('body', bundle.body, bundle.encoder, encoder, moves, project_pose,
                            moves.cued and bundle.body.guides is not None)
        face = ChannelModel('face', bundle.face, bundle.encoder, encoder,
                            OnnxDenoiser(sessions['face']), project_face, finish=sharp_lips)
        pipeline = cls(bundle, str(sessions['body'].get_providers()[0]), body, face,
                       _front_end(bundle, provider, threads))
        pipeline.warm_up()
        return pipeline

    def warm_up(self) -> None:
        """Run one window of each channel, so that the first real one is not slow.

        Raises:
            BundleError: the networks do not run with the sizes the metadata state.
        """
        stream = self.create_stream(robot=None)
        stream.accept_waveform(np.zeros(16_000, np.float32), 16_000)
        try:
            while stream.is_ready():
                stream.step()
        except Exception as error:
            reason = str(error).splitlines()[0][:200]
            raise BundleError(f'bundle {self.bundle.path}: the networks do not fit the metadata: '
                              f'{reason}') from error

    def create_stream(self, robot: str | RobotProfile | None = None,
                      config: GestureConfig | None = None,
                      persona: Float32Array | None = None,
                      emotion: Emotion | None = None) -> GestureStream:
        """Return a new stream at rest.

        Args:
            robot: profile, name or path of one; None makes canonical motion and face only.
            config: deployment choices; defaults when None.
            persona: style token (see ``persona_of``) to pin; None infers it from the voice.
            emotion: emotion (see ``emotion_of``) to show; None infers it from the voice.

        Raises:
            ConfigError: the windows or tokens asked for do not fit the bundle.
            RobotError: the robot is unknown or malformed.
        """
        spec = self.bundle.encoder
        if persona is not None:
            persona = _checked('persona', persona, spec.persona_dim + self.body.cued)
        if emotion is not None:
            if not 0.0 <= emotion.intensity <= 1.0:
                raise ConfigError(f'emotion intensity must be in [0, 1], got {emotion.intensity}')
            emotion = replace(emotion, token=_checked('emotion', emotion.token, spec.emotion_dim))
        profile = load_profile(robot) if isinstance(robot, str) else robot
        return GestureStream(self.body, self.face, self.bundle.schedule,
                             config or GestureConfig(), profile, persona, self.front_end, emotion)

    def persona_of(self, samples: Any, sample_rate: int) -> Float32Array:
        """Return the style of the last seconds of a reference recording.

        That is the persona token, and after it the arousal in [0, 1] where the body is told it:
        shape (Q,) or (Q + 1,).

        Raises:
            AudioError: the recording cannot be used, or is shorter than a second.
        """
        tokens, features = self._heard_in(samples, sample_rate)
        if not self.body.cued:
            return tokens.persona
        from .guides.planner import arousal_now  # SciPy, only here

        return np.append(tokens.persona, np.float32(arousal_now(features)))

    def emotion_of(self, samples: Any, sample_rate: int) -> Float32Array:
        """Return the emotion token ``(E,)`` of the last seconds of a reference recording.

        Raises:
            AudioError: the recording cannot be used, or is shorter than a second.
        """
        return self._heard_in(samples, sample_rate)[0].emotion

    def _heard_in(self, samples: Any, sample_rate: int) -> tuple[SpeechTokens, Float32Array]:
        """Return the tokens and the features (F, D) of the last seconds of a recording."""
        features = self.front_end()
        wave = resample(np.asarray(samples), sample_rate)
        if len(wave) < SAMPLE_RATE_HZ:
            raise AudioError('a reference recording must be at least 1 s long, got '
                             f'{len(wave) / SAMPLE_RATE_HZ:.2f} s')
        features.append(wave)
        end, length = features.frames_available, self.bundle.encoder.history_frames
        rows = features.get(0, end)[-length:]
        history = np.zeros((length, features.dim), np.float32)
        heard = np.zeros(length, np.float32)
        if len(rows):
            history[-len(rows):], heard[-len(rows):] = rows, 1.0
        context = self.bundle.encoder.context_frames
        return self.body.encoder(history[-context:], heard[-context:], history, heard), rows


def _checked(name: str, token: Any, size: int) -> Float32Array:
    """Return a token as float32; refuse one that is of another size or not finite."""
    values: Float32Array = np.asarray(token, np.float32)
    if values.shape != (size,) or not np.isfinite(values).all():
        raise ConfigError(f'{name} must be {size} finite numbers for this bundle, got shape '
                          f'{values.shape}')
    return values


def _front_end(bundle: Bundle, provider: str, threads: int) -> FrontEnd:
    """Return the front end that the bundle was trained with."""
    grid, dim = bundle.features.grid, bundle.features.dim
    if grid is None:
        return FeatureStream
    network = OnnxFrontEnd(open_session(bundle, FRONT_END_NETWORK, provider, threads))
    return lambda: BlockFeatureStream(network, dim, grid)
