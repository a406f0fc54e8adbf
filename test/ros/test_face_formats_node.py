"""``gesture_node`` as a process shows its face as visemes and to an avatar, frame by frame."""
from __future__ import annotations

import importlib.util
import os
from pathlib import Path
import socket

import numpy as np
from processes import BUNDLE, command, environment, show, start
import pytest

from gesture_node.face_formats.livelink import frame_time
from gesture_node.face_formats.visemes import visemes

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
PEER = Path(__file__).with_name('face_formats_peer.py')


def test_visemes_and_packets_are_those_of_the_blendshapes() -> None:
    surroundings = environment(140 + os.getpid() % 90)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as avatar:
        avatar.bind(('127.0.0.1', 0))
        avatar.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        parameters = (f'bundle:={BUNDLE}', 'robot:=none', 'threads:=1', 'face.steps:=2',
                      'face.visemes:=true', 'face.livelink_subject:=tiny',
                      f'face.livelink_address:=127.0.0.1:{avatar.getsockname()[1]}')
        node = start(command('node', *parameters), surroundings)
        frames, log = show(node, surroundings, PEER, limit_s=150.0)
        assert node.returncode == 0 and 'Traceback' not in log
        avatar.setblocking(False)
        packets = {}
        while True:
            try:
                data = avatar.recv(2_048)
            except BlockingIOError:
                break
            number, part = np.frombuffer(data, '>i4', 1, 49)[0], np.frombuffer(
                data, '>f4', 1, 53)[0]
            packets[int(number), round(float(part), 2)] = data
    sent = 0
    for frame in frames:
        assert np.allclose(frame['visemes'], visemes(np.array(frame['face'])), atol=1e-5)
        time = frame_time(frame['stamp_ns'], 50)
        data = packets.get((time.number, round(time.part, 2)))
        if data is not None:
            sent += 1
            assert data[45:49] == b'tiny'
            assert np.allclose(np.frombuffer(data, '>f4', 52, 66), frame['face'], atol=1e-6)
    assert sent >= 0.9 * len(frames)
