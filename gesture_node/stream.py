"""All mutable state of one speaker: audio in, committed motion out, window by window."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
import time
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .audio.feature_stream import FeatureStream, FrontEnd
from .audio.resample import StreamResampler
from .channel import (
    ChannelFrames,
    ChannelModel,
    Easing,
    Emotion,
    MotionChannel,
    window_layouts,
)
from .config import GestureConfig
from .diffusion.adjustable_sampler import AdjustableSampler
from .diffusion.sampler import Sampler
from .diffusion.schedule import Schedule
from .exceptions import StreamError
from .gestures.track import GestureTrack
from .hearing import hearing_for
from .latency import LatencyTracker
from .motion.blinks import BlinkTrack
from .motion.face import LIP_INDEX, project_face
from .motion.robot import RobotProfile
from .robot_output import RobotOutput
from .timeline import (
    BODY_RATE_HZ,
    FACE_RATE_HZ,
    FEATURE_RATE_HZ,
    first_sample,
    s_to_frames,
    SAMPLE_RATE_HZ,
)
from .types import BodyChunk, FaceChunk, Float32Array, JointChunk, StepResult, StreamReport

SETTLE_S = 1.6
"""Motion after the last sample, in which body and face ease to idle."""
_EASE_START_S, _BODY_EASE_S, _FACE_EASE_S = 0.2, 1.2, 0.4


class GestureStream:
    """Made by :meth:`GesturePipeline.create_stream`; not thread-safe.

    ``steps`` are the denoiser calls per window of body and face, ``gestures`` what was asked for
    by name: it lies over the generated motion, and a stream does not end before it.
    """

    def __init__(self, body: ChannelModel, face: ChannelModel, schedule: Schedule,
                 config: GestureConfig, profile: RobotProfile | None,
                 persona: Float32Array | None, front_end: FrontEnd = FeatureStream,
                 emotion: Emotion | None = None) -> None:
        self.config = config
        self.latency = LatencyTracker()
        self.generation = 0
        self.gestures = GestureTrack()
        self.idle_pose: Float32Array = np.asarray(body.spec.idle, np.float32)
        self._models = body, face
        self._persona, self._emotion, self._front_end = persona, emotion, front_end
        self._layouts = window_layouts(body.spec, face.spec, config)
        self.steps = body.spec.calls(config.body.steps), face.spec.calls(config.face.steps)
        self._samplers = tuple(AdjustableSampler(sampler) for sampler in (
            Sampler(schedule, self.steps[0], body.spec.strength(config.body.guidance),
                    config.body.sampler),
            Sampler(schedule, self.steps[1], solver=config.face.sampler, steady=tuple(LIP_INDEX))))
        self.robot = None if profile is None else RobotOutput(profile, config, body.spec.idle)
        self._start()

    def _start(self) -> None:
        self._resampler = StreamResampler()
        self._features = self._front_end()
        self._hearing = hearing_for([model.encoder for model in self._models],
                                        self._models[0].encoder_spec, self._layouts)
        self._body, self._face = (
            MotionChannel(model, layout, cast(Any, sampler), self.config.seed, number, hearing)
            for number, (model, layout, sampler, hearing) in enumerate(
                zip(self._models, self._layouts, self._samplers, self._hearing)))
        self._body.persona = self._face.persona = self._persona
        self._body.emotion = self._face.emotion = self._emotion
        if self.config.face.blinks_per_minute > 0.0:
            self._face.blinks = BlinkTrack(self.config.seed, FACE_RATE_HZ,
                                           self.config.face.blinks_per_minute)
        self._face.style = self._models[1].spec.style_index(self.config.face.style)
        self._body.smoothing_frames = self.config.body.smoothing_s * BODY_RATE_HZ
        self._end_sample: int | None = None
        self.gestures.clear()
        self._dropped_samples = 0
        self._skipped = {'body': 0, 'face': 0}

    @property
    def body_latency_s(self) -> float:
        """Algorithmic latency of the body [s]: hop, foresight, and waiting for blocks."""
        return self._latency_s(self._body)

    @property
    def face_latency_s(self) -> float:
        """Algorithmic latency of the face [s]: hop, foresight, and waiting for blocks."""
        return self._latency_s(self._face)

    def _latency_s(self, channel: MotionChannel) -> float:
        """Return the longest time from the first sound of a hop to all that its window needs."""
        return max(
            self._features.samples_for(channel.features_needed_after(windows)) / SAMPLE_RATE_HZ
            - (channel.next_frame + windows * channel.layout.hop_frames) / channel.layout.rate_hz
            for windows in range(self._features.block_frames * self._hearing[0].block_frames))

    def set_steps(self, body: int, face: int) -> None:
        """Take other numbers of denoiser calls, from the next windows on."""
        self.steps = body, face
        for sampler, steps in zip(self._samplers, self.steps):
            sampler.set_steps(steps)

    @property
    def next_body_frame(self) -> int:
        """First body frame that is not committed; gestures may change it."""
        return self._body.next_frame

    @property
    def samples_accepted(self) -> int:
        """Samples at 16 kHz since the start, with the silence appended by ``finish``."""
        return self._features.samples_accepted

    @property
    def finished(self) -> bool:
        """True once ``finish`` was called and everything up to idle is committed."""
        return self._end_sample is not None and not (
            self._before_end(self._body) or self._before_end(self._face))

    def accept_waveform(self, samples: NDArray[Any], sample_rate: int) -> None:
        """Append audio.

        Args:
            samples: shape (n,) or (n, channels); float in [-1, 1] or integers of full scale.
            sample_rate: in [4 000, 192 000] Hz; may change between calls.

        Raises:
            AudioError: the array or the rate cannot be audio; nothing is consumed.
            StreamError: ``finish`` was called before.
        """
        if self._end_sample is not None:
            raise StreamError('accept_waveform after finish; call reset to begin a new stream')
        self._append(self._resampler.accept(samples, sample_rate))

    def _append(self, wave: Float32Array) -> None:
        waiting = self._features.samples_accepted - first_sample(
            min(self._body.features_needed, self._face.features_needed), FEATURE_RATE_HZ)
        room = int(self.config.audio.max_buffer_s * SAMPLE_RATE_HZ) - waiting
        self._dropped_samples += max(0, len(wave) - max(0, room))
        self._features.append(wave[:max(0, room)])

    def finish(self) -> None:
        """Declare the end of the audio; windows go on until body and face are at idle."""
        if self._end_sample is None:
            self._append(self._resampler.flush())
            self._end_sample = self._features.samples_accepted
            end_s = self._end_sample / SAMPLE_RATE_HZ + _EASE_START_S
            for channel, rate_hz, span_s in ((self._body, BODY_RATE_HZ, _BODY_EASE_S),
                                             (self._face, FACE_RATE_HZ, _FACE_EASE_S)):
                start = max(s_to_frames(end_s, rate_hz), channel.next_frame)
                channel.easing = Easing(start, s_to_frames(span_s, rate_hz))

    def reset(self, positions: Mapping[str, float] | NDArray[np.floating] | None = None) -> None:
        """Begin a new stream at rest; chunks of the old generation are void.

        Args:
            positions: robot joint positions [rad] to start from; None starts in the idle pose.

        Raises:
            RobotError: positions do not fit the robot.
        """
        if self.robot is not None:
            self.robot.reset(positions)
        self.generation += 1
        self._start()

    def is_ready(self) -> bool:
        """Return whether a window may run: its audio has arrived."""
        return any(self._ready(channel) for channel in (self._body, self._face))

    def step(self) -> StepResult:
        """Run the window that is due first and return what it committed.

        Raises:
            StreamError: no window is ready.
        """
        ready = [channel for channel in (self._face, self._body) if self._ready(channel)]
        if not ready:
            raise StreamError('step called although no window is ready; ask is_ready first')
        channel = min(ready, key=lambda item: item.next_frame / item.layout.rate_hz)
        with self.latency.measure(f'{"face" if channel is self._face else "body"}_hop'):
            frames = channel.step(self._features, self.latency)
            result = self._face_result(frames) if channel is self._face else (
                self._body_result(frames))
        self._forget()
        return result

    def run_ready(self) -> list[StepResult]:
        """Run every window that is ready; body, face and robot side by side in three threads.

        Each of the three goes window by window as :meth:`step` does, and gives the same bits.

        Returns:
            The results of the body, then those of the face.
        """
        self._append_last_silence()
        with ThreadPoolExecutor(1) as robot, ThreadPoolExecutor(1) as face:
            faces = face.submit(lambda: [
                self._face_result(frames) for frames, _ in self._windows(self._face)])
            bodies = [robot.submit(self._timed_body_result, frames, spent_s)
                      for frames, spent_s in self._windows(self._body)]
            results = [body.result() for body in bodies] + faces.result()
        self._forget()
        return results

    def _forget(self) -> None:
        """Forget what neither channel will need again."""
        oldest = min(self._body.oldest_feature, self._face.oldest_feature)
        self._features.drop_before(oldest)
        for hearing in self._hearing:
            hearing.drop_before(oldest)

    def _append_last_silence(self) -> None:
        """Append all the silence that windows will need, so that threads only read."""
        for channel in (self._body, self._face):
            layout = channel.layout
            if self._end_sample is not None and self._before_end(channel):
                more = (self._last_frame(channel) - channel.next_frame - 1) // layout.hop_frames
                self._append_silence(channel.features_needed_after(max(0, more)))

    def _windows(self, channel: MotionChannel) -> Iterator[tuple[ChannelFrames, float]]:
        """Yield the frames of every ready window of a channel, and the time it took [s]."""
        while self._ready(channel):
            begun_s = time.perf_counter()
            frames = channel.step(self._features, self.latency)
            spent_s = time.perf_counter() - begun_s
            if channel is self._face:
                self.latency.add('face_hop', spent_s)
            yield frames, spent_s

    def _timed_body_result(self, frames: ChannelFrames, spent_s: float) -> StepResult:
        begun_s = time.perf_counter()
        result = self._body_result(frames)
        self.latency.add('body_hop', spent_s + time.perf_counter() - begun_s)
        return replace(result, timings_s=self.latency.latest())

    def skip_overdue(self, shown_s: float) -> int:
        """Give up windows that would be computed for nothing; return the frames skipped.

        A machine that was overloaded would otherwise go on computing what is over. A window is
        skipped when all its frames would be past once it is computed, which takes as long as the
        last one did, and another window is ready. Motion goes on from where it stands.

        Args:
            shown_s: stream time that is heard now [s]; negative before the first frame. Motion
                is shown ahead of it by the lead of its channel.
        """
        count = 0
        for name, channel, lead_s in (('body', self._body, self.config.body.lead_s),
                                      ('face', self._face, self.config.face.lead_s)):
            until_s = shown_s + lead_s + self.latency.latest().get(f'{name}_hop', 0.0)
            until = until_s * channel.layout.rate_hz
            while channel.next_frame + channel.layout.hop_frames <= until and (
                    self._another_is_ready(channel)):
                frames = channel.skip()
                if channel is self._body and self.robot is not None:
                    self.robot.skip(frames)
                self._skipped[name] += frames
                count += frames
        return count

    def _another_is_ready(self, channel: MotionChannel) -> bool:
        """Return whether the window after the next could run too."""
        next_frame = channel.next_frame + channel.layout.hop_frames
        if self._end_sample is not None:
            return next_frame < self._end_frame(channel)
        return channel.features_needed_after(1) <= self._features.frames_available

    def _ready(self, channel: MotionChannel) -> bool:
        if self._end_sample is not None:
            if not self._before_end(channel):
                return False
            self._append_silence(channel.features_needed)
        return channel.features_needed <= self._features.frames_available

    def _append_silence(self, frames: int) -> None:
        """Make the audio last for a number of feature frames from the start."""
        missing = self._features.samples_for(frames) - self._features.samples_accepted
        if missing > 0:
            self._features.append(np.zeros(missing, np.float32))

    def _before_end(self, channel: MotionChannel) -> bool:
        return channel.next_frame < self._last_frame(channel)

    def _last_frame(self, channel: MotionChannel) -> int:
        return max(self._end_frame(channel), channel.resumed_frame + 1)

    def _end_frame(self, channel: MotionChannel) -> int:
        """Return the first frame that no window need commit, once the end is known."""
        assert self._end_sample is not None and channel.easing is not None
        end_s = self._end_sample / SAMPLE_RATE_HZ + SETTLE_S
        gestures_end = self.gestures.end_frame * channel.layout.rate_hz // BODY_RATE_HZ
        return max(s_to_frames(end_s, channel.layout.rate_hz), channel.easing.end + 1,
                   gestures_end + 1 if gestures_end else 0)

    def _body_result(self, frames: ChannelFrames) -> StepResult:
        poses, has_gestures = frames.frames, self.gestures.shows(frames.first_frame,
                                                                 len(frames.frames))
        if has_gestures:
            # The amplitude is that of the generated motion; gestures bring their own.
            scaled = self.idle_pose + np.float32(self.config.body.amplitude) * (
                poses - self.idle_pose)
            poses = self.gestures.apply(frames.first_frame, scaled)
        body = BodyChunk(frames.first_frame, poses, frames.committed, BODY_RATE_HZ,
                         self.generation, has_gestures)
        joints: JointChunk | None = None
        if self.robot is not None:
            joints = self.robot.step(body, self.latency)
        return StepResult(body=body, joints=joints, timings_s=self.latency.latest())

    def _face_result(self, frames: ChannelFrames) -> StepResult:
        weights = frames.frames[:frames.committed].copy()
        if self.config.face.lip_strength != 1.0:
            weights[:, LIP_INDEX] *= np.float32(self.config.face.lip_strength)
            weights = project_face(weights)
        face = FaceChunk(frames.first_frame, weights, FACE_RATE_HZ, self.generation)
        # Only mel features say what was heard to those who do not know the bundle's front end.
        heard = self._features.get(
            frames.first_frame, frames.first_frame + frames.committed) if isinstance(
                self._features, FeatureStream) else None
        return StepResult(face=face, heard=heard, timings_s=self.latency.latest())

    @property
    def report(self) -> StreamReport:
        """What happened so far."""
        faults = self._resampler.faults
        interventions = {} if self.robot is None else asdict(self.robot.interventions)
        return StreamReport(
            audio_s=self._features.samples_accepted / SAMPLE_RATE_HZ,
            dropped_audio_s=self._dropped_samples / SAMPLE_RATE_HZ,
            non_finite_samples=faults.non_finite, clipped_samples=faults.clipped,
            nan_count=self._body.non_finite + self._face.non_finite,
            skipped_frames=dict(self._skipped), limit_interventions=interventions)
