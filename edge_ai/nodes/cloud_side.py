"""The server that a node's parameters name, as a side that a router may ask."""

from __future__ import annotations

from edge_ai.core.clock import Clock
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.ros_side import RosSide
from edge_ai.processing.card import ModelCard
from edge_ai.routing.params import CloudParams
from edge_ai.routing.side import NoCloud
from edge_ai.runtime.uplink import Connected, remote

_ROS = "ros:"


def cloud_side(node: ManagedNode, params: CloudParams, clock: Clock, card: ModelCard | None = None) -> Connected:
    """Not connected yet; a service of a cloud_node, a server of the Open Inference Protocol, or nobody.

    Raises:
        EdgeAIError: the url, a certificate or the card is wrong.
    """
    if not params.url:
        return NoCloud()
    if params.url.startswith(_ROS):
        return RosSide(node, params.url.removeprefix(_ROS), params, clock)
    return remote(params, clock, card)
