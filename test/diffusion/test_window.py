"""Windows: where they lie, what they hear, and seams that do not show."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.diffusion.noise import FrameNoise
from gesture_node.diffusion.window import ease_seam, join_window, smooth_window, WindowLayout
from gesture_node.exceptions import ConfigError

BODY = (25, 60, 20)


@settings(deadline=None)
@given(hop=st.integers(1, 30), foresight=st.integers(0, 10), number=st.integers(0, 500))
def test_windows_tile_the_clock(hop: int, foresight: int, number: int) -> None:
    layout = WindowLayout.from_seconds('body', BODY, hop / 25, foresight / 25)
    assert layout.first_frame(number + 1) - layout.first_frame(number) == hop
    assert layout.first_frame(number) + layout.seed_frames == number * hop
    assert layout.heard_features(number) == 2 * ((number + 1) * hop + foresight)
    assert layout.latency_s == pytest.approx((hop + foresight) / 25)


@pytest.mark.parametrize(('hop_s', 'foresight_s', 'message'), [
    (0.21, 0.0, 'multiple of 0.04'), (0.2, 0.01, 'foresight_s must be a multiple'),
    (1.6, 0.04, 'at most 1.6 s'), (0.0, 0.2, 'at most')])
def test_what_does_not_fit_is_named(hop_s: float, foresight_s: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WindowLayout.from_seconds('body', BODY, hop_s, foresight_s)


@settings(deadline=None)
@given(hop=st.integers(1, 30), foresight=st.integers(0, 10), ahead=st.integers(0, 60))
def test_windows_are_no_longer_than_is_wanted_and_heard(hop: int, foresight: int,
                                                        ahead: int) -> None:
    whole = WindowLayout.from_seconds('body', BODY, hop / 25, foresight / 25)
    short = WindowLayout.from_seconds('body', BODY, hop / 25, foresight / 25, ahead / 25)
    assert whole.window_frames == BODY[1] >= short.window_frames
    assert short.window_frames >= min(BODY[1], BODY[2] + hop + max(foresight, ahead) + 1)
    assert short.window_frames <= BODY[2] + hop + max(foresight, ahead) + 4
    for number in (0, 7):
        assert short.first_frame(number) == whole.first_frame(number)
        assert short.heard_features(number) == whole.heard_features(number)


def test_a_window_may_be_stretched_where_the_channel_allows_it() -> None:
    assert WindowLayout.from_seconds('face', (50, 64, 16), 1.6, 0.24, 0.0, 2).window_frames == 116
    assert WindowLayout.from_seconds('face', (50, 64, 16), 1.9, 0.3, 0.0, 2).window_frames == 128
    assert WindowLayout.from_seconds('face', (50, 64, 16), 0.1, 0.08, 0.0, 2).window_frames == 33
    with pytest.raises(ConfigError, match='at most 2.24 s'):
        WindowLayout.from_seconds('face', (50, 64, 16), 2.2, 0.1, 0.0, 2)


def test_the_join_carries_the_error_over_and_fades_it() -> None:
    time = np.arange(60, dtype=np.float32)[:, None] / 25
    truth = np.sin(2 * time)
    estimate = truth + 0.3
    fresh = join_window(estimate, truth[:20], 20, 25)
    assert abs(fresh[0] - truth[20]) < 0.03
    assert np.allclose(fresh[10:], estimate[30:], atol=1e-6)
    joined = np.concatenate([truth[:20], fresh])
    assert np.abs(np.diff(joined, axis=0)).max() < np.abs(np.diff(truth, axis=0)).max() + 0.08


def test_steady_channels_follow_the_new_window_at_once() -> None:
    truth = np.repeat(np.sin(2 * np.arange(60, dtype=np.float32) / 50)[:, None], 2, axis=1)
    estimate = truth + 0.3
    fresh = join_window(estimate, truth[:20], 20, 50, steady=(1,))
    assert np.allclose(fresh[1:, 1], estimate[21:, 1], atol=1e-6)
    assert abs(fresh[0, 1] - truth[20, 1]) < 0.2
    assert fresh[4, 0] < estimate[24, 0] - 0.1


@settings(deadline=None)
@given(start=st.integers(-100, 10_000), shift=st.integers(0, 30))
def test_noise_belongs_to_frames_not_windows(start: int, shift: int) -> None:
    first = FrameNoise(7, 0, 4).get(start, start + 40)
    other = FrameNoise(7, 0, 4).get(start + shift, start + 45)
    assert np.array_equal(first[shift:40], other[:40 - shift])


def test_noise_differs_by_seed_channel_and_frame_and_is_normal() -> None:
    base = FrameNoise(7, 0, 4).get(0, 2000)
    assert not np.array_equal(base, FrameNoise(8, 0, 4).get(0, 2000))
    assert not np.array_equal(base, FrameNoise(7, 1, 4).get(0, 2000))
    assert abs(base.mean()) < 0.05 and abs(base.std() - 1) < 0.03
    assert abs(np.corrcoef(base[:-1, 0], base[1:, 0])[0, 1]) < 0.1


def test_smoothing_calms_noise_and_leaves_slow_motion_where_it_is() -> None:
    rough = np.random.default_rng(4).standard_normal((60, 3)).astype(np.float32)
    calm = smooth_window(rough, 1.25)
    assert np.diff(calm, n=2, axis=0).std() < 0.15 * np.diff(rough, n=2, axis=0).std()
    slow = np.sin(2 * np.pi * 0.7 * np.arange(60) / 25)[:, None].astype(np.float32)
    assert np.abs(smooth_window(slow, 1.25) - slow)[4:-4].max() < 0.03
    assert smooth_window(rough, 0.0) is rough


@settings(deadline=None)
@given(seed=st.integers(0, 2**31 - 1), start=st.integers(-50, 10**6), dim=st.integers(1, 90))
def test_noise_of_a_frame_is_that_of_a_generator_at_its_place(seed: int, start: int,
                                                              dim: int) -> None:
    found = FrameNoise(seed, 1, dim).get(start, start + 3)
    for frame, row in enumerate(found, start):
        counter = np.array([0, 0, frame + (1 << 32), 0], np.uint64)
        key = np.array([seed, 1], np.uint64)
        alone = np.random.Generator(np.random.Philox(counter=counter, key=key))
        assert np.array_equal(row, alone.standard_normal(dim, dtype=np.float32))


def third_differences(past, frames):
    return np.abs(np.diff(np.concatenate([past[-3:], frames]), n=3, axis=0))


def test_a_seam_gives_way_on_its_new_side_alone():
    random = np.random.default_rng(4)
    times = np.arange(-20, 30)[:, None] / 25.0
    motion = np.sin(2.0 * np.pi * times * random.uniform(0.3, 1.0, 4)).astype(np.float32)
    past, frames = motion[:20], motion[20:] + np.float32(0.05) * random.standard_normal(4)
    frames = frames.astype(np.float32)
    eased = ease_seam(past, frames)
    assert third_differences(past, eased)[:4].max() < 0.5 * third_differences(past, frames).max()
    assert np.array_equal(eased[6:], frames[6:]) and np.abs(eased - frames).max() < 0.15
    smooth = ease_seam(past, motion[20:])
    assert np.abs(smooth - motion[20:]).max() < 0.01


def test_a_seam_of_motion_without_jerk_is_left_alone():
    times = np.arange(-20, 30)[:, None] / np.float32(25.0)
    course = (0.3 + 0.2 * times - 0.1 * times ** 2).astype(np.float32)
    assert np.abs(ease_seam(course[:20], course[20:]) - course[20:]).max() < 1e-5
    assert np.array_equal(ease_seam(course[:20], course[20:28]), course[20:28])
