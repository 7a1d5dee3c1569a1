"""The table, a machine and a choice of boards, as text and as plain values for JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from edge_ai.platforms.boards import Board, architectures, boards, jetpacks, sources
from edge_ai.platforms.calibration import COVER, Calibration
from edge_ai.platforms.detect import Machine
from edge_ai.platforms.select import Candidate, Requirements


def boards_text() -> str:
    """The table for a terminal, one board a line."""
    rows = [BOARD_HEAD, *(board_row(one) for one in boards())]
    widths = [max(len(row[i]) for row in rows) for i in range(len(BOARD_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    note = (
        "Dense, GPU alone, fastest mode. ? unchecked, - none. Brochures count sparsity and DLAs: see doc/platforms.md"
    )
    return "\n".join([*lines, note])


def machine_text(machine: Machine) -> str:
    """What a machine is, a fact a line."""
    budget, gib = machine.budget, 2**30
    board, software = machine.board, machine.software
    facts = [
        ("this machine", machine.model),
        ("board", f"{board.name} ({board.key}), by {machine.evidence}" if board else ""),
        ("profile", machine.profile),
        ("GPU", f"{board.architecture.title()}, {_capability(board)}" if board else ""),
        *(("GPU", _gpu_words(gpu)) for gpu in machine.gpus),
        ("power mode", machine.power_mode),
        ("JetPack", f"{machine.jetpack or 'unknown'}, Jetson Linux {machine.l4t}" if machine.l4t else ""),
        ("works", software.works if software else ""),
        ("CUDA", machine.cuda),
        ("TensorRT", machine.tensorrt),
        ("processor", f"{machine.cpu + ', ' if machine.cpu else ''}{machine.cores} cores"),
        ("memory", f"{machine.memory_bytes / gib:.1f} GiB, {machine.available_bytes / gib:.1f} GiB free"),
        ("budget", f"models {budget.models / gib:.1f} GiB, building an engine {budget.workspace / gib:.1f} GiB"),
        *(("", reason) for reason in budget.reasons),
        *(("left out", note) for note in machine.notes),
    ]
    return "\n".join(f"{name:<13} {value}" for name, value in facts if value)


def choice_text(wanted: Requirements, found: Sequence[Candidate], calibration: Calibration) -> str:
    """What was wanted, which boards do it, and of each other why not."""
    fit, rest = [one for one in found if one.fits], [one for one in found if not one.fits]
    lines = [f"wanted: {_wanted_words(wanted)}"]
    lines += [f"\n{len(fit)} of {len(found)} boards will do, best first:" if fit else "\nno board will do"]
    for one in fit:
        lines.append(f"  {one.board.name}, {one.memory_gb} GB, {_mode(one)}: {_speed(one)}")
        lines += [f"      but: {caveat}" for caveat in one.caveats]
    if not fit and rest:
        lines.append(f"nearest: {rest[0].board.name}: {_reasons(rest[0])}")
    lines += ["\nnot:"] * bool(rest) + [f"  {one.board.name}: {_reasons(one)}" for one in rest]
    return "\n".join([*lines, "", _prediction_words(calibration)])


def everything(machine: Machine) -> dict[str, Any]:
    """Table and machine as plain values."""
    values = dataclasses.asdict(machine)
    values.update(
        board=machine.board.key if machine.board else None,
        software=machine.software.name if machine.software else None,
        profile=machine.profile,
        budget=dataclasses.asdict(machine.budget),
    )
    return {
        "machine": values,
        "boards": [one.model_dump(mode="json") for one in boards()],
        "architectures": {name: one.model_dump(mode="json") for name, one in architectures().items()},
        "jetpacks": [one.model_dump(mode="json") for one in jetpacks()],
        "sources": dict(sources()),
    }


def choice(wanted: Requirements, found: Sequence[Candidate], calibration: Calibration) -> dict[str, Any]:
    """A choice as plain values."""
    return {
        "wanted": dataclasses.asdict(wanted),
        "boards": [_candidate(one) for one in found],
        "errors": {
            name: {"about": e.about, "figures": len(e.factors), "median": e.median, "worst": e.worst}
            for name, e in calibration.errors.items()
        },
    }


BOARD_HEAD = ("board", "GPU", "cores/tensor", "DLA", "GB", "GB/s", "FP16 TFLOPS", "INT8 TOPS", "W")


def board_row(one: Board) -> tuple[str, ...]:
    """A board's cells of the table, under `BOARD_HEAD`."""
    bandwidth = one.gigabytes_per_second(one.top)
    watts = [f"{mode.watts:g}" if mode.watts else mode.name for mode in one.modes]
    return (
        one.key,
        f"{one.architecture} {architectures()[one.architecture].compute_capability}",
        f"{_mark(one, 'cuda_cores')}/{_mark(one, 'tensor_cores')}",
        _mark(one, "dla"),
        f"{'/'.join(str(gb) for gb in one.memory_gb)}{doubt(one, 'memory_gb')}",
        f"{bandwidth or 0:.0f}{doubt(one, 'memory_bits')}",
        _mark(one, "fp16_tflops"),
        _mark(one, "int8_tops"),
        "/".join(watts) + doubt(one, "watts"),
    )


