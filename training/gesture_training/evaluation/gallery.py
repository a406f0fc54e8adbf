"""``make gallery``: ten clips that no bundle was trained on, moving, as sheets to look at.

Every clip goes the way of ``gesture_from_file --video``: networks, retargeting, limits, collision
guard, MuJoCo's picture of the robot and the drawn face. Figures do not say whether hands rest in a
thigh or eyes stare; pictures do. Only pictures and figures are written, no sound.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
import sys
import time
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import find_peaks

from gesture_node.audio.features import waveform_features
from gesture_node.exceptions import GestureError
from gesture_node.measures.accents import find_accents
from gesture_node.measures.beats import wrist_beats, wrist_speeds
from gesture_node.measures.blinks import find_blinks
from gesture_node.measures.closures import score_lips
from gesture_node.measures.mouth import CLOSURE_SHARE, CLOSURE_TOLERANCE_S, mouth_aperture
from gesture_node.motion.collision import SelfCollisionGuard
from gesture_node.motion.face import BLENDSHAPE_INDEX
from gesture_node.motion.robot import load_profile, RobotProfile
from gesture_node.motion.skeleton import forward_kinematics, JOINT_INDEX, unpack_pose
from gesture_node.sim.face_shape import mouth_shape, Weights
from gesture_node.sim.face_view import FaceView
from gesture_node.sim.render import make_renderer, RobotRenderer
from gesture_node.sim.tracks import Track
from gesture_node.timeline import BODY_RATE_HZ, FACE_RATE_HZ, KNOT_RATE_HZ

from ..corpora.coarticulation import articulate
from .gallery_clips import gallery_clips, GalleryClip
from .gallery_moments import choose_moments, CLOSURE, Moment
from .gallery_motion import BundleMover, ClipMotion, Mover, TeacherMover
from .gallery_page import in_words, write_page
from .gallery_sheet import (
    APART,
    contact_sheet,
    Curves,
    draw_skeleton,
    Frame,
    NEARLY,
    overview_sheet,
    SHUT,
)

Array = NDArray[np.float64]
SIZE_PX, OVERVIEW_PX = 240, 112
SHORT_CLIP_S = 5.0
_LIDS = [BLENDSHAPE_INDEX['eyeBlinkLeft'], BLENDSHAPE_INDEX['eyeBlinkRight']]
_WRISTS = [JOINT_INDEX['left_wrist'], JOINT_INDEX['right_wrist']]
LIPS_TOUCH = 0.8
"""Units of the drawn face (360 a side): a gap from which it shows its inside."""
LEAST_OPENING = 0.02
_OVERVIEW_FRAMES = 5
_SAME_APERTURE = 1e-3


class Studio:
    """Makes pictures of one robot and one face.

    Args:
        profile: the robot.
        size: width and height of every picture [px].
    """

    def __init__(self, profile: RobotProfile, size: int = SIZE_PX) -> None:
        self._robot: RobotRenderer = make_renderer(profile.urdf_path, profile.joint_names, size,
                                                   size, rest=profile.rest_positions)
        self._face = FaceView(size)

    def frame(self, motion: ClipMotion, moment: Moment, found: str) -> Frame:
        """Return body, with the canonical skeleton in its corner, and face at a moment."""
        body, face = (_track(values, KNOT_RATE_HZ).at(moment.time_s)
                      for values in (motion.positions, motion.weights))
        pose = motion.poses[min(round(moment.time_s * BODY_RATE_HZ), len(motion.poses) - 1)]
        picture = draw_skeleton(Image.fromarray(self._robot.render(body)), pose)
        return Frame(moment, picture, Image.fromarray(self._face.draw(face)), found)

    def close(self) -> None:
        """Free the OpenGL context."""
        self._robot.close()


class Observer:
    """Measures what a robot shows.

    Args:
        profile: the robot.
    """

    def __init__(self, profile: RobotProfile) -> None:
        self._profile = profile
        self._guard = SelfCollisionGuard(profile)
        capsules = self._guard.model.capsules
        self._hands = [[i for i, capsule in enumerate(capsules) if capsule.link == arm.hand_link]
                       for arm in profile.arms]

    def _hand_positions(self, positions: Array) -> Array:
        """Return where the hands are, shape (K, 2, 3) [m]; all zero for hands without shapes."""
        model = self._guard.model
        placement = model.place(positions)
        middles = placement.starts + 0.5 * placement.alongs
        return np.stack([middles[:, own].mean(axis=1) if own else np.zeros((len(positions), 3))
                         for own in self._hands], axis=1)

    def curves(self, clip: GalleryClip, motion: ClipMotion) -> Curves:
        """Return what is drawn under the pictures of a clip."""
        aperture = mouth_aperture(motion.weights)
        rotations, _ = unpack_pose(motion.poses.astype(np.float64))
        wrists = forward_kinematics(rotations)[0][:, _WRISTS]
        head = self._profile.head.joints if self._profile.head else ()
        columns = [self._profile.joint_names.index(name) for name in head]
        phones = clip.intervals()
        return Curves(
            waveform=clip.waveform,
            accents_s=find_accents(waveform_features(clip.waveform)).onsets_s,
            wrists=wrist_speeds(wrists, BODY_RATE_HZ),
            beats_s=wrist_beats(wrists, BODY_RATE_HZ).times_s,
            hands=wrist_speeds(self._hand_positions(motion.positions), KNOT_RATE_HZ),
            aperture=aperture,
            teacher=mouth_aperture(articulate(clip.segments, clip.waveform)),
            vowel_median=_vowel_median(aperture, clip), phones=phones,
            lids=motion.weights[:, _LIDS].mean(axis=1).astype(np.float64),
            head_deg=np.degrees(motion.positions[:, columns]), head_names=head)

    def figures(self, clip: GalleryClip, motion: ClipMotion, curves: Curves) -> dict[str, Any]:
        """Return what can be counted of a clip."""
        lips = score_lips([(curves.aperture, curves.phones)], FACE_RATE_HZ)
        minutes = clip.duration_s / 60.0
        speeds = curves.wrists[1]
        return {
            'duration_s': clip.duration_s, 'closures': lips.closures, 'reached': lips.reached,
            'lips_touch': lips_touch(motion, curves),
            'openings_per_s': openings_per_s(curves.aperture),
            'teacher_openings_per_s': openings_per_s(curves.teacher),
            'falsely_closed': lips.falsely_closed, 'silence_ratio': lips.silence_ratio,
            'accents_per_min': len(curves.accents_s) / minutes,
            'beats_per_min': float(np.sum(curves.beats_s < clip.duration_s)) / minutes,
            'left_wrist_m_s': float(speeds[:, 0].mean()),
            'right_wrist_m_s': float(speeds[:, 1].mean()),
            'blinks_per_min': len(find_blinks(motion.weights)) / minutes,
            'head_spread_deg': curves.head_deg.std(axis=0).tolist(),
            'clearance_mm': 1e3 * float(self._guard.clearance(motion.positions).min())}


def _track(values: NDArray[Any], rate_hz: int) -> Track:
    return Track(np.arange(len(values)) / rate_hz, values)


def _vowel_median(aperture: Array, clip: GalleryClip) -> float:
    middles = [0.5 * (p.start_s + p.end_s) for p in clip.intervals() if p.kind == 'vowel']
    rows = [min(round(t * FACE_RATE_HZ), len(aperture) - 1) for t in middles]
    return float(np.median(aperture[rows])) if rows else float('nan')


def verdict(motion: ClipMotion, curves: Curves, time_s: float) -> str:
    """Return how the mouth at a closure looks.

    ``shut`` when the drawn lips touch; ``nearly shut`` when they do not, but the aperture is under
    a quarter of the clip's vowels, which is what the evaluation counts as reached.
    """
    row = min(round(time_s * FACE_RATE_HZ), len(curves.aperture) - 1)
    if mouth_shape(Weights(motion.weights[row])).gap < LIPS_TOUCH:
        return SHUT
    return NEARLY if curves.aperture[row] < CLOSURE_SHARE * curves.vowel_median else APART


def lips_touch(motion: ClipMotion, curves: Curves) -> float:
    """Return the share of closures at which the drawn lips touch; nan without closures."""
    middles = [0.5 * (p.start_s + p.end_s) for p in curves.phones if p.kind == 'closure']
    best = [at_its_best(curves, Moment(t, CLOSURE)).time_s for t in middles]
    return float(np.mean([verdict(motion, curves, t) == SHUT for t in best] or [np.nan]))


def openings_per_s(aperture: Array) -> float:
    """Return how often the mouth opens a second; lips that flutter open more often than speech."""
    peaks, _ = find_peaks(np.pad(aperture, 1), prominence=LEAST_OPENING)
    return len(peaks) * FACE_RATE_HZ / max(len(aperture), 1)


def at_its_best(curves: Curves, moment: Moment) -> Moment:
    """Return a closure's moment moved to the lowest aperture within 40 ms: the one that counts.

    Of several equally low, to the one next to it.
    """
    if moment.kind != CLOSURE:
        return moment
    reach = round(CLOSURE_TOLERANCE_S * FACE_RATE_HZ)
    middle = min(round(moment.time_s * FACE_RATE_HZ), len(curves.aperture) - 1)
    rows = np.arange(max(middle - reach, 0), min(middle + reach + 1, len(curves.aperture)))
    near = curves.aperture[rows]
    lowest = rows[near <= near.min() + _SAME_APERTURE]
    return Moment(float(min(lowest, key=lambda row: abs(row - middle))) / FACE_RATE_HZ, CLOSURE)


def show_clip(clip: GalleryClip, motion: ClipMotion, studio: Studio, observer: Observer,
              heading: str) -> tuple[Image.Image, list[Frame], dict[str, Any]]:
    """Return sheet, frames and figures of a clip.

    Args:
        clip: what is heard.
        motion: what is seen.
        studio: takes the pictures.
        observer: counts.
        heading: second line of the sheet, such as bundle and seed.
    """
    curves = observer.curves(clip, motion)
    figures = observer.figures(clip, motion, curves)
    count = 8 if clip.duration_s < SHORT_CLIP_S else 16
    moments = [at_its_best(curves, moment) for moment in choose_moments(
        clip.segments, curves.accents_s.tolist(), clip.duration_s, count)]
    frames = [studio.frame(motion, moment, verdict(motion, curves, moment.time_s)
                           if moment.kind == CLOSURE else '') for moment in moments]
    words = ', '.join(f'{name} {value}' for name, value in in_words(figures).items())
    return contact_sheet(clip.title, (heading, words), frames, curves), frames, figures


def make_gallery(options: argparse.Namespace) -> dict[str, Any]:
    """Write the sheets and ``gallery.json``; return its content.

    Raises:
        GestureError: the bundle, the robot or a corpus cannot be read.
    """
    begun_s = time.monotonic()
    profile = load_profile(options.robot)
    mover: Mover = (TeacherMover(options.data, profile, options.seed) if options.teacher else
                    BundleMover(options.bundle, profile, options.seed, options.live))
    heading = f'{mover.label}, {profile.name}'
    studio, observer = Studio(profile), Observer(profile)
    options.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Any]] = {}
    sheets: dict[str, Image.Image] = {}
    rows: list[tuple[str, dict[str, str], Sequence[Frame]]] = []
    try:
        for clip in gallery_clips(options.data, options.clips or ()):
            heard = crc32(clip.waveform.tobytes())
            store = f'{clip.name}_{heard:08x}_{profile.name}_{mover.key}.npz'
            motion = _kept(options.out / 'motion' / store, mover, clip, options.keep)
            sheets[clip.name], frames, found[clip.name] = show_clip(clip, motion, studio,
                                                                    observer, heading)
            sheets[clip.name].save(options.out / f'{clip.name}.png')
            rows.append((clip.name, in_words(found[clip.name]), _spread(frames)))
            print(f'{clip.name}: {time.monotonic() - begun_s:.0f} s', flush=True)
    finally:
        studio.close()
    report = {'moved_by': mover.label, 'robot': profile.name, 'clips': found,
              'duration_s': round(time.monotonic() - begun_s, 1),
              'processor_s': round(time.process_time(), 1)}
    if rows:
        sheets['overview'] = overview_sheet(heading, rows, OVERVIEW_PX)
        sheets['overview'].save(options.out / 'overview.png')
    if options.docs is not None and rows:
        write_page(options.docs, sheets, report)
    (options.out / 'gallery.json').write_text(json.dumps(report, indent=1) + '\n',
                                              encoding='utf-8')
    return report


def _kept(store: Path, mover: Mover, clip: GalleryClip, keep: bool) -> ClipMotion:
    """Return the motion of an earlier run if it is wanted and there, else make and keep it."""
    if keep and store.is_file():
        return ClipMotion.load(store)
    motion = mover.move(clip)
    motion.save(store)
    return motion


def _spread(frames: Sequence[Frame]) -> list[Frame]:
    """Return some frames of a clip; not the outermost, in which it mostly waits."""
    index = np.linspace(1, len(frames) - 2, _OVERVIEW_FRAMES).round().astype(int)
    return [frames[i] for i in index]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m gesture_training.evaluation.gallery',
        description='Show ten held-out clips moving, as contact sheets.')
    parser.add_argument('--data', type=Path, required=True, help='corpora folder')
    parser.add_argument('--bundle', type=Path, help='bundle folder; default: the shipped one')
    parser.add_argument('--out', type=Path, default=Path('out/gallery'), help='folder of the PNG')
    parser.add_argument('--robot', default='humanoid', help='profile, by name or path')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--live', action='store_true', help='short windows, as the node runs')
    parser.add_argument('--teacher', action='store_true',
                        help='show what bundles learn from instead of a bundle')
    parser.add_argument('--docs', type=Path, metavar='DIR',
                        help='also write small sheets into DIR/gallery and the table of '
                        'DIR/gallery.md')
    parser.add_argument('--clips', nargs='+', metavar='NAME', help='only these; default: all ten')
    parser.add_argument('--keep', action='store_true',
                        help='draw motion again that an earlier run left in OUT/motion')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Make the gallery; return 0, or 1 after an error a user can cause."""
    options = make_parser().parse_args(arguments)
    try:
        report = make_gallery(options)
    except GestureError as error:
        print(f'gallery: error: {error}', file=sys.stderr)
        return 1
    if not report['clips']:
        print(f'gallery: error: no clip is named {", ".join(options.clips or [])}',
              file=sys.stderr)
        return 1
    print(f'{options.out / "overview.png"}: {len(report["clips"])} clips in '
          f'{report["duration_s"]:.0f} s')
    return 0


if __name__ == '__main__':
    sys.exit(main())
