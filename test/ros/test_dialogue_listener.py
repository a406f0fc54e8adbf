"""Who hears others: turns of one voice and of several, voices that vanish, audio that is bad."""
import time

import numpy as np

from gesture_node.config import AudioConfig
from gesture_node.dialogue.other_voice import Cue
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_packet import AudioPacket
from gesture_node.ros.dialogue_listener import MAX_PACKETS, VoiceListener, VoiceSink
from gesture_node.ros.inbox import ReceivedAudio
from gesture_node.ros.problems import ProblemLog

MS, RATE = 1_000_000, 16_000
SECOND = 1_000 * MS


class Bench:
    def __init__(self):
        self.now, self.cues, self.said = 1_000 * SECOND, [], []
        self.listener = VoiceListener(AudioConfig(), lambda cue, at: self.cues.append(cue),
                                      lambda: self.now, ProblemLog(self.said.append))
        self.sinks = {name: VoiceSink(self.listener, name) for name in ('anna', 'ben')}

    def hear(self, name, sound):
        """Let a voice be heard, a packet of 100 ms at a time."""
        for part in np.split(sound, len(sound) // 1_600):
            payload = (part * 32_767).astype('<i2').tobytes()
            self.sinks[name].put(ReceivedAudio(
                AudioPacket(payload, AudioFormat(), self.now, True), None, self.now))
            self.now += 100 * MS
            self.listener.work()

    def turns(self):
        return [cue for cue in self.cues if cue in (Cue.BEGINS, Cue.ENDS)]


def speech(seconds):
    t = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 12))
    return 0.2 * np.clip(np.sin(2 * np.pi * 3 * t), 0, 1) * tone


def silence(seconds):
    return np.zeros(round(seconds * RATE))


def test_a_turn_begins_pauses_and_ends():
    bench = Bench()
    bench.hear('anna', np.concatenate([silence(0.5), speech(2.0), silence(3.0)]))
    assert [cue for cue in bench.cues if cue is not Cue.ACCENT] == [
        Cue.BEGINS, Cue.PAUSE, Cue.ENDS]
    assert bench.listener.turns == 1 and not bench.listener.other_speaks


def test_several_voices_are_one_turn_from_the_first_to_the_last():
    bench = Bench()
    bench.hear('anna', np.concatenate([silence(0.5), speech(1.0)]))
    bench.hear('ben', np.concatenate([silence(0.5), speech(0.4)]))
    assert bench.turns() == [Cue.BEGINS]
    bench.hear('anna', silence(2.5))
    assert bench.turns() == [Cue.BEGINS, Cue.ENDS]


def test_a_voice_that_stops_coming_or_is_not_tracked_any_more_has_ended():
    for lose in (False, True):
        bench = Bench()
        bench.hear('anna', np.concatenate([silence(0.5), speech(1.0)]))
        assert bench.listener.other_speaks
        if lose:
            bench.listener.lose('anna')
        else:
            bench.now += 2 * SECOND
        bench.listener.work()
        assert bench.turns() == [Cue.BEGINS, Cue.ENDS] and not bench.listener.other_speaks


def test_too_much_audio_drops_the_oldest():
    bench = Bench()
    packet = ReceivedAudio(AudioPacket(bytes(640), AudioFormat(), None, True), None, bench.now)
    kept = [bench.sinks['anna'].put(packet) for _ in range(MAX_PACKETS + 5)]
    assert kept.count(False) == 5 and bench.listener.dropped == 5
    bench.listener.work()
    assert bench.cues == []


def test_the_thread_hears_and_ends():
    bench = Bench()
    bench.listener.start()
    sound = np.concatenate([silence(0.5), speech(1.0)])
    payload = (sound * 32_767).astype('<i2').tobytes()
    bench.sinks['anna'].put(ReceivedAudio(
        AudioPacket(payload, AudioFormat(), bench.now, True), None, bench.now))
    for _ in range(3_000):
        if bench.cues:
            break
        time.sleep(0.01)
    assert bench.cues[0] is Cue.BEGINS
    assert bench.listener.stop() and bench.listener.stop()
