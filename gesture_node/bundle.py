"""A model bundle: a folder with three ONNX networks and the metadata that fits them together.

A bundle with the front end ``wavlm`` has a fourth, ``frontend.onnx``. One more, ``sync.onnx``, may
be there; nothing but the synchrony score needs it.

Nothing is unpickled. A bundle whose metadata do not match the runtime is refused, and the error
says what differs. The format is described in ``docs/architecture.md``.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
import hashlib
import logging
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from .audio.block_features import BlockGrid
from .audio.features import FEATURE_DIM
from .diffusion.schedule import Schedule
from .exceptions import BundleError
from .guides.poses import POSE_DIM as GUIDE_POSE_DIM
from .motion.face import BLENDSHAPE_NAMES
from .motion.skeleton import FINGER_NAMES, JOINT_NAMES, POSE_DIM
from .resources import share_path
from .timeline import BODY_RATE_HZ, FACE_RATE_HZ, FEATURE_RATE_HZ
from .types import Float32Array

FORMAT = 1
FEATURE_VERSION = 1
WAVLM_FEATURE_VERSION = 1
NETWORKS = ('encoder.onnx', 'body.onnx', 'face.onnx')
FRONT_END_NETWORK = 'frontend.onnx'
FRONT_ENDS = ('mel', 'wavlm')
SYNC_NETWORK = 'sync.onnx'
MAX_METADATA_BYTES = 4_000_000
_MOST_GUIDES = 4_096
_MOST_FEATURES = 8_192
_UNSTATED_STEPS = {'body': 4, 'face': 2}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncoderSpec:
    """Sizes of the conditioning encoder.

    Attributes:
        kind: front end, ``mel`` or ``wavlm``.
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
class FeatureSpec:
    """What the front end makes of the sound, 50 times a second.

    Attributes:
        dim: numbers per feature frame.
        grid: windows in which ``frontend.onnx`` hears; None for ``mel``, which has no network.
    """

    dim: int
    grid: BlockGrid | None = None


@dataclass(frozen=True)
class ChannelSpec:
    """Sizes and normalisation of a motion channel.

    Attributes:
        rate_hz, window_frames, seed_frames: the window.
        mean, std: shape (D,), float32; the network works on ``(motion - mean) / std``.
        idle: shape (D,), float32, what motion starts from and eases to.
        styles: names of face styles; empty for the body.
        steps: denoiser calls per window that the networks are made for.
        guidance: strength of the speech conditioning that they are made for.
        guides: shape (K, 67), apex poses that strokes are drawn from; see ``guides.poses``.
    """

    rate_hz: int
    window_frames: int
    seed_frames: int
    mean: Float32Array
    std: Float32Array
    idle: Float32Array
    styles: tuple[str, ...] = ()
    steps: int = 4
    guidance: float = 1.0
    guides: Float32Array | None = None

    def strength(self, asked: float) -> float:
        """Return the guidance: what was asked for, or below 0 the bundle's own."""
        return asked if asked >= 0.0 else self.guidance

    def calls(self, asked: int) -> int:
        """Return the denoiser calls per window: those asked for, or with 0 the bundle's own."""
        return asked or self.steps

    def style_index(self, name: str) -> int:
        """Return the row of a face style; empty takes the first style.

        A name the bundle does not know takes the last style, the mean, with a warning.
        """
        if not name or not self.styles:
            return 0
        if name not in self.styles:
            _log.warning('face style %r is not in the bundle (it has %s); using %r', name,
                         ', '.join(self.styles), self.styles[-1])
            return len(self.styles) - 1
        return self.styles.index(name)

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
        sync: path of the synchrony network; None in a bundle without one.
    """

    path: Path
    name: str
    hash: str
    features: FeatureSpec
    encoder: EncoderSpec
    body: ChannelSpec
    face: ChannelSpec
    schedule: Schedule
    sync: Path | None = None


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
    networks = _networks(data)
    for network in networks:
        digest.update(_verified_hash(folder, network, data).encode())
    try:
        bundle = _build(folder, data, digest.hexdigest()[:12])
        has_sync = SYNC_NETWORK in networks
        return replace(bundle, sync=folder / SYNC_NETWORK) if has_sync else bundle
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


def _networks(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the files of a bundle; one that its metadata do not list is none of them."""
    encoder, files = data.get('encoder'), data.get('files')
    networks = list(NETWORKS)
    if isinstance(encoder, dict) and encoder.get('kind') == 'wavlm':
        networks.append(FRONT_END_NETWORK)
    if isinstance(files, dict) and SYNC_NETWORK in files:
        networks.append(SYNC_NETWORK)
    return tuple(networks)


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
    schedule, kind = data['schedule'], data['encoder']['kind']
    features = _features(folder, kind, data['features'])
    _match(folder, 'schedule.kind', schedule['kind'], 'cosine')
    _match(folder, 'schedule.prediction', schedule['prediction'], 'x0')
    encoder = EncoderSpec(
        kind=kind, **{key: int(data['encoder'][key]) for key in (
            'context_frames', 'history_frames', 'local_dim', 'persona_dim', 'emotion_dim')})
    body = _channel(folder, 'body', data['body'], BODY_RATE_HZ, (*JOINT_NAMES, *FINGER_NAMES),
                    POSE_DIM)
    face = _channel(folder, 'face', data['face'], FACE_RATE_HZ, BLENDSHAPE_NAMES,
                    len(BLENDSHAPE_NAMES))
    return Bundle(folder, str(data['name']), digest, features, encoder, body, face,
                  Schedule.cosine(int(schedule['train_steps']),
                                  float(schedule.get('shift', 1.0))))


