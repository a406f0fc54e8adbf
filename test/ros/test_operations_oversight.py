"""What watches over a node: a stalled worker, a lost provider, a black box after a fault."""
from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from types import SimpleNamespace

import numpy as np
import pytest

from gesture_node.config import BodyConfig, FaceConfig, GestureConfig
from gesture_node.operations.black_box_file import BlackBoxFile
from gesture_node.operations.replay import replay
from gesture_node.pipeline import GesturePipeline
from gesture_node.ros.node_config import NodeConfig, OperationsConfig
from gesture_node.ros.problems import ProblemLog

pytestmark = pytest.mark.skipif(find_spec('rclpy') is None, reason='needs ROS 2')
BUNDLE = Path(__file__).parents[1] / 'data' / 'tiny_bundle'
PIPELINE = GesturePipeline.from_bundle(BUNDLE, provider='cpu')
NS = 1_000_000_000


class Bench:
    """An oversight with a driver and a worker of the test's own."""

    def __init__(self, folder, monkeypatch, pipeline=PIPELINE):
        from gesture_node.ros import oversight

        self.now_ns, self.failed, self.said, self.logged, self.taken = NS, 0, [], [], []
        monkeypatch.setattr(oversight.time, 'monotonic_ns', lambda: self.now_ns)
        self.config = NodeConfig(
            gesture=GestureConfig(bundle=str(BUNDLE), robot='none', provider='cpu',
                                  body=BodyConfig(steps=3), face=FaceConfig(steps=2)),
            operations=OperationsConfig(black_box_folder=str(folder), dump_on_fault=True))
        self.oversight = oversight.Oversight(pipeline, self.config, '/a/node',
                                             ProblemLog(self.said.append), lambda: self.now_ns,
                                             self.logged.append)
        make = self.oversight.stream_maker(None, None, lambda config: None)
        self.stream = make(self.config.gesture)
        self.state = SimpleNamespace(value='speaking')
        self._lock = RLock()
        self.intake = SimpleNamespace(clock=SimpleNamespace(
            presentation_ns=lambda due_ns: self.presented_ns + due_ns))
        self.presented_ns = self.now_ns + 10 * NS
        self.oversight.drive(self, self.taken.append)
        self.worker = SimpleNamespace(failures=0, busy_since_ns=5, is_alive=True,
                                      succeed=lambda: 'another')

    def fail(self, now_ns):
        self.failed += 1

    def watch(self, seconds):
        worker = self.worker
        for _ in range(round(seconds * 50)):
            self.now_ns += NS // 50
            worker = self.oversight.tick(self.worker, self.now_ns)
            if worker is not self.worker:
                break
        return worker

    def speak(self, seconds=1.5):
        self.stream.reset(None)
        t = np.arange(round(16_000 * seconds)) / 16_000
        self.stream.accept_waveform((0.3 * np.sin(900 * t)).astype(np.float32), 16_000)
        while self.stream.is_ready():
            self.stream.step()


def test_a_stalled_worker_brakes_the_robot_and_is_succeeded(tmp_path, monkeypatch):
    bench = Bench(tmp_path, monkeypatch)
    bench.speak()
    assert bench.watch(1.5) is bench.worker and not bench.failed
    assert bench.watch(1.0) is bench.worker
    assert bench.failed == 1 and bench.oversight.is_stalled and len(bench.said) == 1
    assert bench.oversight.counts()['worker stalls'] == 1
    bench.state.value = 'idle'
    assert bench.watch(2.0) == 'another'
    bench.oversight.close()
    [path] = tmp_path.iterdir()
    file = BlackBoxFile(path)
    assert file.header['reason'] == 'the worker stalled'
    assert replay(file.takes[0], lambda folder: PIPELINE).is_identical


def test_a_stall_that_holds_the_driver_does_not_hold_the_executor(tmp_path, monkeypatch):
    from threading import Thread

    bench = Bench(tmp_path, monkeypatch)
    holder = Thread(target=bench._lock.acquire)
    holder.start()
    holder.join()
    bench.watch(2.9)
    assert not bench.failed and bench.oversight.is_stalled


def test_a_resting_worker_is_left_alone(tmp_path, monkeypatch):
    bench = Bench(tmp_path, monkeypatch)
    bench.state.value = 'idle'
    assert bench.watch(10.0) is bench.worker and not bench.failed


def test_a_failing_provider_is_told_once_and_left(tmp_path, monkeypatch):
    def broken(*args):
        raise RuntimeError('CUDA error 700: an illegal memory access')

    face = replace(PIPELINE.face, denoiser=broken)
    bench = Bench(tmp_path, monkeypatch, replace(PIPELINE, provider='CUDAExecutionProvider',
                                                 face=face))
    assert bench.oversight.provider == 'CUDAExecutionProvider'
    bench.speak()
    assert bench.oversight.provider == 'CPUExecutionProvider' and len(bench.said) == 1
    assert bench.oversight.counts()['provider lost'] == 1


def test_late_windows_take_calls_then_hops_and_time_gives_them_back(tmp_path, monkeypatch):
    bench = Bench(tmp_path, monkeypatch)
    clock = [100.0]
    monkeypatch.setattr('gesture_node.ros.quality.time.monotonic', lambda: clock[0])
    bench.speak()
    assert bench.oversight.quality == 'full' and bench.stream.steps == (3, 2)
    bench.presented_ns = bench.now_ns - 10 * NS
    for _ in range(12):
        clock[0] += 1.0
        bench.speak(0.5)
    assert bench.stream.steps == (1, 1) and 'hops x 2' in bench.oversight.quality
    assert bench.taken[-1].body.hop_s == pytest.approx(2 * bench.config.gesture.body.hop_s)
    assert len(bench.said) == 1
    bench.presented_ns = bench.now_ns + 10 * NS
    for _ in range(200):
        clock[0] += 10.0
        bench.speak(0.5)
        if bench.oversight.quality == 'full':
            break
    assert bench.oversight.quality == 'full' and bench.taken[-1] == bench.config.gesture


def test_a_fault_that_comes_again_is_written_once(tmp_path, monkeypatch):
    bench = Bench(tmp_path, monkeypatch)
    for failures in (1, 2, 3):
        bench.worker.failures = failures
        bench.oversight.tick(bench.worker, bench.now_ns)
    bench.oversight.close()
    assert len(list(tmp_path.iterdir())) == 1
