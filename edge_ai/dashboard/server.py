"""The page's web server, on a thread of its own."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

from edge_ai.core.errors import EdgeAIError
from edge_ai.dashboard.auth import Gate, secret
from edge_ai.dashboard.params import DashboardParams
from edge_ai.dashboard.pictures import Pictures
from edge_ai.dashboard.quiet import end, quiet_server
from edge_ai.dashboard.state import Board

if TYPE_CHECKING:
    import uvicorn

    from edge_ai.monitoring.health import Health
    from edge_ai.monitoring.metrics import Metrics

_START = 10.0  # s
_BACKLOG = 64


class DashboardServer:
    """Serves a board, and /metrics, /livez and /readyz beside it.

    Args:
        params: where to listen, who may look, how much it may cost.
        board: what to show.
        metrics: for Prometheus; None: /metrics is not found.
        health: None: always ready.
    """

    def __init__(
        self, params: DashboardParams, board: Board, *, metrics: Metrics | None = None, health: Health | None = None
    ) -> None:
        self._params, self._board, self._metrics, self._health = params, board, metrics, health
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._pictures: Pictures | None = None
        self._ended = threading.Event()
        self._port = 0

    def start(self) -> None:
        """Listen; returns once browsers can connect.

        Raises:
            EdgeAIError: the address cannot be had, a token is wanted, or a library is missing.
        """
        if self._thread is not None:
            return
        token = secret(self._params)
        listener = self._listen()
        self._port = listener.getsockname()[1]
        self._ended.clear()
        self._pictures = Pictures(self._params, self._board)
        try:
            self._server = self._make(Gate(token, [*self._params.hosts, self._params.host], self._port), self._pictures)
        except EdgeAIError:
            listener.close()
            raise
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="dashboard", daemon=True
        )
        self._thread.start()
        self._await_start(self._server, self._thread)

    def stop(self) -> None:
        """Say good-bye to all viewers and free the port."""
        if self._server is None or self._thread is None:
            return
        self._ended.set()
        end(self._server)
        self._thread.join()
        if self._pictures is not None:
            self._pictures.close()
        self._server = self._thread = self._pictures = None

    @property
    def url(self) -> str:
        """Where the page is, without the token: "http://127.0.0.1:8080/"; for all addresses, the host's name."""
        host, scheme = self._params.host, "https" if self._params.certificate else "http"
        if host in ("0.0.0.0", "::"):
            host = socket.gethostname()
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._port or self._params.port}/"

    def _make(self, gate: Gate, pictures: Pictures) -> uvicorn.Server:
        params = self._params
        try:
            import uvicorn

            from edge_ai.dashboard.app import Site, application

            ended = self._ended.is_set
            site = Site(params, self._board, gate, self._metrics, self._health, pictures, ended)
            config = uvicorn.Config(
                application(site),
                log_config=None,
                log_level="warning",
                access_log=False,  # tokens may stand in addresses
                lifespan="off",
                loop="asyncio",
                http="h11",
                ws="none",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                ssl_certfile=params.certificate or None,
                ssl_keyfile=params.key or None,
            )
            config.load()
        except ImportError as error:
            mend = "python3 -m pip install starlette uvicorn"
            raise EdgeAIError("dashboard", got=error, wanted="starlette and uvicorn", mend=mend) from None
        except (OSError, ValueError) as error:
            raise EdgeAIError("certificate of the dashboard", got=error) from None
        return quiet_server(config)

    def _listen(self) -> socket.socket:
        host, port = self._params.host, self._params.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            both = host == "::" and socket.has_dualstack_ipv6()
            return socket.create_server((host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=both)
        except OSError as error:
            mend = "choose another port, or end what listens there"
            raise EdgeAIError(f"dashboard at {host}:{port}", got=error, mend=mend) from None

    def _await_start(self, server: uvicorn.Server, thread: threading.Thread) -> None:
        until = time.monotonic() + _START
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                self.stop()
                raise EdgeAIError("dashboard", got="a web server that does not start", mend="see its log")
            time.sleep(0.005)
