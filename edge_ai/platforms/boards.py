"""The true table of Jetsons: boards, their power modes and the JetPacks that run on them, read from boards.yaml."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from edge_ai.core.errors import ParameterError

Precision = Literal["fp32", "fp16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp16", "int8", "fp32")
BYTES: Mapping[Precision, int] = {"fp32": 4, "fp16": 2, "int8": 1}
"""Of one weight or activation."""


class Data(BaseModel):
    """A piece of a data file of this package: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Architecture(Data):
    """A generation of GPUs; ``fp16``, ``fp32``, ``int8``: operations of one CUDA core's share in one clock, dense."""

    compute_capability: str
    fp16: float
    fp32: float
    int8: float | None
    tensor_cores_per_sm: int
    cores_per_sm: int


class PowerMode(Data):
    """One nvpmodel mode.

    Attributes:
        name: as nvpmodel calls it.
        watts: what NVIDIA names it after; None where it has no limit. Not a measurement.
        gpu_mhz: highest GPU clock; None where nobody here knows it, and then nothing can be predicted.
        cores: CUDA cores that are switched on.
        memory_mhz: highest memory clock.
        super: exists from JetPack 6.2 on.
        unchecked: nobody has compared its GPU clock with NVIDIA's own words.
    """

    name: str
    watts: float | None = None
    gpu_mhz: float | None = None
    cores: int | None = None
    memory_mhz: float | None = None
    super: bool = False
    unchecked: bool = False

    @property
    def known(self) -> bool:
        """Whether its clocks are known."""
        return None not in (self.gpu_mhz, self.cores, self.memory_mhz)

    @property
    def words(self) -> str:
        """Name and watts: "MAXN (no limit)", "MODE_30W (30 W)"."""
        return f"{self.name} ({f'{self.watts:g} W' if self.watts else 'no limit'})"


class Board(Data):
    """One Jetson module; boards.yaml says what each figure means and where it is from.

    Attributes:
        key: its name here.
        profile: name of its file in config/profiles; empty where there is none.
        family: words that the device tree's model contains.
        parts: module part numbers.
        jetpacks: names of the JetPacks that run on it.
        modes: power modes, slowest first; ``fp16_tflops`` and ``int8_tops`` hold in the last.
        sources: figures by the source they are from.
        unchecked: figures that nobody has compared with NVIDIA's own words.
    """

    key: str
    profile: str
    name: str
    family: str
    soc: str
    architecture: str
    cuda_cores: int
    tensor_cores: int
    dla: int
    memory_gb: tuple[int, ...] = Field(min_length=1)
    memory_bits: int
    fp16_tflops: float
    int8_tops: float | None
    advertised: str
    parts: tuple[str, ...]
    jetpacks: tuple[str, ...]
    modes: tuple[PowerMode, ...] = Field(min_length=1)
    sources: dict[str, tuple[str, ...]]
    unchecked: tuple[str, ...]

    @property
    def top(self) -> PowerMode:
        """The fastest mode."""
        return self.modes[-1]

    def mode(self, name: str) -> PowerMode:
        """The mode of that name.

        Raises:
            ParameterError: it has none of that name.
        """
        for mode in self.modes:
            if mode.name == name:
                return mode
        raise ParameterError(
            f"power mode of {self.name}", got=repr(name), wanted=f"one of {', '.join(m.name for m in self.modes)}"
        )

    def gigabytes_per_second(self, mode: PowerMode) -> float | None:
        """Memory bandwidth: two transfers a clock on each wire."""
        return None if mode.memory_mhz is None else self.memory_bits / 8 * 2 * mode.memory_mhz * 1e-3

    def tera_operations(self, mode: PowerMode, precision: Precision) -> float | None:
        """Dense operations (2 x multiply-accumulate) of the GPU per second, in units of 10^12.

        The table's figure holds in the fastest mode; others have their share of cores and clocks. None where the GPU
        has no units for that precision or the clocks of the mode are unknown.
        """
        top, architecture = self.top, architectures()[self.architecture]
        if mode.gpu_mhz is None or mode.cores is None or top.gpu_mhz is None or top.cores is None:
            return None
        share = mode.gpu_mhz * mode.cores / (top.gpu_mhz * top.cores)
        if precision == "int8":
            return None if self.int8_tops is None else self.int8_tops * share
        return self.fp16_tflops * share * (1.0 if precision == "fp16" else architecture.fp32 / architecture.fp16)


class JetPack(Data):
    """One generation of NVIDIA's software for Jetson.

    Attributes:
        l4t: the releases of Jetson Linux it stands for, major and minor.
        tensorrt_backend: whether this package's TensorRT backend can run on it at all.
        native: whether this package runs on it without a container.
        works: what works.
    """

    name: str
    l4t: tuple[str, ...]
    ubuntu: str
    ros: str
    python: str
    cuda: str
    tensorrt: str
    tensorrt_backend: bool
    native: bool
    works: str
    unchecked: tuple[str, ...]


class _File(Data):
    sources: dict[str, str]
    architectures: dict[str, Architecture]
    boards: tuple[Board, ...]
    jetpacks: tuple[JetPack, ...]
    releases: dict[str, str]


@functools.cache
def _file() -> _File:
    return _File.model_validate(yaml.safe_load(Path(__file__).with_name("boards.yaml").read_text(encoding="utf-8")))


def boards() -> tuple[Board, ...]:
    """Every board, weakest first."""
    return _file().boards


def board(key: str) -> Board:
    """The board of that key.

    Raises:
        ParameterError: there is none.
    """
    for one in boards():
        if one.key == key:
            return one
    raise ParameterError("board", got=repr(key), wanted=f"one of {', '.join(b.key for b in boards())}")


def architectures() -> Mapping[str, Architecture]:
    """Every generation of GPUs by its name."""
    return _file().architectures


def sources() -> Mapping[str, str]:
    """What each source is, by the name boards call it."""
    return _file().sources


def jetpacks() -> tuple[JetPack, ...]:
    """Every JetPack, oldest first."""
    return _file().jetpacks


def jetpack_of(l4t: str) -> tuple[str, JetPack | None]:
    """The JetPack that a release of Jetson Linux belongs to.

    Args:
        l4t: like "36.4.3".

    Returns:
        Its exact version where the release is known, else the generation's with an "x"; and the generation. ("", None)
        for a release nobody here knows.
    """
    generation = next((j for j in jetpacks() if ".".join(l4t.split(".")[:2]) in j.l4t), None)
    exact = _file().releases.get(l4t if l4t.count(".") > 1 else f"{l4t}.0")
    if exact or generation is None:
        return exact or "", generation
    return f"{generation.name.split('.')[0]}.x", generation
