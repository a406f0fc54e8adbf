"""The recorder writes what real processes say, readable without ROS."""
from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
import sys
import time

from mcap.reader import make_reader
import numpy as np
import pytest
import soundfile

from gesture_node.demo.domain import environment, free_domain
from gesture_node.demo.processes import ProcessGroup
from gesture_node.demo.recording import DemoRecording, samples

pytestmark = pytest.mark.skipif(find_spec('rclpy') is None, reason='needs ROS 2')


def test_everything_said_is_in_the_file(tmp_path: Path) -> None:
    sound = (0.5 * np.sin(np.arange(8_000) / 9.0)).astype(np.float32)
    soundfile.write(tmp_path / 'sound.wav', sound, 16_000, subtype='PCM_16')
    path = tmp_path / 'recording.mcap'
    with ProcessGroup(environment(free_domain()), tmp_path) as group:
        group.start('recorder', [sys.executable, '-m', 'gesture_node.ros.recorder', str(path)])
        group.start('source', [
            sys.executable, '-m', 'gesture_node.ros.audio_source', '--ros-args',
            '-p', f'file:={tmp_path / "sound.wav"}', '-p', 'audio_type:=int16'])
        group.wait_for_end('source', 60.0)
        group.interrupt('recorder', 60.0)
    heard = DemoRecording(path).topic('/audio')
    np.testing.assert_allclose(np.concatenate([samples(item.message) for item in heard]), sound,
                               atol=1e-4)
    arrivals = [item.at_ns for item in heard]
    assert arrivals == sorted(arrivals)
    with path.open('rb') as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    for schema in summary.schemas.values():
        assert schema.encoding == 'ros2msg' and schema.data
    assert {channel.message_encoding for channel in summary.channels.values()} == {'cdr'}


def test_a_path_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    group = ProcessGroup(environment(free_domain()), tmp_path)
    with group:
        group.start('recorder', [sys.executable, '-m', 'gesture_node.ros.recorder',
                                 str(tmp_path / 'missing' / 'recording.mcap')])
        while group.is_running('recorder'):
            time.sleep(0.05)
        lines = group.last_lines('recorder').splitlines()[1:]
    assert len(lines) == 1 and 'recording.mcap' in lines[0]
