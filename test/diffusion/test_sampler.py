"""The sampler against the formulas of the papers, written out number by number."""
from __future__ import annotations

import math

import numpy as np
import pytest

from gesture_node.diffusion.denoiser import Conditioning
from gesture_node.diffusion.sampler import Sampler, SOLVERS
from gesture_node.diffusion.schedule import Schedule
from gesture_node.exceptions import ConfigError

STEPS = range(1, 17)
SHIFTS = (1.0, 6.0)


def conditioning(frames: int, dim: int) -> Conditioning:
    nothing = np.zeros(0, np.float32)
    return Conditioning(np.zeros((frames, 1), np.float32), nothing, nothing,
                        np.zeros((frames, dim), np.float32), np.zeros(frames, np.float32))


def estimate(x: float, level: int) -> float:
    """Return some clean estimate that bends with the sample and with the level."""
    return math.tanh(0.6 * x + math.cos(level / 150.0))


def network(x_t: np.ndarray, level: int, _c: Conditioning, _guidance: float) -> np.ndarray:
    return np.tanh(0.6 * x_t + np.float32(math.cos(level / 150.0))).astype(np.float32)


def ddim_reference(schedule: Schedule, levels: list[int], start: float) -> float:
    """Song et al. 2021, eq. 12 with sigma = 0, for one number."""
    x = start
    for level, lower in zip(levels, levels[1:]):
        alpha, sigma = float(schedule.signal[level]), float(schedule.noise[level])
        clean = estimate(x, level)
        direction = (x - alpha * clean) / sigma
        x = float(schedule.signal[lower]) * clean + float(schedule.noise[lower]) * direction
    return estimate(x, levels[-1])


def dpm_reference(schedule: Schedule, levels: list[int], start: float) -> float:
    """Lu et al. 2022 (DPM-Solver++), algorithm 2 (2M), for one number."""
    def half_log_snr(level: int) -> float:
        return math.log(float(schedule.signal[level]) / float(schedule.noise[level]))

    x, older, step_before = start, None, 0.0
    for level, lower in zip(levels, levels[1:]):
        step = half_log_snr(lower) - half_log_snr(level)
        clean = estimate(x, level)
        blend = clean
        if older is not None:
            ratio = step_before / step
            blend = (1.0 + 1.0 / (2.0 * ratio)) * clean - 1.0 / (2.0 * ratio) * older
        x = (float(schedule.noise[lower]) / float(schedule.noise[level]) * x
             - float(schedule.signal[lower]) * (math.exp(-step) - 1.0) * blend)
        older, step_before = clean, step
    return estimate(x, levels[-1])


REFERENCES = {'ddim': ddim_reference, 'dpm': dpm_reference}


@pytest.mark.parametrize('shift', SHIFTS)
@pytest.mark.parametrize('solver', SOLVERS)
def test_every_number_of_steps_follows_the_papers(solver: str, shift: float) -> None:
    schedule = Schedule.cosine(shift=shift)
    noise = np.random.default_rng(4).standard_normal((3, 2)).astype(np.float32)
    for steps in STEPS:
        sample = Sampler(schedule, steps, solver=solver).sample(
            network, conditioning(3, 2), noise)
        wanted = [[REFERENCES[solver](schedule, schedule.levels(steps), float(value))
                   for value in row] for row in noise]
        np.testing.assert_allclose(sample, wanted, atol=2e-4, err_msg=f'{steps} steps')


def test_the_solvers_agree_at_one_and_differ_at_more() -> None:
    schedule = Schedule.cosine()
    noise = np.random.default_rng(5).standard_normal((4, 2)).astype(np.float32)
    for steps, same in ((1, True), (2, True), (3, False), (8, False)):
        first, second = (Sampler(schedule, steps, solver=solver).sample(
            network, conditioning(4, 2), noise) for solver in SOLVERS)
        assert np.allclose(first, second, atol=1e-6) is same, steps


@pytest.mark.parametrize('steps', [8, 16])
def test_the_second_order_solver_is_nearer_to_the_exact_flow(steps: int) -> None:
    """For data N(0, s^2) the flow is known: it only scales the noise, by s at the clean end."""
    schedule, spread = Schedule.cosine(), 0.5

    def exact(x_t: np.ndarray, level: int, _c: Conditioning, _guidance: float) -> np.ndarray:
        signal, noise = schedule.signal[level], schedule.noise[level]
        return (x_t * signal * spread ** 2 / (signal ** 2 * spread ** 2 + noise ** 2)
                ).astype(np.float32)

    noise = np.ones((1, 1), np.float32)
    first, second = (abs(float(Sampler(schedule, steps, solver=solver).sample(
        exact, conditioning(1, 1), noise)[0, 0]) - spread) for solver in ('ddim', 'dpm'))
    assert second < first < 0.1


@pytest.mark.parametrize('solver', SOLVERS)
@pytest.mark.parametrize('steps', [1, 4, 16])
def test_calls_are_as_many_as_steps_whatever_the_length(solver: str, steps: int) -> None:
    levels: list[int] = []

    def counting(x_t: np.ndarray, level: int, _c: Conditioning, _g: float) -> np.ndarray:
        levels.append(level)
        return np.zeros_like(x_t)

    for frames in (1, 60, 2_000):
        levels.clear()
        Sampler(Schedule.cosine(), steps, solver=solver).sample(
            counting, conditioning(frames, 1), np.ones((frames, 1), np.float32))
        assert len(levels) == steps and levels == sorted(levels, reverse=True)


@pytest.mark.parametrize(('solver', 'steps', 'message'), [
    ('euler', 4, "sampler must be one of dpm, ddim, got 'euler'"),
    ('dpm', 0, r'steps must be in \[1, 1000\], got 0')])
def test_what_no_sampler_can_do_is_refused(solver: str, steps: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Sampler(Schedule.cosine(), steps, solver=solver)
