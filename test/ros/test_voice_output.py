"""The voice is passed on at its time, or not at all when its time is over."""
import numpy as np

from gesture_node.ros.audio_decoder import AudioBlock, AudioFormat
from gesture_node.ros.audio_packet import AudioPacket
from gesture_node.ros.inbox import ReceivedAudio
from gesture_node.ros.presentation import PacketTiming
from gesture_node.ros.speech_intake import Heard
from gesture_node.ros.voice_output import VoiceOutput

MS = 1_000_000
RATE = 16_000


def put(voice, due_ms, name, seconds=0.02, arrival_ms=0, is_known=True):
    samples = np.zeros(round(seconds * RATE), np.float32)
    audio = ReceivedAudio(AudioPacket(b'', AudioFormat(), None, False), name, arrival_ms * MS)
    heard = Heard(AudioBlock(samples, RATE), PacketTiming(len(samples), RATE, arrival_ms * MS))
    voice.put(due_ms * MS, audio, heard if is_known else None)


def test_after_a_halt_what_is_over_is_dropped_and_nothing_piles_up():
    voice = VoiceOutput()
    for packet in range(50):
        put(voice, 20 * packet, packet)
    taken = voice.take_due(700 * MS)
    assert [name for _, name in taken] == list(range(32, 36)) and voice.late == 32


def test_an_utterance_in_one_message_is_still_heard():
    voice = VoiceOutput()
    put(voice, 0, 'utterance', seconds=3.0)
    assert voice.take_due(500 * MS) == [(0, 'utterance')]


def test_what_arrives_late_is_passed_on():
    voice = VoiceOutput()
    put(voice, 0, 'old stamp', arrival_ms=900)
    put(voice, 0, 'not understood', is_known=False)
    assert len(voice.take_due(910 * MS)) == 2 and voice.late == 0


def test_a_speaker_hears_the_same_and_is_silenced_with_it():
    heard = []

    class Sink:
        def put(self, due_ns, samples, sample_rate):
            heard.append((due_ns, len(samples), sample_rate))

        def clear(self):
            heard.append('silence')

    voice = VoiceOutput()
    voice.speaker = Sink()
    put(voice, 40, 'a')
    voice.clear()
    assert heard == [(40 * MS, 320, RATE), 'silence'] and voice.take_due(99 * MS) == []
