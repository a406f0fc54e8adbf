"""Places audio packets on one stream and the stream on ROS time. Knows no ROS.

Stream time counts samples from the first packet; the *epoch* is the ROS time of sample 0, so what
belongs to stream time ``s`` is heard and shown at ``epoch + s + presentation delay``::

    ROS time   epoch                                     now
    packets      |####|####|      |####|####|####|        .
    stream     0 |####|####|______|####|####|####|________.      # audio   _ silence filled in
                            gap: packets lost             the source pauses: pad

- The epoch is the first packet's stamp if credible, else its arrival; afterwards samples count.
- A packet stamped later than the audio so far reaches (packets lost, a live source that paused)
  is preceded by silence, so that stream time keeps pace with ROS time. Packets without stamps are
  judged by their arrival, with more tolerance.
- A packet that is early, as when an utterance arrives at once, queues behind the audio so far.
- Packets whose stamps step back are dropped and counted.
- When the source pauses, :meth:`PresentationClock.pad` asks for silence. Stamped audio that comes
  too late to be heard in its place loses what the padding has replaced.
"""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..timeline import NS_PER_S

CREDIBLE_NS = 5 * NS_PER_S
STAMP_TOLERANCE_NS = 40_000_000
ARRIVAL_TOLERANCE_NS = 120_000_000
LOSS_TOLERANCE_NS = 2_000_000
"""Tolerated gap when sequence numbers tell that packets were lost: stamps are then believed."""
PAD_QUANTUM_NS = 10_000_000
PAUSED_LAG_NS = 20_000_000
"""How far silence stays behind now while the source pauses, for a packet to come in time."""
MAX_STEPS_BACK = 10
"""After so many packets in a row with older stamps, the source is taken to have restarted."""


