"""``audio_source`` as a process: what it publishes, and how it ends."""
from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
import subprocess
import sys

import numpy as np
from processes import command, environment, start
import pytest
import soundfile

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
LISTENER = Path(__file__).with_name('audio_listener.py')
LIMIT_S = 120.0
SAMPLES = (8_000 * np.sin(np.arange(11_025) / 20)).astype(np.int16)


def surroundings(number: int) -> dict[str, str]:
    return environment(30 + number + os.getpid() % 90)


def publish(number: int, *parameters: str) -> subprocess.Popen[str]:
    return start(command('audio_source', *parameters), surroundings(number))


@pytest.mark.parametrize('number,parameters', [
    (0, ('pace:=realtime',)), (1, ('pace:=burst', 'audio_type:=float32')),
    (2, ('chunk_s:=0.0', 'audio_type:=uint8'))])
def test_a_file_arrives_whole_with_rate_and_stamps(tmp_path, number, parameters):
    soundfile.write(tmp_path / 'x.wav', SAMPLES, 22_050)
    key = dict(part.split(':=') for part in parameters).get('audio_type', 'int16')
    listener = start([sys.executable, str(LISTENER), key, str(len(SAMPLES))],
                     surroundings(number))
    source = publish(number, f'file:={tmp_path / "x.wav"}', *parameters)
    log, _ = source.communicate(timeout=LIMIT_S)
    heard, _ = listener.communicate(timeout=LIMIT_S)
    assert source.returncode == 0 and 'published 0.50 s' in log, log
    seen = json.loads(heard.splitlines()[-1])
    assert seen['rates'] == [22_050] and seen['channels'] == [1]
    assert np.abs(np.array(seen['samples']) - SAMPLES / 32_768).max() < 1e-4
    offsets_s = (np.array(seen['stamps_ns']) - seen['stamps_ns'][0]) / 1e9
    firsts = np.concatenate([[0], np.cumsum(seen['sizes'])[:-1]])
    assert offsets_s == pytest.approx(firsts / 22_050, abs=1e-8)


def test_what_cannot_be_published_is_one_sentence(tmp_path):
    cases = {'file:=/nowhere.wav': "sound file '/nowhere.wav' does not exist",
             'pace:=fast': 'pace must be one of realtime, burst',
             'audio_type:=audio_data': 'needs the package audio_common_msgs'}
    processes = [publish(4 + k, parameter) for k, parameter in enumerate(cases)]
    for process, words in zip(processes, cases.values()):
        log, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 1 and words in log and 'Traceback' not in log
