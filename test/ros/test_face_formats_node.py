"""``gesture_node`` as a process shows its face as visemes and to an avatar, frame by frame."""
from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest

from gesture_node.face_formats.livelink import frame_time
from gesture_node.face_formats.visemes import visemes

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='needs ROS 2')]
ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / 'test' / 'data' / 'tiny_bundle'
PEER = Path(__file__).with_name('face_formats_peer.py')


def test_visemes_and_packets_are_those_of_the_blendshapes() -> None:
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(140 + os.getpid() % 90),
                   'ROS_LOCALHOST_ONLY': '1', 'OMP_NUM_THREADS': '1',
                   'PYTHONPATH': os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as avatar:
        avatar.bind(('127.0.0.1', 0))
        avatar.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        parameters = (f'bundle:={BUNDLE}', 'robot:=none', 'threads:=1', 'face.steps:=2',
                      'face.visemes:=true', 'face.livelink_subject:=tiny',
                      f'face.livelink_address:=127.0.0.1:{avatar.getsockname()[1]}')
        node = subprocess.Popen(
            [sys.executable, '-m', 'gesture_node.ros.node', '--ros-args',
             *[part for parameter in parameters for part in ('-p', parameter)]],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            peer = subprocess.run([sys.executable, str(PEER)], env=environment, text=True,
                                  capture_output=True, timeout=150.0, check=False)
            node.send_signal(signal.SIGINT)
            log, _ = node.communicate(timeout=60.0)
        finally:
            node.kill()
        assert peer.returncode == 0, peer.stderr + log
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
    frames = json.loads(peer.stdout.splitlines()[-1])
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
