"""One motion channel of a stream: window after window, from speech features to frames."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .audio.feature_stream import FeatureSource
from .bundle import ChannelSpec, EncoderSpec
from .config import GestureConfig
from .diffusion.denoiser import Conditioning, Denoiser
from .diffusion.noise import FrameNoise
from .diffusion.sampler import Sampler
from .diffusion.window import (
    BLEND_S,
    ease_seam,
    join_window,
    PLAN_BLEND_S,
    SHORT_HOP_S,
    smooth_window,
    WindowLayout,
)
from .guides.cues import near_guides
from .guides.poses import GuidePoses
from .hearing import Hearing, WindowHearing
from .inference import OnnxEncoder, SpeechTokens
from .latency import LatencyTracker
from .motion.blinks import BlinkTrack
from .motion.courses import fade_in, minimum_jerk
from .motion.skeleton import JOINT_INDEX
from .timeline import s_to_frames
from .types import Float32Array

if TYPE_CHECKING:
    from .guides.planner import GuidePlanner

Projection = Callable[[Float32Array], Float32Array]
Finish = Callable[[Float32Array, float], Float32Array]
HOLD_SMOOTHING_S = 0.06
"""Width of the low-pass on arms while no guide is near."""
SEAM_SMOOTHING_S = 0.025
"""Width of the low-pass over the seam of two windows."""
_EDGE_FRAMES = 2.0
TRUNK_RETURN_S = 4.0
"""Time in which a lean of the trunk falls to a third: windows that begin from generated motion
would otherwise add up what each of them leans too much."""
TRUNK_INDEX = np.array([6 * JOINT_INDEX[name] + number for name in ('spine', 'chest')
                        for number in range(6)])
FACE_STRETCH = 3
"""Windows of the face may be so many times as long as the bundle's: lips read their own frame, and
attention fades with distance. Arms in longer windows than they learnt in gesture less."""


@dataclass(frozen=True, slots=True)
class Emotion:
    """An emotion that is wanted, instead of the one that is heard.

    Attributes:
        token: shape (E,), float32, such as ``GesturePipeline.emotion_of`` returns.
        intensity: in [0, 1]; 0 leaves what is heard, 1 replaces it, between lies between.
    """

    token: Float32Array
    intensity: float = 1.0

    def mixed(self, heard: Float32Array) -> Float32Array:
        """Return the token between the heard one (E,) and the wanted one."""
        share = np.float32(self.intensity)
        return np.asarray((np.float32(1.0) - share) * heard + share * self.token, np.float32)


def window_layouts(body: ChannelSpec, face: ChannelSpec,
                   config: GestureConfig) -> tuple[WindowLayout, WindowLayout]:
    """Return the windows of body and face for a config.

    Raises:
        ConfigError: they do not fit the bundle.
    """
    return (WindowLayout.from_seconds('body', body.model, config.body.hop_s,
                                      config.body.foresight_s, config.output.tail_s),
            WindowLayout.from_seconds('face', face.model, config.face.hop_s,
                                      config.face.foresight_s, 0.0, FACE_STRETCH))


@dataclass(frozen=True)
class ChannelModel:
    """The immutable half of a channel.

    Attributes:
        name: ``body`` or ``face``, prefix of the stage names it measures.
        spec: sizes and normalisation.
        encoder_spec: context and history sizes.
        encoder: network that hears.
        denoiser: network that moves.
        project: maps any finite frames ``(T, D)`` to valid ones.
        cued: the denoiser is told guides and arousal.
        finish: what is done to frames ``(T, D)`` at a rate [Hz] before they are shown; the next
            window begins from frames without it.
    """

    name: str
    spec: ChannelSpec
    encoder_spec: EncoderSpec
    encoder: OnnxEncoder
    denoiser: Denoiser
    project: Projection
    cued: bool = False
    finish: Finish | None = None


def _guide_planner(model: ChannelModel, seed: int) -> GuidePlanner | None:
    """Return what plans the guides of a stream, if the denoiser is told any."""
    if not model.cued or model.spec.guides is None:
        return None
    # SciPy, which many users of this module do without.
    from .guides.planner import GuidePlanner

    return GuidePlanner(GuidePoses.from_rows(model.spec.guides), seed)


@dataclass(frozen=True, slots=True)
class Easing:
    """Ease to idle after the end of speech: from ``start`` over ``span`` frames."""

    start: int
    span: int

    @property
    def end(self) -> int:
        """First frame with weight 1."""
        return self.start + self.span

    def weights(self, first_frame: int, count: int) -> Float32Array:
        """Return shape (count, 1): 0 before the easing, 1 once at idle; smooth between."""
        progress = (np.arange(first_frame, first_frame + count) - self.start) / self.span
        return minimum_jerk(progress).astype(np.float32)[:, None]


@dataclass(frozen=True, slots=True)
class ChannelFrames:
    """New frames of one window: shape (W - S, D); the first ``committed`` are final."""

    first_frame: int
    frames: Float32Array
    committed: int


class MotionChannel:
    """The mutable half: which window is next, and the committed frames it starts from.

    Args:
        model: networks and sizes.
        layout: hop and foresight.
        sampler: schedule, steps and guidance.
        seed: seed of the noise.
        number: stream of noise, one per channel.
        hearing: what the windows hear; None has each hear for itself.
    """

    def __init__(self, model: ChannelModel, layout: WindowLayout, sampler: Sampler, seed: int,
                 number: int, hearing: Hearing | None = None) -> None:
        self.layout = layout
        self._hearing = hearing or WindowHearing(model.encoder, model.encoder_spec)
        self.easing: Easing | None = None
        self.blinks: BlinkTrack | None = None
        self.persona: Float32Array | None = None
        self.emotion: Emotion | None = None
        self.style = max(0, len(model.spec.styles) - 1)
        self.non_finite = 0
        self.smoothing_frames = 0.0
        self._model, self._sampler = model, sampler
        self._noise = FrameNoise(seed, number, len(model.spec.mean))
        self._window = 0
        self._resumption: tuple[Easing, Float32Array] | None = None
        self._guides = _guide_planner(model, seed)
        hop_s = layout.hop_frames / layout.rate_hz
        # Half a long hop: a correction slower than any stroke is not seen as one.
        self._blend_s = BLEND_S if self._guides is None else max(BLEND_S, 0.5 * hop_s)
        self._follows = model.name == 'body' and hop_s <= SHORT_HOP_S
        self._plan: Float32Array | None = None
        self._seed = np.repeat(model.spec.idle[None], layout.seed_frames, axis=0)

    @property
    def next_frame(self) -> int:
        """First frame the next window will commit; all before are committed."""
        return self._window * self.layout.hop_frames

    @property
    def resumed_frame(self) -> int:
        """First frame that shows nothing any more of windows that were skipped."""
        return 0 if self._resumption is None else self._resumption[0].end

    @property
    def features_needed(self) -> int:
        """Feature frames that must have arrived before the next window may run."""
        return self.features_needed_after(0)

    def features_needed_after(self, windows: int) -> int:
        """Return the feature frames that the window after some more windows needs."""
        return self._hearing.needed(*self._span(self._window + windows))

    @property
    def oldest_feature(self) -> int:
        """Oldest feature frame that this or a later window reads."""
        first, _, heard_end = self._span(self._window)
        return min(self._hearing.oldest(first, heard_end),
                   heard_end - self._model.encoder_spec.history_frames)

    def _span(self, window: int) -> tuple[int, int, int]:
        """Return where a window begins, how long it is and where what it may hear ends."""
        layout = self.layout
        per_frame = layout.features_per_frame
        return (layout.first_frame(window) * per_frame, layout.window_frames * per_frame,
                layout.heard_features(window))

    def step(self, features: FeatureSource, latency: LatencyTracker) -> ChannelFrames:
        """Denoise the next window and commit its hop."""
        name, spec, layout = self._model.name, self._model.spec, self.layout
        with latency.measure(f'{name}_encoder'):
            tokens, cues = self._listen(features)
        with latency.measure(f'{name}_denoiser'):
            estimate = self._denoise(tokens, cues)
        frames = self._finite(self._joined(self._smooth(estimate, cues))) * spec.std + spec.mean
        first = self.next_frame
        if name == 'body':
            frames[:, TRUNK_INDEX] = self._returned(frames[:, TRUNK_INDEX])
        if self.easing is not None:
            weight = self.easing.weights(first, len(frames))
            frames = frames + weight * (spec.idle - frames)
        if self._resumption is not None:
            easing, held = self._resumption
            frames = held + easing.weights(first, len(frames)) * (frames - held)
        if self._plan is not None:
            frames = fade_in(self._plan, frames, PLAN_BLEND_S * layout.rate_hz)
        if name == 'body':
            frames = smooth_window(np.concatenate([self._seed, frames]),
                                   SEAM_SMOOTHING_S * layout.rate_hz)[layout.seed_frames:]
            if not self._follows:
                frames = ease_seam(self._seed, frames)
        if self._follows:
            self._plan = frames[layout.hop_frames:]
        frames = self._model.project(frames).astype(np.float32)
        if self.blinks is not None:
            frames = self.blinks.apply(first, frames)
        hop, whole = layout.hop_frames, np.concatenate([self._seed, frames])
        if self._model.finish is not None:
            frames = self._model.finish(whole, layout.rate_hz)[layout.seed_frames:]
        self._seed = whole[hop:hop + layout.seed_frames]
        self._window += 1
        return ChannelFrames(first, frames, hop)

    def skip(self) -> int:
        """Give up the next window and return how many frames it would have committed.

        Motion stands still meanwhile: the window after it begins from the last committed frame,
        and what it may have to catch up with, such as an easing, is faded in.
        """
        if self._guides is not None:
            self._guides.skip()
        self._plan = None
        hop = self.layout.hop_frames
        held = np.repeat(self._seed[-1:], hop, axis=0)
        self._seed = np.concatenate([self._seed, held])[-self.layout.seed_frames:]
        self._window += 1
        span = s_to_frames(BLEND_S, self.layout.rate_hz)
        self._resumption = Easing(self.next_frame, span), held[-1]
        return hop

    def _listen(self, features: FeatureSource) -> tuple[SpeechTokens, Float32Array | None]:
        layout, spec = self.layout, self._model.encoder_spec
        first, count, heard_end = self._span(self._window)
        tokens = self._hearing.hear(features, first, count, heard_end)
        emotion = tokens.emotion if self.emotion is None else self.emotion.mixed(tokens.emotion)
        persona, arousal = tokens.persona, None
        if self.persona is not None:
            # A pinned persona is the token and, where the body is told, the arousal behind it.
            persona, arousal = self.persona[:spec.persona_dim], self.persona[spec.persona_dim:]
        heard_tokens = SpeechTokens(tokens.local, persona, emotion)
        if self._guides is None:
            return heard_tokens, None
        past = heard_end - spec.history_frames
        return heard_tokens, self._guides.cues(
            features.get(past, heard_end), (np.arange(past, heard_end) >= 0).astype(np.float32),
            heard_end, layout.first_frame(self._window), self.next_frame, layout.window_frames,
            None if arousal is None else float(arousal[0]))

    def _denoise(self, tokens: SpeechTokens, cues: Float32Array | None) -> Float32Array:
        layout, spec = self.layout, self._model.spec
        mask = np.zeros(layout.window_frames, np.float32)
        mask[:layout.seed_frames] = 1.0
        seed = np.zeros((layout.window_frames, len(spec.mean)), np.float32)
        seed[:layout.seed_frames] = (self._seed - spec.mean) / spec.std
        conditioning = Conditioning(tokens.local, tokens.persona, tokens.emotion, seed, mask,
                                    self.style, cues)
        first = layout.first_frame(self._window)
        noise = self._noise.get(first, first + layout.window_frames)
        return self._sampler.sample(self._model.denoiser, conditioning, noise)

    def _joined(self, estimate: Float32Array) -> Float32Array:
        """Return the new frames of a window, from where the committed ones end."""
        layout, spec = self.layout, self._model.spec
        if self._plan is not None:
            return estimate[layout.seed_frames:]
        seed = (self._seed - spec.mean) / spec.std
        return join_window(estimate, seed, layout.seed_frames, layout.rate_hz,
                           self._sampler.steady, self._blend_s)

    def _smooth(self, estimate: Float32Array, cues: Float32Array | None) -> Float32Array:
        """Return a window low-passed, more where no guide is near: held hands hold still."""
        smooth = smooth_window(estimate, self.smoothing_frames)
        if cues is None or self.smoothing_frames <= 0.0:
            return smooth
        near = smooth_window(near_guides(cues), _EDGE_FRAMES)
        calm = smooth_window(estimate, HOLD_SMOOTHING_S * self.layout.rate_hz)
        return np.asarray(calm + near * (smooth - calm), np.float32)

    def _returned(self, trunk: Float32Array) -> Float32Array:
        """Return trunk numbers (T, 12) that lean a little less, frame after frame."""
        upright = self._model.spec.idle[TRUNK_INDEX]
        elapsed_s = np.arange(1, len(trunk) + 1, dtype=np.float32)[:, None] / self.layout.rate_hz
        share = np.exp(-elapsed_s / np.float32(TRUNK_RETURN_S))
        return np.asarray(upright + share * (trunk - upright), np.float32)

    def _finite(self, frames: Float32Array) -> Float32Array:
        """Return frames with anything not finite replaced by the last committed frame."""
        bad = ~np.isfinite(frames)
        if not bad.any():
            return frames
        self.non_finite += int(bad.sum())
        last = (self._seed[-1] - self._model.spec.mean) / self._model.spec.std
        return np.where(bad, last, frames).astype(np.float32)