def _mark(one: Board, figure: str) -> str:
    value = getattr(one, figure)
    return f"{'-' if value is None else f'{value:g}'}{doubt(one, figure)}"


def doubt(one: Board, figure: str) -> str:
    """A question mark for a figure that nobody has checked."""
    return "?" * (figure in one.unchecked)


def _capability(board: Board) -> str:
    return f"compute capability {architectures()[board.architecture].compute_capability}"


def _gpu_words(gpu: Any) -> str:
    parts = (
        gpu.name,
        f"{gpu.memory_bytes / 2**30:.0f} GiB" if gpu.memory_bytes else "",
        f"compute capability {gpu.compute_capability}" if gpu.compute_capability else "",
        f"driver {gpu.driver}" if gpu.driver else "",
    )
    return ", ".join(part for part in parts if part)


def _wanted_words(wanted: Requirements) -> str:
    models = " and ".join(f"{w.name} ({w.gflops:.3g} GFLOPs at {w.size[0]}x{w.size[1]})" for w in wanted.workloads)
    power = f", at most {wanted.watts:g} W" if wanted.watts else ""
    return f"{models}, {wanted.fps:g} fps, {wanted.precision}{power}, {wanted.memory_bytes / 1e9:.1f} GB for models"


def _mode(one: Candidate) -> str:
    return one.mode.words if one.mode else ""


def _speed(one: Candidate) -> str:
    return f"{one.prediction.words}, {'sure' if one.sure else 'likely'}" if one.prediction else ""


def _reasons(one: Candidate) -> str:
    return "; ".join(f"{reason.about}: {reason.words}" for reason in one.reasons)


def _prediction_words(calibration: Calibration) -> str:
    def words(name: str) -> str:
        return f"median {calibration.errors[name].median - 1:.0%}, worst {calibration.errors[name].worst - 1:.0%}"

    return (
        f"Predicted from {calibration.count} published speeds of TensorRT: the engine alone, batch 1, no capture, no"
        f" decoding.\nError about models left out of them: {words('model')}; about boards: {words('board')}.\n"
        f"In brackets: where {COVER:.0%} of what was left out lay. Measure before you buy."
    )


def _candidate(one: Candidate) -> dict[str, Any]:
    prediction = one.prediction
    return {
        "board": one.board.key,
        "profile": one.board.profile,
        "fits": one.fits,
        "sure": one.sure,
        "mode": one.mode.name if one.mode else None,
        "watts": one.mode.watts if one.mode else None,
        "memory_gb": one.memory_gb,
        "fps": prediction and {"low": prediction.low, "middle": prediction.fps, "high": prediction.high},
        "basis": prediction.basis if prediction else "",
        "reasons": [
            {**dataclasses.asdict(r), "short": r.short if math.isfinite(r.short) else None} for r in one.reasons
        ],
        "caveats": list(one.caveats),
    }
