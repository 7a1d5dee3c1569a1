"""Services that every managed node offers, whatever it does: ~/free_memory and ~/profile."""

from __future__ import annotations

from typing import Any

from std_srvs.srv import Trigger

from edge_ai.nodes.profile_service import ProfileService


class Upkeep:
    """Offers them for as long as the node lives.

    Args:
        node: a managed node.
    """

    def __init__(self, node: Any) -> None:
        self._node = node
        self._profile = ProfileService(node)
        node.create_service(Trigger, "~/free_memory", self._on_free_memory)

    def close(self) -> None:
        """Take down what has a thread."""
        self._profile.close()

    def _on_free_memory(self, _request: Any, response: Trigger.Response) -> Trigger.Response:
        response.success = True
        response.message = f"{self._node.free_memory() / 2**20:.1f} MiB given back"
        self._node.get_logger().info(response.message)
        return response
