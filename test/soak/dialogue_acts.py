"""What scenes of the dialogue soak are made of: speaking, waiting, asking, looking."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable
import sys
import time

from dialogue_audit import NS, StopSeen
from dialogue_process import NodeProcess
from dialogue_script import Life
from dialogue_sounds import Sounds
from dialogue_world import World
import numpy as np
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

MOVING_RAD_S = 0.3
FOLLOWS_RAD_S = 0.01
LIMIT_S = 20.0
REST_RAD = 1e-5
TAIL_S = 0.6
DELAY = 'output.presentation_delay_s'


class Acts:
    """Acts on one life of a node at a time, and notes how fast all is well again after a fault.

    Args:
        world: everything around the node.
        sounds: what is said.
    """

    def __init__(self, world: World, sounds: Sounds) -> None:
        self.world, self.sounds = world, sounds
        self.node: NodeProcess
        self.life: Life
        self.delay_s = 0.0
        self.played: Counter[str] = Counter()
        self.in_vain: list[str] = []
        self.recoveries: list[tuple[str, float, float, float]] = []
        self.seen_stops: list[StopSeen] = []
        self.detections_s: list[float] = []
        self.moving_at_rest: list[str] = []

    def _fall_silent(self) -> None:
        """Hush; sometimes wait for rest, since mostly somebody speaks again before."""
        self.world.voice.hush()
        if self.world.random.uniform() < 0.3:
            self._expect(lambda: self.world.state in ('idle', 'listening'), 'rest')
        else:
            self.world.run(0.4)

    def _speak(self, noise_db: float | None = None) -> None:
        if not self.world.voice.is_open:
            self.world.voice.open()
        self.world.voice.talk(lambda: self.sounds.speech(2.0, noise_db))

    def _until_moving(self) -> bool:
        return self._expect(lambda: self.world.state == 'speaking'
                            and self.world.speed_rad_s() > MOVING_RAD_S, 'motion')

    def _expect(self, holds: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> bool:
        if self.node.has_crashed or not self.world.until(holds, limit_s):
            self.in_vain.append(f'{what} after {dict(self.played)} in life {self.node.number}, '
                                f'state {self.world.state}')
            return False
        return True

    def _recovery(self, kind: str, mend: Callable[[], None]) -> None:
        """End a fault; note the time until the first plan that follows sound from after it."""
        world = self.world
        mend()
        mended_s, mended_ns, count = time.monotonic(), world.now_ns(), len(world.plans)
        if not world.voice.is_talking or not world.voice.is_open:
            self._speak()
        # What a plan holds beyond this is more than its tail, which only guesses.
        due_ns = mended_ns + round((self.delay_s + TAIL_S) * NS)
        newest = world.plans[-1] if count else None

        def follows() -> bool:
            plan = world.plans[-1] if world.plans else None
            return plan is not None and plan is not newest and plan.moves_after(
                due_ns, FOLLOWS_RAD_S)

        if self._expect(follows, f'recovery from {kind}'):
            plan = world.plans[-1]
            self.recoveries.append((kind, (plan.arrival_ns - mended_ns) / NS,
                                    plan.steady_ns / NS - mended_s, self.life.speed))
            print(f'  well again after {self.recoveries[-1]}', file=sys.stderr, flush=True)
            world.run(0.5)

    def _check_rest(self, kind: str, waits: bool = True) -> None:
        """Note if the robot still moves although its last plan is over.

        Args:
            kind: of the fault.
            waits: whether to wait for the end of the plan; without, one that goes on is no fault.
        """
        world = self.world
        if waits:
            world.until(world.is_over, LIMIT_S)
        before = world.position.copy()
        was_over, count = world.is_over(), len(world.plans)
        world.run(0.05)
        if was_over and len(world.plans) == count and (
                np.abs(world.position - before).max() > REST_RAD):
            self.moving_at_rest.append(kind)

    def _trigger(self, name: str) -> bool:
        answer = self.world.call(Trigger, name, Trigger.Request())
        return answer is not None and bool(answer.success)

    def _set(self, name: str, value: object) -> bool:
        request = SetParameters.Request(
            parameters=[Parameter(name, value=value).to_parameter_msg()])
        answer = self.world.call(SetParameters, 'set_parameters', request)
        if answer is None:
            self.in_vain.append(f'parameter {name} was not answered')
            return False
        done = bool(answer.results[0].successful)
        if done and name == DELAY:
            # Taken when the robot rests; until then recoveries are judged by the longer one.
            self.delay_s = max(self.delay_s, float(str(value)))
        return done
