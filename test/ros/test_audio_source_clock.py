"""``audio_source`` with ``use_sim_time``: the sound keeps pace with ``/clock``."""
from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
import sys

import numpy as np
from processes import command, environment, start
import pytest
import soundfile

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
WORLD = Path(__file__).with_name('audio_clock_world.py')
LIMIT_S = 140.0
RATE, CHUNK_S = 16_000, 0.02
SAMPLES = (8_000 * np.sin(np.arange(2 * RATE) / 20)).astype(np.int16)
START_NS, RESET_NS = 100_000_000_000, 3_000_000_000


def test_a_file_keeps_pace_with_simulated_time(tmp_path: Path) -> None:
    soundfile.write(tmp_path / 'x.wav', SAMPLES, RATE)
    surroundings = environment(30 + (61 + os.getpid()) % 90)
    world = start([sys.executable, str(WORLD), str(len(SAMPLES))], surroundings)
    source = start(command('audio_source', 'use_sim_time:=true', f'file:={tmp_path / "x.wav"}',
                           f'chunk_s:={CHUNK_S}', 'audio_type:=int16'), surroundings)
    seen, _ = world.communicate(timeout=LIMIT_S)
    try:
        log, _ = source.communicate(timeout=LIMIT_S)
    finally:
        source.kill()
    assert world.returncode == 0, seen
    assert source.returncode == 0 and 'published 2.00 s' in log, log
    report = json.loads(seen.splitlines()[-1])
    check(report['heard'], report['still'], report['before_reset'])


def check(heard: list[tuple[int, int, int]], still: int, before_reset: int) -> None:
    """Check (stamp, samples, simulated time on arrival) of every message."""
    stamps, sizes, clocks = (np.array(column) for column in zip(*heard))
    assert still == 0, 'sound went on while the simulation stood still'
    assert sizes.sum() == len(SAMPLES)
    assert (stamps <= clocks).all(), 'sound is ahead of the simulation'
    firsts_ns = (np.concatenate([[0], np.cumsum(sizes)[:-1]]) * 1e9 / RATE).astype(np.int64)
    lived, again = slice(0, before_reset), slice(before_reset, None)
    assert stamps[0] >= START_NS and RESET_NS <= stamps[again][0] < START_NS
    for life in (lived, again):
        offsets_ns = (stamps[life] - stamps[life][0]) - (firsts_ns[life] - firsts_ns[life][0])
        assert np.abs(offsets_ns).max() <= 1