def _features(folder: Path, kind: Any, data: dict[str, Any]) -> FeatureSpec:
    _match(folder, 'features.rate_hz', data['rate_hz'], FEATURE_RATE_HZ)
    if kind == 'mel':
        _match(folder, 'features.dim', data['dim'], FEATURE_DIM)
        _match(folder, 'features.version', data['version'], FEATURE_VERSION)
        return FeatureSpec(FEATURE_DIM)
    if kind != 'wavlm':
        raise BundleError(f'bundle {folder}: encoder.kind is {kind}, this version knows '
                          f'{" and ".join(FRONT_ENDS)}')
    _match(folder, 'features.version', data['version'], WAVLM_FEATURE_VERSION)
    dim = int(data['dim'])
    if not 1 <= dim <= _MOST_FEATURES:
        raise BundleError(f'bundle {folder}: features.dim must be in [1, {_MOST_FEATURES}], '
                          f'got {dim}')
    try:
        return FeatureSpec(dim, BlockGrid(**{key: int(data[key]) for key in (
            'block_frames', 'context_frames', 'lookahead_frames', 'statistics_frames',
            'receptive_samples')}))
    except ValueError as error:
        raise BundleError(f'bundle {folder}: features: {error}') from None


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
    guidance = float(data.get('guidance', 1.0))
    if not 0.0 <= guidance <= 5.0:
        raise BundleError(f'bundle {folder}: {name}.guidance must be in [0, 5], got {guidance}')
    return ChannelSpec(rate_hz, window, seed, mean, std, idle, tuple(data.get('styles', ())),
                       steps, guidance, _guides(folder, data.get('guides')))


def _guides(folder: Path, rows: Any) -> Float32Array | None:
    """Return the apex poses (K, 67) of a body that was trained with guides."""
    if rows is None:
        return None
    poses: Float32Array = np.asarray(rows, dtype=np.float32)
    fits = poses.ndim == 2 and poses.shape[1] == GUIDE_POSE_DIM
    if not fits or not 1 <= len(poses) <= _MOST_GUIDES or not np.isfinite(poses).all():
        raise BundleError(f'bundle {folder}: body.guides must be 1 to {_MOST_GUIDES} rows of '
                          f'{GUIDE_POSE_DIM} finite numbers, got shape {poses.shape}')
    return poses


def _vector(folder: Path, name: str, values: Any, dim: int) -> Float32Array:
    vector: Float32Array = np.asarray(values, dtype=np.float32)
    if vector.shape != (dim,) or not np.isfinite(vector).all():
        raise BundleError(f'bundle {folder}: {name} must be {dim} finite numbers, got shape '
                          f'{vector.shape}')
    return vector


def _match(folder: Path, name: str, found: Any, needed: Any) -> None:
    if found == needed:
        return
    if isinstance(needed, tuple):
        wrong = [f'{a!r} for {b!r}' for a, b in zip(found, needed) if a != b]
        found = wrong[0] if wrong else f'{len(found)} names'
        needed = f'the {len(needed)} names of this version'
    raise BundleError(f'bundle {folder}: {name} is {found}, this version needs {needed}')
