"""A model bundle: a folder with three ONNX networks and the metadata that fits them together.

Nothing is unpickled. A bundle whose metadata do not match the runtime is refused, and the error
says what differs. The format is described in ``docs/architecture.md``.
"""
from __future__ import annotations

from dataclasses import dataclass
import hashlib
from pathlib import Path
from typing import Any, cast

import numpy as np
import yaml

from .audio.features import FEATURE_DIM
from .diffusion.schedule import Schedule
from .exceptions import BundleError
from .motion.face import BLENDSHAPE_NAMES
from .motion.skeleton import FINGER_NAMES, JOINT_NAMES, POSE_DIM
from .resources import share_path
from .timeline import BODY_RATE_HZ, FACE_RATE_HZ, FEATURE_RATE_HZ
from .types import Float32Array

FORMAT = 1
FEATURE_VERSION = 1
NETWORKS = ('encoder.onnx', 'body.onnx', 'face.onnx')
MAX_METADATA_BYTES = 4_000_000
_UNSTATED_STEPS = {'body': 4, 'face': 2}


@dataclass(frozen=True)
class EncoderSpec:
    """Sizes of the conditioning encoder.

    Attributes:
        kind: front end, ``mel``.
        context_frames: feature frames the encoder sees to the left of a window.
        history_frames: feature frames the persona token is pooled from.
        local_dim, persona_dim, emotion_dim: token sizes.
    """

    kind: str
    context_frames: int
    history_frames: int
    local_dim: int
    persona_dim: int
    emotion_dim: int


@dataclass(frozen=True)
class ChannelSpec:
    """Sizes and normalisation of a motion channel.

    Attributes:
        rate_hz, window_frames, seed_frames: the window.
        mean, std: shape (D,), float32; the network works on ``(motion - mean) / std``.
        idle: shape (D,), float32, what motion starts from and eases to.
        styles: names of face styles; empty for the body.
        steps: denoiser calls per window that the networks are made for.
    """

    rate_hz: int
    window_frames: int
    seed_frames: int
    mean: Float32Array
    std: Float32Array
    idle: Float32Array
    styles: tuple[str, ...] = ()
    steps: int = 4

    def calls(self, asked: int) -> int:
        """Return the denoiser calls per window: those asked for, or with 0 the bundle's own."""
        return asked or self.steps

    @property
    def model(self) -> tuple[int, int, int]:
        """Return (rate_hz, window_frames, seed_frames)."""
        return self.rate_hz, self.window_frames, self.seed_frames


@dataclass(frozen=True)
class Bundle:
    """A verified bundle on disk.

    Attributes:
        path: folder.
        name: name in the metadata.
        hash: first 12 hex digits of the SHA-256 over metadata and networks.
    """

    path: Path
    name: str
    hash: str
    encoder: EncoderSpec
    body: ChannelSpec
    face: ChannelSpec
    schedule: Schedule


def default_bundle_path() -> Path:
    """Return the folder of the shipped bundle."""
    return share_path('bundles', 'base')


def read_bundle(path: str | Path | None = None) -> Bundle:
    """Read and verify a bundle; the networks are hashed but not loaded.

    Args:
        path: folder; empty or None takes the shipped one.

    Raises:
        BundleError: the folder or a file is missing, truncated, altered, or does not match the
            runtime.
    """
    folder = Path(path) if path else default_bundle_path()
    if not (folder / 'bundle.yaml').is_file():
        raise BundleError(f'no model bundle at {folder}: it has no bundle.yaml')
    raw = (folder / 'bundle.yaml').read_bytes()
    data = _parse(raw, folder)
    digest = hashlib.sha256(raw)
    for network in NETWORKS:
        digest.update(_verified_hash(folder, network, data).encode())
    try:
        return _build(folder, data, digest.hexdigest()[:12])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f'bundle {folder}: bundle.yaml is malformed at {error}') from error


