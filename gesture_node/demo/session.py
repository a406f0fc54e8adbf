"""One run: source, node, simulator and recorder as processes on a domain of their own.

::

    audio_source --audio--> gesture_node --joint_trajectory, face/*, audio_out--> gesture_sim
                                  ^---------------- joint_states ----------------------'
    recorder: hears everything and writes recording.mcap
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import sys
import time

from ..config import OutputConfig
from ..sim.model import FOLLOW_LAG_S
from .domain import environment, free_domain
from .processes import ProcessGroup

_READY_S = 60.0
_SLACK_S = 60.0
_SETTLE_S = 3.5
_FILM_S_PER_S, _FILM_S = 12.0, 120.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What to play, with which robot, and where the results go.

    Attributes:
        audio: sound file.
        audio_s: its length [s].
        robot: profile, name or path.
        bundle: folder of the bundle; empty takes the shipped one.
        seed: of the motion.
        out: folder for the results.
        captions: lines shown in the video.
    """

    audio: Path
    audio_s: float
    robot: str
    bundle: str
    seed: int
    out: Path
    captions: tuple[str, ...]

    @property
    def recording(self) -> Path:
        """What was said on every topic."""
        return self.out / 'recording.mcap'

    @property
    def video(self) -> Path:
        """Robot, face and sound."""
        return self.out / 'video.mp4'

    @property
    def simulation(self) -> Path:
        """What the simulated robot did."""
        return self.out / 'simulation.npz'


def run_session(plan: DemoPlan, say: Say) -> float:
    """Play the sound through the processes until the robot is at rest again.

    Args:
        plan: what to do; ``plan.out`` exists.
        say: told what happens, in words.

    Returns:
        Time from the start of the node's process to its being ready [s].

    Raises:
        SimulationError: a process ended with an error, or did not do its part in time.
    """
    domain = free_domain()
    logs = plan.out / 'logs'
    logs.mkdir(exist_ok=True)
    with ProcessGroup(environment(domain), logs) as group:
        say(f'starting gesture_node, gesture_sim and a recorder on ROS domain {domain}')
        group.start('recorder', _python('gesture_node.ros.recorder', str(plan.recording)))
        group.start('gesture_sim', _python(
            'gesture_node.ros.sim_node', *_parameters({
                'robot': plan.robot, 'record': str(plan.simulation), 'video': str(plan.video),
                'caption': '|'.join(plan.captions)})))
        group.wait_for_log('gesture_sim', 'simulating', _READY_S)
        begun_s = time.monotonic()
        group.start('gesture_node', _python(
            'gesture_node.ros.node', *_parameters({
                'robot': plan.robot, 'seed': plan.seed, 'body.lead_s': FOLLOW_LAG_S,
                **({'bundle': plan.bundle} if plan.bundle else {})})))
        group.wait_for_log('gesture_node', 'robot', _READY_S)
        ready_s = time.monotonic() - begun_s
        say(f'playing {plan.audio} ({plan.audio_s:.1f} s)')
        # The source waits for the node and the recorder, so that neither misses the beginning.
        group.start('audio_source', _python(
            'gesture_node.ros.audio_source', *_parameters({
                'file': str(plan.audio), 'wait_subscribers': 2, 'start_delay_s': 1.0})))
        group.wait_for_end('audio_source', plan.audio_s + _SLACK_S)
        group.wait(OutputConfig().presentation_delay_s + _SETTLE_S)
        group.interrupt('gesture_node', _READY_S)
        group.interrupt('recorder', _READY_S)
        say('making the video')
        group.interrupt('gesture_sim', _FILM_S + _FILM_S_PER_S * plan.audio_s)
        for line in group.lines_with('gesture_sim', 'drawn as a plain figure'):
            say(line)
    return ready_s


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, '-m', module, *arguments]


def _parameters(values: dict[str, str | int | float]) -> list[str]:
    """Return ROS arguments; strings are quoted so that YAML does not take them for numbers."""
    arguments = ['--ros-args']
    for name, value in values.items():
        quoted = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else value
        arguments += ['-p', f'{name}:={quoted}']
    return arguments
