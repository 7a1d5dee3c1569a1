"""What clients of the Open Inference Protocol v2 have in common, whatever carries it."""

from __future__ import annotations

import contextlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from edge_ai.routing.cloud.base import (
    CloudAnswer,
    CloudBusyError,
    CloudError,
    CloudRequest,
    CloudRequestError,
    CloudUnreachableError,
    ServedModel,
)
from edge_ai.routing.cloud.credentials import Credentials
from edge_ai.routing.cloud.endpoint import Endpoint
from edge_ai.routing.cloud.loop import Loop, Task, wait

T = TypeVar("T")
LARGEST = 256 * 2**20
"""Bytes of the largest answer that is read."""
_CLOSING = 1.0


class OipClient(ABC):
    """A client of one server; see `CloudClient` for its methods. Subclasses speak the protocol, on the loop's thread.

    Args:
        endpoint: the server.
        credentials: for it.
    """

    def __init__(self, endpoint: Endpoint, credentials: Credentials) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._credentials = credentials
        self._lock = threading.Lock()
        self._loop: Loop | None = None
        self._closed = False
        self._tasks: set[Task[Any]] = set()
        self._served: dict[tuple[str, str], ServedModel] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    def open(self, model: str, version: str, timeout: float) -> ServedModel:
        """Connect, make sure that server and model are ready, and read the model's metadata."""

        async def work() -> ServedModel:
            await self._check_server(timeout)
            ready = await self._model_ready(model, version, timeout)
            # Also of a model that is not ready: for an unknown one the server then says so.
            served = await self._metadata(model, version, timeout)
            if not ready:
                raise CloudBusyError(f"server {self.name}", got=f"model '{model}' is not ready")
            return served

        def begin(done: Callable[[ServedModel | CloudError], None]) -> Task[ServedModel]:
            return self._submit(work, timeout, done)

        served = wait(begin, timeout)
        self._served[model, version] = served
        return served

    def infer(
        self, request: CloudRequest, timeout: float, done: Callable[[CloudAnswer | CloudError], None]
    ) -> Task[CloudAnswer]:
        """Send a request."""
        served = self._served.get((request.model, request.version))

        async def work() -> CloudAnswer:
            try:
                return await self._infer(request, body, served, timeout)
            except CloudRequestError as error:
                if served is not None and not await self._model_ready(request.model, request.version, timeout):
                    got = f"model '{request.model}' is gone or not ready any more"
                    raise CloudBusyError(f"server {self.name}", got=got) from None
                raise error

        try:
            body = self._encode(request, timeout)
        except CloudError as error:
            return _refused(error, done)
        return self._submit(work, timeout, done)

    def ping(self, timeout: float, done: Callable[[float | CloudError], None]) -> None:
        """Ask whether the server is ready."""

        async def work() -> float:
            begun = time.monotonic()
            await self._check_server(timeout)
            return time.monotonic() - begun

        self._submit(work, timeout, done)

    def close(self) -> None:
        """End what is under way with an error and close all connections; the client cannot be used again."""
        with self._lock:
            loop, self._loop, self._closed = self._loop, None, True
            tasks = tuple(self._tasks)
        for task in tasks:
            task.abort(CloudUnreachableError(f"server {self.name}", got="the client was closed"))
        if loop is None:
            return

        def begin(done: Callable[[CloudError | None], None]) -> Task[None]:
            task: Task[None] = Task(done)
            loop.start(task, self._disconnect, _CLOSING)
            return task

        with contextlib.suppress(CloudError):
            wait(begin, _CLOSING)
        loop.release()

    def _submit(
        self, work: Callable[[], Awaitable[T]], timeout: float, done: Callable[[T | CloudError], None]
    ) -> Task[T]:
        task: Task[T] = Task(done, self._forget, f"server {self.name}")
        with self._lock:
            closed = self._closed
            if not closed:
                self._tasks.add(task)
                if self._loop is None:
                    self._loop = Loop.acquire()
                loop = self._loop
        if closed:
            task.finish(CloudUnreachableError(f"server {self.name}", got="a client that is closed"))
        else:
            loop.start(task, work, timeout)
        return task

    def _forget(self, task: Task[Any]) -> None:
        with self._lock:
            self._tasks.discard(task)

    async def _check_server(self, timeout: float) -> None:
        if not await self._server_ready(timeout):
            raise CloudBusyError(f"server {self.name}", got="it is not ready")

    @abstractmethod
    def _encode(self, request: CloudRequest, timeout: float) -> Any:
        """The request as the protocol carries it, made on the caller's thread; may raise CloudError."""

    @abstractmethod
    async def _infer(
        self, request: CloudRequest, body: Any, served: ServedModel | None, timeout: float
    ) -> CloudAnswer: ...

    @abstractmethod
    async def _server_ready(self, timeout: float) -> bool: ...

    @abstractmethod
    async def _model_ready(self, model: str, version: str, timeout: float) -> bool: ...

    @abstractmethod
    async def _metadata(self, model: str, version: str, timeout: float) -> ServedModel: ...

    @abstractmethod
    async def _disconnect(self) -> None: ...


def _refused(error: CloudError, done: Callable[[T | CloudError], None]) -> Task[T]:
    task: Task[T] = Task(done)
    task.finish(error)
    return task
