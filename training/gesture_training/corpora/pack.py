"""The packed training set: flat memory-mapped arrays and one JSON record per take.

A *take* is one recording of speech features with the motion that belongs to it. Arrays of all
takes are laid end to end, so a window is a slice::

    <channel>_features.npy  float16 (N, 83) at 50 Hz, or (N, D) of another front end
    <channel>_motion.npy    float16 (M, D)  body: 84 at 25 Hz, face: 52 at 50 Hz
    <channel>_accents.npy   float16 (N,)    accent curve, NaN = not known
    <channel>_arousal.npy   float16 (N,)    arousal that the motion shows, NaN = not known
    body_guides.npy         float32 (G, 10) take, apex [s], size, 1 for strokes, wrists (6) [m]
    face_phones.npy         uint8   (N,)    phone class per frame, 255 = not known
    <channel>_takes.json    list of Take records
    <channel>_waveform.npy  int16 (320 N,) at 16 kHz, only where it was asked for
    frontend.yaml, frontend.onnx  what made the features, where it was not the mel front end

One motion may be paired with several feature variants (clean, noisy, ...): each is a take.
"""
from __future__ import annotations

from dataclasses import asdict, dataclass
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gesture_node.timeline import FEATURE_RATE_HZ, samples_per_frame

from ..front_end import FrontEndRecord, read_front_end

UNKNOWN_PHONE = 255


@dataclass(frozen=True, slots=True)
class Take:
    """Where one take lies in the arrays, and where it comes from.

    Attributes:
        name: unique name.
        source: corpus or synthesiser it comes from.
        speaker: speaker or voice.
        split: ``train`` or ``held_out``.
        licence: licence of the material.
        variant: ``clean`` or the augmentation applied to the audio.
        style: face style (``composed`` or the name of the recorded corpus).
        first_feature, features: slice of the feature array.
        first_frame, frames: slice of the motion array.
    """

    name: str
    source: str
    speaker: str
    split: str
    licence: str
    variant: str
    style: str
    first_feature: int
    features: int
    first_frame: int
    frames: int


@dataclass(frozen=True, slots=True)
class Pack:
    """A channel of the packed set; arrays are memory-mapped.

    ``front_end`` is what made the features; None for mel.
    """

    features: NDArray[np.float16]
    motion: NDArray[np.float16]
    phones: NDArray[np.uint8] | None
    takes: list[Take]
    accents: NDArray[np.float16] | None = None
    arousal: NDArray[np.float16] | None = None
    guides: NDArray[np.float32] | None = None
    front_end: FrontEndRecord | None = None