@dataclass(frozen=True, slots=True)
class PacketTiming:
    """When a packet came and how long it is.

    Attributes:
        samples: samples per channel.
        sample_rate: [Hz].
        arrival_ns: ROS time of arrival.
        stamp_ns: ROS time of its first sample by its own header; ``None`` if it has none.
        audible: whether it holds more than silence.
        lost: packets known to be missing right before it.
    """

    samples: int
    sample_rate: int
    arrival_ns: int
    stamp_ns: int | None = None
    audible: bool = True
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a packet goes.

    Attributes:
        silence_samples: silence to put before it, at its own rate.
        skip_samples: leading samples to leave out.
        start_ns: stream time of its first sample that is kept.
        due_ns: stream time at which its first sample is heard, also if it is left out here.
    """

    silence_samples: int
    skip_samples: int
    start_ns: int
    due_ns: int


@dataclass(slots=True)
class PlacementCounters:
    """What placing had to do so far, in packets and seconds."""

    out_of_order: int = 0
    incredible_stamps: int = 0
    filled_s: float = 0.0
    padded_s: float = 0.0
    late_s: float = 0.0


class PresentationClock:
    """The clock of one stream, from its first packet to its end.

    Args:
        first: timing of the packet that begins the stream; :meth:`place` it next.
        now_ns: ROS time.
        delay_ns: presentation delay.
        allowance_ns: how late audio may come before its place is taken by silence: the
            presentation delay less what the pipeline needs. Stamps older than this shift the
            epoch, since motion that is due in the past cannot be shown.
        counters: goes on counting here; a new one when ``None``.
    """

    def __init__(self, first: PacketTiming, now_ns: int, delay_ns: int, allowance_ns: int,
                 counters: PlacementCounters | None = None) -> None:
        self.counters = PlacementCounters() if counters is None else counters
        self._delay_ns = delay_ns
        self._allowance_ns = allowance_ns
        anchor_ns = sounding_ns(first.stamp_ns, first.arrival_ns)
        self.epoch_ns = max(anchor_ns, now_ns - allowance_ns)
        self.shift_ns = self.epoch_ns - anchor_ns
        self._end_s = Fraction(0)
        self._padded_from_ns: int | None = None
        self._audible_end_ns = 0
        self._last_stamp_ns: int | None = None
        self._steps_back = 0

    @property
    def end_ns(self) -> int:
        """Stream time up to which audio or silence was placed."""
        return int(self._end_s * NS_PER_S)

    def presentation_ns(self, stream_ns: int) -> int:
        """Return the ROS time at which stream time ``stream_ns`` is heard and shown."""
        return self.epoch_ns + stream_ns + self._delay_ns

    def stream_ns(self, now_ns: int) -> int:
        """Return the stream time of sound that comes into being now."""
        return now_ns - self.epoch_ns

    def place(self, packet: PacketTiming) -> Placement | None:
        """Return where a packet goes, ``None`` if it is out of order and to be dropped."""
        stamp_ns = self._believed_stamp(packet)
        if stamp_ns is not None and self._is_out_of_order(stamp_ns):
            self.counters.out_of_order += 1
            return None
        silence = self._gap_samples(packet, stamp_ns)
        late_from_ns = None if silence else self._late_from(stamp_ns)
        skip = 0
        if late_from_ns is not None:
            skip = min(packet.samples,
                       _to_samples(self.end_ns - late_from_ns, packet.sample_rate))
        self._advance(silence, packet.sample_rate)
        start_ns = self.end_ns
        self._advance(packet.samples - skip, packet.sample_rate)
        self.counters.filled_s += silence / packet.sample_rate
        self.counters.late_s += skip / packet.sample_rate
        if packet.samples > skip:
            self._padded_from_ns = None
            if packet.audible:
                self._audible_end_ns = self.end_ns
        return Placement(silence, skip, start_ns,
                         start_ns if late_from_ns is None else late_from_ns)

    def pad(self, now_ns: int, sample_rate: int) -> int:
        """Return how many samples of silence to append for stream time to keep pace with now."""
        lag_ns = self._allowance_ns
        if self._padded_from_ns is not None:
            lag_ns = min(lag_ns, PAUSED_LAG_NS)
        behind_ns = self.stream_ns(now_ns) - lag_ns - self.end_ns
        if behind_ns < PAD_QUANTUM_NS:
            return 0
        if self._padded_from_ns is None:
            self._padded_from_ns = self.end_ns
        samples = _to_samples(behind_ns, sample_rate)
        self._advance(samples, sample_rate)
        self.counters.padded_s += samples / sample_rate
        return samples

    def silent_ns(self, now_ns: int) -> int:
        """Return for how long nothing audible has been due; negative while audio is queued."""
        return self.stream_ns(now_ns) - self._audible_end_ns

    def is_silent(self, now_ns: int, after_ns: int) -> bool:
        """Return whether nothing audible was due for so long, or ever.

        A stream that a gesture began, and in which nothing was said, ends with the gesture.
        """
        return not self._audible_end_ns or self.silent_ns(now_ns) >= after_ns

    def _believed_stamp(self, packet: PacketTiming) -> int | None:
        if packet.stamp_ns is None:
            return None
        # An utterance sent ahead of its sound carries stamps as far ahead as the queue is long.
        expected_ns = self.epoch_ns - self.shift_ns + self.end_ns
        if not (_credible(packet.stamp_ns, packet.arrival_ns)
                or _credible(packet.stamp_ns, expected_ns)):
            self.counters.incredible_stamps += 1
            return None
        return packet.stamp_ns

    def _is_out_of_order(self, stamp_ns: int) -> bool:
        last_ns = self._last_stamp_ns
        if last_ns is not None and stamp_ns < last_ns and self._steps_back < MAX_STEPS_BACK:
            self._steps_back += 1
            return True
        self._last_stamp_ns, self._steps_back = stamp_ns, 0
        return False

    def _gap_samples(self, packet: PacketTiming, stamp_ns: int | None) -> int:
        """Return the silence that is missing between the audio so far and this packet."""
        if stamp_ns is not None:
            gap_ns = self.stream_ns(stamp_ns + self.shift_ns) - self.end_ns
            tolerance_ns = LOSS_TOLERANCE_NS if packet.lost else STAMP_TOLERANCE_NS
        else:
            gap_ns = self.stream_ns(packet.arrival_ns) - self.end_ns
            tolerance_ns = ARRIVAL_TOLERANCE_NS
        return _to_samples(gap_ns, packet.sample_rate) if gap_ns > tolerance_ns else 0

    def _late_from(self, stamp_ns: int | None) -> int | None:
        """Return the stream time of a packet whose place padding has taken, else ``None``."""
        if stamp_ns is None or self._padded_from_ns is None:
            return None
        due_ns = self.stream_ns(stamp_ns + self.shift_ns)
        in_padding = self._padded_from_ns - STAMP_TOLERANCE_NS <= due_ns < self.end_ns
        return due_ns if in_padding else None

    def _advance(self, samples: int, sample_rate: int) -> None:
        self._end_s += Fraction(samples, sample_rate)


def sounding_ns(stamp_ns: int | None, arrival_ns: int) -> int:
    """Return the ROS time at which a packet begins to sound: its stamp, if that is credible."""
    if stamp_ns is None or not _credible(stamp_ns, arrival_ns):
        return arrival_ns
    return stamp_ns


def _credible(stamp_ns: int, expected_ns: int) -> bool:
    return abs(stamp_ns - expected_ns) < CREDIBLE_NS


def _to_samples(duration_ns: int, sample_rate: int) -> int:
    return round(Fraction(duration_ns * sample_rate, NS_PER_S))
