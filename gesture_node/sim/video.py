"""Writes an MP4 of robot and face with the sound at its presentation time.

Everything is on one clock: joint positions, blendshape weights and the first sample of the sound
have times, and each picture shows the middle of the time for which it stands. The file begins at
the earliest of the three.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
import numpy as np
from numpy.typing import NDArray
from PIL import Image
import soxr

from ..exceptions import SimulationError
from ..motion.face import FACE_DIM, neutral_face
from .panel import SidePanel
from .panel import WIDTH as PANEL_WIDTH
from .render import make_renderer, RobotRenderer
from .tracks import Sound, Track

ROBOT_WIDTH, HEIGHT = 854, 720
_SOUND_RATE_HZ = 48_000
_VIDEO_CODECS = ('libx264', 'libopenh264', 'mpeg4')
_TAIL_S = 0.2

Progress = Callable[[int, int], None]
"""Called with the number of pictures done and of all pictures."""


@dataclass(frozen=True, slots=True)
class RobotMotion:
    """What the robot does.

    Attributes:
        urdf_path: the robot.
        joint_names: N joints.
        positions: their positions over time, values (T, N) [rad].
        rest: positions (N,) [rad] with the arms down, by which the camera is placed; the first
            positions without it.
    """

    urdf_path: Path
    joint_names: tuple[str, ...]
    positions: Track
    rest: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class VideoReport:
    """What was written.

    Attributes:
        path: the file.
        pictures: number of pictures.
        duration_s: length [s].
        start_s: time of the first picture on the clock of the motion [s].
        is_drawn: true when the robot is a drawn figure, for want of OpenGL.
    """

    path: Path
    pictures: int
    duration_s: float
    start_s: float
    is_drawn: bool


def write_video(path: Path | str, robot: RobotMotion | None, face: Track | None,
                sound: Sound | None, *, title: str = '', captions: Sequence[str] = (),
                rate_hz: int = 25, progress: Progress | None = None) -> VideoReport:
    """Write robot, face and sound as an MP4 (H.264 and AAC).

    Args:
        path: file to write; its folder is made if need be.
        robot: what the robot does; ``None`` shows the face alone.
        face: blendshape weights over time, values (F, 52) in [0, 1]; ``None`` keeps it neutral.
        sound: what is heard, and when.
        title: large line beside the robot.
        captions: small lines, such as bundle and seed.
        rate_hz: pictures per second.
        progress: told about every picture.

    Raises:
        SimulationError: there is nothing to show, the weights are not 52, or no encoder works.
        RobotError: the URDF is missing or lacks a joint.
    """
    tracks = [track for track in (robot.positions if robot else None, face) if track]
    if not tracks:
        raise SimulationError('a video needs joint positions or face weights, got neither')
    if face is not None and face.values.shape[1] != FACE_DIM:
        raise SimulationError(f'a face needs {FACE_DIM} weights, got {face.values.shape[1]}')
    start_s = min([float(track.times_s[0]) for track in tracks]
                  + ([sound.start_s] if sound else []))
    end_s = max([float(track.times_s[-1]) for track in tracks] + ([sound.end_s] if sound else []))
    pictures = max(1, int(np.ceil((end_s + _TAIL_S - start_s) * rate_hz)))
    panel = SidePanel(HEIGHT, title, captions, sound, start_s, end_s)
    renderer = None if robot is None else make_renderer(
        robot.urdf_path, robot.joint_names, ROBOT_WIDTH, HEIGHT, rest=_rest(robot))
    width = PANEL_WIDTH + (0 if robot is None else ROBOT_WIDTH)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _Mp4(path, width, HEIGHT, rate_hz, sound, start_s) as file:
            for index in range(pictures):
                time_s = start_s + (index + 0.5) / rate_hz
                weights = face.at(time_s) if face else neutral_face()
                file.add(_compose(renderer, robot, panel.draw(time_s, weights), time_s))
                if progress is not None:
                    progress(index + 1, pictures)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        if renderer is not None:
            renderer.close()
    return VideoReport(path, pictures, pictures / rate_hz, start_s,
                       is_drawn=renderer is not None and renderer.is_drawn)


def _rest(robot: RobotMotion) -> NDArray[np.float64]:
    if robot.rest is not None:
        return robot.rest
    return robot.positions.at(float(robot.positions.times_s[0]))


def _compose(renderer: RobotRenderer | None, robot: RobotMotion | None, panel: Image.Image,
             time_s: float) -> Image.Image:
    if renderer is None or robot is None:
        return panel
    picture = Image.new('RGB', (ROBOT_WIDTH + PANEL_WIDTH, HEIGHT))
    picture.paste(Image.fromarray(renderer.render(robot.positions.at(time_s))), (0, 0))
    picture.paste(panel, (ROBOT_WIDTH, 0))
    return picture


class _Mp4:
    """An MP4 under construction: pictures at a fixed rate, sound written along with them."""

    def __init__(self, path: Path, width: int, height: int, rate_hz: int, sound: Sound | None,
                 start_s: float) -> None:
        self._rate_hz = rate_hz
        self._pictures = 0
        try:
            self._container = av.open(str(path), 'w', format='mp4',
                                      options={'movflags': 'faststart'})
        except (OSError, av.error.FFmpegError) as error:
            raise SimulationError(f'cannot write the video {str(path)!r}: {error}') from error
        codec = next((name for name in _VIDEO_CODECS if name in av.codecs_available), None)
        if codec is None:
            raise SimulationError(f'PyAV has no video encoder; needs one of '
                                  f'{", ".join(_VIDEO_CODECS)}')
        self._video = cast(VideoStream, self._container.add_stream(codec, rate=rate_hz))
        self._video.width, self._video.height = width, height
        self._video.pix_fmt = 'yuv420p'
        if codec == 'libx264':
            self._video.options = {'crf': '21', 'preset': 'veryfast'}
        else:
            self._video.bit_rate = 3_000_000
        self._sound = None if sound is None else soxr.resample(
            sound.from_time(start_s), sound.sample_rate, _SOUND_RATE_HZ).astype(np.float32)
        self._heard = 0
        self._audio: AudioStream | None = None
        if self._sound is not None:
            self._audio = self._container.add_stream('aac', rate=_SOUND_RATE_HZ, layout='mono')
            self._audio.bit_rate = 96_000

    def __enter__(self) -> _Mp4:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._add_sound(None)
                self._container.mux(self._video.encode(None))
                if self._audio is not None:
                    self._container.mux(self._audio.encode(None))
        finally:
            self._container.close()

    def add(self, picture: Image.Image) -> None:
        """Append a picture, and the sound up to its end."""
        frame = av.VideoFrame.from_ndarray(np.asarray(picture), format='rgb24')
        frame.pts, frame.time_base = self._pictures, Fraction(1, self._rate_hz)
        self._pictures += 1
        self._container.mux(self._video.encode(frame))
        self._add_sound(self._pictures * _SOUND_RATE_HZ // self._rate_hz)

    def _add_sound(self, until: int | None) -> None:
        if self._sound is None or self._audio is None:
            return
        block = self._sound[self._heard:until]
        if not len(block):
            return
        frame = av.AudioFrame.from_ndarray(block[None, :], format='fltp', layout='mono')
        frame.sample_rate = _SOUND_RATE_HZ
        frame.pts, frame.time_base = self._heard, Fraction(1, _SOUND_RATE_HZ)
        self._heard += len(block)
        self._container.mux(self._audio.encode(frame))
