"""Placing packets on stream time, and stream time on ROS time."""
from hypothesis import given, settings
from hypothesis import strategies as st

from gesture_node.ros.presentation import PacketTiming, Placement, PresentationClock
from gesture_node.timeline import NS_PER_S

RATE = 16_000
MS = 1_000_000
NOW = 1_700_000_000 * NS_PER_S
DELAY = 500 * MS
ALLOWANCE = 80 * MS
PACKET = 320  # 20 ms


def timing(arrival_ms: float, stamp_ms: float | None = None, samples: int = PACKET,
           rate: int = RATE, **more) -> PacketTiming:
    stamp = None if stamp_ms is None else NOW + round(stamp_ms * MS)
    return PacketTiming(samples, rate, NOW + round(arrival_ms * MS), stamp, **more)


def clock_of(first: PacketTiming) -> tuple[PresentationClock, Placement]:
    clock = PresentationClock(first, first.arrival_ns, DELAY, ALLOWANCE)
    placement = clock.place(first)
    assert placement is not None
    return clock, placement


def test_epoch_is_the_credible_stamp_of_the_first_packet():
    clock, placement = clock_of(timing(30, stamp_ms=10))
    assert clock.epoch_ns == NOW + 10 * MS
    assert placement == Placement(0, 0, 0, 0)
    assert clock.presentation_ns(0) == NOW + 510 * MS


def test_epoch_is_the_arrival_without_a_credible_stamp():
    assert clock_of(timing(30))[0].epoch_ns == NOW + 30 * MS
    assert clock_of(timing(30, stamp_ms=-6_000))[0].epoch_ns == NOW + 30 * MS


def test_stamps_too_old_to_be_shown_in_time_shift_the_epoch():
    clock, _ = clock_of(timing(1_000, stamp_ms=0))
    assert clock.epoch_ns == NOW + 1_000 * MS - ALLOWANCE
    assert clock.shift_ns == 920 * MS
    follow = clock.place(timing(1_020, stamp_ms=20))
    assert follow == Placement(0, 0, 20 * MS, 20 * MS)


def test_lost_packets_leave_silence_of_their_length():
    clock, _ = clock_of(timing(0, stamp_ms=0))
    placement = clock.place(timing(100, stamp_ms=100))
    assert placement == Placement(4 * PACKET, 0, start_ns=100 * MS, due_ns=100 * MS)
    assert clock.counters.filled_s == 0.08


def test_one_known_loss_is_filled_although_the_gap_is_small():
    clock, _ = clock_of(timing(0, stamp_ms=0))
    assert clock.place(timing(40, stamp_ms=40, lost=1)).silence_samples == PACKET
    clock, _ = clock_of(timing(0, stamp_ms=0))
    assert clock.place(timing(40, stamp_ms=40)).silence_samples == 0


def test_packets_out_of_order_are_dropped_and_counted():
    clock, _ = clock_of(timing(0, stamp_ms=0))
    clock.place(timing(20, stamp_ms=20))
    clock.place(timing(60, stamp_ms=60))
    assert clock.place(timing(61, stamp_ms=40)) is None
    assert clock.counters.out_of_order == 1


def test_a_source_that_restarts_its_stamps_is_followed_in_the_end():
    clock, _ = clock_of(timing(2_000, stamp_ms=2_000))
    placed = [clock.place(timing(2_020 + 20 * i, stamp_ms=20 * i)) for i in range(20)]
    assert placed[0] is None and placed[-1] is not None


def test_utterance_at_once_queues_without_silence():
    clock, _ = clock_of(timing(0, stamp_ms=0, samples=3 * RATE))
    placement = clock.place(timing(5, stamp_ms=5, samples=RATE))
    assert placement == Placement(0, 0, 3 * NS_PER_S, 3 * NS_PER_S)
    assert clock.pad(NOW + 3 * NS_PER_S, RATE) == 0


def test_stamps_far_ahead_are_credible_when_the_queue_is_as_long():
    clock, _ = clock_of(timing(0, stamp_ms=0, samples=8 * RATE))
    assert clock.place(timing(5, stamp_ms=8_000)).silence_samples == 0
    assert clock.counters.incredible_stamps == 0


def test_padding_keeps_pace_when_the_source_pauses():
    clock, _ = clock_of(timing(0, stamp_ms=0))
    assert clock.pad(NOW + 20 * MS + ALLOWANCE, RATE) == 0
    assert clock.pad(NOW + 520 * MS + ALLOWANCE, RATE) == RATE // 2
    assert clock.end_ns == 520 * MS
    assert clock.silent_ns(NOW + 520 * MS) == 500 * MS


