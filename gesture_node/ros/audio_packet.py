"""What every audio message is turned into before it is decoded. Knows no ROS."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..exceptions import AudioError
from ..timeline import NS_PER_S
from .audio_decoder import AudioFormat


class AudioMessageError(AudioError):
    """A message contradicts itself.

    Args:
        cause: short key of what is wrong, under which it is counted and said once.
        sentence: what is wrong, in words.
    """

    def __init__(self, cause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """One audio message, not yet decoded.

    Attributes:
        payload: buffer of samples.
        declared: what the message says about its samples.
        stamp_ns: ROS time of the first sample; ``None`` if the message does not say.
        sniff: whether the payload may be a WAVE file or MP3.
    """

    payload: Any
    declared: AudioFormat
    stamp_ns: int | None
    sniff: bool

    def declared_as(self, form: AudioFormat) -> AudioPacket:
        """Return the packet with its format as declared elsewhere."""
        return replace(self, declared=form)


def stamp_ns_of(seconds: int, nanoseconds: int) -> int | None:
    """Return a stamp [ns], ``None`` for one that was never set.

    Raises:
        AudioMessageError: its nanoseconds are a second or more.
    """
    if not 0 <= nanoseconds < NS_PER_S:
        raise AudioMessageError('audio_stamp', (
            f'the stamp of an audio message has {nanoseconds} ns beside its seconds; it is '
            'dropped'))
    return (seconds * NS_PER_S + nanoseconds) or None
