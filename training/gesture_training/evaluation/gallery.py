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

import numpy as np
from numpy.typing import NDArray
from PIL import Image

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
from gesture_node.sim.face_view import FaceView
from gesture_node.sim.render import make_renderer, RobotRenderer
from gesture_node.sim.tracks import Track
from gesture_node.timeline import BODY_RATE_HZ, FACE_RATE_HZ, KNOT_RATE_HZ

from ..corpora.coarticulation import articulate
from .gallery_clips import gallery_clips, GalleryClip
from .gallery_moments import choose_moments, CLOSURE, Moment
from .gallery_motion import BundleMover, ClipMotion, Mover, TeacherMover
from .gallery_sheet import contact_sheet, Curves, draw_skeleton, Frame, overview_sheet

Array = NDArray[np.float64]
SIZE_PX, OVERVIEW_PX = 240, 112
SHORT_CLIP_S = 5.0
_LIDS = [BLENDSHAPE_INDEX['eyeBlinkLeft'], BLENDSHAPE_INDEX['eyeBlinkRight']]
_WRISTS = [JOINT_INDEX['left_wrist'], JOINT_INDEX['right_wrist']]
_COLOURS = 160
_OVERVIEW_FRAMES = 5


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

    def frame(self, motion: ClipMotion, moment: Moment, good: bool | None) -> Frame:
        """Return body, with the canonical skeleton in its corner, and face at a moment."""
        body, face = (_track(values, KNOT_RATE_HZ).at(moment.time_s)
                      for values in (motion.positions, motion.weights))
        pose = motion.poses[min(round(moment.time_s * BODY_RATE_HZ), len(motion.poses) - 1)]
        picture = draw_skeleton(Image.fromarray(self._robot.render(body)), pose)
        return Frame(moment, picture, Image.fromarray(self._face.draw(face)), good)

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


def is_shut(curves: Curves, time_s: float) -> bool:
    """Return whether the lips close within 40 ms of a time: a closure that is reached."""
    reach = round(CLOSURE_TOLERANCE_S * FACE_RATE_HZ)
    middle = round(time_s * FACE_RATE_HZ)
    near = curves.aperture[max(middle - reach, 0):middle + reach + 1]
    return bool(near.min(initial=np.inf) < CLOSURE_SHARE * curves.vowel_median)


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
    moments = choose_moments(clip.segments, curves.accents_s.tolist(), clip.duration_s, count)
    frames = [studio.frame(motion, moment,
                           is_shut(curves, moment.time_s) if moment.kind == CLOSURE else None)
              for moment in moments]
    words = ', '.join(f'{name} {value}' for name, value in in_words(figures).items())
    return contact_sheet(clip.title, (heading, words), frames, curves), frames, figures


def in_words(figures: dict[str, Any]) -> dict[str, str]:
    """Return the figures of a clip as they stand on the sheets."""
    head = '/'.join(f'{value:.0f}' for value in figures['head_spread_deg'])
    reached = round(figures['reached'] * figures['closures']) if figures['closures'] else 0
    return {
        'p b m shut': f'{reached} of {figures["closures"]}',
        'silence': f'{100 * figures["silence_ratio"]:.0f} %',
        'beats, accents/min': f'{figures["beats_per_min"]:.0f}, '
                              f'{figures["accents_per_min"]:.0f}',
        'wrists l, r m/s': f'{figures["left_wrist_m_s"]:.2f}, {figures["right_wrist_m_s"]:.2f}',
        'blinks/min': f'{figures["blinks_per_min"]:.0f}',
        'head deg': head or 'none',
        'clearance mm': f'{figures["clearance_mm"]:.0f}'}


def write_picture(picture: Image.Image, path: Path) -> None:
    """Write a PNG of few colours: a tenth of the size, and nobody sees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    few = picture.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


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
    found: dict[str, dict[str, Any]] = {}
    rows: list[tuple[str, dict[str, str], Sequence[Frame]]] = []
    try:
        for clip in gallery_clips(options.data, options.clips or ()):
            store = options.out / 'motion' / f'{clip.name}_{profile.name}_{mover.key}.npz'
            if options.keep and store.is_file():
                motion = ClipMotion.load(store)
            else:
                motion = mover.move(clip)
                motion.save(store)
            sheet, frames, found[clip.name] = show_clip(clip, motion, studio, observer, heading)
            write_picture(sheet, options.out / f'{clip.name}.png')
            rows.append((clip.name, in_words(found[clip.name]), _spread(frames)))
            print(f'{clip.name}: {time.monotonic() - begun_s:.0f} s', flush=True)
    finally:
        studio.close()
    if rows:
        write_picture(overview_sheet(heading, rows, OVERVIEW_PX), options.out / 'overview.png')
    report = {'moved_by': mover.label, 'robot': profile.name, 'clips': found,
              'duration_s': round(time.monotonic() - begun_s, 1)}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / 'gallery.json').write_text(json.dumps(report, indent=1) + '\n',
                                              encoding='utf-8')
    return report


def _spread(frames: Sequence[Frame]) -> list[Frame]:
    index = np.linspace(0, len(frames) - 1, _OVERVIEW_FRAMES).round().astype(int)
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
