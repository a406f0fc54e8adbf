"""Which publisher is listened to, as they come, leave and come back."""
from pathlib import Path
import sys

import pytest

from gesture_node.ros.audio_discovery import AudioDiscovery, AudioPublisher, Choice, SILENT_NS
from gesture_node.ros.audio_messages import AUDIO_TYPES
from gesture_node.ros.problems import ProblemLog

sys.path.insert(0, str(Path(__file__).parent))
from audio_message_fakes import install, MGONZS13, ROS_DRIVERS

pytest.importorskip('std_msgs.msg')
INT16, FLOAT32 = 'std_msgs/msg/Int16MultiArray', 'std_msgs/msg/Float32MultiArray'
STRING = 'std_msgs/msg/String'


class Bench:
    def __init__(self, key='auto', reliability='auto'):
        self.said = []
        self.problems = ProblemLog(self.said.append)
        self.discovery = AudioDiscovery('/audio', key, reliability, self.problems)
        self.choice = self.discovery.first_choice()

    def look(self, *publishers, silent=False, own=''):
        """Show publishers given as ``'name type'`` with ``!`` for best effort."""
        present = [AudioPublisher(name.rstrip('!'), ros_type, not name.endswith('!'), definition)
                   for name, ros_type, *rest in publishers
                   for definition in [rest[0] if rest else '']]
        self.choice = self.discovery.choose(present, self.choice, own,
                                            SILENT_NS if silent else 0)
        return None if self.choice is None else (self.choice.kind.ros_type,
                                                 self.choice.reliability)


def test_nothing_is_chosen_before_anyone_is_there():
    bench = Bench()
    assert bench.look() is None
    assert bench.look(('a', INT16)) == (INT16, 'reliable')
    assert bench.look() == (INT16, 'reliable') and not bench.said


def test_a_publisher_that_comes_back_as_another_type_is_followed():
    bench = Bench()
    bench.look(('a', INT16))
    assert bench.look(('b', FLOAT32)) == (FLOAT32, 'reliable')
    assert bench.look(('c', INT16)) == (INT16, 'reliable') and not bench.said


def test_a_killed_publisher_that_stays_in_the_graph_is_left_when_it_is_silent():
    bench = Bench()
    bench.look(('a', INT16))
    killed, new = ('a', INT16), ('b', FLOAT32)
    assert bench.look(killed, new) == (INT16, 'reliable')
    assert bench.look(killed, new, silent=True) == (FLOAT32, 'reliable')
    assert bench.look(killed, new, silent=True) == (FLOAT32, 'reliable')
    assert len(bench.said) == 1 and 'published as several types' in bench.said[0]
    assert bench.look(killed, new, ('c', INT16), silent=True) == (INT16, 'reliable')


def test_the_type_that_speaks_is_not_left():
    bench = Bench()
    bench.look(('a', INT16))
    for _ in range(3):
        assert bench.look(('a', INT16), ('b', FLOAT32)) == (INT16, 'reliable')


def test_reliability_follows_the_weakest_publisher_of_the_type():
    bench = Bench()
    assert bench.look(('a!', INT16)) == (INT16, 'best_effort')
    assert bench.look(('b', INT16)) == (INT16, 'reliable')
    assert bench.look(('b', INT16), ('c!', INT16)) == (INT16, 'best_effort')
    assert Bench(reliability='reliable').look(('a!', INT16)) == (INT16, 'reliable')


def test_a_type_that_is_not_audio_is_said_once_per_type_and_counted_per_publisher():
    bench = Bench()
    for _ in range(5):
        assert bench.look(('a', STRING)) is None
    bench.look(('b', STRING))
    bench.look(('b', 'foo_msgs/msg/Bar'))
    assert bench.problems.counts() == {
        f'audio_type {STRING}': 2, 'audio_type foo_msgs/msg/Bar': 1}
    assert len(bench.said) == 2 and 'topic /audio: audio of type' in bench.said[0]


def test_a_type_of_a_package_that_is_missing_or_a_namesake_is_named(monkeypatch):
    stamped = 'audio_common_msgs/msg/AudioStamped'
    bench = Bench()
    assert bench.look(('a', stamped)) is None
    assert 'needs the package audio_common_msgs' in bench.said[0]
    install(monkeypatch, 'audio_common_msgs', ROS_DRIVERS)
    bench = Bench()
    assert bench.look(('a', stamped)) is None
    assert 'another one of the same name' in bench.said[0]
    install(monkeypatch, 'audio_common_msgs', MGONZS13)
    assert Bench().look(('a', stamped)) == (stamped, 'reliable')


def test_a_given_type_is_kept_and_others_are_named():
    bench = Bench(key='int16')
    assert bench.choice == Choice(AUDIO_TYPES['int16'], 'best_effort')
    assert bench.look(('a', FLOAT32)) == (INT16, 'best_effort')
    assert f'published as {FLOAT32}, but the parameter audio_type is int16' in bench.said[0]
    assert bench.look(('a', FLOAT32), ('b', INT16)) == (INT16, 'reliable')
    assert len(bench.said) == 1


def test_a_publisher_with_another_definition_of_the_type_is_not_listened_to():
    bench = Bench()
    bench.look(('a', INT16, 'ours'))
    assert bench.look(('a', INT16, 'ours'), own='ours') == (INT16, 'reliable')
    assert bench.look(('b', INT16, 'other'), own='ours') is None
    for _ in range(3):
        assert bench.look(('b', INT16, 'other')) is None
    assert len(bench.said) == 1 and 'another definition of that type' in bench.said[0]
    assert bench.look(('c', INT16, 'ours')) == (INT16, 'reliable')
