"""A loudspeaker that plays the voice itself, each sample at its presentation time. Knows no ROS.

PortAudio says for every block when its first sample leaves the converter. With that the device's
latency is counted, whatever it is: what is due then is what goes into the block.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
import statistics
from typing import Any, Protocol

from ..exceptions import AudioError, ConfigError
from ..timeline import NS_PER_S
from ..types import Float32Array
from .sound_track import SoundTrack

DEFAULT_DEVICE = 'default'
MAX_DRIFT_NS = 10_000_000
"""The device is put right at once when it is further off; by less, where nothing is heard."""
SILENT_DRIFT_NS = 500_000
_REMEMBERED = 15
"""Blocks whose times are averaged: the time of a single one jitters."""
SPARE_S = 0.1
"""Of the presentation delay, what must be left beside the latency of the device for audio to
arrive and be read."""


class SoundSink(Protocol):
    """What plays sound at its time."""

    def put(self, due_ns: int, samples: Float32Array, sample_rate: int) -> None:
        """Append mono samples ``(n,)`` whose first is heard at ROS time ``due_ns``."""

    def clear(self) -> None:
        """Be silent at once."""


class Speaker:
    """A sound device, open while this exists.

    Args:
        device: name or number; ``default`` takes the default one.
        now_ns: ROS time, read in the audio thread.

    Raises:
        AudioError: no such device, or no library to open it.
    """

    def __init__(self, device: str, now_ns: Callable[[], int]) -> None:
        self.corrections = 0
        self._now_ns = now_ns
        self._next: int | None = None
        self._ahead_ns = 0
        self._errors: deque[int] = deque(maxlen=_REMEMBERED)
        try:
            import sounddevice  # imported here: it needs PortAudio, which only playing does
            wanted = int(device) if device.isdigit() else (
                None if device == DEFAULT_DEVICE else device)
            found = sounddevice.query_devices(wanted, 'output')
            self.track = SoundTrack(round(found['default_samplerate']))
            self._stream: Any = sounddevice.OutputStream(
                samplerate=self.track.rate_hz, dtype='float32', device=wanted,
                channels=min(2, found['max_output_channels']), callback=self._play)
            self._stream.start()
        except Exception as error:
            # OSError without PortAudio, ValueError for an unknown name, PortAudioError (whose
            # class is unknown when the import fails) for a device that is taken.
            raise AudioError(
                f'the sound device {device!r} cannot be opened: {error}; install PortAudio '
                '(libportaudio2) and sounddevice, name another speaker_device, or leave it empty '
                'and play audio_out elsewhere') from error

    @property
    def latency_s(self) -> float:
        """Time from filling a block to hearing it [s]."""
        return self._ahead_ns / NS_PER_S if self._ahead_ns else float(self._stream.latency)

    @property
    def late_s(self) -> float:
        """Sound so far that came too late to be heard at its time, and was left out [s]."""
        return self.track.late_frames / self.track.rate_hz

    def check(self, delay_s: float) -> None:
        """Refuse a presentation delay that the device would exceed.

        Raises:
            ConfigError: saying how long it must be.
        """
        needed_s = self.latency_s + SPARE_S
        if needed_s > delay_s:
            raise ConfigError(
                f'output.presentation_delay_s must be at least {needed_s:.2f} s with this '
                f'speaker_device (its latency, and {SPARE_S} s), got {delay_s}')

    def put(self, due_ns: int, samples: Float32Array, sample_rate: int) -> None:
        """Append mono samples ``(n,)`` whose first is heard at ROS time ``due_ns``."""
        self.track.put(due_ns, samples, sample_rate)

    def clear(self) -> None:
        """Be silent at once, but for what the device holds already."""
        self.track.clear()

    def close(self) -> None:
        """Release the device."""
        self._stream.close()

    def _play(self, block: Any, frames: int, times: Any, status: Any) -> None:
        now_ns = self._now_ns()
        ahead_s = times.outputBufferDacTime - times.currentTime
        if ahead_s <= 0.0:
            # Some drivers do not tell; what they say about themselves is then the best there is.
            ahead_s = float(self._stream.latency)
        self._ahead_ns = round(ahead_s * NS_PER_S)
        first = self._first_frame(self.track.frame_at(now_ns + self._ahead_ns), frames)
        block[:] = self.track.render(first, frames)[:, None]
        self._next = first + frames

    def _first_frame(self, heard: int, frames: int) -> int:
        """Return which frame begins the next block: the one after the last, if that is right.

        Args:
            heard: frame that is due when the block is heard, by this block's own times.
            frames: length of the block.
        """
        if self._next is None:
            return heard
        self._errors.append(heard - self._next)
        off = round(statistics.median(self._errors))
        off_ns = abs(off) * NS_PER_S // self.track.rate_hz
        silent = self.track.is_silent(self._next, max(frames, frames + off))
        if off_ns <= (SILENT_DRIFT_NS if silent else MAX_DRIFT_NS):
            return self._next
        self.corrections += not silent
        self._errors.clear()
        return self._next + off
