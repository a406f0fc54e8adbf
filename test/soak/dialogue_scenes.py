"""What happens to the node in the dialogue soak, one method for each kind of event."""
from __future__ import annotations

import sys
import time

from dialogue_acts import DELAY, MOVING_RAD_S
from dialogue_audit import NS, StopSeen
from dialogue_faults import Faults
from dialogue_script import Event, STOPS_IN_A_ROW
from std_msgs.msg import String
from std_srvs.srv import Trigger

GESTURES = ('greet', 'shrug', 'yes', 'no', 'think', 'point_at 1.0 0.3 1.2', 'nonsense')
TEMPORARY: dict[str, tuple[object, object]] = {
    'body.amplitude': (0.7, 1.0), 'limits.scale': (0.5, 1.0), 'body.hop_s': (0.32, 0.2),
    'limits.hand_speed_m_s': (0.25, 10.0), 'seed': (7, 0), 'face.lip_strength': (0.5, 1.0),
    'dialogue.nod_rad': (0.2, 0.09), 'body.steps': (1, 0), 'interruptible': (True, False)}
REFUSED: tuple[tuple[str, object], ...] = (
    ('body.amplitude', 99.0), ('robot', 'nao'), ('output.presentation_delay_s', 0.1),
    ('body.hop_s', 0.21), ('no.such.parameter', 1))


class Scenes(Faults):
    """Everything that can happen."""

    def play(self, event: Event) -> None:
        """Let an event happen, and leave a robot behind that is ready for the next one."""
        self.played[event.kind] += 1
        memory_mb = self.node.rss_mb[-1][1] if self.node.rss_mb else 0.0
        print(f'{time.time():.3f} life {self.node.number}, {memory_mb:.0f} MB: {event.kind} '
              f'{event.value:.2f}', file=sys.stderr, flush=True)
        getattr(self, event.kind)(event.value)

    def talk(self, value: float) -> None:
        self._speak()
        self.world.run(3.0 + 5.0 * value)
        self._fall_silent()

    def talk_in_noise(self, value: float) -> None:
        self._speak(noise_db=3.0 + 20.0 * value)
        self.world.run(4.0)
        self._fall_silent()

    def pause(self, value: float) -> None:
        self.world.run(1.0 + 2.0 * value)

    def listen(self, value: float) -> None:
        self.world.other.talk(lambda: self.sounds.speech(2.0))
        self.world.run(3.0 + 3.0 * value)
        self.world.other.hush()
        self.world.run(1.0)

    def noise(self, value: float) -> None:
        self.world.other.talk(lambda: self.sounds.noise(2.0) * (0.1 + 0.9 * value))
        self.world.run(3.0)
        self.world.other.hush()

    def speech_at_once(self, value: float) -> None:
        self.world.voice.say_at_once(self.sounds.speech(2.0 + 4.0 * value))
        self._expect(lambda: self.world.state == 'speaking', 'speech from one message')
        self.world.run(1.0)
        self._fall_silent()

    def gesture(self, value: float) -> None:
        self._speak()
        self.world.run(1.0)
        self.world.requests.publish(String(data=GESTURES[int(value * len(GESTURES))]))
        self.world.run(2.0)
        self._fall_silent()

    def yields(self, value: float) -> None:
        self._speak()
        self._until_moving()
        words = ('head', 'left_arm', 'right_arm head')[int(value * 3)]
        self.world.yields.publish(String(data=words))
        self.world.run(1.5)
        self.world.yields.publish(String(data='none'))
        self.world.run(1.5)
        self._fall_silent()

    def parameters(self, value: float) -> None:
        changes = {**TEMPORARY, DELAY: (self.life.delay_s + 0.1, self.life.delay_s)}
        name = list(changes)[int(value * len(changes))]
        changed, usual = changes[name]
        self._set(name, changed)
        wrong = REFUSED[int(value * 1_000) % len(REFUSED)]
        if self._set(*wrong):
            self.in_vain.append(f'{wrong[0]} = {wrong[1]} was not refused')
        self._recovery('parameters', lambda: None)
        self.world.run(1.5)
        self._set(name, usual)
        self._fall_silent()

    def stops(self, value: float) -> None:
        for _ in range(STOPS_IN_A_ROW):
            stop = self._broken_off('stop', self.world.random.uniform(0.0, 0.5), True)
            if stop is not None:
                self.seen_stops.append(stop)
            self.world.run(0.3 * value)
            self._trigger('reset')

    def interrupts(self, value: float) -> None:
        for _ in range(STOPS_IN_A_ROW):
            found = self._broken_off('interrupt', self.world.random.uniform(0.0, 0.5), False)
            if found is not None:
                self.seen_stops.append(found)
            self.world.run(0.8)

    def barge_in(self, value: float) -> None:
        self._set('interruptible', True)
        self._speak()
        self._until_moving()
        began_ns = time.monotonic_ns()
        self.world.other.talk(lambda: self.sounds.speech(2.0))
        if self._expect(lambda: self._was('interrupted', began_ns), 'a barge-in'):
            at_ns = next(at for at, word in self.world.states
                         if word == 'interrupted' and at >= began_ns)
            self.detections_s.append((at_ns - began_ns) / NS * max(self.life.speed, 1.0))
        self.world.voice.hush()
        self.world.run(1.0 + value)
        self.world.other.hush()
        self._set('interruptible', False)
        self.world.run(1.0)

    def _broken_off(self, service: str, wait_s: float, is_final: bool) -> StopSeen | None:
        """Stop or interrupt speech somewhere in a gesture; return how that went."""
        self._speak()
        if not self._until_moving():
            return None
        world = self.world
        world.run(2.0 * wait_s)
        fast_rad_s = MOVING_RAD_S * (1.0 + 6.0 * wait_s)
        world.until(lambda: world.speed_rad_s() > fast_rad_s, 2.0)
        if world.state != 'speaking' or not world.plans:
            return None
        # Finding a service for the first time is no part of a stop.
        world.until(world.client(Trigger, service).service_is_ready, 2.0)
        before, asked_ns, asked_steady_ns = world.plans[-1], world.now_ns(), time.monotonic_ns()
        if not self._trigger(service):
            self.in_vain.append(f'{service} was not answered')
            return None
        world.voice.hush()
        world.run(0.6)
        after = [plan for plan in world.plans if plan.steady_ns >= asked_steady_ns]
        if self.life.speed:
            # Times of the wall and of the simulation are not to be mixed.
            return None
        return StopSeen(before, after, asked_ns, asked_steady_ns, is_final)

    def _was(self, word: str, since_ns: int) -> bool:
        return any(at_ns >= since_ns and state == word for at_ns, state in self.world.states)
