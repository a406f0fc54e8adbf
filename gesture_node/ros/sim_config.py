"""Parameters of the ``gesture_sim`` executable. Knows no ROS."""
from __future__ import annotations

from dataclasses import dataclass

from ..config import check, param


@dataclass(frozen=True, kw_only=True, slots=True)
class SimConfig:
    """Which robot ``gesture_sim`` simulates, how its controller behaves, what it keeps."""

    robot: str = param('humanoid', 'Name of a profile in config/robots or path of a profile YAML.',
                       read_only=True)
    update_hz: float = param(200.0, 'Rate of the simulated trajectory controller.', unit='Hz',
                             bounds=(100.0, 1_000.0), read_only=True)
    joint_states_hz: float = param(100.0, 'Rate of joint_states.', unit='Hz',
                                   bounds=(10.0, 500.0), read_only=True)
    state_before: str = param(
        'measured', 'From where a trajectory that begins in the future is approached: the '
                    'measured state as controllers do by default, or the desired one '
                    '(interpolate_from_desired_state).', choices=('measured', 'desired'),
        read_only=True)
    allow_nonzero_velocity_at_trajectory_end: bool = param(
        False, 'Accept trajectories that do not end at rest, as controllers of Humble do.',
        read_only=True)
    duration_s: float = param(0.0, 'End the process after this time; 0 runs until it is stopped.',
                              unit='s', bounds=(0.0, 86_400.0), read_only=True)
    record: str = param('', 'File for what was recorded (.npz), or a folder for '
                            'sim_recording.npz; empty keeps nothing.', read_only=True)
    max_record_s: float = param(900.0, 'Longest recording; what comes later is counted, not kept.',
                                unit='s', bounds=(1.0, 7_200.0), read_only=True)
    video: str = param('', 'MP4 to make of the recording at the end; empty makes none.',
                       read_only=True)
    video_hz: int = param(25, 'Pictures per second of the video.', unit='Hz', bounds=(10, 60),
                          read_only=True)
    title: str = param('', "Title in the video; empty takes the robot's name.", read_only=True)
    caption: str = param('', 'Lines below the face in the video, separated by "|".',
                         read_only=True)

    def __post_init__(self) -> None:
        check(self)
