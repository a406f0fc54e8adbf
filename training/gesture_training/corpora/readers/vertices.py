"""Reader of face meshes over time (VOCASET, BIWI): vertices solved to ARKit weights.

A sequence is a ``.npy`` of floats, (T, V, 3) or (T, 3 V), or a ``.npz`` that holds one as
``vertices``. A basis is a ``.npz`` with the mesh at rest and what each weight adds to it at 1:
``neutral`` (V, 3), ``deltas`` (K, V, 3), ``names`` (K,), ARKit names. Files with pickles are
refused. Per frame, the weights are those of

    min | neutral + deltas^T w - vertices |^2   with 0 <= w <= 1

found by an active set (Stark and Parker, "Bounded-variable least squares", 1995) on the normal
equations. Every frame starts from the one before it, whose active set is nearly its own.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
import zipfile

import numpy as np
from numpy.typing import NDArray

from gesture_node.motion.face import FACE_DIM

from ..problems import CatalogueError, UnusableFile
from .arkit import weight_index

Array = NDArray[np.float64]
RIDGE = 1e-8
"""Added to the diagonal of the normal equations, as a share of its mean: weights that the mesh
does not tell apart share their part instead of running to the bounds."""
_TOLERANCE = 1e-10
_LEAST_EXPLAINED = 0.5
_STILL = 1e-3
"""Movement below this share of the mesh's size cannot be judged."""
_BLOCK_FRAMES = 256


@dataclass(frozen=True, slots=True)
class BlendshapeBasis:
    """A mesh at rest and its K blendshapes.

    Attributes:
        neutral: shape (V, 3).
        deltas: shape (K, V, 3).
        columns: index of each blendshape among the 52 weights.
    """

    neutral: Array
    deltas: Array
    columns: tuple[int, ...]


