"""The client for a server, by the scheme of its URL."""

from __future__ import annotations

from collections.abc import Callable

from edge_ai.core.errors import ParameterError
from edge_ai.core.registry import Registry
from edge_ai.routing.cloud.base import CloudClient
from edge_ai.routing.cloud.credentials import Credentials
from edge_ai.routing.cloud.endpoint import Endpoint
from edge_ai.routing.params import CloudParams

CLIENTS: Registry[Callable[[Endpoint, Credentials], CloudClient]] = Registry(
    "protocol",
    {
        "grpc": "edge_ai.routing.cloud.oip_grpc:GrpcClient",
        "grpcs": "edge_ai.routing.cloud.oip_grpc:GrpcClient",
        "http": "edge_ai.routing.cloud.oip_http:HttpClient",
        "https": "edge_ai.routing.cloud.oip_http:HttpClient",
    },
)


def client_for(params: CloudParams) -> CloudClient:
    """A client of the server that the parameters name, without touching the network.

    Raises:
        ParameterError: the URL is wrong, a token would travel in the clear, or the libraries are not installed.
    """
    endpoint = Endpoint.parse(params.url)
    credentials = Credentials(params, endpoint)
    _check_libraries(endpoint)
    return CLIENTS.load(endpoint.scheme)(endpoint, credentials)


def _check_libraries(endpoint: Endpoint) -> None:
    try:
        if endpoint.scheme.startswith("grpc"):
            import tritonclient.grpc.aio
        else:
            import tritonclient.http.aio  # noqa: F401
    except (ImportError, RuntimeError) as error:
        mend = "pip install 'edge_ai[cloud]'"
        raise ParameterError(f"a server at {endpoint.name}", got=f"no client library: {error}", mend=mend) from None
