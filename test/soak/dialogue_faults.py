"""Faults of the dialogue soak, one method for each kind; all end with a recovery."""
from __future__ import annotations

from pathlib import Path
import signal
import subprocess
import sys
import time

from dialogue_acts import Acts, LIMIT_S

TYPES = ('int16', 'float32', 'int32', 'int8', 'float64')
RATES_HZ = (8_000, 16_000, 22_050, 44_100, 48_000)
DYING_VOICE = Path(__file__).with_name('dying_voice.py')


class Faults(Acts):
    """What goes wrong around a node, and in it."""

    def loss_and_jitter(self, value: float) -> None:
        voice = self.world.voice
        voice.loss, voice.jitter_s = 0.05, 0.2 * max(value, 0.3)
        self._speak()
        self.world.run(6.0)

        def mend() -> None:
            voice.loss = voice.jitter_s = 0.0

        self._recovery('loss_and_jitter', mend)
        self._fall_silent()

    def voice_dies(self, value: float) -> None:
        self._speak()
        self._until_moving()
        self.world.voice.close()
        self.world.run(0.2 + 2.5 * value)
        self._recovery('voice_dies', lambda: self.world.voice.open(self.world.voice.key))
        self._fall_silent()

    def voice_killed(self, value: float) -> None:
        """Another process speaks and is killed; it stays in the graph for a while."""
        self.world.voice.close()
        talker = subprocess.Popen([sys.executable, str(DYING_VOICE)])
        self._expect(lambda: self.world.state == 'speaking', 'speech of another process')
        self.world.run(1.0)
        talker.kill()
        talker.wait()
        self._recovery('voice_killed', lambda: self.world.voice.open(
            TYPES[int(value * len(TYPES))]))
        self._fall_silent()

    def type_changes(self, value: float) -> None:
        self._speak()
        self._until_moving()
        others = [key for key in TYPES if key != self.world.voice.key]
        self._recovery('type_changes', lambda: self.world.voice.open(
            others[int(value * len(others))]))
        self._fall_silent()

    def rate_changes(self, value: float) -> None:
        self._speak()
        self._until_moving()

        def change() -> None:
            self.world.voice.rate_hz = RATES_HZ[int(value * len(RATES_HZ))]

        self._recovery('rate_changes', change)
        self.world.run(1.0)
        self._fall_silent()

    def joints_stale(self, value: float) -> None:
        self._speak()
        self._until_moving()
        self.world.is_measured = False
        self.world.run(2.0 + 2.0 * value)
        self._check_rest('joints_stale')

        def mend() -> None:
            self.world.is_measured = True

        self._recovery('joints_stale', mend)
        self._fall_silent()

    def worker_stalls(self, value: float) -> None:
        self._stall('worker_stalls', signal.SIGUSR1)

    def worker_stalls_long(self, value: float) -> None:
        self._stall('worker_stalls_long', signal.SIGUSR2)

    def window_fails(self, value: float) -> None:
        self._harm('window_fails', signal.SIGRTMIN, 'failed')
        self._fall_silent()

    def node_suspended(self, value: float) -> None:
        self._speak()
        self._until_moving()
        self.node.harm(signal.SIGSTOP)
        self.world.run(2.0)
        self._check_rest('node_suspended')
        self._recovery('node_suspended', lambda: self.node.harm(signal.SIGCONT))
        self._fall_silent()

    def clock_forwards(self, value: float) -> None:
        self._jump('clock_forwards', 4.0 + 600.0 * value)

    def clock_backwards(self, value: float) -> None:
        self._jump('clock_backwards', -(1.0 + 100.0 * value))

    def clock_pauses(self, value: float) -> None:
        self._speak()
        self._until_moving()
        self.world.is_clock_running = False
        end_s = time.monotonic() + 0.5 + 2.0 * value
        self.world.until(lambda: time.monotonic() > end_s, LIMIT_S)

        def mend() -> None:
            self.world.is_clock_running = True

        self._recovery('clock_pauses', mend)
        self._fall_silent()

    def born(self) -> bool:
        """Wait until a node that was started is ready, and see how soon it follows speech."""
        if not self._expect(lambda: self.world.state == 'idle', 'the node', 60.0):
            return False
        self.delay_s = self.life.delay_s
        self._recovery('restart', lambda: None)
        self._fall_silent()
        return True

    def _harm(self, kind: str, number: signal.Signals, word: str) -> None:
        self._speak()
        self._until_moving()
        count = self.node.words().count(word)
        self.node.harm(number)
        if self._expect(lambda: self.node.words().count(word) > count, f'{kind}: {word}'):
            self._recovery(kind, lambda: None)

    def _stall(self, kind: str, number: signal.Signals) -> None:
        self._speak()
        self._until_moving()
        count = self.node.words().count('back')
        self.node.harm(number)
        began_s = time.monotonic()
        self.world.until(lambda: time.monotonic() > began_s + 1.9, LIMIT_S)
        self._check_rest(kind, waits=False)
        if self._expect(lambda: self.node.words().count('back') > count, f'{kind}: back'):
            self._recovery(kind, lambda: None)
        self._fall_silent()

    def _jump(self, kind: str, seconds: float) -> None:
        self._speak()
        self._until_moving()
        self.world.voice.hush()

        def jump() -> None:
            self.world.jump(seconds)
            self._speak()

        self._recovery(kind, jump)
        self._fall_silent()
