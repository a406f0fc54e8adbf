"""The face as action units, expression and visemes, with and without ``hri_msgs``."""
from pathlib import Path
import socket
import sys
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy')
from gesture_node.exceptions import ConfigError
from gesture_node.face_formats.visemes import shape_weights, VISEME_NAMES
from gesture_node.motion.face import BLENDSHAPE_INDEX
from gesture_node.ros.expression_output import FaceFormats
from gesture_node.ros.node_config import FaceOutputConfig
from gesture_node.ros.problems import ProblemLog

sys.path.insert(0, str(Path(__file__).parent))
from audio_message_fakes import HRI, install

NS = 1_000_000_000
START_NS = 100 * NS


class Publisher:
    def __init__(self):
        self.messages = []

    def publish(self, message):
        self.messages.append(message)


class Node:
    """As much of a lifecycle node as publishing takes."""

    def __init__(self):
        self.topics = {}
        self.destroyed = []

    def create_lifecycle_publisher(self, kind, topic, profile, *, qos_overriding_options):
        assert qos_overriding_options is not None
        self.topics[topic] = Publisher()
        return self.topics[topic]

    def destroy_lifecycle_publisher(self, publisher):
        self.destroyed.append(publisher)

    def messages(self, topic):
        return self.topics[f'face/{topic}'].messages


@pytest.fixture
def hri(monkeypatch):
    install(monkeypatch, 'hri_msgs', HRI)


def make(node, **config):
    return FaceFormats(node, FaceOutputConfig(**config), ProblemLog(pytest.fail))


def smile(strength):
    weights = np.zeros(52, np.float32)
    for name in ('mouthSmileLeft', 'mouthSmileRight', 'cheekSquintLeft', 'cheekSquintRight'):
        weights[BLENDSHAPE_INDEX[name]] = strength
    return weights


def test_without_the_package_nothing_is_published_and_no_socket_is_opened(monkeypatch):
    monkeypatch.setattr(socket, 'socket', lambda *args: pytest.fail('a socket was opened'))
    node = Node()
    formats = make(node)
    formats.publish(smile(1.0), START_NS)
    formats.tick(START_NS)
    assert not node.topics and formats.livelink is None


def test_always_without_the_package_is_refused():
    for name in ('action_units', 'expression'):
        with pytest.raises(ConfigError, match=f'parameter face.{name} is always, but hri_msgs'):
            make(Node(), **{name: 'always'})


def test_never_with_the_package_is_obeyed(hri):
    node = Node()
    make(node, action_units='never', expression='never')
    assert not node.topics


def test_action_units_carry_the_time_of_their_frame(hri):
    node = Node()
    make(node).publish(smile(0.6), START_NS + 20_000_000)
    message, = node.messages('action_units')
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (100, 20_000_000)
    assert message.intensity[12] == message.intensity[6] == pytest.approx(0.6)
    assert message.confidence[12] == message.confidence[26] == 1.0
    assert message.confidence[3] == message.confidence[85] == 0.0
    assert len(message.intensity) == len(message.confidence) == 99


def test_the_expression_comes_five_times_a_second_and_outlasts_the_frames(hri):
    node = Node()
    formats = make(node)
    now_ns = START_NS
    for frame in range(150):
        now_ns = START_NS + frame * 20_000_000
        formats.publish(smile(0.9), now_ns)
        formats.tick(now_ns + 3_000_000)
    shown = node.messages('expression')
    assert 14 <= len(shown) <= 16
    assert shown[-1].expression == 'happy' and shown[-1].valence > 0.7
    formats.publish(smile(0.0), now_ns + 20_000_000)
    for tick in range(600):
        formats.tick(now_ns + 20_000_000 + tick * 10_000_000)
    assert shown[-1].expression == 'neutral' and abs(shown[-1].valence) < 0.05
    assert len(shown) < 16 + 17
    assert all(-1 <= message.valence <= 1 and 0 <= message.confidence <= 1 for message in shown)


def test_a_clock_that_jumps_back_does_not_silence_the_expression(hri):
    node = Node()
    formats = make(node)
    formats.publish(smile(0.9), START_NS)
    formats.tick(START_NS)
    formats.publish(smile(0.9), START_NS // 2)
    formats.tick(START_NS // 2)
    assert len(node.messages('expression')) == 2


def test_visemes_are_fifteen_shares_with_their_time():
    node = Node()
    make(node, visemes=True).publish(shape_weights('ou'), START_NS + 5)
    message, = node.messages('visemes')
    assert len(message.data) == 15 and sum(message.data) == pytest.approx(1.0, abs=1e-5)
    assert message.data[VISEME_NAMES.index('ou')] > 0.99
    assert {dim.label: dim.size for dim in message.layout.dim} == {
        'visemes': 15, 'stamp_sec': 100, 'stamp_nanosec': 5}


def test_faces_go_to_an_avatar_that_is_named_until_closed(hri):
    node = Node()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(('127.0.0.1', 0))
        receiver.settimeout(10.0)
        formats = make(node, livelink_address=f'127.0.0.1:{receiver.getsockname()[1]}')
        formats.publish(smile(0.5), START_NS)
        assert receiver.recv(2_048)[45:57] == b'gesture_node'
    formats.close()
    assert formats.livelink is None and len(node.destroyed) == 2
    formats.publish(smile(0.5), START_NS)
    assert len(node.messages('action_units')) == 1


def test_fakes_are_told_from_namesakes(monkeypatch):
    install(monkeypatch, 'hri_msgs', SimpleNamespace())
    with pytest.raises(ConfigError, match='another one of the same name'):
        make(Node(), expression='always')
