"""Keeps what happens in a simulated run until it is saved. Knows no ROS."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import subprocess
import sys
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sim.recording import FaceRecorder, SimRecording, SoundRecorder
from ..sim.rig import Tick
from ..sim.sync import summarise
from ..timeline import NS_PER_S

RECORDING_NAME = 'sim_recording.npz'
_RECORD_HZ = 100.0


class SimRecorder:
    """Collects control cycles, face frames, sound and trajectories; callable from any thread.

    Args:
        joint_names: N joints of the control cycles.
        update_hz: rate of the control cycles; about 100 of them are kept per second.
        max_s: longest recording.
    """

    def __init__(self, joint_names: Sequence[str], update_hz: float, max_s: float) -> None:
        self.beyond = 0
        self._joint_names = tuple(joint_names)
        self._every = max(1, round(update_hz / _RECORD_HZ))
        self._max_ns = round(max_s * NS_PER_S)
        self._lock = Lock()
        self._seen = 0
        self._start_ns: int | None = None
        self._ticks: list[tuple[int, NDArray[np.float32]]] = []
        self._face = FaceRecorder()
        self._sound = SoundRecorder()
        self._trajectories: list[tuple[int, int]] = []

    def add_tick(self, tick: Tick) -> None:
        """Keep a control cycle."""
        with self._lock:
            self._seen += 1
            if (self._seen - 1) % self._every or not self._has_room(tick.time_ns):
                return
            values = np.stack([tick.commanded, tick.positions, tick.velocities])
            self._ticks.append((tick.time_ns, values.astype(np.float32)))

    def add_face(self, weights: NDArray[np.float32], stamp_ns: int, arrival_ns: int) -> None:
        """Keep a face frame of weights (52,)."""
        with self._lock:
            if self._has_room(arrival_ns):
                self._face.add(weights, stamp_ns, arrival_ns)

    def add_sound(self, samples: NDArray[np.float32], rate_hz: int, stamp_ns: int | None,
                  arrival_ns: int) -> None:
        """Keep samples (n,) in [-1, 1] that are to be heard at their stamp."""
        with self._lock:
            if self._has_room(arrival_ns):
                self._sound.add(samples, rate_hz, stamp_ns, arrival_ns)

    def add_trajectory(self, stamp_ns: int, arrival_ns: int) -> None:
        """Keep when a trajectory came and when it begins."""
        with self._lock:
            if self._has_room(arrival_ns):
                self._trajectories.append((stamp_ns, arrival_ns))

    def _has_room(self, now_ns: int) -> bool:
        if self._start_ns is None:
            self._start_ns = now_ns
        if now_ns - self._start_ns <= self._max_ns:
            return True
        self.beyond += 1
        return False

    def recording(self, notes: dict[str, Any]) -> SimRecording:
        """Return everything kept so far, its figures added to ``notes['figures']``."""
        with self._lock:
            start_ns = self._start_ns or 0
            ticks = np.array([values for _, values in self._ticks], np.float64).reshape(
                -1, 3, len(self._joint_names))
            sound = self._sound.sound()
            recording = SimRecording(
                start_ns=start_ns, joint_names=self._joint_names,
                times_s=_seconds([time_ns for time_ns, _ in self._ticks], start_ns),
                commanded=ticks[:, 0], positions=ticks[:, 1], velocities=ticks[:, 2],
                face_stamps_s=_seconds(self._face.stamps_ns, start_ns),
                face_arrivals_s=_seconds(self._face.arrivals_ns, start_ns),
                face_weights=self._face.weights(), sound=sound,
                sound_rate_hz=self._sound.rate_hz,
                sound_start_s=(self._sound.start_ns - start_ns) / NS_PER_S if len(sound) else 0.0,
                audio_stamps_s=_seconds(self._sound.stamps_ns, start_ns),
                audio_arrivals_s=_seconds(self._sound.arrivals_ns, start_ns),
                trajectory_stamps_s=_stamps([stamp for stamp, _ in self._trajectories], start_ns),
                trajectory_arrivals_s=_seconds([at for _, at in self._trajectories], start_ns),
                notes=notes)
        notes['figures'] = summarise(recording)
        return recording


def _seconds(times_ns: Sequence[int], start_ns: int) -> NDArray[np.float64]:
    return np.array([(time_ns - start_ns) / NS_PER_S for time_ns in times_ns], np.float64)


def _stamps(stamps_ns: Sequence[int], start_ns: int) -> NDArray[np.float64]:
    """Return stamps in seconds, NaN where a message left its stamp 0."""
    return np.array([(stamp - start_ns) / NS_PER_S if stamp else np.nan for stamp in stamps_ns],
                    np.float64)


def recording_path(text: str) -> Path:
    """Return the file that the parameter ``record`` means: itself, or one in that folder."""
    path = Path(text).expanduser()
    return path if path.suffix == '.npz' else path / RECORDING_NAME


def start_filming(recording: Path, video: Path, rate_hz: int) -> subprocess.Popen[bytes]:
    """Start making the video in a process of its own and return it.

    It is a process so that neither its load nor a broken driver touches the simulator, and in a
    session of its own so that Ctrl-C, which ends the simulator, lets it finish.
    """
    return subprocess.Popen([sys.executable, '-m', 'gesture_node.sim.film', str(recording),
                             str(video), '--rate', str(rate_hz)], start_new_session=True)
