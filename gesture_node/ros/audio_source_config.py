"""Parameters of the ``audio_source`` executable. Knows no ROS."""
from __future__ import annotations

from dataclasses import dataclass

from ..config import check, param
from .node_config import AUDIO_TYPES


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioSourceConfig:
    """What ``audio_source`` publishes, and how fast."""

    file: str = param('', 'Sound file to publish (WAV, FLAC, OGG); empty takes the microphone.',
                      read_only=True)
    device: str = param('', 'Name or number of the microphone; empty takes the default.',
                        read_only=True)
    sample_rate: int = param(16_000, 'Sample rate of the microphone.', unit='Hz',
                             bounds=(4_000, 192_000), read_only=True)
    pace: str = param('realtime', 'realtime publishes as the sound is heard, burst at once, as a '
                                  'speech synthesiser does.', choices=('realtime', 'burst'),
                      read_only=True)
    chunk_s: float = param(0.02, 'Sound per message; 0 puts the whole file into one.', unit='s',
                           bounds=(0.0, 10.0), read_only=True)
    audio_type: str = param('auto', 'Message type; auto takes a type with a stamp if one is '
                                    'installed, else int16.', choices=AUDIO_TYPES, read_only=True)
    start_delay_s: float = param(0.0, 'Wait after the subscribers are there.', unit='s',
                                 bounds=(0.0, 60.0), read_only=True)
    wait_subscribers: int = param(1, 'Subscribers to wait for before the first message.',
                                  bounds=(0, 16), read_only=True)
    loop: bool = param(False, 'Begin the file again at its end.', read_only=True)
    exit_when_done: bool = param(True, 'End the process after the file.', read_only=True)

    def __post_init__(self) -> None:
        check(self)
