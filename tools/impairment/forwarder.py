"""Carry packets between two TUN devices, badly on demand: python forwarder.py FD FD. Ends with its standard input.

A process of its own: the one that measures has its interpreter for itself, and when that one dies in whatever way, this
one ends, and with it devices and namespace are gone. Each line of input is a JSON object of `Conditions`, answered by a
line when it is in force.
"""

from __future__ import annotations

import collections
import contextlib
import json
import math
import os
import random
import select
import sys
import time

from impairment.schedule import Conditions

_AT_ONCE = 64  # packets of one direction before the other one has its turn
_BUFFER = 32_768  # bytes that a narrow link keeps at least, and
_BUFFERED = 0.5  # seconds of its rate; what comes when that is full is dropped, from which TCP learns the rate
_LARGEST = 1 << 16
_QUEUED = 4000  # packets that may have been sent before a change and not read yet


class Lane:
    """One direction.

    Args:
        source: descriptor to read packets from.
        sink: descriptor to write them to.
        rng: of jitter and loss.
    """

    def __init__(self, source: int, sink: int, rng: random.Random) -> None:
        self.source = source
        self._sink, self._rng = sink, rng
        self._conditions = Conditions()
        self._waiting: collections.deque[tuple[float, bytes]] = collections.deque()
        self._free = 0.0  # when all that has been let in is through

    @property
    def next_due(self) -> float:
        """When the next packet must go on, monotonic seconds."""
        return self._waiting[0][0] if self._waiting else math.inf

    def change(self, conditions: Conditions) -> None:
        """Have other conditions from now on, for what is under way as well; nothing gets slower that is under way."""
        self._conditions, self._free = conditions, 0.0
        under_way, self._waiting = self._waiting, collections.deque()
        if not conditions.blackhole:
            now = time.monotonic()
            for due, packet in under_way:
                self._waiting.append((min(due, self._due(now, len(packet))), packet))

    def take_in(self, most: int = _AT_ONCE) -> None:
        """Read what has come."""
        for _ in range(most):
            try:
                packet = os.read(self.source, _LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            if packet[0] >> 4 == 4:  # the rest is the kernel's search for IPv6 routers
                self._offer(packet)

    def let_out(self, now: float) -> None:
        """Write what is due."""
        while self._waiting and self._waiting[0][0] <= now:
            self._write(self._waiting.popleft()[1])

    def _offer(self, packet: bytes) -> None:
        state = self._conditions
        if state.blackhole or (state.loss and self._rng.random() < state.loss):
            return
        if not (state.delay or state.jitter or state.rate or self._waiting):
            self._write(packet)
            return
        now = time.monotonic()
        if state.rate and (self._free - now) * state.rate > max(_BUFFER, _BUFFERED * state.rate):
            return
        self._waiting.append((self._due(now, len(packet)), packet))

    def _due(self, now: float, size: int) -> float:
        state = self._conditions
        if state.rate:
            self._free = max(self._free, now) + size / state.rate
        due = max(self._free, now) + state.delay + state.jitter * self._rng.random()
        return max(due, self._waiting[-1][0]) if self._waiting else due

    def _write(self, packet: bytes) -> None:
        with contextlib.suppress(OSError):  # a device that is down or full loses it, as any does
            os.write(self._sink, packet)


def main(one: int, other: int, seed: int) -> None:
    rng = random.Random(seed)
    lanes = {one: Lane(one, other, rng), other: Lane(other, one, rng)}
    for descriptor in lanes:
        os.set_blocking(descriptor, False)
    print("ready", flush=True)
    while True:
        due = min(lane.next_due for lane in lanes.values())
        ready, _, _ = select.select([0, *lanes], [], [], min(3600.0, max(0.0, due - time.monotonic())))
        now = time.monotonic()
        for lane in lanes.values():
            lane.let_out(now)
        for descriptor in ready:
            if descriptor in lanes:
                lanes[descriptor].take_in()
                continue
            line = sys.stdin.buffer.raw.readline()  # type: ignore[union-attr]
            if not line:
                return
            for lane in lanes.values():
                lane.take_in(_QUEUED)  # what was sent before meets what held before
                lane.change(Conditions(**json.loads(line)))
            print("in force", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
