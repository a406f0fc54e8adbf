"""The schedule and sampler against closed forms and exact denoisers."""
import numpy as np
import pytest

from gesture_node.diffusion.denoiser import Conditioning
from gesture_node.diffusion.sampler import Sampler
from gesture_node.diffusion.schedule import Schedule
from gesture_node.exceptions import ConfigError

SCHEDULE = Schedule.cosine()
RNG = np.random.default_rng(3)


def _conditioning(seed_frames: int = 0, frames: int = 12, dim: int = 3) -> Conditioning:
    mask = np.zeros(frames, np.float32)
    mask[:seed_frames] = 1
    seed = (RNG.standard_normal((frames, dim)) * mask[:, None]).astype(np.float32)
    empty = np.zeros((0,), np.float32)
    return Conditioning(np.zeros((frames, 1), np.float32), empty, empty, seed, mask)


def test_signal_falls_and_power_is_one() -> None:
    assert np.allclose(SCHEDULE.signal ** 2 + SCHEDULE.noise ** 2, 1)
    assert (np.diff(SCHEDULE.signal) < 0).all()
    assert SCHEDULE.signal[0] > 0.999 and SCHEDULE.signal[-1] < 1e-3


@pytest.mark.parametrize('steps', [1, 2, 4, 8, 50, 1000])
def test_levels_fall_from_the_noisy_end(steps: int) -> None:
    levels = SCHEDULE.levels(steps)
    assert len(levels) == steps and levels[0] == 999
    assert all(a > b for a, b in zip(levels, levels[1:]))


@pytest.mark.parametrize('shift', [1.0, 2.0, 6.0])
@pytest.mark.parametrize('steps', [1, 4, 50, 999, 1000])
def test_a_shift_crowds_levels_at_the_noisy_end(shift: float, steps: int) -> None:
    levels = Schedule.cosine(shift=shift).levels(steps)
    assert levels[0] == 999 and levels[-1] >= 0
    assert all(a > b for a, b in zip(levels, levels[1:]))
    assert all(a >= b for a, b in zip(levels, SCHEDULE.levels(steps)))


def test_a_shift_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match='shift'):
        Schedule.cosine(shift=0.5)


@pytest.mark.parametrize('steps', [0, -1, 1001])
def test_impossible_step_counts_are_refused(steps: int) -> None:
    with pytest.raises(ConfigError, match='steps'):
        SCHEDULE.levels(steps)


def test_ddim_with_the_true_signal_lands_on_the_noisy_signal() -> None:
    x_0, epsilon = (RNG.standard_normal((4, 3)).astype(np.float32) for _ in range(2))
    x_t = SCHEDULE.diffuse(x_0, epsilon, 700)
    assert np.allclose(SCHEDULE.ddim(x_t, x_0, 700, 300), SCHEDULE.diffuse(x_0, epsilon, 300),
                       atol=1e-5)


def test_dpm_solver_first_order_is_ddim() -> None:
    x_t, x_0 = (RNG.standard_normal((4, 3)).astype(np.float32) for _ in range(2))
    assert np.allclose(SCHEDULE.dpm_solver(x_t, x_0, None, (800, 800, 400)),
                       SCHEDULE.ddim(x_t, x_0, 800, 400), atol=1e-5)


@pytest.mark.parametrize('solver', ['dpm', 'ddim'])
@pytest.mark.parametrize('steps', [4, 8])
def test_gaussian_data_keep_their_spread(solver: str, steps: int) -> None:
    """For data N(0, s^2) the exact x_0 estimate is known; samples must have spread near s."""
    spread = 0.5

    def exact(x_t: np.ndarray, level: int, _c: Conditioning, _g: float) -> np.ndarray:
        signal, noise = SCHEDULE.signal[level], SCHEDULE.noise[level]
        return (x_t * signal * spread ** 2 / (signal ** 2 * spread ** 2 + noise ** 2)
                ).astype(np.float32)

    noise = RNG.standard_normal((4000, 1)).astype(np.float32)
    sample = Sampler(SCHEDULE, steps, solver=solver).sample(
        exact, _conditioning(frames=4000, dim=1), noise)
    assert 0.6 * spread < sample.std() < 1.15 * spread
    assert np.corrcoef(sample[:, 0], noise[:, 0])[0, 1] > 0.99


def test_seed_frames_are_imposed_at_every_level_and_calls_are_counted() -> None:
    conditioning, calls = _conditioning(seed_frames=5), []

    def recording(x_t: np.ndarray, level: int, c: Conditioning, _g: float) -> np.ndarray:
        calls.append((level, x_t[:5].copy()))
        return np.zeros_like(x_t)

    noise = RNG.standard_normal((12, 3)).astype(np.float32)
    Sampler(SCHEDULE, 6).sample(recording, conditioning, noise)
    assert [level for level, _ in calls] == SCHEDULE.levels(6)
    for level, seeds in calls:
        wanted = SCHEDULE.diffuse(conditioning.seed[:5], noise[:5], level)
        assert np.allclose(seeds, wanted, atol=1e-5)


def test_steady_channels_keep_the_first_estimate() -> None:
    first: list[np.ndarray] = []

    def changing(x_t: np.ndarray, level: int, _c: Conditioning, _g: float) -> np.ndarray:
        first.append(np.full_like(x_t, len(first) + 1.0))
        return first[-1].copy()

    noise = RNG.standard_normal((12, 3)).astype(np.float32)
    result = Sampler(SCHEDULE, 4, steady=(0, 2)).sample(changing, _conditioning(), noise)
    assert (result[:, [0, 2]] == 1.0).all() and (result[:, 1] == 4.0).all()
