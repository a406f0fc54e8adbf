"""The script of the dialogue soak: lives of a node, and what happens in them, from one seed."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

STOPS_IN_A_ROW = 7
SPEED = 2.0


@dataclass(frozen=True)
class Life:
    """One process of the node.

    Attributes:
        seconds: how long it lives, on the clock on the wall.
        speed: simulated seconds in one of those; 0 is without simulated time.
        ending: ``kill`` or ``interrupt`` (SIGINT).
        parameters: of the node, beside those of all lives.
    """

    seconds: float
    speed: float
    ending: str
    parameters: tuple[str, ...] = ()

    @property
    def delay_s(self) -> float:
        """The presentation delay [s]."""
        return 0.8 if self.speed <= 1.0 else 1.6

    @property
    def settings(self) -> tuple[str, ...]:
        """All parameters; a simulated controller gets messages later than a real one."""
        horizon_s = 0.15 * self.speed if self.speed else 0.06
        return (*self.parameters, f'use_sim_time:={"true" if self.speed else "false"}',
                f'output.presentation_delay_s:={self.delay_s}',
                f'output.frozen_horizon_s:={horizon_s}')


@dataclass(frozen=True)
class Event:
    """One thing that happens; ``value`` lies in [0, 1) and says how much of it."""

    kind: str
    value: float


EVERYWHERE = ('talk', 'talk', 'talk_in_noise', 'listen', 'noise', 'pause', *('stops',) * 3,
              *('interrupts',) * 2, 'barge_in', 'loss_and_jitter', 'loss_and_jitter',
              'voice_dies', 'type_changes', 'rate_changes', 'joints_stale', 'worker_stalls',
              'worker_stalls_long', 'window_fails', 'node_suspended', 'parameters', 'parameters',
              'yields', 'gesture')
ON_THE_WALL = ('voice_killed', 'speech_at_once')
SIMULATED = ('clock_forwards', 'clock_backwards', 'clock_pauses')


def lives(seconds: float) -> list[Life]:
    """Return the lives of a campaign of so many seconds on the clock on the wall.

    Most of it is at doubled speed: 4200 s hold two hours of dialogue.
    """
    idle = 'dialogue.motion_budget_rad:=0.02'
    shares = ((0.10, 0.0, 'kill', ()), (0.36, SPEED, 'kill', ()), (0.05, 0.0, 'kill', (idle,)),
              (0.05, 1.0, 'interrupt', ()), (0.08, 0.0, 'kill', (idle,)),
              (0.36, SPEED, 'interrupt', ()))
    return [Life(share * seconds, speed, ending, parameters)
            for share, speed, ending, parameters in shares]


def events(life: Life, random: np.random.Generator) -> Iterator[Event]:
    """Yield events without end: all kinds in another order again and again."""
    kinds = (*EVERYWHERE, *(SIMULATED if life.speed else ON_THE_WALL))
    while True:
        for number in random.permutation(len(kinds)):
            yield Event(kinds[number], float(random.uniform()))
