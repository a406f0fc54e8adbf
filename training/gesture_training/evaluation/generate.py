"""Motion of a bundle for a recording, one channel at a time, through the streaming windows."""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gesture_node.channel import MotionChannel, window_layouts
from gesture_node.config import GestureConfig
from gesture_node.diffusion.sampler import Sampler
from gesture_node.diffusion.window import WindowLayout
from gesture_node.hearing import Hearing, hearing_for
from gesture_node.latency import LatencyTracker
from gesture_node.motion.blinks import BlinkTrack
from gesture_node.motion.face import LIP_INDEX
from gesture_node.pipeline import GesturePipeline
from gesture_node.timeline import FEATURE_RATE_HZ, samples_per_frame

_TAIL_SAMPLES = 16_000 * 8


def generate_face(pipeline: GesturePipeline, waveform: NDArray[np.float32],
                  config: GestureConfig, style: int = 0,
                  solver: str = 'dpm') -> NDArray[np.float32]:
    """Return weights ``(T, 52)`` at 50 Hz for 16 kHz mono, as a stream would commit them."""
    sampler = Sampler(pipeline.bundle.schedule, pipeline.bundle.face.calls(config.face.steps),
                      solver=solver, steady=tuple(LIP_INDEX))
    (_, layout), (_, hearing) = _heard_as(pipeline, config)
    channel = MotionChannel(pipeline.face, layout, sampler, config.seed, 1, hearing)
    channel.style = style
    if config.face.blinks_per_minute > 0.0:
        channel.blinks = BlinkTrack(config.seed, layout.rate_hz, config.face.blinks_per_minute)
    return _run(pipeline, channel, waveform)


def generate_body(pipeline: GesturePipeline, waveform: NDArray[np.float32],
                  config: GestureConfig, persona: NDArray[np.float32] | None = None,
                  solver: str = 'dpm') -> NDArray[np.float32]:
    """Return pose vectors ``(T, 84)`` at 25 fps for 16 kHz mono, as a stream would commit them.

    Args:
        pipeline: the bundle.
        waveform: shape (n,), 16 kHz.
        config: hop, foresight, steps, guidance, smoothing and seed.
        persona: style token to pin; None infers it from the voice.
        solver: ``dpm`` or ``ddim``.
    """
    sampler = Sampler(pipeline.bundle.schedule, pipeline.bundle.body.calls(config.body.steps),
                      pipeline.bundle.body.strength(config.body.guidance), solver)
    (layout, _), (hearing, _) = _heard_as(pipeline, config)
    channel = MotionChannel(pipeline.body, layout, sampler, config.seed, 0, hearing)
    channel.smoothing_frames = config.body.smoothing_s * layout.rate_hz
    channel.persona = persona
    return _run(pipeline, channel, waveform)


def _heard_as(pipeline: GesturePipeline, config: GestureConfig
              ) -> tuple[tuple[WindowLayout, WindowLayout], list[Hearing]]:
    """Return the windows of body and face in a stream of both, and how each hears."""
    layouts = window_layouts(pipeline.bundle.body, pipeline.bundle.face, config)
    encoders = pipeline.body.encoder, pipeline.face.encoder
    return layouts, hearing_for(encoders, pipeline.bundle.encoder, layouts)


def _run(pipeline: GesturePipeline, channel: MotionChannel,
         waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    features, latency = pipeline.front_end(), LatencyTracker()
    features.append(waveform)
    features.append(np.zeros(_TAIL_SAMPLES, np.float32))
    per_frame = channel.layout.features_per_frame * samples_per_frame(FEATURE_RATE_HZ)
    count = len(waveform) // per_frame
    parts = []
    while channel.next_frame < count:
        window = channel.step(features, latency)
        parts.append(window.frames[:window.committed])
        features.drop_before(channel.oldest_feature)
    return np.concatenate(parts)[:count]
