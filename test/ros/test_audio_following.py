"""A topic whose publisher dies and comes back as something else, with real ROS processes."""
from __future__ import annotations

from collections.abc import Callable, Iterator
import importlib.util
import json
import os
from pathlib import Path
import queue
import subprocess
import sys
import threading
import time
from typing import Any

from processes import environment
import pytest

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
WORLD = Path(__file__).with_name('audio_following_world.py')
LIMIT_S = 90.0
NAMES = {'int16': 'Int16', 'float32': 'Float32', 'int32': 'Int32'}


def surroundings() -> dict[str, str]:
    return environment(130 + os.getpid() % 90)


class Listener:
    """The listening process; what it hears comes line by line."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(WORLD), 'listen', '--ros-args', '-p',
             'qos_overrides./audio.subscription.depth:=77'],
            env=surroundings(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.voice: subprocess.Popen[str] | None = None
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first line that holds."""
        end = time.monotonic() + LIMIT_S
        while True:
            line = self.lines.get(timeout=max(0.1, end - time.monotonic()))
            if holds(line):
                return line

    def speak(self, key: str, rate: int, channels: int, hz: int,
              reliability: str = 'RELIABLE') -> None:
        """Replace the voice, killed without a word, by another one, and hear it."""
        self.silence()
        self.voice = subprocess.Popen(
            [sys.executable, str(WORLD), 'speak', key, str(rate), str(channels), str(hz),
             reliability], env=surroundings(), text=True)
        wanted = f'std_msgs/msg/{NAMES[key]}MultiArray'
        self.until(lambda line: line['type'] == wanted and line['rate'] == rate
                   and abs(line['hz'] - hz) < 60)

    def silence(self) -> None:
        if self.voice is not None:
            self.voice.kill()
            self.voice.wait()

    def end(self) -> tuple[dict[str, Any], str]:
        """Close the listener; return its report and its log."""
        self.silence()
        assert self.process.stdin is not None and self.process.stderr is not None
        self.process.stdin.close()
        report = self.until(lambda line: 'said' in line)
        log = self.process.stderr.read()
        self.process.wait(timeout=30.0)
        return report, log


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.silence()
    running.process.kill()


def test_a_voice_that_is_killed_and_comes_back_as_anything_is_heard(listener: Listener) -> None:
    listener.speak('int16', 16_000, 1, 400)
    listener.speak('int16', 48_000, 2, 700)
    listener.speak('float32', 16_000, 1, 1_000)
    listener.speak('int32', 22_050, 2, 500, 'BEST_EFFORT')
    listener.speak('int16', 8_000, 1, 900)
    report, log = listener.end()
    assert listener.process.returncode == 0 and 'Traceback' not in log
    switched = [name for name, before in zip(report['types'], ['', *report['types']])
                if name != before]
    assert [name.split('/')[-1] for name in switched] == [
        'Int16MultiArray', 'Float32MultiArray', 'Int32MultiArray', 'Int16MultiArray']
    assert len(report['said']) == len({words.split(',')[0] for words in report['said']}) <= 2
    assert all('several types' in words or 'changed from' in words for words in report['said'])
    assert report['depth'] == 77
