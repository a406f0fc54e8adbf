"""What the node says about itself once a second on ``/diagnostics``.

Level ERROR: motion failed in the last seconds. WARN: something was lost, refused or late since the
last message, or the robot's joints are not known. OK otherwise. Keys are stable; durations are
in ms, as is usual on this topic.
"""
from __future__ import annotations

from dataclasses import dataclass, field
import os

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from .conversions import to_time

_STAGES = ('body_hop', 'face_hop')


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """A snapshot of the node.

    Attributes:
        state: lifecycle or driver state.
        robot, bundle, provider: what is loaded; empty before configuration.
        failed: whether computing motion failed in the last seconds.
        stalled: whether computing motion does not come to an end.
        gpu: name of the GPU in use; empty for none.
        quality: what is given up for lack of time; ``full`` for nothing.
        waiting_for: what motion waits for; empty for nothing.
        latency_s: percentiles by stage.
        hop_s: hop of each of the stages ``body_hop`` and ``face_hop``.
        values: further numbers by key.
        counts: things that should not happen, by key; an increase is a warning.
    """

    state: str
    robot: str = ''
    bundle: str = ''
    provider: str = ''
    failed: bool = False
    stalled: bool = False
    gpu: str = ''
    quality: str = 'full'
    waiting_for: str = ''
    latency_s: dict[str, dict[str, float]] = field(default_factory=dict)
    hop_s: dict[str, float] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)


class DiagnosticReporter:
    """Turns snapshots into messages and notices what got worse since the last one.

    Args:
        node_name: fully qualified name of the node.
    """

    def __init__(self, node_name: str) -> None:
        self._name = node_name.lstrip('/')
        self._counts: dict[str, float] = {}

    def message(self, health: NodeHealth, now_ns: int) -> DiagnosticArray:
        """Return the message for a snapshot taken now."""
        worse = [key for key, count in health.counts.items()
                 if count > self._counts.get(key, 0)]
        self._counts = dict(health.counts)
        level, text = DiagnosticStatus.OK, health.state
        if health.failed:
            level, text = DiagnosticStatus.ERROR, 'motion cannot be computed; see the log'
        elif health.stalled:
            level, text = DiagnosticStatus.ERROR, 'motion is not computed: the worker is stalled'
        elif worse:
            level, text = DiagnosticStatus.WARN, f'{health.state}; increased: {", ".join(worse)}'
        elif health.waiting_for:
            level, text = DiagnosticStatus.WARN, f'waiting for {health.waiting_for}'
        status = DiagnosticStatus(
            level=level, name=f'{self._name}: motion', message=text, hardware_id=health.robot,
            values=[KeyValue(key=key, value=value) for key, value in _key_values(health)])
        array = DiagnosticArray(status=[status])
        array.header.stamp = to_time(now_ns)
        return array


def realtime_factor(latency_s: dict[str, dict[str, float]], hop_s: dict[str, float]) -> float:
    """Return median compute time over motion time, summed over both channels."""
    return sum(latency_s[stage]['p50'] / hop_s[stage]
               for stage in _STAGES if stage in latency_s and hop_s.get(stage))


def resident_mb() -> float:
    """Return the resident memory of this process [MB], 0 where the system does not tell."""
    try:
        with open('/proc/self/statm', encoding='ascii') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6
    except OSError:
        return 0.0


def _key_values(health: NodeHealth) -> list[tuple[str, str]]:
    pairs = [('state', health.state), ('robot', health.robot), ('bundle', health.bundle),
             ('provider', health.provider), ('gpu', health.gpu), ('quality', health.quality),
             ('waiting for', health.waiting_for)]
    for stage, percentiles in sorted(health.latency_s.items()):
        pairs += [(f'{stage} {name} ms', f'{1e3 * value:.2f}')
                  for name, value in percentiles.items()]
    pairs.append(('realtime factor',
                  f'{realtime_factor(health.latency_s, health.hop_s):.3f}'))
    pairs += [(key, f'{value:.3f}') for key, value in health.values.items()]
    pairs += [(key, f'{count:g}') for key, count in health.counts.items()]
    return pairs
