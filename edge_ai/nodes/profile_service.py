"""~/profile: where a node spends its time, found out on a thread of its own while the node goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.profiling.profiler import Profiler
from edge_ai.nodes.deferred_service import DeferredService
from edge_ai.srv import Profile

Send = Callable[[Any], None]


class ProfileService:
    """Offers srv/Profile; one profile at a time.

    Args:
        node: whose process is profiled.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._profiler = Profiler(node.get_name())
        self._offer = DeferredService(node, Profile, "~/profile", self._on_request)

    def close(self) -> None:
        """Take the service down; a profile under way ends and is not answered any more."""
        self._profiler.stop()
        self._offer.stop()
        self._offer.close()

    def _on_request(self, request: Profile.Request, send: Send) -> None:
        """On the thread of the service."""
        threading.Thread(target=lambda: send(self._answer(request)), name="profile", daemon=True).start()

    def _answer(self, request: Profile.Request) -> Profile.Response:
        try:
            done = self._profiler.profile(request.seconds, request.kind, request.folder)
        except EdgeAIError as error:
            return Profile.Response(message=str(error))
        except Exception as error:
            self._node.get_logger().error(f"profile: {type(error).__name__}: {error}")
            return Profile.Response(message=f"{type(error).__name__}: {error}")
        return Profile.Response(success=True, message=done.message, files=[str(path) for path in done.files])
