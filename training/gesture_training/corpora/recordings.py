"""One recording: its files read, checked, and brought to the clock of the pack.

Sound to 16 kHz, body to 25 fps, face to 50 fps, all by time. Whatever cannot be used is named with
its reason; a broken body does not cost the face of the same recording, and the other way round.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gesture_node.exceptions import GestureError
from gesture_node.motion.face import LIP_INDEX
from gesture_node.motion.skeleton import forward_kinematics, unpack_pose
from gesture_node.timeline import BODY_RATE_HZ, FACE_RATE_HZ, SAMPLE_RATE_HZ
from gesture_node.types import Float32Array, Float64Array

from .bvh import read_bvh
from .catalogue import Corpus
from .coarticulation import articulate
from .pairing import file_label, Problems, TakeFiles
from .phones import Segment
from .problems import UnusableFile
from .readers.arkit import read_face
from .readers.audio import read_audio
from .readers.phones import read_phones
from .readers.resample import regular_times, resample_poses, resample_weights
from .readers.smplx import read_smplx
from .readers.vertices import BlendshapeBasis, load_basis, load_neutral, read_vertices
from .skeleton_map import canonical_poses, load_map

MISMATCH_S = 1.0
"""Sound and motion may differ by this in length; more means that they do not belong together."""
SHORTEST_S = 1.0
READ_FPS = 50.0
"""BVH frames beyond this rate are thinned before they are turned: nobody gestures that fast."""
_STEP = SAMPLE_RATE_HZ // BODY_RATE_HZ


@dataclass(frozen=True, slots=True)
class RecordedTake:
    """A recording on the clock of the pack.

    Attributes:
        files: where it comes from.
        waveform: shape (n,), 16 kHz, n a multiple of 640.
        poses: shape (T, 84) at 25 Hz, or None.
        weights: shape (T, 52) at 50 Hz, or None.
        segments: phones in time, or None.
    """

    files: TakeFiles
    waveform: Float32Array
    poses: Float64Array | None
    weights: Float32Array | None
    segments: list[Segment] | None


class TakeReader:
    """Reads the recordings of one corpus.

    Args:
        corpus: the catalogue's entry.
        problems: filled with what cannot be used, and why.

    Raises:
        CatalogueError: the joint map or the blendshape basis cannot be read.
    """

    def __init__(self, corpus: Corpus, problems: Problems) -> None:
        self._corpus, self._problems = corpus, problems
        self._map = None if corpus.body is None else load_map(
            _beside(corpus, corpus.body.skeleton))
        self._basis: BlendshapeBasis | None = None
        if corpus.face is not None and corpus.face.format == 'vertices':
            self._basis = load_basis(corpus.folder / corpus.face.basis)

    def read(self, files: TakeFiles) -> RecordedTake | None:
        """Return a recording, or None where neither its sound nor any motion can be used."""
        start_s = self._start_s(files)
        try:
            waveform = read_audio(files.audio)[round(start_s * SAMPLE_RATE_HZ):]
            if len(waveform) < SHORTEST_S * SAMPLE_RATE_HZ:
                raise UnusableFile(f'{files.audio} is shorter than {SHORTEST_S} s')
        except GestureError as error:
            self._name(files.audio, error)
            return None
        segments = self._phones(files.phones, start_s)
        poses = self._body(files.body, waveform, start_s)
        weights = self._face(files, waveform, segments, start_s)
        if poses is None and weights is None:
            return None
        lengths = [len(waveform) / SAMPLE_RATE_HZ]
        if poses is not None:
            lengths.append(len(poses) / BODY_RATE_HZ)
        if weights is not None:
            lengths.append(len(weights) / FACE_RATE_HZ)
        frames = int(min(lengths) * BODY_RATE_HZ + 1e-6)
        return RecordedTake(
            files, waveform[:frames * _STEP], None if poses is None else poses[:frames],
            None if weights is None else weights[:2 * frames], segments)

    def _start_s(self, files: TakeFiles) -> float:
        """Return the time of the sound [s] from which on all motion exists."""
        starts_s = [rule.offset_s for path, rule in
                    ((files.body, self._corpus.body), (files.face, self._corpus.face))
                    if path is not None and rule is not None]
        return max(0.0, *starts_s) if starts_s else 0.0

    def _name(self, path: Path, error: GestureError) -> None:
        reason = str(error).replace(f'{path}: ', '').replace(str(path), 'the file')
        self._problems[file_label(self._corpus, path)] = reason

    def _phones(self, path: Path | None, start_s: float) -> list[Segment] | None:
        """Return the phones; a recording without them is still one."""
        rule = self._corpus.phones
        if path is None or rule is None:
            return None
        try:
            return [Segment(max(0.0, s.start_s - start_s), s.end_s - start_s, s.phone, s.stress)
                    for s in read_phones(path, rule.set, rule.tier) if s.end_s > start_s]
        except GestureError as error:
            self._name(path, error)
            return None

    def _body(self, path: Path | None, waveform: Float32Array,
              start_s: float) -> Float64Array | None:
        rule = self._corpus.body
        if path is None or rule is None or self._map is None:
            return None
        try:
            motion = (read_bvh(path, READ_FPS) if rule.format == 'bvh'
                      else read_smplx(path, rule.hands))
            poses = canonical_poses(motion, self._map, rule.heading_s)
            times_s = _on_clock(regular_times(len(poses), motion.fps), rule.offset_s - start_s,
                                waveform)
            result = resample_poses(times_s, poses, _frames(times_s, waveform, BODY_RATE_HZ))
            if np.ptp(forward_kinematics(unpack_pose(result)[0])[0], axis=0).max() < 1e-3:
                raise UnusableFile('nothing moves in it')
            return result
        except GestureError as error:
            self._name(path, error)
            return None

    def _face(self, files: TakeFiles, waveform: Float32Array,
              segments: list[Segment] | None, start_s: float) -> Float32Array | None:
        rule, path = self._corpus.face, files.face
        if rule is None:
            return None
        if rule.format == 'teacher':
            return None if segments is None else articulate(segments, waveform)
        if path is None:
            return None
        try:
            if self._basis is not None:
                neutral = None
                if rule.neutral:
                    speaker = files.speaker.removeprefix(f'{self._corpus.name}-')
                    neutral = load_neutral(
                        self._corpus.folder / rule.neutral.format(speaker=speaker), self._basis)
                weights = read_vertices(path, self._basis, neutral)
                times_s = regular_times(len(weights), rule.fps)
            else:
                recording = read_face(path, rule.scale, rule.head_unit)
                weights, times_s = recording.weights, recording.times_s
            times_s = _on_clock(times_s, rule.offset_s - start_s, waveform)
            result = resample_weights(times_s, weights, _frames(times_s, waveform, FACE_RATE_HZ))
            if np.ptp(result[:, LIP_INDEX], axis=0).max() < 1e-3:
                raise UnusableFile('the mouth does not move in it')
            return result
        except GestureError as error:
            self._name(path, error)
            return None


def _on_clock(times_s: Float64Array, shift_s: float, waveform: Float32Array) -> Float64Array:
    """Return the times of frames against the (cut) sound.

    Raises:
        UnusableFile: motion and sound end more than a second apart.
    """
    times_s = times_s + shift_s
    frame_s = (times_s[-1] - times_s[0]) / max(1, len(times_s) - 1)
    motion_s, sound_s = times_s[-1] + frame_s, len(waveform) / SAMPLE_RATE_HZ
    if abs(motion_s - sound_s) > MISMATCH_S:
        raise UnusableFile(f'motion lasts {motion_s:.2f} s and its sound {sound_s:.2f} s; '
                           f'they may differ by {MISMATCH_S} s')
    return np.asarray(times_s)


def _beside(corpus: Corpus, skeleton: str) -> str | Path:
    """Return a joint map's name, or its path where the corpus brings its own."""
    own = corpus.folder / skeleton
    return own if '.' in skeleton and own.is_file() else skeleton


def _frames(times_s: Float64Array, waveform: Float32Array, rate_hz: int) -> int:
    """Return how many frames both sound and motion cover."""
    covered_s = min(len(waveform) / SAMPLE_RATE_HZ, float(times_s[-1]) + 1.0 / rate_hz)
    return int(covered_s * rate_hz + 1e-6)
