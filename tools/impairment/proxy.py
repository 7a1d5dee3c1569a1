"""A TCP proxy in this process whose link can be made bad, also under connections that are there."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType

from impairment.schedule import Conditions
from impairment.way import Line, Way, abort

_BUFFER = 1 << 17  # bytes the kernel may take in for us; more would hide a slow link from the sender
_BACKLOG = 128


class TcpProxy:
    """Passes TCP connections on to a target over a link with conditions.

    It cannot touch packets, so some conditions are those of a TCP connection over such a link: loss is a stall (see
    `Way`), and in a black hole connections are still accepted, but nothing comes of them, and what was sent arrives
    when it ends. A refused connection is refused by the kernel, as if nobody listened.

    Example:
        with TcpProxy("127.0.0.1", 8001) as proxy:
            connect(proxy.port)
            proxy.set(Conditions(delay=0.05))

    Args:
        target_host: where to.
        target_port: where to.
        seed: of jitter and loss.
    """

    def __init__(self, target_host: str, target_port: int, seed: int = 0) -> None:
        self._target = (target_host, target_port)
        self._loop = asyncio.new_event_loop()
        self._line = Line(random.Random(seed))
        self._open: set[asyncio.Task[None]] = set()
        self._accepted = 0
        self._listener = _bound()
        self._listener.listen(_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self._accepting: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name=f"proxy {self.port}", daemon=True)
        self._thread.start()
        self.set(Conditions())

    @property
    def conditions(self) -> Conditions:
        """As they are now."""
        return self._line.conditions

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._open)

    @property
    def accepted(self) -> int:
        """How many there have been."""
        return self._accepted

    def set(self, conditions: Conditions) -> None:
        """Change the link; in force when this returns, also for what is under way."""
        self._call(self._apply, conditions)

    def cut(self) -> None:
        """Reset all connections now, as a server that is killed does."""
        self._call(self._cut)

    def close(self) -> None:
        """End it with all its connections; harmless when it has ended."""
        if not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def __enter__(self) -> TcpProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        done: Future[None] = Future()

        def call() -> None:
            try:
                function(*arguments)
                done.set_result(None)
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(call)
        done.result()

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        finally:
            self._listener.close()
            self._loop.close()

    def _apply(self, conditions: Conditions) -> None:
        self._line.change(conditions)
        if conditions.refuse and self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
            self._listener.shutdown(socket.SHUT_RDWR)  # stops listening and keeps the port
        elif not conditions.refuse and self._accepting is None:
            self._listener.listen(_BACKLOG)
            self._accepting = self._loop.create_task(self._accept())

    def _cut(self) -> None:
        for task in self._open:
            task.cancel()

    async def _accept(self) -> None:
        while True:
            with contextlib.suppress(ConnectionError):
                client, _ = await self._loop.sock_accept(self._listener)
                self._accepted += 1
                task = self._loop.create_task(self._serve(client))
                self._open.add(task)
                task.add_done_callback(self._open.discard)

    async def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET)
        server.setblocking(False)
        ways: list[asyncio.Task[None]] = []
        try:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._line.until(lambda now: now)
            await self._loop.sock_connect(server, self._target)
            ways = [
                self._loop.create_task(way.run())
                for way in (Way(self._line, 0, client, server), Way(self._line, 1, server, client))
            ]
            await asyncio.gather(*ways)
        except (OSError, asyncio.CancelledError):
            abort(client)
            abort(server)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            client.close()
            server.close()


def _bound() -> socket.socket:
    """A socket on a free port that it keeps when it stops listening: only one asked for by number is kept."""
    with socket.socket() as finder:
        finder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        finder.bind(("127.0.0.1", 0))
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        bound.setblocking(False)
        bound.bind(finder.getsockname())
        return bound
