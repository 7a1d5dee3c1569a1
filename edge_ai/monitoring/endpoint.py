"""/metrics, /livez and /readyz: what they answer, and a small server for a process that serves nothing else."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from socketserver import TCPServer

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.health import Health
from edge_ai.monitoring.metrics import Metrics

PATHS = ("/metrics", "/livez", "/readyz")
_TEXT = "text/plain; charset=utf-8"
_TIMEOUT = 10.0  # s, for a client to say what it wants


@dataclass(frozen=True, slots=True)
class Answer:
    """What HTTP is to say."""

    status: int
    body: bytes
    content_type: str = _TEXT


def answer(path: str, accept: str = "", *, metrics: Metrics | None, health: Health | None) -> Answer:
    """What to say to a request.

    Args:
        path: one of `PATHS`; anything else is not found.
        accept: the request's Accept header.
        metrics: None: there are none here.
        health: None: ready whenever alive.
    """
    if path == "/livez":
        return Answer(200, b"alive\n")
    if path == "/readyz":
        reasons = health.reasons if health is not None else ()
        return Answer(503 if reasons else 200, ("\n".join(reasons or ("ready",)) + "\n").encode())
    if path == "/metrics" and metrics is not None:
        try:
            return Answer(200, *metrics.render(accept))
        except EdgeAIError as error:
            return Answer(501, f"{error}\n".encode())
    return Answer(404, f"not here; there are {', '.join(PATHS)}\n".encode())


class Endpoint:
    """Serves them on a thread; anybody who can reach the address may read.

    Args:
        host: address to listen at.
        port: TCP port; 0 takes a free one.
        metrics: as of `answer`.
        health: as of `answer`.
    """

    def __init__(self, host: str, port: int, *, metrics: Metrics | None, health: Health | None) -> None:
        self._host, self._port, self._metrics, self._health = host, port, metrics, health
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen.

        Raises:
            EdgeAIError: the address cannot be had.
        """
        metrics, health = self._metrics, self._health

        class Handler(BaseHTTPRequestHandler):
            timeout = _TIMEOUT

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                said = answer(path, self.headers.get("Accept", ""), metrics=metrics, health=health)
                self.send_response(said.status)
                self.send_header("Content-Type", said.content_type)
                self.send_header("Content-Length", str(len(said.body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(said.body)

            do_HEAD = do_GET  # noqa: N815 - http.server's name

            def log_message(self, *_: object) -> None:
                """A scrape every few seconds is no news."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            address_family = AF_INET6 if ":" in self._host else ThreadingHTTPServer.address_family

            def server_bind(self) -> None:
                """As of the base, which also asks a name server that may be far away who we are."""
                TCPServer.server_bind(self)
                self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

        try:
            self._server = Server((self._host, self._port), Handler)
        except (OSError, OverflowError) as error:
            mend = "choose another port, or end what listens there"
            raise EdgeAIError(f"metrics at {self._host}:{self._port}", got=error, mend=mend) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.5}, name="metrics", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Free the port."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = self._thread = None

    @property
    def port(self) -> int:
        """Where it listens; 0 before `start`."""
        return int(self._server.server_address[1]) if self._server is not None else 0
