"""Voices that are tracked, come and go."""
from array import array
from pathlib import Path
import sys
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

pytest.importorskip('rclpy')
from rclpy.qos import ReliabilityPolicy

from gesture_node.ros.inbox import AudioInbox
from gesture_node.ros.optional_messages import MissingMessageError
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.voices_input import MAX_VOICES, VoicesInput

sys.path.insert(0, str(Path(__file__).parent))
from audio_message_fakes import HRI, install, ROS_DRIVERS

AUDIO_DATA = 'audio_common_msgs/msg/AudioData'


class Node:
    """As much of a node as subscribing takes; ``publishers`` is its graph."""

    def __init__(self):
        self.subscriptions, self.timers, self.publishers = {}, [], {}

    def create_subscription(self, kind, topic, callback, profile, *, qos_overriding_options=None):
        assert topic not in self.subscriptions
        self.subscriptions[topic] = callback
        return topic

    def destroy_subscription(self, topic):
        del self.subscriptions[topic]

    def create_timer(self, period, callback, clock):
        self.timers.append(callback)
        return callback

    def destroy_timer(self, timer):
        self.timers.remove(timer)

    def resolve_topic_name(self, topic):
        return topic

    def get_name(self):
        return 'listener'

    def get_publishers_info_by_topic(self, topic):
        return self.publishers.get(topic, [])

    def get_subscriptions_info_by_topic(self, topic):
        return []

    def get_logger(self):
        return SimpleNamespace(info=lambda words: None)

    def look(self):
        for timer in list(self.timers):
            timer()


class Bench:
    def __init__(self, monkeypatch):
        install(monkeypatch, 'hri_msgs', HRI)
        install(monkeypatch, 'audio_common_msgs', ROS_DRIVERS)
        self.node, self.said, self.inboxes, self.lost = Node(), [], {}, []
        self.voices = VoicesInput(self.node, self.sink_of, self.lost.append, lambda: 7,
                                  ProblemLog(self.said.append))

    def sink_of(self, name):
        self.inboxes[name] = AudioInbox(100_000)
        return self.inboxes[name]

    def track(self, *names):
        message = HRI.IdsList()
        message.ids = list(names)
        self.node.subscriptions['/humans/voices/tracked'](message)

    def publish(self, name, ros_type=AUDIO_DATA):
        self.node.publishers[f'/humans/voices/{name}/audio'] = [SimpleNamespace(
            endpoint_gid=[1, 2], topic_type=ros_type,
            qos_profile=SimpleNamespace(reliability=ReliabilityPolicy.RELIABLE))]
        self.node.look()

    def say(self, name, data):
        message = ROS_DRIVERS.AudioData()
        message.data = array('B', data)
        self.node.subscriptions[f'/humans/voices/{name}/audio'](message, {})


def test_the_audio_of_every_tracked_voice_is_stored_apart(monkeypatch):
    bench = Bench(monkeypatch)
    bench.track('anna', 'v2')
    bench.publish('anna')
    bench.publish('v2')
    bench.say('anna', b'1234')
    bench.say('v2', b'56')
    anna, = bench.inboxes['anna'].take()
    other, = bench.inboxes['v2'].take()
    assert bytes(anna.packet.payload) == b'1234' and bytes(other.packet.payload) == b'56'
    assert anna.arrival_ns == 7 and not bench.said


def test_a_voice_that_is_lost_is_left_and_may_come_back(monkeypatch):
    bench = Bench(monkeypatch)
    bench.track('anna', 'ben')
    bench.publish('anna')
    bench.node.subscriptions['/humans/voices/anna/is_speaking'](SimpleNamespace(data=True))
    assert bench.voices.voices['anna'].is_speaking is True
    bench.track('ben')
    assert bench.lost == ['anna'] and set(bench.voices.voices) == {'ben'}
    assert not [topic for topic in bench.node.subscriptions if 'anna' in topic]
    bench.track('anna')
    assert bench.lost == ['anna', 'ben'] and bench.voices.voices['anna'].is_speaking is None


def test_a_voice_of_a_type_that_is_not_audio_is_said(monkeypatch):
    bench = Bench(monkeypatch)
    bench.track('anna')
    bench.publish('anna', 'std_msgs/msg/String')
    bench.node.look()
    assert len(bench.said) == 1 and '/humans/voices/anna/audio: audio of type' in bench.said[0]


def test_closing_leaves_nothing_behind(monkeypatch):
    bench = Bench(monkeypatch)
    bench.track('anna', 'ben')
    bench.publish('ben')
    bench.voices.close()
    assert not bench.node.subscriptions and not bench.node.timers


def test_more_voices_than_can_be_heard_are_said_once(monkeypatch):
    bench = Bench(monkeypatch)
    for _ in range(2):
        bench.track(*(f'v{k}' for k in range(MAX_VOICES + 3)))
    assert len(bench.voices.voices) == MAX_VOICES and len(bench.said) == 1


@given(st.lists(st.lists(st.text(max_size=6), max_size=12), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_list_of_names_is_followed_or_refused_in_words(lists):
    with pytest.MonkeyPatch.context() as patch:
        bench = Bench(patch)
        for names in lists:
            bench.track(*names)
            assert set(bench.voices.voices) <= set(names)
        assert len(bench.said) <= 2 and all('voice' in words for words in bench.said)
        bench.track()
        assert not bench.voices.voices and len(bench.node.subscriptions) == 1


def test_without_the_package_voices_are_refused_in_words():
    with pytest.raises(MissingMessageError, match='needs the package hri_msgs'):
        VoicesInput(Node(), lambda name: AudioInbox(1), print, lambda: 0, ProblemLog(print))
