"""Parameter classes as ROS parameters: declared, described, checked and changed at run time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from edge_ai.core.errors import ParameterError
from edge_ai.core.params import Params, ParamSpec, specs
from edge_ai.nodes.qos_overrides import PREFIX, refuse_malformed

# ROS gives an unbounded range no value of its own.
_LARGEST_INT = 2**31 - 1
_LARGEST_FLOAT = 1e9
# Parameters that rclpy itself reads from the same files.
_FOREIGN = ("use_sim_time", PREFIX, "start_type_description_service")


class NodeParams:
    """The parameters of a node, one class for each prefix.

    Args:
        node: owns the parameters.
        classes: parameter class by prefix; "" for none, "camera." for names like "camera.source".

    Raises:
        ParameterError: a value given at start has a wrong type, is out of range or belongs to no parameter.
    """

    def __init__(self, node: Node, classes: Mapping[str, type[Params]]) -> None:
        self._node = node
        self._classes = dict(classes)
        self._specs = {prefix + spec.name: spec for prefix, cls in classes.items() for spec in specs(cls)}
        self._on_change: Callable[[], None] = lambda: None
        self._frozen: Callable[[], bool] = lambda: False
        _refuse_unknown(node, self._specs)
        # Checked before rclpy sees them: its own refusal knows no unit and is not one of our errors.
        given = {name: parameter.value for name, parameter in node._parameter_overrides.items()}
        self.values = self._parse({name: given.get(name, spec.default) for name, spec in self._specs.items()})
        for name, spec in self._specs.items():
            node.declare_parameter(name, spec.default, _descriptor(spec))
        node.add_on_set_parameters_callback(self._set)

    def watch(self, *, frozen: Callable[[], bool], on_change: Callable[[], None]) -> None:
        """Say when only live parameters may change, and whom to tell of a change."""
        self._frozen, self._on_change = frozen, on_change

    def __getitem__(self, prefix: str) -> Any:
        """The checked parameters of one prefix."""
        return self.values[prefix]

    def _parse(self, values: Mapping[str, Any]) -> dict[str, Params]:
        owner = self._node.get_name()
        return {
            prefix: cls.parse({spec.name: _plain(values[prefix + spec.name], spec) for spec in specs(cls)}, owner=owner)
            for prefix, cls in self._classes.items()
        }

    def _set(self, parameters: Iterable[Parameter]) -> SetParametersResult:
        changes = {p.name: p.value for p in parameters if p.name in self._specs}
        if not changes:
            return SetParametersResult(successful=True)
        held = [name for name in changes if not self._specs[name].live]
        if held and self._frozen():
            reason = f"parameter '{held[0]}' takes effect only at configure: deactivate and clean up the node first"
            return SetParametersResult(successful=False, reason=reason)
        before = self.values
        try:
            self.values = self._parse({name: self._node.get_parameter(name).value for name in self._specs} | changes)
            self._on_change()
        except Exception as error:
            self.values = before
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)


def _plain(value: Any, spec: ParamSpec) -> Any:
    """ROS has number arrays as array.array, and reads the device number in `-p source:=0` as a number."""
    if spec.type == "string" and type(value) is int:
        return str(value)
    return list(value) if hasattr(value, "typecode") or isinstance(value, tuple) else value


def _refuse_unknown(node: Node, known: Mapping[str, ParamSpec]) -> None:
    given = node._parameter_overrides
    refuse_malformed(given)
    unknown = [name for name in given if name not in known and not name.startswith(_FOREIGN)]
    if unknown:
        raise ParameterError(
            f"parameter '{unknown[0]}' of {node.get_name()} does not exist", wanted=f"one of {', '.join(known)}"
        )


def _descriptor(spec: ParamSpec) -> ParameterDescriptor:
    words = [spec.description, f"Unit: {spec.unit}." if spec.unit else "", f"Allowed: {spec.range}." * bool(spec.range)]
    descriptor = ParameterDescriptor(
        description=" ".join(word for word in words if word),
        # Typed by the parameter class, whose refusal names parameter, type and range; also takes 1 for 1.0.
        dynamic_typing=True,
    )
    if spec.type == "int" and spec.range:
        low, high = spec.lower, spec.upper
        descriptor.integer_range = [
            IntegerRange(
                from_value=int(-_LARGEST_INT if low is None else low),
                to_value=int(_LARGEST_INT if high is None else high),
            )
        ]
    elif spec.type == "double" and spec.range:
        low, high = spec.lower, spec.upper
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=float(-_LARGEST_FLOAT if low is None else low),
                to_value=float(_LARGEST_FLOAT if high is None else high),
            )
        ]
    return descriptor
