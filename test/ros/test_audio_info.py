"""What a source said about its bytes holds until another source comes."""
from pathlib import Path
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_info import AudioInfoInput

sys.path.insert(0, str(Path(__file__).parent))
from audio_message_fakes import install, ROS_DRIVERS


class Node:
    def __init__(self):
        self.present = []
        self.take = None

    def resolve_topic_name(self, topic):
        return f'/{topic}'

    def create_subscription(self, kind, topic, take, profile, *, qos_overriding_options):
        self.take = take
        return topic

    def destroy_subscription(self, subscription):
        self.take = None

    def get_publishers_info_by_topic(self, name):
        assert name == '/audio_info'
        return [SimpleNamespace(endpoint_gid=[gid]) for gid in self.present]

    def say(self, rate, coding='wave'):
        info = ROS_DRIVERS.AudioInfo()
        info.channels, info.sample_rate, info.coding_format = 1, rate, coding
        info.sample_format = 'S16LE'
        self.take(info)


@pytest.fixture
def bench(monkeypatch):
    install(monkeypatch, 'audio_common_msgs', ROS_DRIVERS)
    node = Node()
    return node, AudioInfoInput(node, 'audio_info')


def test_what_is_said_holds_while_its_source_is_there(bench):
    node, info = bench
    node.present = [1]
    info.follow()
    assert info.format is None
    node.say(48_000)
    for _ in range(3):
        info.follow()
        assert info.format == AudioFormat(48_000, 1, 'S16LE')
    node.say(16_000, 'mp3')
    assert info.format == AudioFormat(16_000, 1, 'S16LE', 'mp3')


def test_it_is_forgotten_when_the_source_leaves_or_another_comes(bench):
    node, info = bench
    node.present = [1]
    node.say(48_000, 'mp3')
    info.follow()
    node.present = [1, 2]
    info.follow()
    assert info.format is None
    node.say(16_000)
    info.follow()
    node.present = []
    info.follow()
    assert info.format is None


def test_a_newcomer_that_speaks_before_the_graph_shows_it_is_believed(bench):
    node, info = bench
    node.present = [1]
    node.say(48_000)
    info.follow()
    node.say(16_000)
    node.present = [2]
    info.follow()
    assert info.format == AudioFormat(16_000, 1, 'S16LE')
    info.close()
    assert node.take is None
