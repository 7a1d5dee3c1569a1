"""Calling services of other nodes from a thread that may wait, whatever the executor of the node does meanwhile."""

from __future__ import annotations

import threading
import time
from typing import Any

from rclpy.node import Node

from edge_ai.core.errors import EdgeAIError
from edge_ai.nodes.untaken import Withheld

_GLANCE = 0.01  # s between two looks for a service or an answer
_AGAIN = 1.0  # s after which a request is repeated: while two participants still meet, answers are lost


class ServiceError(EdgeAIError):
    """A service is not there, does not answer, or refused."""


class Caller:
    """Keeps a client for each service that was called.

    Args:
        node: calls.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._clients: dict[tuple[Any, str], tuple[Any, threading.Lock]] = {}

    def know(self, kind: Any, *names: str) -> None:
        """Find services that will be called, so that the first call need not."""
        for name in names:
            self._client(kind, name)

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
        client, turn = self._client(kind, name)
        while not client.service_is_ready():
            if time.monotonic() > until:
                raise ServiceError(f"service {name}", got="not there", wanted="a node that offers it")
            time.sleep(_GLANCE)
        with turn:
            while time.monotonic() < until:
                answer = _ask(client, kind, request, min(until, time.monotonic() + _AGAIN))
                if answer is not None:
                    return answer
        raise ServiceError(f"service {name}", got="no answer in time", wanted="a node that answers")

    def close(self) -> None:
        """Let go of the clients."""
        with self._lock:
            for client, turn in self._clients.values():
                with turn:
                    self._node.destroy_client(client)
            self._clients.clear()

    def _client(self, kind: Any, name: str) -> tuple[Any, threading.Lock]:
        with self._lock:
            if (kind, name) not in self._clients:
                client = self._node.create_client(kind, name, callback_group=Withheld())
                self._clients[kind, name] = client, threading.Lock()
            return self._clients[kind, name]


def _ask(client: Any, kind: Any, request: Any, until: float) -> Any:
    """Send a request and look for its response; answers to earlier ones are thrown away."""
    handle = client.handle
    with handle:
        number = handle.send_request(request)
        while time.monotonic() < until:
            header, response = handle.take_response(kind.Response)
            if header is None:
                time.sleep(_GLANCE)
            elif header.request_id.sequence_number == number:
                return response
    return None
