"""What jetson-stats knows of a Jetson beyond its files: optional (AGPL-3.0), loaded when asked."""

from __future__ import annotations

from collections.abc import Mapping
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


def ask() -> JetsonStats:
    """Ask the service of jetson-stats once. It may keep its caller waiting: give it a time limit.

    Raises:
        EdgeAIError: jetson-stats is not installed, or its service does not answer.
    """
    try:
        from jtop import JtopException, jtop
    except ImportError:
        raise EdgeAIError("jetson-stats", got="not installed", mend="nothing: it is optional") from None
    try:
        with jtop() as service:
            board = service.board
    except JtopException as error:
        mend = "start its service (systemctl start jtop) and be in its group (usermod -aG jtop USER), or go without"
        raise EdgeAIError("jetson-stats", got=" ".join(str(error).split()), wanted="an answer", mend=mend) from None
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
