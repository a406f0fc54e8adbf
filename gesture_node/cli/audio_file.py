"""Sound files, read whole, as the mono float signal that streams take."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..exceptions import AudioError
from ..types import Float32Array


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A recording.

    Attributes:
        path: where it was read from.
        samples: shape (n,), float32, channels averaged.
        sample_rate: [Hz].
    """

    path: Path
    samples: Float32Array
    sample_rate: int

    @property
    def duration_s(self) -> float:
        """Length [s]."""
        return len(self.samples) / self.sample_rate


def read_audio_file(path: str | Path) -> AudioFile:
    """Read a WAV, FLAC, OGG or MP3 file.

    Raises:
        AudioError: there is no such file, it is not sound, or it holds no sample.
    """
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise AudioError(f'there is no sound file at {str(path)!r}')
    try:
        samples, rate = soundfile.read(path, dtype='float32', always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise AudioError(f'{str(path)!r} cannot be read as sound: '
                         f'{str(error).splitlines()[0]}') from error
    if not len(samples):
        raise AudioError(f'{str(path)!r} holds no sample')
    return AudioFile(path, np.ascontiguousarray(samples.mean(axis=1)), int(rate))
