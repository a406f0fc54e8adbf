"""Where ``audio_source`` takes its sound from: a file or the microphone. Knows no ROS."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import soundfile

from ..exceptions import AudioError
from ..timeline import NS_PER_S


class SoundFile:
    """A sound file read block by block.

    Args:
        path: any format that libsndfile reads.

    Raises:
        AudioError: the file is missing or not a sound file.
    """

    def __init__(self, path: str) -> None:
        if not Path(path).is_file():
            raise AudioError(f'sound file {path!r} does not exist')
        try:
            self._file = soundfile.SoundFile(path)
        except soundfile.LibsndfileError as error:
            raise AudioError(f'sound file {path!r} cannot be read: {error.error_string}') from None
        self.sample_rate: int = self._file.samplerate
        self.frames: int = self._file.frames

    def read(self, frames: int) -> NDArray[np.int16]:
        """Return the next samples ``(n, channels)``; fewer than asked at the end, then none."""
        samples: NDArray[np.int16] = self._file.read(frames, dtype='int16', always_2d=True)
        return samples

    def rewind(self) -> None:
        """Begin again at the first sample."""
        self._file.seek(0)


class Microphone:
    """The microphone; blocks of samples with the time of their first sample.

    Args:
        device: name or number; empty takes the default.
        sample_rate: [Hz].
        block_frames: samples per block.
        now_ns: ROS time, read in the audio thread.

    Raises:
        AudioError: no microphone, or no library to open it.
    """

    def __init__(self, device: str, sample_rate: int, block_frames: int,
                 now_ns: Callable[[], int]) -> None:
        self.sample_rate = sample_rate
        self._now_ns = now_ns
        self._blocks: deque[tuple[int, NDArray[np.int16]]] = deque(maxlen=1_000)
        try:
            import sounddevice  # imported here: it needs PortAudio, which a file does not
            self._stream: Any = sounddevice.InputStream(
                samplerate=sample_rate, blocksize=block_frames, dtype='int16', channels=1,
                device=int(device) if device.isdigit() else device or None,
                callback=self._store)
            self._stream.start()
        except (OSError, ImportError, ValueError) as error:
            raise AudioError(f'the microphone cannot be opened: {error}') from None
        except Exception as error:
            # sounddevice.PortAudioError, whose class is unknown when the import fails.
            raise AudioError(f'the microphone cannot be opened: {error}') from error

    def take(self) -> list[tuple[int, NDArray[np.int16]]]:
        """Return the blocks since the last call: (ROS time of the first sample, ``(n, 1)``)."""
        blocks = []
        while self._blocks:
            blocks.append(self._blocks.popleft())
        return blocks

    def close(self) -> None:
        """Release the device."""
        self._stream.close()

    def _store(self, block: NDArray[np.int16], frames: int, times: Any, status: Any) -> None:
        recorded_ns = frames * NS_PER_S // self.sample_rate
        self._blocks.append((self._now_ns() - recorded_ns, block.copy()))