class PackWriter:
    """Collects takes of one channel and writes them at once.

    Args:
        folder: the pack folder, created when missing.
        channel: ``body`` or ``face``.
        keep_waveforms: also write the sound, for other front ends (115 MB an hour).
    """

    def __init__(self, folder: Path, channel: str, keep_waveforms: bool = False) -> None:
        self._folder, self._channel = folder, channel
        self._waveforms: list[NDArray[np.int16]] | None = [] if keep_waveforms else None
        self._features: list[NDArray[np.float16]] = []
        self._motion: list[NDArray[np.float16]] = []
        self._phones: list[NDArray[np.uint8]] = []
        self._accents: list[NDArray[np.float16]] = []
        self._arousal: list[NDArray[np.float16]] = []
        self._guides: list[NDArray[np.float32]] = []
        self._takes: list[Take] = []
        self._feature_count = self._frame_count = 0

    def add(self, features: NDArray[np.floating], motion: NDArray[np.floating], *, name: str,
            source: str, speaker: str, split: str, licence: str, variant: str = 'clean',
            style: str = 'composed', phones: NDArray[np.uint8] | None = None,
            accents: NDArray[np.floating] | None = None,
            arousal: NDArray[np.floating] | None = None,
            guides: NDArray[np.floating] | None = None,
            waveform: NDArray[np.floating] | None = None) -> None:
        """Add one take.

        Args:
            features: shape (F, 83).
            motion: shape (T, D), covering the same time.
            name: unique name of the take.
            source: corpus or synthesiser.
            speaker: speaker or voice.
            split: ``train`` or ``held_out``.
            licence: licence of the material.
            variant: ``clean`` or the augmentation of the audio.
            style: face style.
            phones: shape (F,), face only.
            accents: shape (F,), from :func:`~.accent_curve.accent_curve` of the clean sound.
            arousal: shape (F,), in [0, 1], that the motion shows.
            guides: shape (G, 9), what guides the arms, see ``body.guides_of``.
            waveform: shape (n,), n >= 320 F, in [-1, 1], the sound of the features; needed where
                waveforms are kept.

        Raises:
            ValueError: anything is not finite, or there is no sound to keep.
        """
        if not (np.isfinite(features).all() and np.isfinite(motion).all()):
            raise ValueError(f'take {name!r} holds values that are not finite')
        if self._waveforms is not None:
            self._waveforms.append(_kept(waveform, len(features), name))
        self._takes.append(Take(name, source, speaker, split, licence, variant, style,
                                self._feature_count, len(features), self._frame_count,
                                len(motion)))
        self._features.append(features.astype(np.float16))
        self._motion.append(motion.astype(np.float16))
        if self._channel == 'face':
            unknown = np.full(len(features), UNKNOWN_PHONE, np.uint8)
            self._phones.append(unknown if phones is None else phones.astype(np.uint8))
        nowhere = np.full(len(features), np.nan, np.float16)
        self._accents.append(nowhere if accents is None else accents.astype(np.float16))
        self._arousal.append(nowhere if arousal is None else arousal.astype(np.float16))
        if guides is not None:
            number = np.full((len(guides), 1), len(self._takes) - 1)
            self._guides.append(np.concatenate([number, guides], axis=1).astype(np.float32))
        self._feature_count += len(features)
        self._frame_count += len(motion)

    def write(self) -> Path:
        """Write all arrays and records; returns the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        base = self._folder / self._channel
        np.save(f'{base}_features.npy', np.concatenate(self._features))
        np.save(f'{base}_motion.npy', np.concatenate(self._motion))
        np.save(f'{base}_accents.npy', np.concatenate(self._accents))
        np.save(f'{base}_arousal.npy', np.concatenate(self._arousal))
        if self._phones:
            np.save(f'{base}_phones.npy', np.concatenate(self._phones))
        Path(f'{base}_guides.npy').unlink(missing_ok=True)
        if self._guides:
            np.save(f'{base}_guides.npy', np.concatenate(self._guides))
        Path(f'{base}_waveform.npy').unlink(missing_ok=True)
        if self._waveforms is not None:
            np.save(f'{base}_waveform.npy', np.concatenate(self._waveforms))
        records = [asdict(take) for take in self._takes]
        Path(f'{base}_takes.json').write_text(json.dumps(records, indent=0), encoding='utf-8')
        return self._folder


def _kept(waveform: NDArray[np.floating] | None, frames: int, name: str) -> NDArray[np.int16]:
    count = frames * samples_per_frame(FEATURE_RATE_HZ)
    if waveform is None or len(waveform) < count:
        raise ValueError(f'take {name!r} needs a waveform of {count} samples, got '
                         f'{"none" if waveform is None else len(waveform)}')
    return np.round(waveform[:count].clip(-1.0, 1.0) * 32_767.0).astype(np.int16)


def read_pack(folder: Path, channel: str) -> Pack:
    """Open a channel of a pack, memory-mapped.

    Raises:
        FileNotFoundError: the pack was not written yet.
        TrainingError: the record of its front end is malformed.
    """
    base = folder / channel
    phones_path, accents_path, arousal_path, guides_path = (
        Path(f'{base}_{name}.npy') for name in ('phones', 'accents', 'arousal', 'guides'))
    records = json.loads(Path(f'{base}_takes.json').read_text(encoding='utf-8'))
    return Pack(
        features=np.load(f'{base}_features.npy', mmap_mode='r'),
        motion=np.load(f'{base}_motion.npy', mmap_mode='r'),
        phones=np.load(phones_path, mmap_mode='r') if phones_path.exists() else None,
        takes=[Take(**record) for record in records],
        accents=np.load(accents_path, mmap_mode='r') if accents_path.exists() else None,
        arousal=np.load(arousal_path, mmap_mode='r') if arousal_path.exists() else None,
        guides=np.load(guides_path) if guides_path.exists() else None,
        front_end=read_front_end(folder))
