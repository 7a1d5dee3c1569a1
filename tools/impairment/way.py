"""One direction of a proxied connection."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import socket
import struct
from collections.abc import Callable

from impairment.schedule import Conditions

_SEGMENT = 1448  # bytes of payload in a packet of 1500
_READ = 1 << 16  # bytes at once while nothing needs smaller pieces
_WAITING = 64  # pieces under way at most: more make the sender wait, as a full buffer of a router's port does
_RETRANSMISSION = 0.2  # seconds, the least timeout of Linux
_LORIS = 1.0  # seconds a byte


def abort(end: socket.socket) -> None:
    """End a connection with a reset."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


class Line:
    """What all connections over a link share: its conditions, and when each of its directions is free again."""

    def __init__(self, rng: random.Random) -> None:
        self.conditions = Conditions()
        self.free = [0.0, 0.0]  # loop times, one of each direction
        self.rng = rng
        self._waiting: set[asyncio.Future[None]] = set()

    def change(self, conditions: Conditions) -> None:
        """Have other conditions from now on."""
        self.conditions = conditions
        self.free = [0.0, 0.0]
        for waiting in self._waiting:
            _wake(waiting)

    async def until(self, when: Callable[[float], float]) -> None:
        """Wait for a time, and for the end of a black hole.

        Args:
            when: from now to the time, loop times; asked again after each change.
        """
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            due = math.inf if self.conditions.blackhole else when(now)
            if due <= now:
                return
            waiting: asyncio.Future[None] = loop.create_future()
            self._waiting.add(waiting)
            timer = loop.call_at(due, _wake, waiting) if due < math.inf else None
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)
                if timer is not None:
                    timer.cancel()

    def stall(self, size: int) -> float:
        """How long loss holds up so many bytes, seconds.

        Each packet is lost by itself. A lost one comes a retransmission timeout later, one lost again after twice as
        long as before, and what follows waits for it. Fast retransmission, which real TCP has on long transfers, is
        left out: here loss hurts more than on a real link.
        """
        loss = min(self.conditions.loss, 0.99)
        if not loss:
            return 0.0
        timeout = max(_RETRANSMISSION, 3 * self.conditions.delay)
        longest = 0.0
        for _ in range(-(-size // _SEGMENT)):
            held, again = 0.0, timeout
            while self.rng.random() < loss:
                held, again = held + again, min(2 * again, 120.0)
            longest = max(longest, held)
        return longest


class Way:
    """Carries what one end sends to the other, in order, over a line.

    Args:
        line: its conditions.
        direction: 0: requests, 1: responses.
        source: end to read.
        sink: end to write.
    """

    def __init__(self, line: Line, direction: int, source: socket.socket, sink: socket.socket) -> None:
        self._line, self._direction, self._source, self._sink = line, direction, source, sink
        self._loop = asyncio.get_running_loop()
        self._under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_WAITING)

    async def run(self) -> None:
        """Carry until the source has ended, that too.

        Raises:
            OSError: an end reset the connection, or the link did.
        """
        reading = self._loop.create_task(self._read())
        try:
            await self._write()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        data = b"?"
        while data:
            now = self._line.conditions
            try:
                data = await self._loop.sock_recv(self._source, _SEGMENT if now.rate or now.loss else _READ)
            except OSError:
                await self._under_way.put((-1.0, b""))
                return
            await self._under_way.put((self._loop.time(), data))

    async def _write(self) -> None:
        while True:
            arrived, data = await self._under_way.get()
            stretch = self._line.rng.random()
            await self._line.until(lambda _, a=arrived, s=stretch: a + self._late(s))  # type: ignore[misc]
            if arrived < 0:
                raise ConnectionResetError
            if not data:
                self._sink.shutdown(socket.SHUT_WR)
                return
            await self._send(memoryview(data))

    def _late(self, stretch: float) -> float:
        return self._line.conditions.delay + self._line.conditions.jitter * stretch

    async def _send(self, data: memoryview) -> None:
        while data:
            now = self._line.conditions
            back = self._direction == 1
            if back and now.reset and len(data) > 1:
                await self._loop.sock_sendall(self._sink, data[: len(data) // 2])
                raise ConnectionResetError
            size = 1 if back and now.slow_loris else _SEGMENT if now.rate or now.loss else len(data)
            await self._hold(size if size < len(data) else len(data), back)
            await self._loop.sock_sendall(self._sink, data[:size])
            data = data[size:]

    async def _hold(self, size: int, back: bool) -> None:
        """Wait as long as so many bytes take."""
        line, loop = self._line, self._loop
        now = line.conditions
        due = loop.time() + line.stall(size) + (_LORIS if back and now.slow_loris else 0.0)
        if now.rate:
            line.free[self._direction] = max(line.free[self._direction], loop.time()) + size / now.rate
            due = max(due, line.free[self._direction])
        # With other conditions than those it was held for it goes at once.
        await line.until(lambda _: due if line.conditions is now else 0.0)
