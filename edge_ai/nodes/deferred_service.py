"""A service that answers when it can, in any order and from any thread; rclpy's own wants the answer at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.node import Node

from edge_ai.nodes.untaken import Withheld

log = logging.getLogger(__name__)

_NO_LIMIT = -1


class DeferredService:
    """A thread takes requests and hands each to the handler, with a function that sends its response.

    Args:
        node: offers the service.
        kind: of the service.
        name: of the service.
        handle: gets a request and what sends its response, to be called once, from any thread; must return quickly.
    """

    def __init__(self, node: Node, kind: Any, name: str, handle: Callable[[Any, Callable[[Any], None]], None]) -> None:
        self._node, self._kind, self._handle = node, kind, handle
        self._service = node.create_service(kind, name, _never, callback_group=Withheld())
        self._end = GuardCondition(None, None, context=node.context)
        self._lock = threading.Lock()
        self._stopping = self._closed = False
        self._thread = threading.Thread(target=self._run, name="requests", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests; responses to those taken may still be sent."""
        self._stopping = True
        self._end.trigger()
        self._thread.join()

    def close(self) -> None:
        """Take the service down; after `stop`. Later responses are not sent."""
        with self._lock:
            self._closed = True
        self._end.destroy()
        self._node.destroy_service(self._service)

    def _run(self) -> None:
        service, context = self._service.handle, self._node.context
        with context.handle, service, self._end.handle:
            waiting = _rclpy.WaitSet(0, 1, 0, 0, 1, 0, context.handle)
            while not self._stopping:
                waiting.clear_entities()
                waiting.add_service(service)
                waiting.add_guard_condition(self._end.handle)
                waiting.wait(_NO_LIMIT)
                if service.pointer in waiting.get_ready_entities("service") and not self._stopping:
                    self._take()

    def _take(self) -> None:
        try:
            request, header = self._service.handle.service_take_request(self._kind.Request)
            if request is not None:
                self._handle(request, partial(self._send, header))
        except Exception:
            log.exception("a request of %s was not handled", self._service.srv_name)

    def _send(self, header: Any, response: Any) -> None:
        with self._lock:
            if self._closed:
                return
            try:
                self._service.send_response(response, header)
            except Exception as error:
                # The client may have gone.
                log.warning("a response of %s was not sent: %s", self._service.srv_name, error)


def _never(_request: Any, response: Any) -> Any:
    return response
