"""The quality ladder on the clock of a driver: how near deadlines are, and what is given up."""
from __future__ import annotations

from collections.abc import Callable
import time
from typing import Protocol

from ..config import GestureConfig
from ..exceptions import ConfigError
from ..operations.quality import quality_levels, QualityLadder, scaled_hops
from ..stream import GestureStream
from ..timeline import frame_to_ns, NS_PER_S
from ..types import StepResult
from .presentation_delay import longest_freeze_s

_LATE_S = -1e-3


class Presentation(Protocol):
    """When samples of a stream are presented."""

    def presentation_ns(self, due_ns: int) -> int:
        """Return the ROS time [ns] of a stream time [ns]."""


class QualityControl:
    """Measures windows and decides what the next ones may cost.

    Args:
        check: raises a ConfigError for a config that cannot be served.
        now_ns: reads ROS time [ns].
        say: takes a sentence for the log when quality changes: its cause and itself.
    """

    def __init__(self, check: Callable[[GestureConfig], None], now_ns: Callable[[], int],
                 say: Callable[[str, str], None]) -> None:
        self._check, self._now_ns, self._say = check, now_ns, say
        self._is_on = True
        self._base: GestureConfig | None = None
        self._steps = 1, 1
        self._ladder = QualityLadder(quality_levels(self._steps, lambda scale: False))

    @property
    def ladder(self) -> QualityLadder:
        """The ladder in use."""
        return self._ladder

    def configure(self, config: GestureConfig, steps: tuple[int, int], is_on: bool) -> None:
        """Begin at the best quality of a config, whose streams take so many denoiser calls."""
        if (config, steps, is_on) != (self._base, self._steps, self._is_on):
            self._base, self._steps, self._is_on = config, steps, is_on
            self._ladder = QualityLadder(quality_levels(steps, self._fits))

    def config(self) -> GestureConfig | None:
        """Return the config for the next utterance; ``None`` before any."""
        if self._base is None or not self._is_on:
            return self._base
        return scaled_hops(self._base, self._ladder.level.hop_scale)

    def steps(self, stream: GestureStream) -> tuple[int, int]:
        """Return the denoiser calls of the next window."""
        return self._ladder.level.steps if self._is_on else stream.steps

    def observe(self, stream: GestureStream, result: StepResult, compute_s: float,
                clock: Presentation | None) -> bool:
        """Take in a window; return whether the level changed."""
        chunk = result.body or result.face
        if clock is None or chunk is None or not self._is_on:
            return False
        output = stream.config.output
        latency_s = stream.body_latency_s if result.body is not None else stream.face_latency_s
        frozen_s = longest_freeze_s(output) if result.body is not None else 0.0
        spare_s = output.presentation_delay_s - latency_s - frozen_s
        shown_ns = clock.presentation_ns(0) + frame_to_ns(chunk.first_frame, chunk.rate_hz)
        slack_s = (shown_ns - self._now_ns()) / NS_PER_S - frozen_s
        return self._told(self._ladder.observe(slack_s, spare_s, compute_s, time.monotonic()))

    def late(self) -> bool:
        """Take in that windows were given up; return whether the level changed."""
        return self._is_on and self._told(
            self._ladder.observe(_LATE_S, 1.0, 1.0, time.monotonic()))

    def values(self) -> dict[str, float]:
        """Return what the diagnostics say."""
        ladder = self._ladder
        return {'quality level': float(ladder.index), 'quality levels': float(ladder.count),
                'quality body steps': float(ladder.level.steps[0]),
                'quality face steps': float(ladder.level.steps[1]),
                'quality hop scale': ladder.level.hop_scale,
                'quality steps down': float(ladder.steps_down),
                'quality steps up': float(ladder.steps_up)}

    def in_words(self) -> str:
        """Return the quality for people: ``full``, or what is given up."""
        level = self._ladder.level
        if self._ladder.is_full:
            return 'full'
        hops = f', hops x {level.hop_scale:g}' if level.hop_scale > 1.0 else ''
        return (f'level {self._ladder.index} of {self._ladder.count - 1}: {level.steps[0]} '
                f'denoiser calls for the body, {level.steps[1]} for the face{hops}')

    def _told(self, changed: bool) -> bool:
        if changed and not self._ladder.is_full:
            self._say('quality', 'there is too little time to compute, and quality is given up '
                                 f'({self.in_words()}); ~/quality says when it is back')
        return changed

    def _fits(self, scale: float) -> bool:
        assert self._base is not None
        try:
            self._check(scaled_hops(self._base, scale))
        except ConfigError:
            return False
        return True
