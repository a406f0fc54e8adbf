"""What a simulated robot did, saw and heard, as arrays in one ``.npz`` file.

All times are seconds from ``start_ns``, the ROS time at which recording began.
"""
from __future__ import annotations

from dataclasses import dataclass, field, fields
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import soxr

from ..exceptions import SimulationError
from ..motion.face import FACE_DIM
from ..timeline import NS_PER_S
from ..types import Float64Array
from .tracks import Sound, Track

FORMAT = 1

_JOIN_TOLERANCE_S = 0.01
_ARRIVAL_TOLERANCE_S = 0.12


@dataclass(frozen=True, slots=True)
class SimRecording:
    """One run of the simulator.

    Attributes:
        start_ns: ROS time of time 0.
        joint_names: shape (N,), the commanded joints.
        times_s: shape (T,), control cycles.
        commanded: shape (T, N), float64, [rad].
        positions: shape (T, N), float64, measured [rad].
        velocities: shape (T, N), float64, measured [rad/s].
        face_stamps_s: shape (F,), when each face frame is to be shown.
        face_arrivals_s: shape (F,), when it came.
        face_weights: shape (F, 52), float32, ARKit names in Apple's order.
        sound: shape (n,), float32, what was heard.
        sound_rate_hz: of ``sound``; 0 without sound.
        sound_start_s: when its first sample is heard.
        audio_stamps_s: shape (A,), presentation time of each audio message.
        audio_arrivals_s: shape (A,), when it came.
        trajectory_stamps_s: shape (M,), header stamp of each trajectory; NaN for stamp 0.
        trajectory_arrivals_s: shape (M,), when it came.
        notes: robot, titles, counters and measurements; JSON values.
    """

    start_ns: int
    joint_names: tuple[str, ...]
    times_s: Float64Array
    commanded: Float64Array
    positions: Float64Array
    velocities: Float64Array
    face_stamps_s: Float64Array
    face_arrivals_s: Float64Array
    face_weights: NDArray[np.float32]
    sound: NDArray[np.float32]
    sound_rate_hz: int
    sound_start_s: float
    audio_stamps_s: Float64Array
    audio_arrivals_s: Float64Array
    trajectory_stamps_s: Float64Array
    trajectory_arrivals_s: Float64Array
    notes: dict[str, Any] = field(default_factory=dict)

    def motion(self) -> Track:
        """Return the measured joint positions over time."""
        return Track(self.times_s, self.positions)

    def face(self) -> Track | None:
        """Return the face over time as a display would show it; ``None`` without frames."""
        if not len(self.face_stamps_s):
            return None
        order = np.argsort(self.face_stamps_s, kind='stable')
        return Track(self.face_stamps_s[order], self.face_weights[order])

    def heard(self) -> Sound | None:
        """Return the sound; ``None`` without any."""
        if not len(self.sound):
            return None
        return Sound(self.sound, self.sound_rate_hz, self.sound_start_s)

    def save(self, path: Path) -> None:
        """Write the recording; the folder is made if need be.

        Raises:
            SimulationError: the file cannot be written.
        """
        arrays: dict[str, Any] = {
            item.name: np.asarray(getattr(self, item.name)) for item in fields(self)
            if item.name != 'notes'}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open('wb') as file:
                np.savez_compressed(file, format=np.asarray(FORMAT),
                                    notes=np.asarray(json.dumps(self.notes)), **arrays)
        except OSError as error:
            raise SimulationError(f'cannot write the recording {str(path)!r}: {error}') from error

    @classmethod
    def load(cls, path: Path) -> SimRecording:
        """Read a recording.

        Raises:
            SimulationError: the file is missing or is no recording of this format.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                if int(arrays['format']) != FORMAT:
                    raise SimulationError(f'recording {str(path)!r} has format '
                                          f'{int(arrays["format"])}, expected {FORMAT}')
                values: dict[str, Any] = {item.name: arrays[item.name] for item in fields(cls)}
        except (OSError, KeyError, ValueError) as error:
            raise SimulationError(f'{str(path)!r} is no recording: {error}') from error
        values['joint_names'] = tuple(values['joint_names'].tolist())
        values['notes'] = json.loads(str(values['notes']))
        for name, kind in (('start_ns', int), ('sound_rate_hz', int), ('sound_start_s', float)):
            values[name] = kind(values[name])
        return cls(**values)


class SoundRecorder:
    """Joins audio messages to one sound, each at its presentation time.

    Messages that follow one another within 10 ms are joined without a gap; a longer gap is filled
    with silence. Messages without a stamp are heard when they arrive, and are joined as long as
    they arrive within 120 ms of their turn.
    """

    def __init__(self) -> None:
        self.stamps_ns: list[int] = []
        self.arrivals_ns: list[int] = []
        self.rate_hz = 0
        self.start_ns = 0
        self._blocks: list[NDArray[np.float32]] = []
        self._length = 0

    def add(self, samples: NDArray[np.float32], rate_hz: int, stamp_ns: int | None,
            arrival_ns: int) -> None:
        """Append a message's samples (n,); a rate other than the first one's is resampled."""
        if not self._blocks:
            self.rate_hz, self.start_ns = rate_hz, arrival_ns if stamp_ns is None else stamp_ns
        if rate_hz != self.rate_hz:
            samples = soxr.resample(samples, rate_hz, self.rate_hz).astype(np.float32)
        end_ns = self.start_ns + self._length * NS_PER_S // self.rate_hz
        due_ns = arrival_ns if stamp_ns is None else stamp_ns
        tolerance_s = _ARRIVAL_TOLERANCE_S if stamp_ns is None else _JOIN_TOLERANCE_S
        gap_s = (due_ns - end_ns) / NS_PER_S
        if gap_s > tolerance_s:
            self._append(np.zeros(round(gap_s * self.rate_hz), np.float32))
            end_ns = due_ns
        self.stamps_ns.append(end_ns if stamp_ns is None else stamp_ns)
        self.arrivals_ns.append(arrival_ns)
        self._append(samples)

    def sound(self) -> NDArray[np.float32]:
        """Return everything heard so far."""
        return np.concatenate(self._blocks) if self._blocks else np.zeros(0, np.float32)

    def _append(self, samples: NDArray[np.float32]) -> None:
        self._blocks.append(samples)
        self._length += len(samples)


class FaceRecorder:
    """Collects face frames with the time they are for and the time they came."""

    def __init__(self) -> None:
        self.stamps_ns: list[int] = []
        self.arrivals_ns: list[int] = []
        self._weights: list[NDArray[np.float32]] = []

    def add(self, weights: NDArray[np.float32], stamp_ns: int, arrival_ns: int) -> None:
        """Append a frame of weights (52,)."""
        self.stamps_ns.append(stamp_ns)
        self.arrivals_ns.append(arrival_ns)
        self._weights.append(weights)

    def weights(self) -> NDArray[np.float32]:
        """Return all frames, shape (F, 52)."""
        return np.array(self._weights, np.float32).reshape(-1, FACE_DIM)
