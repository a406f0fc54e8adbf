"""The clock: exact, and without drift over any length of stream."""
from hypothesis import given
from hypothesis import strategies as st
import pytest

from gesture_node import timeline

TEN_HOURS_SAMPLES = 10 * 3600 * timeline.SAMPLE_RATE_HZ
RATES = st.sampled_from([timeline.FEATURE_RATE_HZ, timeline.BODY_RATE_HZ, timeline.KNOT_RATE_HZ])


@given(frame=st.integers(0, TEN_HOURS_SAMPLES // 320), rate_hz=RATES)
def test_frame_and_sample_agree_without_drift(frame: int, rate_hz: int) -> None:
    first = timeline.first_sample(frame, rate_hz)
    assert timeline.frames_before(first, rate_hz) == frame
    assert timeline.frames_before(first + timeline.samples_per_frame(rate_hz) - 1,
                                  rate_hz) == frame
    assert timeline.sample_to_ns(first) == timeline.frame_to_ns(frame, rate_hz)
    assert timeline.frame_to_s(frame, rate_hz) == pytest.approx(first / 16_000, abs=1e-9)


@given(sample=st.integers(0, TEN_HOURS_SAMPLES), jitter_ns=st.integers(-31_249, 31_249))
def test_ns_to_sample_finds_the_nearest(sample: int, jitter_ns: int) -> None:
    assert timeline.ns_to_sample(timeline.sample_to_ns(sample) + jitter_ns) == sample


@given(frame=st.integers(0, 10 ** 7))
def test_body_frames_lie_on_knots(frame: int) -> None:
    knot = timeline.convert_frame(frame, timeline.BODY_RATE_HZ, timeline.KNOT_RATE_HZ)
    assert timeline.frame_to_ns(knot, timeline.KNOT_RATE_HZ) == timeline.frame_to_ns(
        frame, timeline.BODY_RATE_HZ)


@pytest.mark.parametrize('rate_hz', [0, -50, 30, 60])
def test_a_rate_that_would_drift_is_refused(rate_hz: int) -> None:
    with pytest.raises(ValueError, match=str(rate_hz)):
        timeline.samples_per_frame(rate_hz)


@given(frames=st.integers(-1000, 100_000), rate_hz=RATES)
def test_durations_round_to_the_nearest_frame(frames: int, rate_hz: int) -> None:
    assert timeline.s_to_frames(frames / rate_hz, rate_hz) == frames
    assert timeline.s_to_frames((frames + 0.4) / rate_hz, rate_hz) == frames
