"""How much of the presentation delay the windows leave over. Knows no ROS."""
from __future__ import annotations

from ..config import GestureConfig, OutputConfig
from ..exceptions import ConfigError
from ..stream import GestureStream
from ..timeline import KNOT_RATE_HZ, NS_PER_S

MIN_ALLOWANCE_NS = 20_000_000
PLAYER_SPARE_S = 0.1
"""Of the presentation delay, what must be left beside the player's latency for audio to arrive."""


def longest_freeze_s(output: OutputConfig) -> float:
    """Return how far ahead motion may be frozen: the horizon, and on to the next knot [s]."""
    return output.frozen_horizon_s + 1.0 / KNOT_RATE_HZ


def check_delay(stream: GestureStream, config: GestureConfig) -> int:
    """Return how late [ns] audio may come: a third of the delay that the windows leave over.

    The rest of it is for computing.

    Raises:
        ConfigError: the delay does not cover hop, foresight, lead and frozen horizon, or not the
            latency of the player.
    """
    needed_s = longest_freeze_s(config.output) + max(
        stream.body_latency_s + config.body.lead_s, stream.face_latency_s + config.face.lead_s)
    spare_ns = round((config.output.presentation_delay_s - needed_s) * NS_PER_S)
    if spare_ns < 3 * MIN_ALLOWANCE_NS:
        raise ConfigError(
            f'output.presentation_delay_s must be at least '
            f'{needed_s + 3 * MIN_ALLOWANCE_NS / NS_PER_S:.2f} s (hop, foresight, lead, frozen '
            f'horizon and 0.06 s for computing), got {config.output.presentation_delay_s}')
    if config.output.player_latency_s + PLAYER_SPARE_S > config.output.presentation_delay_s:
        raise ConfigError(
            f'output.player_latency_s must be at least {PLAYER_SPARE_S} s below '
            f'output.presentation_delay_s = {config.output.presentation_delay_s} s, got '
            f'{config.output.player_latency_s}')
    return spare_ns // 3
