"""The summary of a run: one set of keys, whether a file or the whole demo made the motion.

``docs/latency.md`` and ``docs/evaluation.md`` define each figure.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import json
from pathlib import Path
from typing import Any

from .measures.limit_audit import LimitViolations

Percentiles = Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """What ``summary.json`` says.

    Attributes:
        audio_s: audio heard.
        frames: knots of joint motion committed.
        rtf: computation over audio time.
        hop_s: hop of the body.
        first_motion_latency_s: first speech sample in to the motion that covers it out.
        first_face_latency_s: the same for the face.
        latency_s: ``{stage: {p50, p95, p99}}``.
        underruns: times that motion was due but not computed.
        dropped_audio_s: audio refused or lost.
        nan_count: numbers that were not finite and were replaced.
        limit_violations: counted on what was published.
        limit_interventions: how often and how much the safety layer changed the motion.
        robot, bundle, bundle_hash, seed, provider: what made it.
        machine: where.
        versions: of the software.
        more: further keys of one kind of run.
    """

    audio_s: float
    frames: int
    rtf: float
    hop_s: float
    first_motion_latency_s: float
    first_face_latency_s: float
    latency_s: Mapping[str, Percentiles]
    underruns: int
    dropped_audio_s: float
    nan_count: int
    limit_violations: LimitViolations
    limit_interventions: Mapping[str, float]
    robot: str
    bundle: str
    bundle_hash: str
    seed: int
    provider: str
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON would hold it."""
        values = asdict(self)
        return {**{name: value for name, value in values.items() if name != 'more'},
                **values['more']}


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON with numbers rounded to a microsecond or a microradian; never NaN."""
    path.write_text(json.dumps(_rounded(values), indent=2, allow_nan=False) + '\n',
                    encoding='utf-8')


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        # JSON has no NaN: a figure that could not be measured is null.
        return round(value, 6) if value - value == 0.0 else None
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value


def table(rows: list[tuple[str, str]]) -> str:
    """Return rows of name and value as aligned lines."""
    width = max(len(name) for name, _ in rows)
    return '\n'.join(f'{name:<{width}}  {value}' for name, value in rows)
