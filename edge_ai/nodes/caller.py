"""Calling services of other nodes from a thread that may wait, while the executor of the node spins."""

from __future__ import annotations

import threading
import time
from typing import Any

from rclpy.node import Node

from edge_ai.core.errors import EdgeAIError

_GLANCE = 0.02  # s between two looks for a service that is still to be found
_AGAIN = 1.0  # s after which a request is repeated: while two participants still meet, answers are lost


class ServiceError(EdgeAIError):
    """A service is not there, does not answer, or refused."""


class Caller:
    """Keeps a client for each service that was called.

    Args:
        node: calls; must not be asked from its executor's own thread.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._clients: dict[tuple[Any, str], Any] = {}

    def call(self, kind: Any, name: str, request: Any, until: float) -> Any:
        """The response. The request is repeated while there is none: it must be one that may come twice.

        Args:
            kind: of the service.
            name: of the service.
            request: for it.
            until: when to give up, by time.monotonic().

        Raises:
            ServiceError: there is no such service, or no answer.
        """
        client = self._client(kind, name)
        while not client.service_is_ready():
            if time.monotonic() > until:
                raise ServiceError(f"service {name}", got="not there", wanted="a node that offers it")
            time.sleep(_GLANCE)
        while (left := until - time.monotonic()) > 0:
            answered = threading.Event()
            future = client.call_async(request)
            future.add_done_callback(lambda _, answered=answered: answered.set())
            if answered.wait(min(_AGAIN, left)):
                return future.result()
            client.remove_pending_request(future)
        raise ServiceError(f"service {name}", got="no answer in time", wanted="a node that answers")

    def close(self) -> None:
        """Let go of the clients."""
        with self._lock:
            for client in self._clients.values():
                self._node.destroy_client(client)
            self._clients.clear()

    def _client(self, kind: Any, name: str) -> Any:
        with self._lock:
            if (kind, name) not in self._clients:
                self._clients[kind, name] = self._node.create_client(kind, name)
            return self._clients[kind, name]
