"""The server that a node's parameters name, as a side that a router may ask."""

from __future__ import annotations

from collections.abc import Callable

from edge_ai.core.clock import Clock
from edge_ai.nodes.base import ManagedNode
from edge_ai.nodes.ros_side import RosSide
from edge_ai.processing.card import ModelCard
from edge_ai.routing.params import CloudParams, RouterParams
from edge_ai.routing.side import NoCloud
from edge_ai.routing.sight import priority
from edge_ai.runtime.uplink import Connected, remote

_ROS = "ros:"


def cloud_side(
    node: ManagedNode,
    params: CloudParams,
    clock: Clock,
    card: ModelCard | None = None,
    *,
    router: Callable[[], RouterParams] = RouterParams,
) -> Connected:
    """Not connected yet; a service of a cloud_node, a server of the Open Inference Protocol, or nobody.

    Args:
        node: makes the client of a service.
        params: url and how to reach it.
        clock: of the node.
        card: of the robot's own model, if it is known here.
        router: gives the parameters that hold just now; a cloud_node is told the priorities of cameras.

    Raises:
        EdgeAIError: the url, a certificate or the card is wrong.
    """
    if not params.url:
        return NoCloud()
    if params.url.startswith(_ROS):
        service = params.url.removeprefix(_ROS)
        return RosSide(node, service, params, clock, lambda frame: priority(frame.camera, router()))
    return remote(params, clock, card)