def load_basis(path: Path) -> BlendshapeBasis:
    """Read a blendshape basis.

    Raises:
        CatalogueError: the file is missing, malformed, or names what is no ARKit weight.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            neutral = np.asarray(data['neutral'], dtype=np.float64)
            deltas = np.asarray(data['deltas'], dtype=np.float64)
            names = [str(name) for name in data['names']]
    except (OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise CatalogueError(f'basis {path} is no npz with neutral, deltas and names '
                             f'({error})') from None
    if deltas.shape != (len(names), *neutral.shape) or neutral.shape[-1:] != (3,):
        raise CatalogueError(f'basis {path}: neutral must have shape (V, 3) and deltas (K, V, 3) '
                             f'for {len(names)} names, got {neutral.shape} and {deltas.shape}')
    columns = [weight_index(name) for name in names]
    unknown = [name for name, column in zip(names, columns) if column is None]
    if unknown or len(set(columns)) < len(columns):
        raise CatalogueError(f'basis {path}: names must be ARKit weights, each once; wrong is '
                             f'{unknown[0] if unknown else "a repeated name"!r}')
    if not (np.isfinite(neutral).all() and np.isfinite(deltas).all()):
        raise CatalogueError(f'basis {path} holds numbers that are not finite')
    still = [name for name, delta in zip(names, deltas) if not delta.any()]
    if still:
        raise CatalogueError(f'basis {path}: blendshape {still[0]!r} moves nothing')
    return BlendshapeBasis(neutral, deltas, tuple(c for c in columns if c is not None))


def read_vertices(path: Path, basis: BlendshapeBasis,
                  neutral: Array | None = None) -> Array:
    """Return ARKit weights ``(T, 52)`` of a vertex sequence; blendshapes not in the basis are 0.

    Args:
        path: the sequence.
        basis: blendshapes of the same mesh.
        neutral: the speaker's own face at rest, shape (V, 3); None takes the basis' one.

    Raises:
        UnusableFile: the file is not a sequence of that mesh, or hardly moves as the basis does.
    """
    sequence = _load_sequence(path)
    count = len(basis.neutral)
    if sequence.shape[1:] not in ((count, 3), (3 * count,)) or not len(sequence):
        raise UnusableFile(f'{path} has shape {sequence.shape}; the basis needs (T, {count}, 3) '
                           f'or (T, {3 * count})')
    rest = (basis.neutral if neutral is None else neutral).reshape(-1)
    deltas = basis.deltas.reshape(len(basis.deltas), -1)
    gram = deltas @ deltas.T
    loads = np.empty((len(sequence), len(deltas)))
    moved = 0.0
    for first in range(0, len(sequence), _BLOCK_FRAMES):
        block = np.asarray(sequence[first:first + _BLOCK_FRAMES], dtype=np.float64)
        block = block.reshape(len(block), -1) - rest
        if not np.isfinite(block).all():
            raise UnusableFile(f'{path} holds numbers that are not finite')
        loads[first:first + len(block)] = block @ deltas.T
        moved += float(np.sum(block ** 2))
    solved = solve_weights(gram, loads)
    _check_fit(path, gram, loads, solved, moved, rest)
    weights = np.zeros((len(sequence), FACE_DIM))
    weights[:, list(basis.columns)] = solved
    return weights


def solve_weights(gram: Array, loads: Array) -> Array:
    """Return ``argmin w' gram w / 2 - loads w`` in [0, 1] for every row.

    Args:
        gram: shape (K, K), symmetric, positive semidefinite.
        loads: shape (T, K), consecutive frames.

    Returns:
        shape (T, K).
    """
    scale = float(np.mean(np.diag(gram)))
    stiff = gram / scale + RIDGE * np.eye(len(gram))
    weights = np.zeros(loads.shape)
    last = np.zeros(len(gram))
    for frame, load in enumerate(loads / scale):
        last = weights[frame] = _bounded(stiff, load, last)
    return weights


def _bounded(stiff: Array, load: Array, start: Array) -> Array:
    """Return the minimum in the unit box from a point inside it, one bound at a time."""
    weights = start.copy()
    free = (weights > 0.0) & (weights < 1.0)
    for _ in range(10 * len(weights)):
        if free.any():
            inside = np.flatnonzero(free)
            held = np.flatnonzero(~free)
            right = load[inside] - stiff[np.ix_(inside, held)] @ weights[held]
            target = np.linalg.solve(stiff[np.ix_(inside, inside)], right)
            beyond = (target < 0.0) | (target > 1.0)
            if beyond.any():
                step = target - weights[inside]
                room = np.where(step < 0.0, -weights[inside], 1.0 - weights[inside])
                share = np.where(beyond, room / np.where(step == 0.0, 1.0, step), np.inf)
                stop = int(np.argmin(share))
                weights[inside] += share[stop] * step
                weights[inside[stop]] = float(target[stop] > 1.0)
                free[inside[stop]] = False
                continue
            weights[inside] = target
        slope = stiff @ weights - load
        gain = np.where(free, 0.0, np.where(weights <= 0.0, -slope, slope))
        best = int(np.argmax(gain))
        if gain[best] <= _TOLERANCE:
            break
        free[best] = True
    return np.clip(weights, 0.0, 1.0)


def _check_fit(path: Path, gram: Array, loads: Array, solved: Array, moved: float,
               rest: Array) -> None:
    """Refuse a sequence that moves otherwise than the basis can."""
    size = float(np.sum((rest.reshape(-1, 3) - rest.reshape(-1, 3).mean(axis=0)) ** 2))
    if moved <= len(loads) * size * _STILL ** 2:
        return
    left = moved - 2.0 * float(np.sum(solved * loads)) + float(
        np.einsum('tk,kl,tl->', solved, gram, solved, optimize=True))
    explained = 1.0 - left / moved
    if explained < _LEAST_EXPLAINED:
        raise UnusableFile(f'{path}: the basis explains {100.0 * explained:.0f} % of how the mesh '
                           f'differs from rest, at least {100.0 * _LEAST_EXPLAINED:.0f} % are '
                           'needed (the same mesh, and the face at rest of that speaker?)')


def _load_sequence(path: Path) -> Any:
    try:
        if path.suffix.lower() == '.npz':
            with np.load(path, allow_pickle=False) as data:
                loaded = data['vertices']
        else:
            loaded = np.load(path, mmap_mode='r', allow_pickle=False)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UnusableFile(f'{path}: cannot be read as an array of numbers ({error})') from None
    if not isinstance(loaded, np.ndarray) or not np.issubdtype(loaded.dtype, np.floating):
        raise UnusableFile(f'{path} must hold floats')
    return loaded


def load_neutral(path: Path, basis: BlendshapeBasis) -> Array:
    """Return a speaker's face at rest ``(V, 3)`` from a ``.npy``.

    Raises:
        UnusableFile: the file is no array of that shape.
    """
    neutral = np.asarray(_load_sequence(path), dtype=np.float64)
    if neutral.size != basis.neutral.size or not np.isfinite(neutral).all():
        raise UnusableFile(f'{path} has shape {neutral.shape}; the basis needs '
                           f'{basis.neutral.shape}')
    return neutral.reshape(basis.neutral.shape)
