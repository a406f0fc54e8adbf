"""What the clips of the gallery are moved by: a bundle, or what it learnt from."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gesture_node.audio.features import waveform_features
from gesture_node.cli.audio_file import AudioFile
from gesture_node.cli.offline import generate, offline_config
from gesture_node.config import GestureConfig
from gesture_node.latency import LatencyTracker
from gesture_node.motion.robot import RobotProfile
from gesture_node.pipeline import GesturePipeline
from gesture_node.robot_output import RobotOutput
from gesture_node.timeline import BODY_RATE_HZ, SAMPLE_RATE_HZ
from gesture_node.types import BodyChunk

from ..corpora.coarticulation import articulate
from ..corpora.composer import compose_for
from ..corpora.composer_strokes import load_idle_pose, load_strokes
from ..corpora.upper_face import join_face, sample_upper_face, speech_cues
from .gallery_clips import GalleryClip

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClipMotion:
    """How a robot and a face move to a clip; row k of each array is at ``k / rate``.

    Attributes:
        positions: shape (K, N) at 50 Hz, [rad].
        weights: shape (T, 52) at 50 Hz.
        poses: shape (P, 84) at 25 Hz.
    """

    positions: Array
    weights: NDArray[np.float32]
    poses: NDArray[np.floating]

    def save(self, path: Path) -> None:
        """Write the motion as an npz file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, positions=self.positions, weights=self.weights,
                            poses=self.poses)

    @classmethod
    def load(cls, path: Path) -> ClipMotion:
        """Return what :meth:`save` wrote."""
        with np.load(path) as stored:
            return cls(stored['positions'], stored['weights'], stored['poses'])


class Mover(Protocol):
    """Moves robot and face to speech.

    Attributes:
        label: what it is, in words.
        key: what tells its files from those of another one.
    """

    label: str
    key: str

    def move(self, clip: GalleryClip) -> ClipMotion:
        """Return the motion of a clip."""


class BundleMover:
    """A bundle, as ``gesture_from_file`` runs it.

    Args:
        path: folder of the bundle; None for the shipped one.
        profile: the robot.
        seed: of the samples.
        live: short windows without speech to come, as the node runs, instead of long ones.

    Raises:
        BundleError: the bundle is missing or broken.
    """

    def __init__(self, path: Path | None, profile: RobotProfile, seed: int, live: bool) -> None:
        self._pipeline = GesturePipeline.from_bundle(path, provider='cpu', threads=2)
        self._profile = profile
        bundle, mode = self._pipeline.bundle, 'live' if live else 'ahead'
        self._config = GestureConfig(seed=seed)
        if not live:
            self._config = offline_config(self._config, bundle)
        self.label = f'bundle {bundle.name} {bundle.hash}, seed {seed}, {mode}'
        self.key = f'{bundle.hash}_{seed}_{mode}'

    def move(self, clip: GalleryClip) -> ClipMotion:
        """Return the motion of a clip."""
        audio = AudioFile(Path(f'{clip.name}.wav'), clip.waveform, SAMPLE_RATE_HZ)
        made = generate(self._pipeline, audio, self._profile, self._config)
        return ClipMotion(made.positions, made.weights, made.poses)


class TeacherMover:
    """What a bundle learns from: the composer's arms and the face teacher on the clip's phones.

    Args:
        data: folder that holds ``gestures_smartbody``.
        profile: the robot.
        seed: of everything that is drawn.
    """

    def __init__(self, data: Path, profile: RobotProfile, seed: int) -> None:
        self._strokes, self._idle = load_strokes(data), load_idle_pose(data)
        self._profile, self._seed = profile, seed
        self.label = f'composer and face teacher, seed {seed}'
        self.key = f'teacher_{seed}'

    def move(self, clip: GalleryClip) -> ClipMotion:
        """Return the motion of a clip, retargeted and limited like any other."""
        features = waveform_features(clip.waveform)
        poses = compose_for(features, self._strokes, self._idle, self._seed)
        chunk = BodyChunk(0, poses.astype(np.float32), len(poses), BODY_RATE_HZ)
        output = RobotOutput(self._profile, GestureConfig(), self._idle)
        knots = output.step(chunk, LatencyTracker())
        lips = articulate(clip.segments, clip.waveform)
        upper = sample_upper_face(speech_cues(features), len(lips),
                                  np.random.default_rng(self._seed))
        return ClipMotion(knots.positions[:knots.committed], join_face(lips, upper), poses)
