"""uvicorn that sleeps while nobody asks. Its own loop wakes ten times a second, a fifth of a percent of a core."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn

_PERIOD = 1.0  # s; responses bear a date of this precision


def quiet_server(config: uvicorn.Config) -> uvicorn.Server:
    """A server for a thread of its own; `end` ends it.

    Raises:
        ImportError: uvicorn is missing.
    """
    import uvicorn

    class QuietServer(uvicorn.Server):
        woken: asyncio.Event | None = None
        loop: asyncio.AbstractEventLoop | None = None

        async def main_loop(self) -> None:
            self.woken, self.loop = asyncio.Event(), asyncio.get_running_loop()
            waiting = asyncio.ensure_future(self.woken.wait())
            while not await self.on_tick(0):
                await asyncio.wait({waiting}, timeout=_PERIOD)

    return QuietServer(config)


def end(server: uvicorn.Server) -> None:
    """Let a server finish, from any thread."""
    server.should_exit = True
    loop, woken = getattr(server, "loop", None), getattr(server, "woken", None)
    if loop is not None and woken is not None and not loop.is_closed():
        loop.call_soon_threadsafe(woken.set)
