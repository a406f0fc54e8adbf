"""Declares the config dataclasses as ROS parameters and reads them back.

Numbers are declared with dynamic typing: ROS would otherwise refuse ``body.hop_s:=1`` because a
double is meant. What is allowed is decided in one place, by the dataclasses themselves.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field
import difflib
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from ..config import walk, with_values
from ..exceptions import ConfigError
from .node_config import config_name, NodeConfig, ros_name

_FOREIGN = ('use_sim_time', 'qos_overrides.', 'start_type_description_service')


class NodeParameters:
    """The parameters of one node, always valid.

    Args:
        node: where they are declared.

    Raises:
        ConfigError: a value given at start is of the wrong type or out of range.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._on_change: Callable[[NodeConfig], None] = lambda config: None
        values = {}
        for name, default, item in walk(NodeConfig()):
            values[name] = _declare(node, ros_name(name), default, item)
        self._config = _configured(NodeConfig(), values)
        self._warn_of_unknown()
        node.add_on_set_parameters_callback(self._validate)
        node.add_post_set_parameters_callback(self._apply)

    @property
    def config(self) -> NodeConfig:
        """The values in force."""
        return self._config

    def on_change(self, callback: Callable[[NodeConfig], None]) -> None:
        """Call ``callback`` with the new values after every accepted change."""
        self._on_change = callback

    def _validate(self, parameters: Sequence[Parameter[Any]]) -> SetParametersResult:
        try:
            self._changed(parameters)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply(self, parameters: Sequence[Parameter[Any]]) -> None:
        changed = self._changed(parameters)
        if changed != self._config:
            self._config = changed
            self._on_change(changed)

    def _changed(self, parameters: Sequence[Parameter[Any]]) -> NodeConfig:
        known = {ros_name(name) for name, _, _ in walk(self._config)}
        return _configured(self._config, {
            config_name(parameter.name): parameter.value
            for parameter in parameters if parameter.name in known})

    def _warn_of_unknown(self) -> None:
        """Say which given parameters nobody declared; ROS would ignore a typing error silently."""
        known = [ros_name(name) for name, _, _ in walk(self._config)]
        given = getattr(self._node, '_parameter_overrides', {})
        for name in sorted(set(given) - set(known)):
            if name.startswith(_FOREIGN):
                continue
            near = difflib.get_close_matches(name, known, n=1)
            hint = f'; did you mean {near[0]!r}?' if near else ''
            self._node.get_logger().warning(f'unknown parameter {name!r} is ignored{hint}')


def descriptor(item: Field[Any], default: Any) -> ParameterDescriptor:
    """Return the ROS description of a config field."""
    meta = item.metadata
    text = ParameterDescriptor(
        description=f'{meta["doc"]} [{meta["unit"]}]' if meta['unit'] else meta['doc'],
        read_only=meta['read_only'], dynamic_typing=isinstance(default, float))
    if meta['choices'] is not None:
        text.additional_constraints = f'one of {", ".join(meta["choices"])}'
    if meta['bounds'] is not None:
        low, high = meta['bounds']
        if isinstance(default, float):
            text.floating_point_range = [
                FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)]
        else:
            text.integer_range = [
                IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return text


def _declare(node: Node, name: str, default: Any, item: Field[Any]) -> Any:
    """Declare one parameter and return its value, given or default."""
    try:
        return node.declare_parameter(name, default, descriptor(item, default)).value
    except (InvalidParameterTypeException, InvalidParameterValueException):
        given = getattr(node, '_parameter_overrides', {}).get(name)
        value = None if given is None else given.value
        with_values(NodeConfig(), {config_name(name): value})
        raise ConfigError(f'parameter {name!r} cannot be {value!r}') from None


def _configured(config: NodeConfig, values: dict[str, Any]) -> NodeConfig:
    return with_values(config, values)
