"""The board as a stream of Server-Sent Events: all of it first, then what changes."""

from __future__ import annotations

import asyncio
import json
import math
import numbers
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from edge_ai.dashboard.state import Board

_DIGITS = 6  # significant; more are noise and cost bytes


async def updates(board: Board, period: float, ended: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Events as bytes; one each period even if nothing changed, so that silence means that contact is lost.

    Args:
        board: what to tell.
        period: s between two events.
        ended: whether to stop.
    """
    # Browsers connect again after this many ms.
    yield b"retry: 1000\n\n"
    first: dict[str, Any] = {"history": board.history(), "can": abilities(board)}
    version = 0
    while not ended():
        changed, version = board.since(version)
        sections = {name: {"age": board.age(entry), "value": entry.value} for name, entry in changed.items()}
        yield f"data: {to_json({**first, 'sections': sections})}\n\n".encode()
        first = {}
        await asyncio.sleep(period)


def abilities(board: Board) -> dict[str, bool]:
    """Which buttons do something."""
    return {
        "stop": board.on_stop is not None,
        "reset": board.on_reset is not None,
        "record": board.on_record is not None,
        "picture": board.provider is not None,
    }


def to_json(value: object) -> str:
    """JSON that browsers read: no NaN, no numbers longer than anybody looks at."""
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        if not math.isfinite(number):
            return None
        # Stamps have more digits before the point than that.
        return round(number, 3) if abs(number) >= 1000 else float(f"{number:.{_DIGITS}g}")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return str(value)
