"""Writes the face channel of the training pack: speech, phones and 52 weights at 50 Hz.

Run::

    python -m gesture_training.corpora.face --data DATA --out corpus

Speech with phones in time (read English, synthesised voices of many languages) gets its mouth from
the teacher (``coarticulation``), recorded clips keep theirs; both get a sampled upper face. Every
take is written as it is, by another voice, and twice with augmented sound, mostly at another speed
or pitch, each with another upper face. Synthesised languages that are held out are written too, in
the split that is never trained on.
"""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
import json
from pathlib import Path
import sys

import numpy as np
from numpy.typing import NDArray

from gesture_node.audio.features import waveform_features
from gesture_node.timeline import FACE_RATE_HZ, frames_before

from .accent_curve import accent_curve
from .augment import augment, disguise, load_noises, PITCHES
from .coarticulation import articulate, frame_classes
from .facegood import facegood_clips, resample_weights
from .facegood import LICENCE as FACEGOOD_LICENCE
from .facegood import STYLE as FACEGOOD_STYLE
from .pack import PackWriter
from .phones import Segment
from .pitch import change_pitch, change_speed
from .speechocean import speechocean_takes, SpokenTake
from .splits import held_out_speakers
from .upper_face import join_face, sample_upper_face, speech_cues
from .voices import unseen_language_takes, voice_takes

VARIANTS = ('clean', 'other-voice', 'augmented-1', 'augmented-2')
_PIECE_FRAMES = 30 * FACE_RATE_HZ
_SPEED_SHARE, _PITCH_SHARE, _SPEEDS = 0.5, 0.3, (0.85, 1.2)
_BABBLE_VOICES = 48


@dataclass(slots=True)
class FaceSummary:
    """What went into the pack and what did not; written as ``face_summary.json``."""

    hours: dict[str, float] = field(default_factory=dict)
    takes: dict[str, int] = field(default_factory=dict)
    held_out_hours: float = 0.0
    licences: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def count(self, take: FaceTake, split: str) -> None:
        """Count one take, once for all of its variants."""
        hours = len(take.lips) / FACE_RATE_HZ / 3600.0
        self.hours[take.source] = self.hours.get(take.source, 0.0) + hours
        self.takes[take.source] = self.takes.get(take.source, 0) + 1
        self.licences[take.source] = take.licence
        self.held_out_hours += hours if split == 'held_out' else 0.0


@dataclass(frozen=True, slots=True)
class FaceTake:
    """One take with its mouth.

    Attributes:
        name, source, speaker, licence, style: as in the pack.
        waveform: shape (n,), float32, 16 kHz.
        lips: shape (n // 320, 52), float32.
        segments: phones in time; None where they are not known.
    """

    name: str
    source: str
    speaker: str
    licence: str
    style: str
    waveform: NDArray[np.float32]
    lips: NDArray[np.float32]
    segments: list[Segment] | None

    def phones(self) -> NDArray[np.uint8] | None:
        """Return the phone class of each frame, or None where they are not known."""
        return None if self.segments is None else frame_classes(self.segments, len(self.lips))


def _taught(take: SpokenTake) -> FaceTake:
    return FaceTake(take.name, take.source, take.speaker, take.licence, 'composed',
                    take.waveform, articulate(take.segments, take.waveform), take.segments)


def _recorded(data: Path) -> Iterator[FaceTake]:
    for clip in facegood_clips(data):
        for number, first in enumerate(range(0, len(clip.weights), _PIECE_FRAMES)):
            lips = clip.weights[first:first + _PIECE_FRAMES]
            yield FaceTake(
                f'facegood-{clip.name}-{number}', 'facegood', 'facegood', FACEGOOD_LICENCE,
                FACEGOOD_STYLE, clip.waveform[first * 320:(first + len(lips)) * 320], lips,
                None)


def at_speed(take: FaceTake, factor: float) -> FaceTake:
    """Return a take played faster or slower; the mouth follows the sound.

    Phones keep their order and the teacher articulates them anew; recorded weights are resampled
    by time.
    """
    waveform = change_speed(take.waveform, factor)
    if take.segments is not None:
        segments = [replace(s, start_s=s.start_s / factor, end_s=s.end_s / factor)
                    for s in take.segments]
        return replace(take, waveform=waveform, segments=segments,
                       lips=articulate(segments, waveform))
    times_s = np.arange(len(take.lips)) / FACE_RATE_HZ / factor
    frames = frames_before(len(waveform), FACE_RATE_HZ)
    lips = resample_weights(times_s, take.lips.astype(np.float64), frames)
    return replace(take, waveform=waveform, lips=lips)


