"""Parameters of the ``trajectory_player`` executable. Knows no ROS."""
from __future__ import annotations

from dataclasses import dataclass

from ..config import check, param

PROFILE_KIND = 'profile'
KINDS = (PROFILE_KIND, 'joint_state', 'float64_multi_array')


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayerConfig:
    """Which robot ``trajectory_player`` writes to, what it writes, and how often."""

    robot: str = param('humanoid', 'Name of a profile in config/robots or path of a profile YAML.',
                       read_only=True)
    kind: str = param(
        PROFILE_KIND, 'What is written: the adapters that the profile names, or all its joints in '
                      'one message of a common type.', choices=KINDS, read_only=True)
    topic: str = param('joint_commands', 'Where the message goes; unused with kind profile, which '
                                         'has topics of its own.', read_only=True)
    unit: str = param('rad', 'Unit of the positions; unused with kind profile.',
                      choices=('rad', 'deg'), read_only=True)
    rate_hz: float = param(0.0, 'Messages per second; 0 takes what the profile says, and 100 '
                                'where it says nothing.', unit='Hz', bounds=(0.0, 500.0),
                           read_only=True)
    stale_s: float = param(
        0.5, 'A robot that still moves so long after the last trajectory is reported as starved; '
             '0 never reports, for planners that send a whole motion at once.', unit='s',
        bounds=(0.0, 10.0), read_only=True)
    weight_ramp_s: float = param(
        2.0, 'Time in which the weight of the commands against those of the maker goes from 0 to '
             '1, and back at the end; only of adapters with a blend motor.', unit='s',
        bounds=(0.5, 10.0), read_only=True)
    diagnostics_hz: float = param(1.0, 'Rate of /diagnostics.', unit='Hz', bounds=(0.1, 10.0),
                                  read_only=True)

    def __post_init__(self) -> None:
        check(self)
