"""Configuration: documented, bounded, and refused in one sentence when wrong."""
import math

import pytest

from gesture_node.config import (
    BodyConfig,
    default_of,
    GestureConfig,
    OutputConfig,
    walk,
    with_values,
)
from gesture_node.exceptions import ConfigError


def test_every_leaf_is_documented_and_its_default_allowed() -> None:
    leaves = walk(GestureConfig())
    assert len({name for name, _, _ in leaves}) == len(leaves) > 20
    for name, value, item in leaves:
        assert item.metadata['doc'].endswith('.'), name
        assert value == default_of(item), name
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            low, high = item.metadata['bounds']
            assert low <= value <= high, name
        if name.endswith('_s'):
            assert item.metadata['unit'] == ('m/s' if name.endswith('_m_s') else 's'), name


@pytest.mark.parametrize(('values', 'message'), [
    ({'body.hop_s': 9.0}, r'BodyConfig.hop_s must be in \[0.08, 1.6\], got 9.0'),
    ({'body.hop_s': math.nan}, 'finite'),
    ({'body.steps': 2.5}, 'BodyConfig.steps must be int, got 2.5'),
    ({'body.steps': True}, 'must be int'),
    ({'output.stamp_policy': 'now'}, 'one of past, future, zero'),
    ({'robot': 3}, 'must be str'),
    ({'hopp': 1}, 'unknown parameter'),
    ({'body.hopp': 1}, 'unknown parameter'),
    ({'body': 1}, 'group'),
    ({'seed.x': 1}, 'has no parts'),
])
def test_wrong_values_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_values(GestureConfig(), values)


def test_an_integer_is_accepted_where_a_float_is_meant() -> None:
    config = with_values(GestureConfig(), {'body.hop_s': 1, 'output.repeat_hz': 10, 'seed': 7})
    assert config.body.hop_s == 1.0 and isinstance(config.body.hop_s, float)
    assert (config.seed, config.output.repeat_hz) == (7, 10.0)
    assert config.face == GestureConfig().face


def test_configs_are_values() -> None:
    assert BodyConfig() == BodyConfig()
    with pytest.raises(AttributeError):
        OutputConfig().tail_s = 1.0  # type: ignore[misc]
