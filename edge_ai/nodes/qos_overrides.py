"""QoS of topics from parameters, under ROS's own names: ``qos_overrides./camera/image_raw.subscription.depth``."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

from edge_ai.core.errors import ParameterError

PREFIX = "qos_overrides."
_NAME = re.compile(r"qos_overrides\.(/.+)\.(publisher|subscription)(_\w+)?\.\w+")
_DEEPEST = 1000
# Keeping all would let one slow reader fill the memory.
_WORDS = {
    "history": ("keep_last",),
    "reliability": (ReliabilityPolicy.RELIABLE.name.lower(), ReliabilityPolicy.BEST_EFFORT.name.lower()),
    "durability": (DurabilityPolicy.VOLATILE.name.lower(), DurabilityPolicy.TRANSIENT_LOCAL.name.lower()),
}


def refuse_malformed(names: Iterable[str]) -> None:
    """Check what can be checked before any topic is known.

    Raises:
        ParameterError: a name that begins like a QoS override and is none.
    """
    for name in names:
        if name.startswith(PREFIX) and not _NAME.fullmatch(name):
            raise ParameterError(
                f"parameter '{name}' is no QoS override",
                wanted="qos_overrides.<topic with its leading slash>.<publisher or subscription>.<policy>",
            )


def overridable(node: Node, topic: str, end: str, qos: QoSProfile) -> dict[str, Any]:
    """How to create one end of a topic so that parameters may override its QoS: history, depth and reliability.

    Durability may be overridden only where more than the newest message is kept. Of images, results and commands only
    the newest counts: latched, they would reach a late reader as if they were new.

    Args:
        node: creates it.
        topic: its name, relative or not.
        end: "publisher" or "subscription".
        qos: unless overridden.

    Returns:
        Arguments for `create_publisher` or `create_subscription`. Its profile is a copy: rclpy overrides in place.

    Raises:
        ParameterError: an override of a policy or with a value that is not allowed here.
    """
    kinds = [QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY]
    if qos.depth > 1:
        kinds.append(QoSPolicyKind.DURABILITY)
    allowed = [kind.name.lower() for kind in kinds]
    prefix = f"{PREFIX}{node.resolve_topic_name(topic)}.{end}."
    for name, parameter in node._parameter_overrides.items():
        if name.startswith(prefix):
            _check(name, name[len(prefix) :], parameter.value, allowed)
    depth = node._parameter_overrides.get(prefix + "depth")
    if qos.depth == 1 and depth is not None and depth.value > 1:
        node.get_logger().warning(f"parameter '{depth.name}' is {depth.value}: what waits in a queue is acted on late")
    return {"qos_profile": copy.copy(qos), "qos_overriding_options": QoSOverridingOptions(kinds)}


def _check(name: str, policy: str, value: object, allowed: list[str]) -> None:
    if policy not in allowed:
        raise ParameterError(f"parameter '{name}'", got=f"policy '{policy}'", wanted=f"one of {', '.join(allowed)}")
    if policy == "depth":
        if type(value) is not int or not 1 <= value <= _DEEPEST:
            raise ParameterError(f"parameter '{name}'", got=repr(value), wanted=f"int 1 .. {_DEEPEST}")
    elif value not in _WORDS[policy]:
        raise ParameterError(f"parameter '{name}'", got=repr(value), wanted=" or ".join(_WORDS[policy]))
