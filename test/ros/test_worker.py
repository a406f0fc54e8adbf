"""The worker thread: it goes on whatever happens, and says each cause once."""
from threading import Timer
import time
from types import SimpleNamespace

import pytest

from gesture_node.latency import LatencyTracker
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_messages import AudioPacket
from gesture_node.ros.inbox import AudioInbox, ReceivedAudio
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.stream_driver import State
from gesture_node.ros.worker import GestureWorker

AUDIO = ReceivedAudio(AudioPacket(b'12', AudioFormat(), None, True), None, 1)


class Driver:
    """Records what the worker does; fails when told to."""

    def __init__(self):
        self.state = State.IDLE
        self.stream = SimpleNamespace(latency=LatencyTracker())
        self.heard, self.failed, self.jumps, self.ticks = [], 0, 0, 0
        self.error = None
        self.is_busy = False

    def hear(self, audio, now_ns):
        self.heard.append(audio)

    def tick(self, now_ns):
        self.ticks += 1
        if self.error is not None:
            raise self.error
        return False

    def fail(self, now_ns):
        self.failed += 1

    def forget_time(self):
        self.jumps += 1


class Bench:
    def __init__(self):
        self.driver, self.inbox, self.said = Driver(), AudioInbox(1_000), []
        self.now_ns = None
        self.worker = GestureWorker(
            self.driver, self.inbox,
            lambda: time.monotonic_ns() if self.now_ns is None else self.now_ns,
            ProblemLog(self.said.append))

    def until(self, holds):
        end = time.monotonic() + 30.0
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.002)


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    assert bench.worker.stop()


def test_audio_wakes_it(bench):
    bench.worker.start()
    bench.inbox.put(AUDIO)
    bench.until(lambda: bench.driver.heard == [AUDIO])
    assert not bench.worker.failed_recently


def test_an_error_is_said_once_and_the_thread_goes_on(bench):
    bench.driver.error = ValueError('matrix is singular\nand more')
    bench.worker.start()
    for _ in range(3):
        ticks = bench.driver.ticks
        bench.inbox.put(AUDIO)
        bench.until(lambda ticks=ticks: bench.driver.ticks > ticks)
    bench.driver.error = None
    ticks = bench.driver.ticks
    bench.until(lambda: bench.driver.ticks > ticks)
    assert len(bench.said) == 1 and bench.said[0].endswith('ValueError: matrix is singular')
    assert bench.driver.failed == bench.worker.failures >= 2
    assert bench.worker.failed_recently


def test_a_clock_that_jumps_back_drops_the_plan(bench):
    bench.now_ns = 10 ** 12
    bench.worker.start()
    bench.until(lambda: bench.driver.ticks > 0)
    bench.now_ns = 10 ** 11
    bench.until(lambda: bench.driver.jumps == 1)
    assert bench.worker.clock_jumps == 1 and 'jumped' in bench.said[0]


@pytest.mark.parametrize('jump_ns', [-9 * 10 ** 11, 9 * 10 ** 11])
def test_audio_from_before_a_jump_is_left_out(bench, jump_ns):
    bench.now_ns = 10 ** 12
    bench.worker.start()
    bench.until(lambda: bench.driver.ticks > 0)
    packet = AUDIO.packet
    with bench.inbox.arrived:
        bench.now_ns += jump_ns
        bench.inbox.put(ReceivedAudio(packet, 'old', 10 ** 12))
        bench.inbox.put(ReceivedAudio(packet, 'new', bench.now_ns))
    bench.until(lambda: bench.driver.heard)
    assert [audio.message for audio in bench.driver.heard] == ['new']


def test_before_a_simulated_clock_starts_audio_is_dropped_and_said(bench):
    bench.now_ns = 0
    bench.worker.start()
    bench.inbox.put(AUDIO)
    bench.until(lambda: bench.said)
    assert 'before the simulated clock' in bench.said[0] and not bench.driver.heard


def test_after_a_halt_what_waits_is_heard_before_time_goes_on(bench, monkeypatch):
    """Callbacks were halted too, and bring what waited a moment after the worker goes on."""
    order = []
    monkeypatch.setattr(bench.driver, 'hear', lambda audio, now_ns: order.append('heard'))
    monkeypatch.setattr(bench.driver, 'tick', lambda now_ns: order.append('ticked'))
    wait = bench.inbox.wait

    def halt(timeout_s):
        monkeypatch.setattr(bench.inbox, 'wait', wait)
        time.sleep(timeout_s + 0.6)
        order.clear()
        Timer(0.02, bench.inbox.put, (AUDIO,)).start()

    monkeypatch.setattr(bench.inbox, 'wait', halt)
    bench.worker.start()
    bench.until(lambda: 'heard' in order and 'ticked' in order)
    assert order[0] == 'heard'