def _parse(raw: bytes, folder: Path) -> dict[str, Any]:
    if len(raw) > MAX_METADATA_BYTES:
        raise BundleError(f'bundle {folder}: bundle.yaml is larger than {MAX_METADATA_BYTES} B')
    try:
        data = yaml.load(raw, getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(f'bundle {folder}: bundle.yaml is not YAML: {reason}') from error
    if not isinstance(data, dict) or data.get('format') != FORMAT:
        found = data.get('format') if isinstance(data, dict) else type(data).__name__
        raise BundleError(f'bundle {folder}: format must be {FORMAT}, got {found}')
    return data


def _verified_hash(folder: Path, network: str, data: dict[str, Any]) -> str:
    path = folder / network
    if not path.is_file():
        raise BundleError(f'bundle {folder}: {network} is missing')
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    files = data.get('files')
    stated = files.get(network) if isinstance(files, dict) else None
    if found != stated:
        raise BundleError(f'bundle {folder}: {network} is truncated or altered; bundle.yaml '
                          f'states SHA-256 {str(stated)[:12]}, the file has {found[:12]}')
    return found


def _build(folder: Path, data: dict[str, Any], digest: str) -> Bundle:
    features, schedule = data['features'], data['schedule']
    _match(folder, 'features.dim', features['dim'], FEATURE_DIM)
    _match(folder, 'features.rate_hz', features['rate_hz'], FEATURE_RATE_HZ)
    _match(folder, 'features.version', features['version'], FEATURE_VERSION)
    _match(folder, 'encoder.kind', data['encoder']['kind'], 'mel')
    _match(folder, 'schedule.kind', schedule['kind'], 'cosine')
    _match(folder, 'schedule.prediction', schedule['prediction'], 'x0')
    encoder = EncoderSpec(
        kind='mel', **{key: int(data['encoder'][key]) for key in (
            'context_frames', 'history_frames', 'local_dim', 'persona_dim', 'emotion_dim')})
    body = _channel(folder, 'body', data['body'], BODY_RATE_HZ, (*JOINT_NAMES, *FINGER_NAMES),
                    POSE_DIM)
    face = _channel(folder, 'face', data['face'], FACE_RATE_HZ, BLENDSHAPE_NAMES,
                    len(BLENDSHAPE_NAMES))
    return Bundle(folder, str(data['name']), digest, encoder, body, face,
                  Schedule.cosine(int(schedule['train_steps']),
                                  float(schedule.get('shift', 1.0))))


def _channel(folder: Path, name: str, data: dict[str, Any], rate_hz: int,
             names: tuple[str, ...], dim: int) -> ChannelSpec:
    _match(folder, f'{name}.rate_hz', data['rate_hz'], rate_hz)
    _match(folder, f'{name}.names', tuple(data['names']), names)
    mean, std = _vector(folder, f'{name}.mean', data['mean'], dim), _vector(
        folder, f'{name}.std', data['std'], dim)
    if not (std > 0).all():
        raise BundleError(f'bundle {folder}: {name}.std must be positive everywhere')
    idle = _vector(folder, f'{name}.idle_pose', data.get('idle_pose', [0.0] * dim), dim)
    window, seed = int(data['window_frames']), int(data['seed_frames'])
    if not 2 <= seed < window <= 10_000:
        raise BundleError(f'bundle {folder}: {name} needs 2 <= seed_frames < window_frames, got '
                          f'{seed} and {window}')
    steps = int(data.get('steps', _UNSTATED_STEPS[name]))
    if not 1 <= steps <= 50:
        raise BundleError(f'bundle {folder}: {name}.steps must be in [1, 50], got {steps}')
    return ChannelSpec(rate_hz, window, seed, mean, std, idle, tuple(data.get('styles', ())),
                       steps)


def _vector(folder: Path, name: str, values: Any, dim: int) -> Float32Array:
    vector = np.asarray(values, dtype=np.float32)
    if vector.shape != (dim,) or not np.isfinite(vector).all():
        raise BundleError(f'bundle {folder}: {name} must be {dim} finite numbers, got shape '
                          f'{vector.shape}')
    return cast(Float32Array, vector)


def _match(folder: Path, name: str, found: Any, needed: Any) -> None:
    if found == needed:
        return
    if isinstance(needed, tuple):
        wrong = [f'{a!r} for {b!r}' for a, b in zip(found, needed) if a != b]
        found = wrong[0] if wrong else f'{len(found)} names'
        needed = f'the {len(needed)} names of this version'
    raise BundleError(f'bundle {folder}: {name} is {found}, this version needs {needed}')