def _variant(take: FaceTake, variant: str, noises: list[NDArray[np.float32]],
             voices: list[NDArray[np.float32]], rng: np.random.Generator) -> FaceTake:
    if variant == 'clean':
        return take
    if variant == 'other-voice':
        return replace(take, waveform=disguise(take.waveform, rng))
    kind = rng.random()
    if kind < _SPEED_SHARE:
        take = at_speed(take, float(np.exp(rng.uniform(*np.log(_SPEEDS)))))
    elif kind < _SPEED_SHARE + _PITCH_SHARE:
        factor = float(np.exp(rng.uniform(*np.log(PITCHES))))
        take = replace(take, waveform=change_pitch(take.waveform, factor))
    return replace(take, waveform=augment(take.waveform, rng, noises, voices))


def add_variants(writer: PackWriter, take: FaceTake, split: str,
                 noises: list[NDArray[np.float32]], rng: np.random.Generator,
                 voices: list[NDArray[np.float32]] | None = None,
                 variants: tuple[str, ...] = VARIANTS) -> None:
    """Add a take as it is and augmented, each variant with its own upper face.

    Args:
        writer: of the face channel.
        take: sound and mouth.
        split: ``train`` or ``held_out``.
        noises: environmental sounds; may be empty.
        rng: draws every change and the upper faces.
        voices: speech of others for babble.
        variants: those of :data:`VARIANTS` that are wanted, the first one first.
    """
    cues, accents = None, np.zeros(0, np.float32)
    for variant in variants:
        version = _variant(take, variant, noises, voices or [], rng)
        features = waveform_features(version.waveform)
        if cues is None:
            cues, accents = speech_cues(features), accent_curve(features)
        faster = len(take.lips) / len(version.lips)
        upper = sample_upper_face(cues.at_speed(faster), len(version.lips), rng)
        writer.add(features, join_face(version.lips, upper), name=f'{take.name}/{variant}',
                   source=take.source, speaker=take.speaker, split=split, licence=take.licence,
                   variant=variant, style=take.style, phones=version.phones(),
                   accents=np.interp(np.arange(len(features)) * faster,
                                     np.arange(len(accents)), accents),
                   waveform=version.waveform)


def _progress(summary: FaceSummary) -> None:
    sys.stderr.write(f'\rtake {sum(summary.takes.values())}, '
                     f'{sum(summary.hours.values()):.2f} h    ')
    sys.stderr.flush()


def write_face_pack(data: Path, out: Path, seed: int = 0,
                    keep_waveforms: bool = False) -> FaceSummary:
    """Write ``face_*`` of the pack and return what it holds.

    Args:
        data: folder of corpora.
        out: pack folder; alignments are kept in ``out/cache``.
        seed: of every draw.
        keep_waveforms: also keep the sound, for another front end.
    """
    rng, summary = np.random.default_rng(seed), FaceSummary()
    # Written aside and moved in place at the end: whoever reads the old pack may go on.
    aside = out / 'cache' / 'face'
    noises, writer = load_noises(data), PackWriter(aside, 'face', keep_waveforms)
    read: list[FaceTake] = []
    for take in speechocean_takes(data, out / 'cache' / 'speechocean762', rng, summary.failures):
        read.append(_taught(take))
        sys.stderr.write(f'\rphones found in take {len(read)}')
        sys.stderr.flush()
    held_out = held_out_speakers([take.speaker for take in read])
    voices = [take.waveform for take in read if take.speaker not in held_out][::3]
    voices = voices[:_BABBLE_VOICES]
    spoken = (_taught(take) for take in voice_takes(rng, summary.failures))
    unseen = (_taught(take) for take in unseen_language_takes(rng))
    for takes in (read, _recorded(data), spoken):
        for take in takes:
            split = 'held_out' if take.speaker in held_out else 'train'
            add_variants(writer, take, split, noises, rng, voices)
            summary.count(take, split)
            _progress(summary)
    for take in unseen:
        add_variants(writer, take, 'held_out', noises, rng, variants=VARIANTS[:1])
        summary.count(take, 'held_out')
        _progress(summary)
    for path in writer.write().glob('face_*'):
        path.replace(out / path.name)
    (out / 'face_summary.json').write_text(json.dumps(asdict(summary), indent=1),
                                           encoding='utf-8')
    return summary


def main() -> None:
    """Write the face channel of the training pack and print what it holds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the corpora')
    parser.add_argument('--out', type=Path, default=Path('corpus'), help='pack folder')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--keep-waveforms', action='store_true',
                        help='also keep the sound, for another front end (115 MB an hour)')
    arguments = parser.parse_args()
    summary = write_face_pack(arguments.data, arguments.out, arguments.seed,
                              arguments.keep_waveforms)
    for source, hours in summary.hours.items():
        print(f'{source}: {summary.takes[source]} takes, {60 * hours:.1f} min, '
              f'{summary.licences[source]}')
    print(f'held out: {60 * summary.held_out_hours:.1f} min; '
          f'left out: {len(summary.failures)} recordings')


if __name__ == '__main__':
    main()
