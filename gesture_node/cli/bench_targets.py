"""What the project wants of its speed, and whether this machine reaches it."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """One figure that must not be above a limit.

    Attributes:
        what: what is measured, for readers.
        figure: where the figure stands in the JSON of ``gesture_bench``, dotted.
        limit: largest value that meets the target.
        unit: ``s``, ``MB`` or empty for real-time factors.
    """

    what: str
    figure: str
    limit: float
    unit: str = ''


@dataclass(frozen=True, slots=True)
class Outcome:
    """A target and what was found; ``value`` is ``None`` where nothing was measured."""

    what: str
    figure: str
    limit: float
    unit: str
    value: float | None
    met: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON would hold it."""
        return asdict(self)

    def sentence(self) -> str:
        """Return the outcome for a terminal: figure, limit, verdict."""
        if self.value is None:
            return f'not measured, at most {self.limit:g}{self._unit}'
        verdict = 'met' if self.met else 'missed'
        return f'{self.value:.3g}{self._unit}, at most {self.limit:g}{self._unit}: {verdict}'

    @property
    def _unit(self) -> str:
        return f' {self.unit}' if self.unit else ''


TARGETS = (
    Target('real-time factor, hops of 200 ms', 'streaming.hop_200_ms.rtf', 0.25),
    Target('real-time factor, hops of 80 ms', 'streaming.hop_80_ms.rtf', 0.5),
    Target('real-time factor, file', 'offline.rtf', 0.05),
    Target('real-time factor, file, two denoiser calls', 'offline_calls.2.rtf', 0.02),
    Target('real-time factor, file, one denoiser call', 'offline_calls.1.rtf', 0.02),
    Target('first motion', 'streaming.default.first_motion_latency_s.total', 0.4, 's'),
    Target('first lips', 'streaming.default.first_face_latency_s.total', 0.2, 's'),
    Target('size of the bundle', 'bundle_mb', 40.0, 'MB'),
)


def outcomes(figures: Mapping[str, Any]) -> list[Outcome]:
    """Return every target with what ``figures`` say about it."""
    return [_outcome(target, figures) for target in TARGETS]


def _outcome(target: Target, figures: Mapping[str, Any]) -> Outcome:
    value: Any = figures
    for key in target.figure.split('.'):
        value = value.get(key) if isinstance(value, Mapping) else None
    measured = isinstance(value, (int, float)) and value == value
    return Outcome(target.what, target.figure, target.limit, target.unit,
                   float(value) if measured else None,
                   bool(value <= target.limit) if measured else None)
