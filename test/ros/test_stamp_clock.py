"""Stamps of wall time are recognised under simulated time, and keep their order and distance."""
import numpy as np

from gesture_node.ros.presentation import PacketTiming, PresentationClock
from gesture_node.ros.stamp_clock import StampClock
from gesture_node.timeline import NS_PER_S

MS = 1_000_000
WALL = 1_700_000_000 * NS_PER_S
SIM = 40 * NS_PER_S


def test_stamps_of_ros_time_stay_as_they_are():
    clock = StampClock()
    assert clock.read(SIM - 30 * MS, SIM, WALL) == SIM - 30 * MS
    assert clock.read(WALL - 30 * MS, WALL, WALL) == WALL - 30 * MS
    assert clock.read(None, SIM, WALL) is None
    assert clock.read(7 * NS_PER_S, SIM, WALL) == 7 * NS_PER_S
    assert clock.translated == 0


def test_a_wall_stamp_under_simulated_time_keeps_its_age():
    clock = StampClock()
    assert clock.read(WALL - 30 * MS, SIM, WALL) == SIM - 30 * MS
    assert clock.translated == 1


def test_steps_of_the_simulated_clock_are_not_seen_in_the_stamps():
    clock = StampClock()
    rng = np.random.default_rng(0)
    found = []
    for packet in range(200):
        wall = WALL + packet * 20 * MS + int(rng.integers(0, 15)) * MS
        sim = SIM + (wall - WALL) // (10 * MS) * 10 * MS
        found.append(clock.read(WALL + packet * 20 * MS - 40 * MS, sim, wall))
    assert set(np.diff(found)) == {20 * MS}


def test_a_slow_simulation_does_not_turn_packets_around():
    clock = StampClock()
    found = []
    for packet in range(300):
        wall = WALL + packet * 20 * MS
        sim = SIM + (wall - WALL) // 4 // (10 * MS) * 10 * MS
        found.append(clock.read(wall - 25 * MS, sim, wall))
        assert abs(found[-1] - (sim - 25 * MS)) <= 40 * MS
    assert (np.diff(found) > 0).all()


def test_speech_sent_ahead_is_recognised_to_its_end():
    clock = StampClock()
    for packet in range(20):
        found = clock.read(WALL + packet * NS_PER_S, SIM + packet * MS, WALL + packet * MS)
        assert found == SIM + packet * NS_PER_S


def test_a_simulation_that_begins_again_is_followed():
    clock = StampClock()
    clock.read(WALL, SIM, WALL)
    assert clock.read(WALL + 20 * MS, 0, WALL + 20 * MS) == 0


def test_packets_that_step_back_still_do():
    clock = StampClock()
    clock.read(WALL, SIM, WALL)
    clock.read(WALL + 40 * MS, SIM + 40 * MS, WALL + 40 * MS)
    assert clock.read(WALL + 20 * MS, SIM + 41 * MS, WALL + 41 * MS) == SIM + 20 * MS


def test_translated_stamps_fill_gaps_that_times_of_arrival_would_not():
    clock, placed = StampClock(), None
    presentation = None
    for packet in (0, 1, 2, 7, 8):
        stamp = WALL + packet * 20 * MS
        arrival = SIM + packet * 20 * MS + 30 * MS
        timing = PacketTiming(320, 16_000, arrival,
                              clock.read(stamp, arrival, stamp + 30 * MS))
        presentation = presentation or PresentationClock(timing, arrival, 500 * MS, 80 * MS)
        placed = presentation.place(timing)
        assert presentation.presentation_ns(placed.due_ns) == SIM + packet * 20 * MS + 500 * MS
    assert presentation.counters.incredible_stamps == 0
