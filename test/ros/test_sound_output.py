"""A loudspeaker plays every sample at its time, on a device whose clock is the test's own."""
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gesture_node.exceptions import AudioError, ConfigError
from gesture_node.ros.sound_output import Speaker
from gesture_node.ros.sound_track import SoundTrack
from gesture_node.timeline import NS_PER_S

MS = 1_000_000
NOW = 1_700_000_000 * NS_PER_S
RATE = 48_000
BLOCK = 480


class Device:
    """The part of ``sounddevice.OutputStream`` in use, with a converter of its own pace."""

    latency = 0.08

    def __init__(self, samplerate, dtype, device, channels, callback):
        self.rate, self.channels, self.callback = samplerate, channels, callback
        self.asked = (samplerate, dtype, device, channels)
        self.is_open = False
        self.heard, self.starts = [], []

    def start(self):
        self.is_open = True

    def close(self):
        self.is_open = False

    def run(self, clock, seconds, latency_s=0.08, pace=1.0, jitter=None, tells=True):
        """Play for some time; the callback comes ``jitter`` late, the converter never."""
        for _ in range(round(seconds * self.rate / BLOCK)):
            begun = clock['now']
            late = 0 if jitter is None else int(jitter.integers(0, 6)) * MS
            clock['now'] = begun + late
            current = clock['now'] / 1e9 % 1_000.0
            dac = current + latency_s - late / 1e9
            block = np.full((BLOCK, self.channels), 9.0, np.float32)
            times = SimpleNamespace(currentTime=current if tells else 0.0,
                                    outputBufferDacTime=dac if tells else 0.0)
            self.callback(block, BLOCK, times, None)
            self.starts.append(begun + round(latency_s * 1e9))
            self.heard.append(block)
            clock['now'] = begun + round(BLOCK * 1e9 / self.rate / pace)

    def clicks_ns(self):
        """Return when each click left the converter."""
        found = []
        for start_ns, block in zip(self.starts, self.heard):
            assert (block == block[:, :1]).all()
            found += [start_ns + int(at) * NS_PER_S // self.rate
                      for at in np.flatnonzero(block[:, 0] > 0.25)]
        return np.array(found)


@pytest.fixture
def clock():
    return {'now': NOW}


@pytest.fixture
def speaker(monkeypatch, clock):
    monkeypatch.setitem(sys.modules, 'sounddevice', SimpleNamespace(
        OutputStream=Device, query_devices=lambda device, kind: {
            'default_samplerate': float(RATE), 'max_output_channels': 2}))
    return Speaker('default', lambda: clock['now'])


def clicks(seconds, every_s, rate=RATE):
    samples = np.zeros(round(seconds * rate), np.float32)
    samples[::round(every_s * rate)] = 0.9
    return samples


def test_the_latency_of_the_device_is_counted(speaker, clock):
    speaker.put(NOW + 500 * MS, clicks(1.0, 0.25), RATE)
    speaker._stream.run(clock, 2.0)
    found = speaker._stream.clicks_ns()
    expected = NOW + 500 * MS + 250 * MS * np.arange(4)
    assert len(found) == 4 and np.abs(found - expected).max() <= NS_PER_S // RATE
    assert speaker.latency_s == pytest.approx(0.08, abs=1e-4) and speaker.late_s == 0.0


def test_callbacks_that_jitter_and_a_device_that_drifts_stay_within_10_ms(speaker, clock):
    jitter = np.random.default_rng(1)
    errors = []
    for _ in range(12):
        due = clock['now'] + 400 * MS
        speaker.put(due, clicks(1.0, 0.25), RATE)
        before = len(speaker._stream.clicks_ns())
        speaker._stream.run(clock, 2.0, pace=1.0005, jitter=jitter)
        found = speaker._stream.clicks_ns()[before:]
        assert len(found) == 4
        errors += list(found - (due + 250 * MS * np.arange(4)))
    assert np.percentile(np.abs(errors), 95) <= 10 * MS
    assert speaker.corrections == 0


