"""Published speeds of models on Jetsons, read from speeds.yaml."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from edge_ai.platforms.boards import Board, Data, PowerMode, Precision, board
from edge_ai.platforms.workload import Workload, from_gflops

Use = Literal["calibrate", "check"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One published measurement.

    Attributes:
        workload: the model at the input size that was measured.
        seconds: one inference of one image.
        source: the set of speeds.yaml it is from.
    """

    workload: Workload
    board: Board
    mode: PowerMode
    precision: Precision
    seconds: float
    source: str


class _Model(Data):
    gflops: float
    weights_m: float
    activations_m: float | None = None
    operators: int | None = None
    size: int


class _Row(Data):
    model: str
    size: int
    precision: Precision
    ms: tuple[float, ...]


class _Set(Data):
    name: str
    source: str
    use: Use
    boards: tuple[str, ...]
    rows: tuple[_Row, ...]


class _File(Data):
    models: dict[str, _Model]
    sets: tuple[_Set, ...]


@functools.cache
def _file() -> _File:
    return _File.model_validate(yaml.safe_load(Path(__file__).with_name("speeds.yaml").read_text(encoding="utf-8")))


@functools.cache
def models() -> dict[str, Workload]:
    """Every model that was measured, at the size its authors state it for."""
    return {name: _workload(name, model) for name, model in _file().models.items()}


@functools.cache
def figures(use: Use) -> tuple[Figure, ...]:
    """Every figure to calibrate on, or to check with."""
    return tuple(figure for one in _file().sets if one.use == use for figure in _figures(one))


def sources() -> dict[str, str]:
    """Where the figures of each set are from."""
    return {one.name: one.source for one in _file().sets}


def _workload(name: str, model: _Model) -> Workload:
    size, weights = (model.size, model.size), model.weights_m * 1e6
    if model.activations_m is None or model.operators is None:
        return from_gflops(model.gflops, size, weights, name)
    return Workload(name, model.gflops, weights, model.activations_m * 1e6, model.operators, size)


def _figures(one: _Set) -> Iterator[Figure]:
    for row in one.rows:
        workload = models()[row.model].at((row.size, row.size))
        for place, ms in zip(one.boards, row.ms, strict=True):
            key, _, mode = place.partition("/")
            yield Figure(workload, board(key), board(key).mode(mode), row.precision, ms * 1e-3, one.name)
