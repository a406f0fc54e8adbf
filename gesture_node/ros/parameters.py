"""Declares a config dataclass as ROS parameters and reads it back.

Numbers are declared with dynamic typing: ROS would otherwise refuse ``body.hop_s:=1`` because a
double is meant. What is allowed is decided in one place, by the dataclasses themselves.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field
import difflib
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from ..config import walk, with_values
from ..exceptions import ConfigError, GestureError
from .node_config import ros_name

ConfigT = TypeVar('ConfigT')
_FOREIGN = ('use_sim_time', 'qos_overrides.', 'start_type_description_service')


class ConfigParameters(Generic[ConfigT]):
    """The parameters of one node, always valid.

    Args:
        node: where they are declared.
        default: config dataclass with the defaults; gives names, types, bounds and descriptions.

    Raises:
        ConfigError: a value given at start is of the wrong type or out of range.
    """

    def __init__(self, node: Node, default: ConfigT) -> None:
        self._node = node
        self._config = default
        self._check: Callable[[ConfigT], None] = lambda config: None
        self._on_change: Callable[[ConfigT], None] = lambda config: None
        self._fields = {ros_name(name): name for name, _, _ in walk(default)}
        values = {ros_name(name): self._declare(ros_name(name), value, item)
                  for name, value, item in walk(default)}
        self._config = self._changed(values)
        self._warn_of_unknown()
        node.add_on_set_parameters_callback(self._validate)
        # Humble has no callback after a change; there the check applies it as well.
        self._applies_at_once = not hasattr(node, 'add_post_set_parameters_callback')
        if not self._applies_at_once:
            node.add_post_set_parameters_callback(self._apply)

    @property
    def config(self) -> ConfigT:
        """The values in force."""
        return self._config

    def on_change(self, check: Callable[[ConfigT], None],
                  callback: Callable[[ConfigT], None]) -> None:
        """Follow changes at run time.

        Args:
            check: raises a :class:`GestureError` to refuse a change; has no side effect.
            callback: takes the values after every accepted change.
        """
        self._check, self._on_change = check, callback

    def _declare(self, name: str, default: Any, item: Field[Any]) -> Any:
        """Declare one parameter and return its value, given or default."""
        try:
            return self._node.declare_parameter(name, default, descriptor(item, default)).value
        except (InvalidParameterTypeException, InvalidParameterValueException):
            given = self._given().get(name)
            value = None if given is None else given.value
            self._changed({name: value})
            raise ConfigError(f'parameter {name!r} cannot be {value!r}') from None

    def _given(self) -> dict[str, Parameter[Any]]:
        return getattr(self._node, '_parameter_overrides', {})

    def _validate(self, parameters: Sequence[Parameter[Any]]) -> SetParametersResult:
        try:
            self._check(self._changed(_values(parameters)))
        except GestureError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if self._applies_at_once:
            self._apply(parameters)
        return SetParametersResult(successful=True)

    def _apply(self, parameters: Sequence[Parameter[Any]]) -> None:
        changed = self._changed(_values(parameters))
        if changed != self._config:
            self._config = changed
            self._on_change(changed)

    def _changed(self, values: dict[str, Any]) -> ConfigT:
        """Return the config with ROS parameters replaced, or say which of them is wrong."""
        config = self._config
        for name, value in values.items():
            if name in self._fields:
                try:
                    config = with_values(config, {self._fields[name]: value})
                except ConfigError as error:
                    raise ConfigError(f'parameter {name!r} is refused: {error}') from None
        return config

    def _warn_of_unknown(self) -> None:
        """Say which given parameters nobody declared; ROS would ignore a typing error silently."""
        for name in sorted(set(self._given()) - set(self._fields)):
            if name.startswith(_FOREIGN):
                continue
            near = difflib.get_close_matches(name, self._fields, n=1)
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


def _values(parameters: Sequence[Parameter[Any]]) -> dict[str, Any]:
    return {parameter.name: parameter.value for parameter in parameters}