def test_sound_in_packets_of_any_rate_is_one_sound(speaker, clock):
    t = np.arange(16_000) / 16_000
    samples = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    for first in range(0, 16_000, 320):
        speaker.put(NOW + 500 * MS + first * NS_PER_S // 16_000, samples[first:first + 320],
                    16_000)
    speaker._stream.run(clock, 2.0)
    heard = np.concatenate(speaker._stream.heard)[:, 0]
    begin = round(0.42 * RATE)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    inside = slice(1_000, RATE - 1_000)
    assert np.abs(heard[begin:begin + RATE][inside] - expected[inside]).max() < 0.01
    assert not heard[:begin - 10].any() and not heard[begin + RATE + 10:].any()


def test_sound_that_comes_late_is_left_out_and_moves_nothing(speaker, clock):
    speaker._stream.run(clock, 0.5)
    speaker.put(clock['now'] - 200 * MS, clicks(0.5, 0.1), RATE)
    due = clock['now'] - 200 * MS
    speaker._stream.run(clock, 1.0)
    found = speaker._stream.clicks_ns()
    assert len(found) == 2
    assert np.abs(found - (due + np.array([300, 400]) * MS)).max() <= 2 * NS_PER_S // RATE
    assert speaker.late_s == pytest.approx(0.28, abs=0.001)


def test_a_jump_of_the_clock_is_followed(speaker, clock):
    speaker._stream.run(clock, 0.5)
    clock['now'] += 30 * NS_PER_S
    speaker._stream.run(clock, 0.3)
    due = clock['now'] + 300 * MS
    speaker.put(due, clicks(0.2, 0.5), RATE)
    speaker._stream.run(clock, 1.0)
    [found] = speaker._stream.clicks_ns()
    assert abs(found - due) <= MS


def test_clear_is_silent_at_once(speaker, clock):
    speaker.put(NOW, clicks(2.0, 0.1), RATE)
    speaker._stream.run(clock, 0.5)
    count = len(speaker._stream.clicks_ns())
    speaker.clear()
    speaker._stream.run(clock, 0.5)
    assert len(speaker._stream.clicks_ns()) == count > 0


def test_a_device_that_tells_no_times_is_taken_at_its_word(speaker, clock):
    speaker.put(NOW + 500 * MS, clicks(0.2, 0.5), RATE)
    speaker._stream.run(clock, 1.0, tells=False)
    [found] = speaker._stream.clicks_ns()
    assert abs(found - NOW - 500 * MS) <= NS_PER_S // RATE


def test_a_delay_shorter_than_the_device_is_refused(speaker):
    speaker.check(0.5)
    with pytest.raises(ConfigError, match='presentation_delay_s must be at least 0.18 s'):
        speaker.check(0.1)


def test_a_device_that_cannot_be_opened_is_one_sentence(monkeypatch):
    def refuse(*asked):
        raise ValueError("no output device matching 'tannoy'")

    monkeypatch.setitem(sys.modules, 'sounddevice', SimpleNamespace(query_devices=refuse))
    with pytest.raises(AudioError, match="'tannoy' cannot be opened: no output device"):
        Speaker('tannoy', lambda: 0)
    monkeypatch.setitem(sys.modules, 'sounddevice', None)
    with pytest.raises(AudioError, match='libportaudio2'):
        Speaker('default', lambda: 0)


def test_of_two_sounds_at_once_the_first_is_heard():
    track = SoundTrack(RATE)
    track.put(NS_PER_S, np.full(RATE // 10, 0.1, np.float32), RATE)
    track.put(NS_PER_S + 50 * MS, np.full(RATE // 10, 0.4, np.float32), RATE)
    heard = track.render(RATE, RATE)
    assert np.allclose(heard[:4_800], 0.1, atol=0.02)
    assert np.allclose(heard[4_800:7_000], 0.4, atol=0.05) and not heard[7_300:].any()
