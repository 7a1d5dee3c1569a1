"""A real Triton with the shipped detector, for all tests that ask a server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / "tools") not in sys.path:
    sys.path.append(str(ROOT / "tools"))

CARD = ROOT / "models" / "nanodet_g_416.yaml"


@pytest.fixture(scope="session")
def triton_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model repository with nanodet_g_416 (JPEG in, boxes out), nanodet_g_416_image and nanodet_g_416_tensor."""
    from installer.console import SetupError
    from serving.environment import unfit
    from serving.repository import shipped_repository

    if why := unfit():
        pytest.skip(why)
    try:
        return shipped_repository(tmp_path_factory.mktemp("triton") / "repository")
    except SetupError as error:
        pytest.skip(f"Triton cannot be set up: {str(error).splitlines()[0]}")


@pytest.fixture(scope="session")
def make_triton(triton_repository: Path) -> Iterator[Callable[..., Any]]:
    """Starts servers of one's own, arguments as for `serving.server.TritonServer`; those that still run are ended."""
    from serving.server import TritonServer

    servers: list[TritonServer] = []

    def make(repository: Path = triton_repository, **how: Any) -> TritonServer:
        server = TritonServer(repository, **how)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def triton(make_triton: Callable[..., Any]) -> Any:
    """A server that all tests share, with ``http`` and ``grpc`` URLs: leave it running and as it is.

    The card of its models is `triton_card`.
    """
    return make_triton()


@pytest.fixture(scope="session")
def triton_card() -> Path:
    """The card of the models that `triton` serves."""
    return CARD
