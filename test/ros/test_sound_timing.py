"""The loudspeaker is opened or refused, players get sound early, and leads are told."""
import json
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')

from gesture_node.config import BodyConfig, GestureConfig, OutputConfig
from gesture_node.exceptions import AudioError, ConfigError
from gesture_node.ros.lead import LeadMeter
from gesture_node.ros.playout import PlayoutQueue
from gesture_node.ros.sound_timing import SoundTiming

MS = 1_000_000


class Node:
    """The part of a node in use."""

    def __init__(self):
        self.said, self.log = [], []

    def create_publisher(self, kind, name, profile):
        assert name == '~/timing'
        return SimpleNamespace(publish=lambda message: self.said.append(json.loads(message.data)))

    def get_logger(self):
        return SimpleNamespace(info=self.log.append)


def timing_of(device='', **output):
    queue = PlayoutQueue()
    queue.speaker = None
    driver = SimpleNamespace(
        audio_out=queue, motion=SimpleNamespace(leads=LeadMeter()),
        config=GestureConfig(body=BodyConfig(lead_s=0.05), output=OutputConfig(**output)))
    node = Node()
    return SoundTiming(node, driver, device, lambda: 0), driver, node


def fake_device(monkeypatch, latency_s):
    opened = []

    class Device:
        def __init__(self, **asked):
            self.latency, self.is_open = latency_s, True
            opened.append(self)

        def start(self):
            pass

        def close(self):
            self.is_open = False

    monkeypatch.setitem(sys.modules, 'sounddevice', SimpleNamespace(
        OutputStream=Device, query_devices=lambda device, kind: {
            'default_samplerate': 48_000.0, 'max_output_channels': 2}))
    return opened


def test_leads_are_told_once_and_in_every_report():
    timing, driver, node = timing_of()
    driver.motion.leads.note('face', 300 * MS, 100 * MS)
    values = [timing.values() for _ in range(3)][-1]
    assert len(node.said) == 1 and node.said[0]['body_lead_s'] == 0.05
    assert values['body lead ms'] == 50.0 and values['face in hand p05 ms'] == 200.0
    driver.config = GestureConfig()
    timing.values()
    assert [said['body_lead_s'] for said in node.said] == [0.05, 0.0]


def test_a_player_of_known_latency_gets_its_sound_early():
    timing, driver, _ = timing_of(player_latency_s=0.2)
    driver.audio_out.put(1_000 * MS, 'sound')
    assert timing.take_due(799 * MS) == []
    assert timing.take_due(800 * MS) == [(1_000 * MS, 'sound')]


def test_no_device_is_opened_unless_asked(monkeypatch):
    opened = fake_device(monkeypatch, 0.1)
    timing, driver, _ = timing_of()
    timing.start()
    assert not opened and driver.audio_out.speaker is None


def test_a_device_is_opened_and_released(monkeypatch):
    opened = fake_device(monkeypatch, 0.1)
    timing, driver, node = timing_of('default')
    timing.start()
    assert driver.audio_out.speaker is not None and 'latency 100 ms' in node.log[0]
    assert timing.values()['speaker latency ms'] == 100.0
    timing.halt()
    assert driver.audio_out.speaker is None and not opened[0].is_open


def test_a_device_later_than_the_delay_is_refused_and_released(monkeypatch):
    opened = fake_device(monkeypatch, 0.6)
    timing, driver, _ = timing_of('default')
    with pytest.raises(ConfigError, match='at least 0.70 s with this speaker_device'):
        timing.start()
    assert driver.audio_out.speaker is None and not opened[0].is_open


def test_without_portaudio_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sounddevice', None)
    with pytest.raises(AudioError, match="device 'default' cannot be opened.*libportaudio2"):
        timing_of('default')[0].start()
