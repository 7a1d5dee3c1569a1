"""What this computer is. Every source may be missing, fail or hang: it is left out then, and a note says why."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import psutil

from edge_ai.core.errors import EdgeAIError
from edge_ai.platforms import device_tree, jetson_service, nvml, software
from edge_ai.platforms.boards import Board, JetPack, jetpack_of
from edge_ai.platforms.jetson_service import JetsonStats
from edge_ai.platforms.memory import MemoryBudget, memory_budget
from edge_ai.platforms.nvml import Gpu
from edge_ai.platforms.patience import within

T = TypeVar("T")
PATIENCE = 3.0
"""Seconds that a service or driver has to answer."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer as far as it says what it is; unknown texts are empty.

    Attributes:
        model: of the board, or of the CPU of a PC.
        board: its row in the table; None for a PC and for a board that the table does not have.
        evidence: how the board was told.
        soc: chip of a Jetson, like "tegra234".
        l4t: release of Jetson Linux.
        jetpack: version of JetPack.
        software: the generation of JetPack that is; None where unknown.
        power_mode: nvpmodel's present mode.
        power_modes: all of its modes.
        gpus: NVIDIA GPUs of a PC.
        cpu: name of the processor.
        cores: physical cores.
        memory_bytes: what Linux sees.
        available_bytes: free now.
        notes: sources that were left out, and why.
    """

    model: str
    board: Board | None
    evidence: str
    soc: str
    l4t: str
    jetpack: str
    software: JetPack | None
    power_mode: str
    power_modes: tuple[str, ...]
    tensorrt: str
    cuda: str
    gpus: tuple[Gpu, ...]
    cpu: str
    cores: int
    memory_bytes: int
    available_bytes: int
    notes: tuple[str, ...]

    @property
    def profile(self) -> str:
        """Name of its file in config/profiles."""
        return (self.board.profile if self.board else "") or "generic_pc"

    @property
    def budget(self) -> MemoryBudget:
        """What engines and their builders may take: of the first GPU's own memory, else of what CPU and GPU share."""
        return self._budget(self.available_bytes)

    @property
    def steady_budget(self) -> MemoryBudget:
        """The same, whatever is free just now."""
        return self._budget(None)

    def _budget(self, available: int | None) -> MemoryBudget:
        own = next((gpu.memory_bytes for gpu in self.gpus if gpu.memory_bytes), None)
        if own and self.board is None:
            return memory_budget(own, shared=False)
        return memory_budget(self.memory_bytes, shared=True, available=available)


def detect(root: Path = Path("/"), *, libraries: bool | None = None) -> Machine:
    """Find out what a computer is.

    Args:
        root: its file system; a test gives a made-up tree.
        libraries: whether to ask the services, drivers and Python packages of this process's own computer as well;
            None: if ``root`` is its file system.
    """
    notes: list[str] = []
    libraries = root == Path("/") if libraries is None else libraries
    tree = _ask("device tree", lambda: device_tree.read(root), None, notes)
    l4t = _ask("Jetson Linux", lambda: software.l4t(root), "", notes)
    jetson = bool(l4t) or (tree is not None and tree.soc.startswith("tegra"))
    stats = JetsonStats()
    if libraries and jetson:
        stats = _ask("jetson-stats", _limited(jetson_service.ask), stats, notes)
    memory, available = _ask("memory", lambda: _memory(root), (1, 0), notes)
    board, evidence = device_tree.identify(tree, memory, stats.part) if tree and jetson else (None, "")
    if jetson and board is None:
        notes.append(f"board: not in the table of Jetsons: {evidence or 'no device tree'}")
    gpus: tuple[Gpu, ...] = ()
    if libraries and not jetson:
        gpus = _ask("NVML", _limited(nvml.gpus), gpus, notes)
    jetpack, generation = jetpack_of(l4t)
    cpu, cores = _ask("processor", lambda: _cpu(root), ("", 1), notes)
    return Machine(
        model=(tree.model if tree else "") or cpu or "unknown computer",
        board=board,
        evidence=evidence if board else "",
        soc=tree.soc if tree and jetson else "",
        l4t=l4t,
        jetpack=jetpack or stats.jetpack,
        software=generation,
        power_mode=software.power_mode(root) if jetson else "",
        power_modes=software.power_modes(root) if jetson else (),
        tensorrt=software.tensorrt(root, version if libraries else None) or stats.tensorrt,
        cuda=software.cuda(root) or stats.cuda,
        gpus=gpus,
        cpu=cpu,
        cores=cores,
        memory_bytes=memory,
        available_bytes=available,
        notes=tuple(notes),
    )


def _ask(what: str, question: Callable[[], T], otherwise: T, notes: list[str]) -> T:
    """An answer, or ``otherwise`` and a note."""
    try:
        return question()
    except EdgeAIError as error:
        notes.append(str(error))
    except Exception as error:  # whatever a driver or a broken file does, the rest is still worth knowing
        notes.append(f"{what}: {type(error).__name__}: {error}")
    return otherwise


def _limited(question: Callable[[], T]) -> Callable[[], T]:
    limit = PATIENCE
    return lambda: within(limit, question)


def _memory(root: Path) -> tuple[int, int]:
    """Bytes in all and free, as Linux sees them; of this computer where the tree does not say."""
    try:
        text = (root / "proc/meminfo").read_text()
    except FileNotFoundError:
        now = psutil.virtual_memory()
        return int(now.total), int(now.available)
    sizes = {name: int(kib) * 1024 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
    return sizes["MemTotal"], sizes.get("MemAvailable", sizes.get("MemFree", 0))


def _cpu(root: Path) -> tuple[str, int]:
    """Name and physical cores. ARM's /proc/cpuinfo often has no name, and its cores have no hyper-threads."""
    text = (root / "proc/cpuinfo").read_text(errors="replace")
    name = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.MULTILINE)
    ids = set(re.findall(r"^physical id\s*:\s*(\d+)\n(?:.*\n)*?core id\s*:\s*(\d+)", text, re.MULTILINE))
    cores = len(ids) or len(re.findall(r"^processor\s*:", text, re.MULTILINE))
    return (name[1].strip() if name else ""), max(cores, 1)
