"""What jetson-stats knows of a Jetson beyond its files: optional (AGPL-3.0), loaded when asked."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge_ai.core.errors import EdgeAIError


@dataclass(frozen=True, slots=True)
class JetsonStats:
    """Part of its answer; what it does not know is empty. Serial numbers are left where they are.

    Attributes:
        part: of the module, read from its EEPROM, like "p3767-0000".
        jetpack: version.
        cuda: version.
        tensorrt: version.
    """

    part: str = ""
    jetpack: str = ""
    cuda: str = ""
    tensorrt: str = ""


@contextlib.contextmanager
def connect() -> Iterator[Any]:
    """A started ``jtop.jtop``, let go of in the end. May keep its caller waiting: ask in a thread that may hang.

    Raises:
        EdgeAIError: jetson-stats is not installed, or its service does not answer.
    """
    try:
        from jtop import JtopException, jtop
    except ImportError:
        raise EdgeAIError("jetson-stats", got="not installed", mend="nothing: it is optional") from None
    with contextlib.ExitStack() as stack:
        try:
            service = stack.enter_context(jtop())
        except (JtopException, OSError, EOFError, queue.Empty) as error:
            mend = "start its service (systemctl start jtop) and be in its group (usermod -aG jtop USER), or go without"
            got = " ".join(str(error).split()) or type(error).__name__
            raise EdgeAIError("jetson-stats", got=got, wanted="an answer", mend=mend) from None
        yield service


def ask() -> JetsonStats:
    """Ask the service of jetson-stats once. It may keep its caller waiting: give it a time limit.

    Raises:
        EdgeAIError: as for `connect`.
    """
    with connect() as service:
        board = service.board
    hardware, libraries = _part(board, "hardware"), _part(board, "libraries")
    return JetsonStats(
        part=str(hardware.get("P-Number", "") or ""),
        jetpack=str(hardware.get("Jetpack", "") or ""),
        cuda=str(libraries.get("CUDA", "") or ""),
        tensorrt=str(libraries.get("TensorRT", "") or ""),
    )


def _part(board: Any, name: str) -> Mapping[str, Any]:
    part = board.get(name) if isinstance(board, Mapping) else None
    return part if isinstance(part, Mapping) else {}
