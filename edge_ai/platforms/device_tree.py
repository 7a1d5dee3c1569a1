"""Which Jetson this is: what its device tree says, and what that means."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from edge_ai.platforms.boards import Board, boards

_MODEL = ("sys/firmware/devicetree/base/model", "proc/device-tree/model")
_COMPATIBLE = ("proc/device-tree/compatible", "sys/firmware/devicetree/base/compatible")
_PART = re.compile(r"p\d{4}-\d{4}")
_SEEN = 0.95
"""Linux sees about this share of a module's memory; the rest belongs to firmware and carve-outs."""


@dataclass(frozen=True, slots=True)
class DeviceTree:
    """What a device tree says about its board.

    Attributes:
        model: like "NVIDIA Jetson Orin Nano Developer Kit"; empty where it does not say.
        compatible: most special first, like ("nvidia,p3768-0000+p3767-0005", "nvidia,p3767-0005", "nvidia,tegra234").
    """

    model: str
    compatible: tuple[str, ...]

    @property
    def soc(self) -> str:
        """The chip, like "tegra234": the last and most general item."""
        return self.compatible[-1].rpartition(",")[2] if self.compatible else ""

    @property
    def parts(self) -> tuple[str, ...]:
        """Part numbers of module and carrier that it names."""
        return tuple(dict.fromkeys(_PART.findall(" ".join(self.compatible))))


def read(root: Path) -> DeviceTree | None:
    """The device tree of a file system; None where there is none, as on a PC.

    Raises:
        OSError: it cannot be read.
    """
    model, compatible = (_first(root, names) for names in (_MODEL, _COMPATIBLE))
    if model is None and compatible is None:
        return None
    return DeviceTree(" ".join(_strings(model)), tuple(_strings(compatible)))


def identify(tree: DeviceTree, memory_bytes: int, part: str = "") -> tuple[Board | None, str]:
    """The board of the table that a device tree belongs to, and how it was told.

    By part number; else by chip, words of the model and memory, which tells modules of one family apart.

    Args:
        tree: the device tree.
        memory_bytes: what Linux sees of its memory.
        part: part number of the module from elsewhere, if known.

    Returns:
        The board and the evidence; None and what was seen for a board that the table does not have.
    """
    for number in (part, *tree.parts):
        for board in boards():
            if number in board.parts:
                return board, f"module {number}"
    family = _family(tree)
    if not family:
        return None, f"model '{tree.model}', chip '{tree.soc}'"
    gib = max(memory_bytes, 1) / 2**30
    nearest = min(family, key=lambda b: min(abs(math.log(gib / (_SEEN * gb))) for gb in b.memory_gb))
    return nearest, f"model '{tree.model}' and {gib:.1f} GiB of memory"


def _family(tree: DeviceTree) -> list[Board]:
    """Boards of that chip whose words the model contains; those with the most words."""
    words = set(re.split(r"[\s-]+", tree.model))
    found = [b for b in boards() if b.soc == tree.soc and set(b.family.split()) <= words]
    most = max((len(b.family.split()) for b in found), default=0)
    return [b for b in found if len(b.family.split()) == most]


def _first(root: Path, names: tuple[str, ...]) -> bytes | None:
    for name in names:
        try:
            return (root / name).read_bytes()
        except FileNotFoundError:
            continue
    return None


def _strings(value: bytes | None) -> list[str]:
    """Strings of a device tree end with a NUL each."""
    return [part.decode("utf-8", "replace").strip() for part in (value or b"").split(b"\0") if part.strip()]
