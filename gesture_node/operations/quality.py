"""Steps the quality of motion down before deadlines are missed, and up again when there is time.

First fewer denoiser calls per window, which take effect at once; then longer hops, which take
effect with the next utterance. It goes down quickly and up slowly, and waits the longer to go up
the more often going up was a mistake, so that it never swings. Knows no clock: times are given.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..config import GestureConfig
from ..timeline import BODY_RATE_HZ, FACE_RATE_HZ, s_to_frames

LOW, HIGH = 0.2, 0.4
"""Shares of the spare time that are left: below the first it goes down, above the second up."""
NEAR_WINDOWS = 2
"""So many windows in a row below ``LOW`` are a step down; one that is late is one by itself."""
SETTLE_S = 0.6
"""After a step down, windows already under way say nothing of the new level."""
HOLD_S, LONGEST_HOLD_S = 5.0, 80.0
"""Time without a near deadline before a step up; doubled by every step up that was undone."""
UNDONE_S = 10.0
HOP_SCALES = (1.5, 2.0)
_FEWER = 0.7


@dataclass(frozen=True, slots=True)
class QualityLevel:
    """One rung.

    Attributes:
        steps: denoiser calls per window of body and face.
        hop_scale: factor on the hops of the configuration.
    """

    steps: tuple[int, int]
    hop_scale: float = 1.0

    @property
    def cost(self) -> float:
        """Computation per second of motion, relative to other levels of the same ladder."""
        # One call for all of a window that is no denoiser: encoder, retargeting, limits.
        return (2.0 + sum(self.steps)) / self.hop_scale


def scaled_hops(config: GestureConfig, scale: float) -> GestureConfig:
    """Return a config with hops longer by a factor, rounded up to whole frames.

    Raises:
        ConfigError: a hop would be longer than any may be.
    """
    if scale == 1.0:
        return config
    body, face = (-(-s_to_frames(1e3 * hop_s * scale, rate_hz) // 1_000) / rate_hz
                  for hop_s, rate_hz in ((config.body.hop_s, BODY_RATE_HZ),
                                         (config.face.hop_s, FACE_RATE_HZ)))
    return replace(config, body=replace(config.body, hop_s=body),
                   face=replace(config.face, hop_s=face))


def quality_levels(steps: tuple[int, int], fits: Callable[[float], bool]) -> list[QualityLevel]:
    """Return the rungs from the best down.

    Args:
        steps: denoiser calls per window of body and face at the best level.
        fits: whether hops longer by a factor are possible.
    """
    levels = [QualityLevel(steps)]
    while max(levels[-1].steps) > 1:
        body, face = levels[-1].steps
        if body >= face:
            body = min(body - 1, max(1, round(body * _FEWER)))
        else:
            face = min(face - 1, max(1, round(face * _FEWER)))
        levels.append(QualityLevel((body, face)))
    fewest = levels[-1].steps
    return levels + [QualityLevel(fewest, scale) for scale in HOP_SCALES if fits(scale)]


class QualityLadder:
    """Decides which level is in force.

    Args:
        levels: from the best down, at least one.
    """

    def __init__(self, levels: list[QualityLevel]) -> None:
        self.index = 0
        self.steps_down = self.steps_up = 0
        self._levels = levels
        self._near = 0
        self._changed_s = self._calm_since_s = self._raised_s = float('-inf')
        self._hold_s = HOLD_S
        self._last_s: float | None = None

    @property
    def level(self) -> QualityLevel:
        """The level in force."""
        return self._levels[self.index]

    @property
    def count(self) -> int:
        """How many levels there are."""
        return len(self._levels)

    @property
    def is_full(self) -> bool:
        """Whether nothing is given up."""
        return self.index == 0

    def observe(self, slack_s: float, spare_s: float, compute_s: float, now_s: float) -> bool:
        """Take in one window; return whether the level changed.

        Args:
            slack_s: time from the window's delivery to when it had to be there; negative if late.
            spare_s: the most there could be, for a machine that computes in no time.
            compute_s: time the window took to compute.
            now_s: any steady clock.
        """
        if self._last_s is None or now_s < self._last_s:
            self._begin(now_s)
        self._last_s = now_s
        share = min(slack_s, spare_s) / max(spare_s, 1e-3)
        if share < HIGH:
            self._calm_since_s = now_s
        if now_s - self._changed_s < SETTLE_S:
            return False
        self._near = self._near + 1 if share < LOW else 0
        if share < 0.0 or self._near >= NEAR_WINDOWS:
            return self._down(now_s)
        return self._may_rise(share, compute_s / max(spare_s, 1e-3), now_s) and self._up(now_s)

    def _begin(self, now_s: float) -> None:
        """Start counting time here, also after a clock that went back."""
        self._calm_since_s = now_s
        self._changed_s = self._raised_s = float('-inf')

    def _may_rise(self, share: float, compute_share: float, now_s: float) -> bool:
        if self.is_full or now_s - max(self._calm_since_s, self._changed_s) < self._hold_s:
            return False
        more = self._levels[self.index - 1].cost / self.level.cost - 1.0
        return share - more * compute_share > (LOW + HIGH) / 2

    def _down(self, now_s: float) -> bool:
        self._near = 0
        if self.index + 1 >= len(self._levels):
            return False
        undone = now_s - self._raised_s < UNDONE_S
        self._hold_s = min(LONGEST_HOLD_S, 2.0 * self._hold_s) if undone else self._hold_s
        self.index += 1
        self.steps_down += 1
        self._changed_s = self._calm_since_s = now_s
        return True

    def _up(self, now_s: float) -> bool:
        if now_s - self._raised_s > LONGEST_HOLD_S:
            self._hold_s = HOLD_S
        self.index -= 1
        self.steps_up += 1
        self._raised_s = self._changed_s = now_s
        return True