def test_stamped_audio_that_comes_after_its_padding_loses_what_was_replaced():
    clock, _ = clock_of(timing(0, stamp_ms=0))
    clock.pad(NOW + 50 * MS + ALLOWANCE, RATE)
    assert clock.end_ns == 50 * MS
    assert clock.place(timing(130, stamp_ms=20)) == Placement(0, PACKET, 50 * MS, 20 * MS)
    assert clock.place(timing(131, stamp_ms=40)) == Placement(0, PACKET // 2, 50 * MS, 40 * MS)
    assert clock.place(timing(132, stamp_ms=60)) == Placement(0, 0, 60 * MS, 60 * MS)
    assert clock.counters.late_s == 0.03


def test_unstamped_audio_after_padding_is_kept_whole():
    clock, _ = clock_of(timing(0))
    clock.pad(NOW + 50 * MS + ALLOWANCE, RATE)
    assert clock.place(timing(130)).skip_samples == 0


def test_silence_counts_from_the_last_audible_sample():
    clock, _ = clock_of(timing(0, stamp_ms=0))
    clock.place(timing(20, stamp_ms=20, audible=False))
    assert clock.silent_ns(NOW + 100 * MS) == 80 * MS


packets = st.lists(st.tuples(
    st.integers(0, 400),                          # ms since the last arrival
    st.one_of(st.none(), st.integers(-6_000, 6_000)),   # stamp minus arrival, ms
    st.integers(1, 20_000), st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]),
    st.booleans()), min_size=1, max_size=30)


@given(packets)
@settings(max_examples=150, deadline=None)
def test_whatever_comes_stream_time_is_whole_and_keeps_pace(stream):
    clock, at_ms, end_ns = None, 0, 0
    for wait_ms, offset_ms, samples, rate, audible in stream:
        at_ms += wait_ms
        stamp_ms = None if offset_ms is None else at_ms + offset_ms
        packet = timing(at_ms, stamp_ms, samples, rate, audible=audible)
        if clock is None:
            clock = PresentationClock(packet, packet.arrival_ns, DELAY, ALLOWANCE)
        clock.pad(packet.arrival_ns, rate)
        padded_ns = clock.end_ns
        assert padded_ns >= end_ns
        placement = clock.place(packet)
        if placement is None:
            assert clock.end_ns == padded_ns
            continue
        assert 0 <= placement.skip_samples <= samples and placement.silence_samples >= 0
        gap_ns = placement.silence_samples * NS_PER_S / rate
        kept_ns = (samples - placement.skip_samples) * NS_PER_S / rate
        assert abs(placement.start_ns - padded_ns - gap_ns) <= 2
        assert abs(clock.end_ns - placement.start_ns - kept_ns) <= 2
        behind_ns = clock.stream_ns(packet.arrival_ns) - clock.end_ns
        assert behind_ns < ALLOWANCE + 20 * MS
        end_ns = clock.end_ns


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 70)), min_size=2, max_size=100))
@settings(max_examples=100, deadline=None)
def test_live_stamped_audio_stays_at_its_time_through_loss_and_jitter(history):
    """A packet is heard within the stamp tolerance of its stamp plus the delay."""
    clock = None
    arrival_ms = 0.0
    for index, (lost, jitter_ms) in enumerate(history):
        if lost and index:
            continue
        arrival_ms = max(arrival_ms, 20 * index + jitter_ms)
        packet = timing(arrival_ms, stamp_ms=20 * index)
        if clock is None:
            clock = PresentationClock(packet, packet.arrival_ns, DELAY, ALLOWANCE)
        clock.pad(packet.arrival_ns, RATE)
        placement = clock.place(packet)
        assert placement is not None
        if placement.skip_samples < PACKET:
            heard_ns = clock.presentation_ns(placement.start_ns)
            begins_ns = packet.stamp_ns + placement.skip_samples * NS_PER_S // RATE
            assert abs(heard_ns - DELAY - clock.shift_ns - begins_ns) <= 40 * MS + 2


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_how_an_utterance_is_cut_does_not_move_it(cuts):
    clock = None
    total = 0
    for samples in cuts:
        packet = timing(0.1 * total / RATE, samples=samples)
        clock = clock or PresentationClock(packet, packet.arrival_ns, DELAY, ALLOWANCE)
        placement = clock.place(packet)
        start_ns = total * NS_PER_S // RATE
        assert placement == Placement(0, 0, start_ns, start_ns)
        total += samples
