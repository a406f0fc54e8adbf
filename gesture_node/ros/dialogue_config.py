"""Parameters of the conversation: idle, listening, barge-in. Knows no ROS."""
from __future__ import annotations

from dataclasses import dataclass

from ..config import check, param


@dataclass(frozen=True, kw_only=True, slots=True)
class DialogueConfig:
    """What the robot does while it does not speak, and when it is interrupted."""

    motion_budget_rad: float = param(
        0.0, 'Largest turn of a joint of the skeleton away from the idle pose while idle: '
             'breathing, sway, posture shifts, gaze and blinks. 0 is perfectly still and leaves '
             'the robot to other nodes; 0.02 is lively enough.', unit='rad', bounds=(0.0, 0.2))
    listen: bool = param(True, 'Listen to audio_other: be attentive and nod while somebody else '
                               'speaks.', read_only=True)
    voices: bool = param(False, 'Listen to the voices that ROS4HRI tracks too; needs hri_msgs.',
                         read_only=True)
    nod_rad: float = param(0.09, 'How far the head goes down when a listener nods; 0 never nods, '
                                 'and with a motion budget of 0 listening then moves nothing.',
                           unit='rad', bounds=(0.0, 0.4))
    utterance_pause_s: float = param(
        0.6, 'After an interruption: silence or absence of audio after which what comes is '
             'another utterance; until then audio is dropped.', unit='s', bounds=(0.0, 10.0))
    stop_retracts: bool = param(False, '~/stop leads to the idle pose after the brake; false '
                                       'stays where the brake ended.')

    def __post_init__(self) -> None:
        check(self)
