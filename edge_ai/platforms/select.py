"""Which Jetson does a job: filters that each give their reason, then a rank."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge_ai.core.errors import ParameterError
from edge_ai.platforms.boards import BYTES, Board, PowerMode, Precision, boards, jetpacks
from edge_ai.platforms.calibration import Calibration, Prediction
from edge_ai.platforms.memory import GIB, memory_budget
from edge_ai.platforms.workload import Workload

RUNTIME_BYTES = 3 * GIB // 4
"""What CUDA and TensorRT take before the first model: a rule of thumb, not measured by us on a Jetson."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What is wanted.

    Attributes:
        workloads: models that run one after the other on every image.
        fps: images per second, all cameras together.
        precision: of the engines.
        watts: at most; None for any.
        memory_gb: GB (10^9 bytes) that models must be able to take; None for what the workloads need.
    """

    workloads: tuple[Workload, ...]
    fps: float
    precision: Precision = "fp16"
    watts: float | None = None
    memory_gb: float | None = None

    def __post_init__(self) -> None:
        if not self.workloads:
            raise ParameterError("requirements", got="no model", wanted="one at least")
        for name, value in (("fps", self.fps), ("watts", self.watts), ("memory_gb", self.memory_gb)):
            if value is not None and not 0 < value < math.inf:
                raise ParameterError(f"requirement '{name}'", got=value, wanted="a finite number above 0")

    @property
    def memory_bytes(self) -> float:
        """What models must be able to take: as told, else weights and all activations (TensorRT reuses some)."""
        if self.memory_gb is not None:
            return self.memory_gb * 1e9
        return RUNTIME_BYTES + sum(BYTES[self.precision] * (w.weights + w.activations) for w in self.workloads)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a board will not do: about what ("power", "speed", ...), in words, and how many times too little it has."""

    about: str
    words: str
    short: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """What came of one board.

    Attributes:
        mode: the least power mode that will do, else the fastest allowed; None where none is allowed or predictable.
        memory_gb: the smallest variant of the board that will do, else the largest.
        prediction: how fast it is in that mode.
        reasons: why it will not do; empty where it will.
        caveats: what to know before buying it.
    """

    board: Board
    mode: PowerMode | None
    memory_gb: int
    prediction: Prediction | None
    reasons: tuple[Reason, ...]
    caveats: tuple[str, ...]
    sure: bool

    @property
    def fits(self) -> bool:
        """Whether it will do, by the middle of the prediction; `sure` says whether by its slow end as well."""
        return not self.reasons

    @property
    def short(self) -> float:
        """How far off it is: 1 for a board that will do."""
        return math.prod(reason.short for reason in self.reasons)


def select(wanted: Requirements, calibration: Calibration, among: Iterable[Board] | None = None) -> list[Candidate]:
    """Judge every board.

    Returns:
        Those that will do first, best first: sure ones before likely ones, those without a caveat about software before
        others, then least power, then the weakest. The others follow, the nearest miss first.
    """
    found = [_judge(one, wanted, calibration) for one in (boards() if among is None else among)]
    return sorted(found, key=_rank)


def _rank(one: Candidate) -> tuple[object, ...]:
    if not one.fits:
        return (1, one.short, one.board.fp16_tflops)
    watts = math.inf if one.mode is None or one.mode.watts is None else one.mode.watts
    return (0, not one.sure, not _software(one.board)[1], watts, one.board.fp16_tflops)


def _judge(board: Board, wanted: Requirements, calibration: Calibration) -> Candidate:
    allowed, reasons = _power(board, wanted)
    memory_gb, reason = _memory(board, wanted)
    units = list(_units(board, wanted))
    reasons += [*reason, *units, *_runs(board)]
    predictions = [(m, p) for m in allowed if (p := calibration.predict(wanted.workloads, board, m, wanted.precision))]
    if allowed and not predictions and not units:
        reasons.append(Reason("speed", f"nobody here knows the clocks of {_names(allowed)}", math.inf))
    mode, prediction = _least(predictions, wanted.fps)
    if prediction is not None and prediction.fps < wanted.fps:
        words = f"{prediction.words} in {mode.words if mode else ''}, wanted {wanted.fps:g}"
        reasons.append(Reason("speed", words, wanted.fps / prediction.fps))
    sure = prediction is not None and prediction.low >= wanted.fps
    return Candidate(board, mode, memory_gb, prediction, tuple(reasons), tuple(_caveats(board, mode)), sure)


def _least(predictions: list[tuple[PowerMode, Prediction]], fps: float) -> tuple[PowerMode | None, Prediction | None]:
    """The mode of least power that is surely quick enough, else the least that is likely, else the fastest."""
    order = sorted(predictions, key=lambda pair: (pair[0].watts or math.inf, pair[0].gpu_mhz or 0))
    sure = [pair for pair in order if pair[1].low >= fps]
    likely = [pair for pair in order if pair[1].fps >= fps]
    if sure or likely:
        return (sure or likely)[0]
    return max(order, key=lambda pair: pair[1].fps, default=(None, None))


def _power(board: Board, wanted: Requirements) -> tuple[list[PowerMode], list[Reason]]:
    """Modes that a limit of power allows; one without a limit of its own is not allowed then."""
    if wanted.watts is None:
        return list(board.modes), []
    allowed = [m for m in board.modes if m.watts is not None and m.watts <= wanted.watts]
    if allowed:
        return allowed, []
    least = min(m.watts for m in board.modes if m.watts is not None)
    words = f"its least mode is named {least:g} W, allowed are {wanted.watts:g} W"
    return [], [Reason("power", words, least / wanted.watts)]


def _memory(board: Board, wanted: Requirements) -> tuple[int, list[Reason]]:
    need = wanted.memory_bytes
    for gb in sorted(board.memory_gb):
        if memory_budget(gb * GIB, shared=True).models >= need:
            return gb, []
    most = max(board.memory_gb)
    have = memory_budget(most * GIB, shared=True).models
    words = f"models may take {have / 1e9:.1f} GB of its {most} GB, they need {need / 1e9:.1f} GB"
    return most, [Reason("memory", words, need / have)]


def _units(board: Board, wanted: Requirements) -> Iterator[Reason]:
    if board.tera_operations(board.top, wanted.precision) is None:
        yield Reason("precision", f"its {board.architecture.title()} GPU has no units for {wanted.precision}", math.inf)


def _runs(board: Board) -> Iterator[Reason]:
    runs, _ = _software(board)
    if not runs:
        newest = next(j for j in reversed(jetpacks()) if j.name in board.jetpacks)
        words = f"its newest JetPack, {newest.name}, ends at TensorRT {newest.tensorrt} and Python {newest.python}"
        yield Reason("software", words, math.inf)


def _software(board: Board) -> tuple[bool, bool]:
    """Whether the TensorRT backend can run on its newest JetPack at all, and whether without further ado."""
    newest = next(j for j in reversed(jetpacks()) if j.name in board.jetpacks)
    return newest.tensorrt_backend, newest.native


def _caveats(board: Board, mode: PowerMode | None) -> Iterator[str]:
    runs, native = _software(board)
    if runs and not native:
        yield next(j for j in reversed(jetpacks()) if j.name in board.jetpacks).works
    if mode is not None and mode.super:
        yield "a Super mode: JetPack 6.2 or later, flashed with the super configuration"
    if mode is not None and mode.watts is None:
        yield f"{mode.name} has no limit of power"


def _names(modes: Iterable[PowerMode]) -> str:
    return ", ".join(mode.name for mode in modes)
