"""The audio half of the driver: decodes packets, places them in time, feeds the stream.

Knows no ROS. Between streams there is no clock; the packet that begins a stream makes one.
"""
from __future__ import annotations

from dataclasses import dataclass

from ..config import AudioConfig
from ..timeline import NS_PER_S, SAMPLE_RATE_HZ
from .audio_decoder import AudioBlock, AudioDecoder, AudioFormat
from .inbox import ReceivedAudio
from .presentation import PacketTiming, PlacementCounters, PresentationClock
from .problems import ProblemLog
from .speech_queue import SpeechQueue, WaveformSink

AHEAD_NS = NS_PER_S
"""Speech that came ahead of its sound is fed to the stream this long before it is heard."""
AUDIBLE_RMS = 2e-3
"""A packet with a 20 ms frame louder than this (-54 dBFS, offset removed) holds speech."""
DECODER_PAUSE_NS = 2 * NS_PER_S
"""After such a pause, what was learnt about the publisher's format is forgotten."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One decoded packet and its timing."""

    block: AudioBlock
    timing: PacketTiming


class SpeechIntake:
    """Decodes, places and feeds.

    Args:
        config: how audio is read whose messages do not say.
        problems: takes what is wrong with the input.
    """

    def __init__(self, config: AudioConfig, problems: ProblemLog) -> None:
        self.placement = PlacementCounters()
        self.refused_s = 0.0
        self._config = config
        self._problems = problems
        self._decoder = AudioDecoder(AudioFormat(
            config.sample_rate, config.channels, config.sample_format), problems)
        self._clock: PresentationClock | None = None
        self._queue = SpeechQueue()
        self._rate_hz = SAMPLE_RATE_HZ
        self._last_arrival_ns: int | None = None
        self._source = 0

    @property
    def clock(self) -> PresentationClock | None:
        """The clock of the running stream."""
        return self._clock

    @property
    def waiting_s(self) -> float:
        """Speech that is decoded and waits for its turn [s]."""
        return self._queue.waiting_s

    def decode(self, audio: ReceivedAudio) -> Heard | None:
        """Return what a message holds, ``None`` if nothing that can be used."""
        last_ns, self._last_arrival_ns = self._last_arrival_ns, audio.arrival_ns
        paused = last_ns is not None and audio.arrival_ns - last_ns > DECODER_PAUSE_NS
        if paused or audio.source != self._source:
            self._decoder.reset()
        self._source = audio.source
        if audio.lost:
            self._decoder.drop_partial()
        packet = audio.packet
        block = self._decoder.decode(packet.payload, packet.declared, sniff=packet.sniff)
        if block is None or not len(block.samples):
            return None
        return Heard(block, PacketTiming(
            len(block.samples), block.sample_rate, audio.arrival_ns, packet.stamp_ns,
            is_audible(block), audio.lost))

    def begin(self, first: PacketTiming, now_ns: int, delay_ns: int,
              allowance_ns: int) -> PresentationClock:
        """Begin a stream with the packet that :meth:`place` is called with next."""
        self._queue = SpeechQueue()
        self._clock = PresentationClock(first, now_ns, delay_ns, allowance_ns, self.placement)
        if self._clock.shift_ns and first.stamp_ns is not None:
            self._problems.report('late_stamps', (
                f'audio is at hand {(now_ns - first.stamp_ns) / 1e6:.0f} ms after its stamp, '
                f'which leaves too little time; motion comes '
                f'{self._clock.shift_ns / 1e6:.0f} ms after its sound unless '
                'output.presentation_delay_s is raised by as much'))
        return self._clock

    def end(self) -> None:
        """Forget the stream and what still waited for it."""
        self._queue, self._clock = SpeechQueue(), None

    def place(self, heard: Heard) -> int | None:
        """Queue a packet for the running stream.

        Returns:
            ROS time [ns] at which its first sample is heard; ``None`` if it was dropped.
        """
        clock, timing, block = self._clock, heard.timing, heard.block
        assert clock is not None
        if self._queue.waiting_s + timing.samples / timing.sample_rate > self._config.max_buffer_s:
            self.refused_s += timing.samples / timing.sample_rate
            self._problems.report('buffer_full', (
                f'more than audio.max_buffer_s = {self._config.max_buffer_s} s of audio waits; '
                'the rest is dropped'))
            return None
        incredible = clock.counters.incredible_stamps
        placement = clock.place(timing)
        if clock.counters.incredible_stamps > incredible and timing.stamp_ns is not None:
            self._problems.report('incredible_stamps', (
                f'audio stamps are {(timing.stamp_ns - timing.arrival_ns) / 1e9:.1f} s away from '
                'ROS time; times of arrival are used instead'))
        if placement is None:
            self._problems.report('out_of_order', 'audio packets arrive out of order by their '
                                                  'stamps; older ones are dropped')
            return None
        self._rate_hz = timing.sample_rate
        self._queue.append_silence(placement.silence_samples, self._rate_hz)
        self._queue.append(AudioBlock(block.samples[placement.skip_samples:], block.sample_rate))
        return clock.presentation_ns(placement.due_ns)

    def feed(self, stream: WaveformSink, now_ns: int) -> None:
        """Keep pace with silence if the source pauses, and hand on what is due soon."""
        if self._clock is not None:
            self._queue.append_silence(self._clock.pad(now_ns, self._rate_hz), self._rate_hz)
            self._queue.feed(stream, self._clock.stream_ns(now_ns) + AHEAD_NS)


def is_audible(block: AudioBlock) -> bool:
    """Return whether any 20 ms frame of a block is louder than silence, its offset removed."""
    frame = max(1, block.sample_rate // 50)
    samples = block.samples
    whole = len(samples) - len(samples) % frame
    frames = samples[:whole].reshape(-1, frame) if whole else samples[None]
    return bool((frames.std(axis=1) > AUDIBLE_RMS).any())
