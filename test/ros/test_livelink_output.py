"""Live Link packets leave by UDP, and what goes wrong is one sentence."""
import socket
import struct

import numpy as np
import pytest

from gesture_node.exceptions import ConfigError
from gesture_node.face_formats.livelink import VALUE_NAMES
from gesture_node.ros.livelink_output import LiveLinkOutput
from gesture_node.ros.problems import ProblemLog

NS = 1_000_000_000
NOON_NS = 19_000 * 86_400 * NS + 43_200 * NS


def test_a_receiver_gets_every_face_with_its_time():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(('127.0.0.1', 0))
        receiver.settimeout(10.0)
        output = LiveLinkOutput(f'127.0.0.1:{receiver.getsockname()[1]}', 'talker',
                                ProblemLog(pytest.fail))
        weights = np.linspace(0, 1, 52, dtype=np.float32)
        output.send(weights, NOON_NS + 30_000_000)
        output.send(weights, NOON_NS + 40_000_000)
        first, second = receiver.recv(2_048), receiver.recv(2_048)
        output.close()
    assert output.sent == 2 and first[0] == 6 and first[5:41] == second[5:41]
    assert first[45:51] == b'talker'
    assert struct.unpack_from('>ifii', first, 51) == (43_200 * 50 + 1, 0.5, 50, 1)
    assert struct.unpack_from('>ifii', second, 51) == (43_200 * 50 + 2, 0.0, 50, 1)
    assert first[67] == len(VALUE_NAMES) == 61
    assert np.frombuffer(first, '>f4', 52, 68) == pytest.approx(weights)


def test_nobody_listening_is_said_at_most_once():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(('127.0.0.1', 0))
        port = unused.getsockname()[1]
    said = []
    output = LiveLinkOutput(f'127.0.0.1:{port}', 'talker', ProblemLog(said.append))
    for frame in range(20):
        output.send(np.zeros(52, np.float32), NOON_NS + frame)
    output.close()
    for _ in range(2):
        output.send(np.zeros(52, np.float32), NOON_NS)
    assert len(said) == 1 and 'Live Link packets do not leave for 127.0.0.1' in said[0]


@pytest.mark.parametrize('address, subject, words', [
    ('no-such-host.invalid', 'talker', 'cannot be reached'),
    ('127.0.0.1:0', 'talker', 'port in'), ('127.0.0.1', '', '1 to 128 bytes')])
def test_what_cannot_be_sent_is_refused_before_the_first_face(address, subject, words):
    with pytest.raises(ConfigError, match=words):
        LiveLinkOutput(address, subject, ProblemLog(print))
