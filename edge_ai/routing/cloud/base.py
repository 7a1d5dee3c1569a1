"""The contract of a server that runs models, in the terms of the Open Inference Protocol v2, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from edge_ai.core.errors import EdgeAIError


class CloudError(EdgeAIError):
    """A server cannot be asked, or did not answer as it should.

    Attributes:
        retry: whether the same request may succeed a moment later (the server was busy or the connection broke).
        fault: whether it speaks against the server's health; a wrong request of ours does not.
    """

    retry = False
    fault = True


class CloudUnreachableError(CloudError):
    """No connection, or it broke."""

    retry = True


class CloudTimeoutError(CloudError):
    """The answer did not come in time."""


class CloudBusyError(CloudError):
    """The server refuses for now: queue full, not ready, 429 or 503."""

    retry = True


class CloudAuthError(CloudError):
    """The server or we are not who we should be: certificate or token."""


class CloudAnswerError(CloudError):
    """The server failed (500) or answered nonsense: wrong names, shapes, types or values."""


class CloudRequestError(CloudError):
    """The server says that the request is wrong: unknown model, wrong input."""

    fault = False


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor as the server's metadata describe it.

    Attributes:
        name: of the tensor.
        datatype: Open Inference Protocol name: "FP32", "UINT8", "BYTES", ...
        shape: -1 where it may vary.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model as its server describes it."""

    name: str
    version: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]


@dataclass(frozen=True, slots=True)
class CloudRequest:
    """One inference.

    Attributes:
        model: name on the server.
        version: on the server; empty: its choice.
        inputs: arrays by tensor name; BYTES are object arrays of bytes.
        outputs: names of the tensors wanted; empty: all.
        request_id: to find it again in the server's log.
    """

    model: str
    inputs: Mapping[str, NDArray[Any]]
    version: str = ""
    outputs: tuple[str, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class CloudAnswer:
    """What came back.

    Attributes:
        outputs: arrays by tensor name.
        sent: bytes of the request's tensors.
        parameters: the answer's own, by name.
    """

    outputs: Mapping[str, NDArray[Any]]
    sent: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)


class CloudCall(Protocol):
    """A request under way."""

    def cancel(self) -> None:
        """Give it up and free its connection; ``done`` is then not called. Harmless when it has ended."""


class CloudClient(Protocol):
    """Asks one server over kept connections; thread-safe. Made without touching the network.

    Attributes:
        name: endpoint as results carry it, without credentials: "grpc://host:8001".
    """

    name: str

    def open(self, model: str, version: str, timeout: float) -> ServedModel:
        """Connect, make sure that server and model are ready, and read what the model takes and gives.

        Raises:
            CloudError: which of these failed and how to mend it; within ``timeout`` seconds. May be called again.
        """

    def infer(
        self, request: CloudRequest, timeout: float, done: Callable[[CloudAnswer | CloudError], None]
    ) -> CloudCall:
        """Send a request; returns at once and never raises.

        Args:
            request: what to ask.
            timeout: seconds until ``done`` gets a CloudTimeoutError, whatever the network does.
            done: called once, on a thread of the client; must return quickly.
        """

    def ping(self, timeout: float, done: Callable[[float | CloudError], None]) -> None:
        """Ask whether the server is ready; ``done`` gets the seconds that took, or why not."""

    def close(self) -> None:
        """Cancel what is under way and close all connections; no thread or socket is left."""
