"""Makes a video of a recorded run: ``python -m gesture_node.sim.film RECORDING.npz VIDEO.mp4``."""
from __future__ import annotations

import argparse
from pathlib import Path
import sys

from ..exceptions import GestureError
from ..motion.robot import load_profile
from .recording import SimRecording
from .video import Progress, RobotMotion, VideoReport, write_video

_LEAD_S = 0.4
_TRAIL_S = 1.0


def film(recording: SimRecording, path: Path, *, rate_hz: int = 25,
         progress: Progress | None = None) -> VideoReport:
    """Write the video of a recorded run, from shortly before the sound to shortly after it.

    Args:
        recording: the run; its notes name robot, title and captions.
        path: file to write.
        rate_hz: pictures per second.
        progress: told about every picture.

    Raises:
        RobotError: the robot's profile or URDF cannot be read.
        SimulationError: the recording is empty or the video cannot be written.
    """
    profile = load_profile(recording.notes['robot'])
    span = _span(recording)
    motion, face, sound = recording.motion(), recording.face(), recording.heard()
    robot = RobotMotion(profile.urdf_path, recording.joint_names,
                        motion.between(*span) if span else motion, profile.rest_positions)
    return write_video(path, robot, face.between(*span) if face and span else face, sound,
                       title=recording.notes.get('title', '') or profile.name,
                       captions=recording.notes.get('captions', ()), rate_hz=rate_hz,
                       progress=progress)


def _span(recording: SimRecording) -> tuple[float, float] | None:
    """Return when to begin and end; ``None`` without sound, which shows everything."""
    sound = recording.heard()
    if sound is None:
        return None
    return sound.start_s - _LEAD_S, sound.end_s + _TRAIL_S


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog='python -m gesture_node.sim.film',
                                     description='Make a video of a recorded run.')
    parser.add_argument('recording', type=Path, help='sim_recording.npz of gesture_sim')
    parser.add_argument('video', type=Path, help='MP4 to write')
    parser.add_argument('--rate', type=int, default=25, help='pictures per second')
    options = parser.parse_args(arguments)
    try:
        report = film(SimRecording.load(options.recording), options.video, rate_hz=options.rate,
                      progress=_print_progress if sys.stderr.isatty() else None)
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    print(f'{report.path}: {report.duration_s:.1f} s, {report.pictures} pictures')
    return 0


def _print_progress(done: int, total: int) -> None:
    end = '\n' if done == total else ''
    print(f'\rvideo: {done} of {total} pictures', end=end, file=sys.stderr, flush=True)


if __name__ == '__main__':
    sys.exit(main())
